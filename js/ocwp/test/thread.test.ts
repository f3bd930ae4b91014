import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import german from "../locale/deDE.json";
import words from "../locale/enGB.json";
import type { Client } from "../src/model/client.js";
import { Thread } from "../src/ui/thread.js";
import type { Ui } from "../src/ui/ui.js";
import { Language } from "../src/ui/i18n.js";
import { NS } from "../src/xmpp/xml.js";
import { login, newClient, settled } from "./account.js";
import { FakeServer } from "./server.js";
import "./site.js";

vi.mock("strophe/connection", async () => ({ default: (await import("./server.js")).FakeConnection }));
vi.stubGlobal(
  "ResizeObserver",
  class {
    observe(): void {}
    disconnect(): void {}
  },
);

afterEach(() => document.body.replaceChildren());

test("of the rows of a chat, only those that have changed are made again", async () => {
  const server = new FakeServer();
  for (let number = 0; number < 9; number++) server.text("bob@d", `text ${number}`, { id: `m${number}` });
  const client = newClient();
  await login(client);
  const language = new Language("enGB", words);
  const thread = new Thread();
  [thread.ui, thread.chat] = [{ client, language } as Ui, client.chat("bob@d")];
  document.body.append(thread);
  await thread.updateComplete;
  await settled();
  const made = vi.spyOn(language, "full");
  const rows = async () => {
    made.mockClear();
    thread.requestUpdate();
    await thread.updateComplete;
    return made.mock.calls.length;
  };
  const text = (index: number) => thread.renderRoot.querySelectorAll(".message")[index]!.textContent;
  const [first, second] = thread.chat.timeline.messages as [never, never];
  await rows(); // which finds the last one
  expect(await rows()).toBe(0);
  thread.chat.timeline.change(first, "other words");
  expect(await rows()).toBe(1);
  expect(text(0)).toContain("other words");
  client.changes.react(thread.chat, second, "👍");
  expect(await rows()).toBe(1);
  expect(text(1)).toContain("👍");
  client.changes.react(thread.chat, second, "👍"); // takes it back
  expect(await rows()).toBe(1);
  expect(text(1)).not.toContain("👍");
  client.people.contacts.set("bob@d", { jid: "bob@d", name: "Robert" });
  expect(await rows()).toBe(9);
  expect(text(2)).toContain("Robert");
  client.stop();
});

describe("a chat", () => {
  const ROOM = "room@muc.d";
  let server: FakeServer;
  let client: Client;
  let thread: Thread;
  let ids: string[]; // of the group's messages in its archive

  const open = async (jid: string) => {
    thread = new Thread();
    [thread.ui, thread.chat] = [{ client, language: new Language("enGB", words) } as Ui, client.chat(jid)];
    document.body.append(thread);
    await drawn();
  };
  const drawn = async () => {
    await settled();
    await new Promise(requestAnimationFrame);
    await thread.updateComplete;
  };
  /** All text that the chat shows, its buttons, and the addresses of its pictures. */
  const shown = () => {
    const root = thread.renderRoot;
    const pictures = [...root.querySelectorAll<HTMLElement & { src: string }>("ocwp-avatar")].map(({ src }) => src);
    const buttons = [...root.querySelectorAll("button")].map((button) => `[${button.getAttribute("aria-label")}]`);
    const texts = [...root.querySelectorAll(".list, .typing")].map(({ textContent }) => textContent);
    return [...texts, ...buttons, ...pictures].join(" ").replace(/\s+/g, " ");
  };
  const push = (item: string) =>
    server.deliver(`<iq xmlns="jabber:client" type="set" id="1"><query xmlns="${NS.roster}">${item}</query></iq>`);
  const x = (item: string) => `<x xmlns="${NS.mucUser}"><item ${item}/></x>`;
  const card = (jid: string, inner: string) => {
    server.cards[jid] = inner;
    client.people.refresh(jid);
  };

  beforeEach(async () => {
    server = new FakeServer();
    server.rooms.set(ROOM, { config: [] });
    server.node(NS.bookmarks).set(ROOM, `<conference xmlns="${NS.bookmarks}" autojoin="true"/>`);
    for (const jid of ["bob@d", "dave@d", "carol@d", "alerts.d/Lunch"]) server.cards[jid] = "";
    server.text("bob@d", "hello");
    server.text("carol@d", "good day");
    server.direct("me@d/1", "<body>and to you</body>", { id: "own", to: "bob@d" });
    ids = [
      server.group(ROOM, "bob", "<body>first</body>", "m0"),
      server.group(ROOM, "me", "<body>second</body>", "m1"),
      server.group(ROOM, "dave", `<body>third</body>${x('jid="dave@d"')}`, "m2"),
      server.group(ROOM, "Lunch", `<body>fourth</body>${x('jid="alerts.d"')}`, "m3"),
    ];
    client = newClient();
    await login(client);
    server.deliver(`<presence xmlns="jabber:client" from="${ROOM}/bob">${x('jid="bob@d/1"')}</presence>`);
  });
  afterEach(() => client.stop());

  const group = (inner: string) => server.group(ROOM, "bob", inner);
  const changes: Record<string, [chat: string, change: () => void, before: string, after: string]> = {
    "a new message": ["bob@d", () => server.text("bob@d", "news"), "", "news"],
    "a name in the contacts": [ROOM, () => push('<item jid="bob@d" name="Bobby"/>'), "bob", "Bobby"],
    "a name in a vCard": ["bob@d", () => card("bob@d", "<FN>Robert</FN>"), "bob", "Robert"],
    "a name in the vCard of an occupant": [ROOM, () => card("bob@d", "<FN>Robert</FN>"), "bob", "Robert"],
    "a name in the vCard of one who left": [ROOM, () => card("dave@d", "<FN>David</FN>"), "dave", "David"],
    "another picture": [
      ROOM,
      () => card("alerts.d/Lunch", "<PHOTO><TYPE>image/png</TYPE><BINVAL>aGk=</BINVAL></PHOTO>"),
      "",
      "data:image/png;base64,aGk=",
    ],
    "a reaction": [
      ROOM,
      () => group(`<reactions xmlns="${NS.reactions}" id="${ids[1]}"><reaction>👍</reaction></reactions>`),
      "",
      "[👍 bob]",
    ],
    "an edit": [
      ROOM,
      () => group(`<body>once more</body><replace xmlns="${NS.correct}" id="m0"/>`),
      "first",
      "once more",
    ],
    "a retraction": [
      ROOM,
      () => group(`<retract xmlns="${NS.retract}" id="${ids[0]}"/><body>gone</body>`),
      "first",
      words.retracted,
    ],
    "a reader": [ROOM, () => group(`<displayed xmlns="${NS.markers}" id="${ids[1]}"/>`), words.sent, "Read by 1"],
    "a receipt": [
      "bob@d",
      () => server.direct("bob@d", `<received xmlns="${NS.receipts}" id="own"/>`),
      words.sent,
      words.delivered,
    ],
    "somebody begins to type": [
      "bob@d",
      () => server.direct("bob@d", `<composing xmlns="${NS.chatStates}"/>`),
      "",
      "typing",
    ],
    "an older page is asked for": [
      "bob@d",
      () => {
        client.chat("bob@d").loading = true;
        client.onlyChanged("bob@d");
      },
      "",
      words.loading,
    ],
    "being put out of the group": [
      ROOM,
      () =>
        server.deliver(
          `<presence xmlns="jabber:client" type="unavailable" from="${ROOM}/me"><x xmlns="${NS.mucUser}"><status code="110"/><status code="307"/></x></presence>`,
        ),
      `[${words.more}]`,
      "",
    ],
    "the language changes": [
      "bob@d",
      () => (thread.ui = { ...thread.ui, language: new Language("deDE", german) }),
      words.sent,
      german.sent,
    ],
    "a search": ["bob@d", () => (thread.sought = "nowhere"), "hello", words.noneFound],
  };
  test.each(Object.entries(changes))("is drawn again after %s", async (_, [jid, change, before, after]) => {
    await open(jid);
    const shows = (there: string, missing: string) => {
      expect(shown()).toContain(there);
      if (missing) expect(shown()).not.toContain(missing);
    };
    await vi.waitFor(() => shows(before, after), { interval: 5 });
    change();
    await vi.waitFor(() => shows(after, before), { interval: 5 });
  });

  test.each([ROOM, "bob@d"])("is left alone when other people and chats change: %s", async (jid) => {
    await open(jid);
    const update = vi.spyOn(thread, "requestUpdate");
    card("carol@d", "<FN>Caroline</FN>");
    server.deliver('<presence xmlns="jabber:client" from="carol@d/1"/>');
    client.chat("eve@d").setTyping("eve@d", true);
    await client.older(client.chat("carol@d"));
    await drawn();
    expect(update).not.toHaveBeenCalled();
  });
});
