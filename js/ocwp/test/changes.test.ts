import { describe, expect, test } from "vitest";
import { Reactions, readReactions } from "../src/xmpp/reactions.js";
import { readReply, shortened, writeReply } from "../src/xmpp/replies.js";
import { NS } from "../src/xmpp/xml.js";
import { parse } from "./server.js";

const message = (inner: string) => parse(`<message xmlns="jabber:client">${inner}</message>`);

describe("a reply", () => {
  test("is read as it was written, without its quotation", () => {
    const reply = { id: "m1", to: "bob@d/1", quote: "two 👋\nlines" };
    const { body, elements } = writeReply(reply, "> not a quotation");
    expect(body).toBe("> two 👋\n> lines\n> not a quotation");
    const xml = elements.map((element) => new XMLSerializer().serializeToString(element)).join("");
    expect(readReply(message(xml), body)).toEqual({ reply, text: "> not a quotation" });
  });

  test.each([
    ["no range", '<body start="0" end="99"/>'],
    ["a range of nonsense", '<body start="x" end="y"/>'],
    ["a range that ends before it begins", '<body start="3" end="1"/>'],
  ])("with %s keeps its whole text", (_, range) => {
    const fallback = `<fallback xmlns="${NS.fallback}" for="${NS.reply}">${range}</fallback>`;
    const read = readReply(message(`<reply xmlns="${NS.reply}" id="m1"/>${fallback}`), "hello");
    expect(read).toEqual({ reply: { id: "m1", to: "", quote: "" }, text: "hello" });
  });

  test("quotes one line of at most 100 characters", () => {
    expect(shortened(" a\n b ")).toBe("a b");
    expect([...shortened("👋".repeat(200))]).toHaveLength(100);
  });
});

describe("reactions", () => {
  test("are emoji, few of them, each once", () => {
    const emoji = ["👍", "👍", "<b>", "text", "", "❤️", "hi 👍", "1", "🇩🇪", "1️⃣", "👩🏽‍🚒", "😀", "😃", "😄"];
    const inner = emoji.map((one) => `<reaction>${one.replace("<", "&lt;")}</reaction>`).join("");
    const read = readReactions(message(`<reactions xmlns="${NS.reactions}" id="m1">${inner}</reactions>`));
    expect(read).toEqual({ id: "m1", emoji: ["👍", "❤️", "🇩🇪", "1️⃣", "👩🏽‍🚒", "😀"] });
  });

  test("of a sender replace that sender's, whichever way round they come", () => {
    const reactions = new Reactions();
    reactions.take({ id: "m1", emoji: ["👍", "❤️"] }, "bob@d", 2);
    reactions.take({ id: "m1", emoji: ["😢"] }, "bob@d", 1);
    reactions.take({ id: "m1", emoji: ["👍"] }, "", 3);
    expect([...reactions.on(["m1", undefined, "m1"])]).toEqual([
      ["👍", ["bob@d", ""]],
      ["❤️", ["bob@d"]],
    ]);
    reactions.take({ id: "m1", emoji: [] }, "bob@d", 4);
    expect([...reactions.on(["m1"])]).toEqual([["👍", [""]]]);
  });
});
