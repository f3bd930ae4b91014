// Checked by `tsc --strict`, never run: what a mini app's author writes, and what must not compile.
import type { OCApp, OCError, OCErrorCode } from "./oc";

const text: string = OC.user.getSessionID();
const device: string = window.OC.user.deviceInfo();
const card: string = OC.user.getVCard();

OC.user.selectContacts({ success: (selected) => selected.trim(), maxNumberOfSelection: 1 });
const picked: Promise<string[]> = OC.user.selectContacts();

OC.message.single.relay({
  recipient: '["user1@domain.tld"]',
  textMessage: "hello friend",
  success: () => {},
  fail: (error) => {
    const code: OCErrorCode = error.code;
    const said: string = error.message + error.hint + code;
    console.log(said);
  },
});
const sent: Promise<void> = OC.message.single.relay({ recipient: ["user1@domain.tld"], textMessage: "hi" });
const group: Promise<string> = OC.message.group.relay({ invitees: ["user1@domain.tld"], textMessage: "hi" });
OC.message.group.relay({ groupJid: "g@muc.domain.tld", textMessage: "hi", success: (jid) => jid.trim() });

const ready: Promise<OCApp> = OC.app.ready;
const name: string | undefined = OC.app.user.userName;
const answer: Promise<Response> = OC.app.fetch("/api/me", { method: "POST" });
const done: Promise<void> = OC.app.signOut();

function isCancelled(error: OCError): boolean {
  return error.code === "cancelled";
}

// @ts-expect-error a message needs recipients
OC.message.single.relay({ textMessage: "hi" });
// @ts-expect-error a limit is a number
OC.user.selectContacts({ maxNumberOfSelection: "1" });
// @ts-expect-error there is no such code
const code: OCErrorCode = "offline";
// @ts-expect-error the session is not ours to set
OC.app.session = "s";
// @ts-expect-error a group's promise carries its JID
const wrong: Promise<number> = group;

export { answer, card, code, device, done, isCancelled, name, picked, ready, sent, text, wrong };
