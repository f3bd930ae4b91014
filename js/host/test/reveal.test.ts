import { describe, expect, test } from "vitest";
import { plainName, reveal } from "../src/reveal.js";
import { siteOf } from "../src/text.js";

const shown = (text: string) =>
  reveal(text)
    .map((piece) => (typeof piece === "string" ? piece : `[${piece.mark}]`))
    .join("");

describe("reveal", () => {
  test.each([
    ["plain text", "Hi!\nSee you at noon.\n\n  - soup"],
    ["emoji of several characters", "👩‍👩‍👧 ❤️ ❤️‍🔥 👍🏽 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇸🇬"],
    ["scripts that join letters", "می‌خواهم ക്‍ നമസ്തേ שלום مرحبا"],
    ["accents", "Zoë, Đặng Thị, e\u0301"],
  ])("leaves %s alone", (_, text) => {
    expect(reveal(text)).toEqual([text]);
  });

  test.each([
    ["blank lines", `Hi!${"\n".repeat(40)}Bye`, "Hi!\n[39 blank lines]\nBye"],
    ["blank lines with something invisible on them", `Hi!${"\n\u200b \u2800".repeat(40)}Bye`, "39 blank lines"],
    ["other line breaks", `Hi!${"\r\n\u2028\u0085".repeat(9)}Bye`, "26 blank lines"],
    ["blank lines at the end", `Hi!${"\n".repeat(9)}`, "Hi!\n[8 blank lines]\n"],
    ["spaces", `a${"\u00a0".repeat(300)}b`, "a [300 spaces] b"],
    ["an order that is turned round", "\u202eabc\u202c", "[U+202E]abc[U+202C]"],
    ["isolates", "a\u2066b\u2069", "a[U+2066]b[U+2069]"],
    ["characters without width", `a${"\u200b".repeat(40)}b`, "a[U+200B × 40]b"],
    ["a joiner between Latin letters", "pay\u200dpal", "pay[U+200D]pal"],
    ["a soft hyphen", "a\u00adb", "a[U+00AD]b"],
    ["a filler that counts as a letter", "a\u3164b", "a[U+3164]b"],
    ["tags that spell a hidden text", "a\u{e0068}\u{e0069}b", "a[U+E0068][U+E0069]b"],
    ["heaps of accents", `a${"\u0301".repeat(30)}b`, `a${"\u0301".repeat(4)}[+26 accents]b`],
  ])("marks %s", (_, text, mark) => {
    expect(shown(text)).toContain(mark);
  });

  test("takes no longer than a test may with the longest messages", () => {
    for (const part of ["\r\n", " \n", "\u0301", "\u200b ", "a\u200b", "👩‍", "\u2800\u200b"]) {
      expect(reveal(part.repeat(4096 / part.length))).not.toEqual([]);
    }
  });
});

test("a name is one line without hidden characters", () => {
  expect(plainName(" Lunch\n\u202e ecivres ")).toBe("Lunch [U+202E] ecivres");
  expect(plainName("Alice Tan")).toBe("Alice Tan");
});

test("a site is host, port and path, with letters beyond ASCII in their coded form", () => {
  expect(siteOf("https://lunch.example/")).toBe("lunch.example");
  expect(siteOf("http://onechat.localhost:5000/a/?b")).toBe("onechat.localhost:5000/a");
  expect(siteOf("https://lünch.example/")).toBe("xn--lnch-0ra.example");
});
