import { describe, expect, test } from "vitest";
import { asJid, bare, domainOf, isUuid, localOf, resource, uuid } from "../src/xmpp/jids.js";
import { Language, languageTag } from "../src/ui/i18n.js";
import { serviceAddress } from "../src/model/config.js";
import english from "../locale/enGB.json";
import german from "../locale/deDE.json";
import arabic from "../locale/arSA.json";
import chinese from "../locale/zhCN.json";

describe("JIDs", () => {
  test("come apart", () => {
    expect([
      bare("A@B/c/d"),
      resource("a@b/c/d"),
      resource("a@b"),
      domainOf("a@b/c"),
      localOf("a@b"),
      localOf("b"),
    ]).toEqual(["a@b", "c/d", "", "b", "a", ""]);
  });

  test.each([
    ["bob", "bob@d"],
    [" Bob@E/x ", "bob@e"],
    ["", undefined],
    ["a b", undefined],
    ["a@b@c", undefined],
    ["<a>@b", undefined],
  ])("%j is %j", (text, jid) => expect(asJid(text, "d")).toBe(jid));

  test("new UUIDs are such, and differ", () => {
    expect(isUuid(uuid())).toBe(true);
    expect(uuid()).not.toBe(uuid());
    expect(isUuid("lunch")).toBe(false);
  });
});

describe("locales", () => {
  test.each([german, arabic, chinese])("have every string, with the same gaps", (words) => {
    expect(Object.keys(words)).toEqual(Object.keys(english));
    const gaps = (text: string) => (text.match(/\{\w+\}/g) ?? []).filter((gap) => gap !== "{count}").sort();
    for (const [key, text] of Object.entries(words))
      expect(gaps(text), key).toEqual(gaps(english[key as keyof typeof english]));
  });

  test("fill in names, numbers and plurals", () => {
    const language = new Language("enGB", english);
    expect(language.say("typing", { name: "{name} $& Bob" })).toBe("{name} $& Bob is typing…");
    expect([language.count("unread", 1), language.count("unread", 1200)]).toEqual([
      "1 unread message",
      "1,200 unread messages",
    ]);
  });

  test("keep names of the other direction in an isolate", () => {
    const german = new Language("deDE", english);
    expect(german.say("writeTo", { name: "محمد" })).toBe("Write to \u2068محمد\u2069");
    expect(german.say("react", { emoji: "❤️" })).toBe("React with ❤️");
    const arabic = new Language("arSA", { ...english, direction: "rtl" });
    expect(arabic.say("writeTo", { name: "Bob" })).toBe("Write to \u2068Bob\u2069");
  });

  test("name a day by its distance", () => {
    const language = new Language("enGB", english);
    const now = new Date(2026, 5, 10, 12).getTime();
    const day = (back: number) => language.day(now - back * 86_400_000, now);
    expect([day(0), day(1), day(2), day(9)]).toEqual(["Today", "Yesterday", "Monday", "1 Jun 2026"]);
  });

  test.each([
    ["enGB", "en-GB"],
    ["zh_CN", "zh-CN"],
    ["own-words-x!", "en-GB"],
  ])("%s is %s", (name, tag) => expect(languageTag(name)).toBe(tag));
});

describe("the service", () => {
  const base = new URL("https://site.example/config/config.json");
  test.each([
    ["wss://chat.example/ws", "wss://chat.example/ws"],
    ["ws://127.0.0.1:5280/ws", "ws://127.0.0.1:5280/ws"],
    ["ws://onechat.localhost/ws", "ws://onechat.localhost/ws"],
    ["/bosh", "https://site.example/bosh"],
  ])("%s is taken", (given, url) => expect(serviceAddress(given, base)).toBe(url));

  test.each(["ws://chat.example/ws", "http://localhost.evil.example/", "javascript:alert(1)", "", 7])(
    "%s is not",
    (given) => {
      expect(() => serviceAddress(given, base)).toThrow(/config.json/);
    },
  );
});
