import { describe, expect, test } from "vitest";
import { read, unwrapCarbon, unwrapResult } from "../src/xmpp/stanzas.js";
import { readCard } from "../src/model/people.js";
import { clean, x } from "../src/xmpp/xml.js";

const ME = { jid: "me@d", domain: "d", nick: () => "me", now: () => 5000 };
const parse = (xml: string) => new DOMParser().parseFromString(xml, "text/xml").documentElement;
const direct = (inner: string, attrs = 'from="bob@d/phone" to="me@d"') =>
  parse(`<message xmlns="jabber:client" type="chat" id="1" ${attrs}>${inner}</message>`);
const plain = (message: Element) => read({ message, sent: false, archive: undefined, at: undefined }, ME);

describe("a message", () => {
  test("is read with its text and the archive ID that it claims", () => {
    const read = plain(direct('<body>hi</body><stanza-id xmlns="urn:xmpp:sid:0" by="me@d" id="s1"/>'));
    expect(read).toMatchObject({
      chat: "bob@d",
      kind: "direct",
      mine: false,
      text: "hi",
      archive: undefined,
      hints: ["s1"],
      id: "1",
      live: true,
    });
  });

  test("takes no place in the archive from anybody but the archive", () => {
    const forged = plain(direct('<body>hi</body><stanza-id xmlns="urn:xmpp:sid:0" by="bob@d" id="forged"/>'));
    expect(forged).toMatchObject({ archive: undefined, hints: [] });
  });

  test("is as old as the server says, and no other", () => {
    const delay = (from: string, stamp: string) =>
      `<body>hi</body><delay xmlns="urn:xmpp:delay" from="${from}" stamp="${stamp}"/>`;
    expect(plain(direct(delay("d", "1970-01-01T00:00:01Z")))).toMatchObject({ at: 1000, live: false });
    expect(plain(direct(delay("eve@d", "1970-01-01T00:00:01Z")))).toMatchObject({ at: 5000, live: true });
    expect(plain(direct(delay("d", "2099-01-01T00:00:00Z")))?.at).toBe(5000);
  });

  test.each(["\u200b\u2060", " \n", "\u3164"])("that shows nothing has no text: %j", (text) => {
    expect(plain(direct(`<body>${text}</body>`))?.text).toBeUndefined();
  });

  test("names what it corrects or retracts; a retraction's fallback is no text", () => {
    const corrected = '<body>hi</body><replace xmlns="urn:xmpp:message-correct:0" id="0"/>';
    expect(plain(direct(corrected))).toMatchObject({ text: "hi", corrects: "0" });
    for (const retraction of [
      '<retract xmlns="urn:xmpp:message-retract:1" id="0"/>',
      '<apply-to xmlns="urn:xmpp:fasten:0" id="0"><retract xmlns="urn:xmpp:message-retract:0"/></apply-to>',
    ]) {
      const read = plain(direct(`${retraction}<body>This person has deleted a message.</body>`));
      expect(read).toMatchObject({ text: undefined, retracts: "0" });
    }
  });

  test("of the host itself is an alert", () => {
    expect(plain(direct("<body>hi</body>", 'from="alerts.d" to="me@d"'))?.kind).toBe("alert");
  });

  test("is a file only if it is nothing but the address of one", () => {
    const oob = (url: string) => `<x xmlns="jabber:x:oob"><url>${url}</url></x>`;
    const url = "https://d/file/a.png";
    expect(plain(direct(`<body>${url}</body>${oob(url)}`))?.file).toBe(url);
    for (const [body, address] of [
      ["see this", url],
      ["javascript:a.png", "javascript:a.png"],
    ]) {
      expect(plain(direct(`<body>${body}</body>${oob(address!)}`))?.file).toBeUndefined();
    }
  });

  test("inside a group from one person to another is none of ours", () => {
    const whisper = '<body>psst</body><x xmlns="http://jabber.org/protocol/muc#user"/>';
    expect(plain(direct(whisper, 'from="room@muc.d/bob" to="me@d"'))).toBeUndefined();
  });

  test("of a group is mine by JID where the group tells it, else by nickname", () => {
    const group = (who: string, inner = "") =>
      parse(
        `<message xmlns="jabber:client" type="groupchat" from="room@muc.d/${who}" id="1"><body>hi</body>${inner}</message>`,
      );
    const told = '<x xmlns="http://jabber.org/protocol/muc#user"><item jid="bob@d/1"/></x>';
    expect(plain(group("me"))?.mine).toBe(true);
    expect(plain(group("me", told))).toMatchObject({ mine: false, author: "bob@d" });
  });

  test("that was refused says why, and has no text", () => {
    const error = plain(
      parse('<message type="error" from="bob@d" id="1"><body>hi</body><error><item-not-found/></error></message>'),
    );
    expect(error).toMatchObject({ error: "item-not-found", text: undefined });
  });

  test.each([
    ['<x xmlns="jabber:x:conference" jid="Room@muc.d"/>', 'from="bob@d"', { room: "room@muc.d", by: "bob@d" }],
    [
      '<x xmlns="http://jabber.org/protocol/muc#user"><invite from="bob@d/1"/></x>',
      'from="room@muc.d"',
      { room: "room@muc.d", by: "bob@d" },
    ],
  ])("may be an invitation", (inner, from, invite) => {
    const message = parse(`<message xmlns="jabber:client" ${from}>${inner}<body>Come!</body></message>`);
    expect(plain(message)).toMatchObject({ invite, text: undefined });
  });
});

describe("a copy", () => {
  const carbon = (from: string) =>
    parse(
      `<message xmlns="jabber:client" from="${from}"><sent xmlns="urn:xmpp:carbons:2"><forwarded xmlns="urn:xmpp:forward:0">
    <message xmlns="jabber:client" from="me@d/2" to="bob@d" id="7"><body>hi</body></message></forwarded></sent></message>`,
    );

  test("of what another client sent is mine, in the chat with whom it went to", () => {
    const wrapped = unwrapCarbon(carbon("me@d"), "me@d")!;
    expect(read(wrapped, ME)).toMatchObject({ chat: "bob@d", mine: true, text: "hi", id: "7" });
  });

  test("that somebody else sends is forged", () => expect(unwrapCarbon(carbon("eve@d"), "me@d")).toBeUndefined());
});

test("a result of the archive has its ID and time from there", () => {
  const result = parse(
    `<result xmlns="urn:xmpp:mam:2" id="a1"><forwarded xmlns="urn:xmpp:forward:0"><delay xmlns="urn:xmpp:delay" stamp="2026-01-02T03:04:05Z"/>
    <message xmlns="jabber:client" from="bob@d/1" to="me@d" id="1"><body>hi</body></message></forwarded></result>`,
  );
  expect(read(unwrapResult(result)!, ME)).toMatchObject({
    archive: "a1",
    at: Date.UTC(2026, 0, 2, 3, 4, 5),
    live: false,
  });
});

test("what is built carries any text, but no character that XML has no place for", () => {
  const text = "a\u0000b\u000b\ud800 <&> ]]> 😀";
  expect(clean(text)).toBe("a\ufffdb\ufffd\ufffd <&> ]]> 😀");
  expect(x("body", { id: "\u0001", to: undefined }, text, false, undefined).outerHTML).toBe(
    '<body id="\ufffd">a\ufffdb\ufffd\ufffd &lt;&amp;&gt; ]]&gt; 😀</body>',
  );
});

test("a vCard gives a name, and a picture only of a picture's type", () => {
  const card = (type: string) =>
    parse(`<vCard xmlns="vcard-temp"><FN>Bob</FN><PHOTO><TYPE>${type}</TYPE><BINVAL>aGk=\n</BINVAL></PHOTO></vCard>`);
  expect(readCard(card("image/png"))).toEqual({ name: "Bob", avatar: "data:image/png;base64,aGk=" });
  expect(readCard(card("text/html")).avatar).toBe("");
});
