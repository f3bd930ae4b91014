import { describe, expect, test } from "vitest";
import contract from "../../../miniapp/contract.py?raw";
import shim from "../../../miniapp/shim/__init__.py?raw";
import { checkCall } from "../src/calls.js";
import { ANSWER_SECONDS, CALL_SECONDS, MEMBERS_MAX, MESSAGE_MAX_BYTES, isJid, messageFault } from "../src/limits.js";

const many = (count: number) => Array.from({ length: count }, (_, index) => `u${index}@onechat.localhost`);

describe("checkCall", () => {
  test("takes what OneChat documents", () => {
    expect(checkCall("user.selectContacts", undefined)).toEqual({ call: "user.selectContacts", max: -1 });
    expect(checkCall("user.selectContacts", { maxNumberOfSelection: 3 })).toMatchObject({ max: 3 });
    expect(
      checkCall("message.single.relay", { recipient: ["a@d", "b@d", "a@d"], textMessage: "hello friend" }),
    ).toEqual({
      call: "relay",
      relay: { kind: "single", recipient: ["a@d", "b@d"], textMessage: "hello friend" },
    });
    expect(checkCall("message.group.relay", { invitees: ["a@d"], textMessage: "hi" })).toEqual({
      call: "relay",
      relay: { kind: "new-group", invitees: ["a@d"], textMessage: "hi" },
    });
  });

  test("puts a group that is given before the invitees", () => {
    const args = { groupJid: "g@muc.d", invitees: "nonsense", textMessage: "hi" };
    expect(checkCall("message.group.relay", args)).toEqual({
      call: "relay",
      relay: { kind: "group", groupJid: "g@muc.d", textMessage: "hi" },
    });
  });

  test("takes of what a browser refuses a page only what a phone can allow", () => {
    expect(checkCall("permit", { capabilities: ["fullscreen *", "geolocation", 7, "camera", "camera"] })).toEqual({
      call: "permit",
      capabilities: ["camera", "geolocation"],
    });
  });

  test.each([
    ["permit", undefined],
    ["permit", { capabilities: "camera" }],
    ["permit", { capabilities: ["fullscreen"] }],
    ["user.selectContacts", { maxNumberOfSelection: 0 }],
    ["user.selectContacts", { maxNumberOfSelection: 1.5 }],
    ["user.selectContacts", { maxNumberOfSelection: "2" }],
    ["message.single.relay", undefined],
    ["message.single.relay", { recipient: ["a@d"] }],
    ["message.single.relay", { recipient: ["a@d"], textMessage: "  " }],
    ["message.single.relay", { recipient: ["a@d"], textMessage: "\u0000" }],
    ["message.single.relay", { recipient: ["a@d"], textMessage: "x".repeat(MESSAGE_MAX_BYTES + 1) }],
    ["message.single.relay", { recipient: [], textMessage: "hi" }],
    ["message.single.relay", { recipient: "a@d", textMessage: "hi" }],
    ["message.single.relay", { recipient: ["a"], textMessage: "hi" }],
    ["message.single.relay", { recipient: ["a@d", 7], textMessage: "hi" }],
    ["message.single.relay", { recipient: many(MEMBERS_MAX + 1), textMessage: "hi" }],
    ["message.group.relay", { textMessage: "hi" }],
    ["message.group.relay", { groupJid: 7, textMessage: "hi" }],
    ["message.group.relay", { invitees: [], textMessage: "hi" }],
    ["user.getVCard", {}],
    ["__proto__", {}],
    [undefined, {}],
  ])("refuses %s %j as bad_argument", (call, args) => {
    expect(() => checkCall(call, args)).toThrow(expect.objectContaining({ code: "bad_argument" }));
  });

  test("takes the most recipients and the longest text there may be", () => {
    const args = { recipient: many(MEMBERS_MAX), textMessage: "é".repeat(MESSAGE_MAX_BYTES / 2) };
    expect(checkCall("message.single.relay", args)).toMatchObject({ relay: { kind: "single" } });
  });
});

describe("limits", () => {
  test("are those of miniapp/contract.py", () => {
    expect(contract).toContain(`MESSAGE_MAX_BYTES = ${MESSAGE_MAX_BYTES}\n`);
    expect(contract).toContain(`MEMBERS_MAX = ${MEMBERS_MAX}\n`);
  });

  test("of time are the shim's, and a sheet ends before the shim gives up", () => {
    expect(shim).toContain(`CALL_SECONDS = ${CALL_SECONDS} `);
    expect(ANSWER_SECONDS).toBeLessThan(CALL_SECONDS - 10);
  });

  test.each(["\u0000", "\u000b", "\ufffe", "\ud800"])("a text with %j is no message", (char) => {
    expect(messageFault(`a${char}b`)).toContain("XMPP");
  });

  test("a JID has two parts and no resource", () => {
    expect(["a@b", "6581234567@onechat.net", "zoë@d", "g-1@muc.d"].every(isJid)).toBe(true);
    expect(["", "a", "@d", "a@", "a@b/c", "a@b@c", "a b@d", "a@b ", 7, null].some(isJid)).toBe(false);
  });
});
