import { describe, expect, test } from "vitest";
import { dayOf, initials, pieces, shade, webAddress } from "../src/text.js";

describe("links in messages", () => {
  test.each([
    ["see https://a.example/x.", ["see ", "https://a.example/x", "."]],
    ["(https://a.example/b_(c))", ["(", "https://a.example/b_(c)", ")"]],
    ["http://a.example, http://b.example!", ["http://a.example", ", ", "http://b.example", "!"]],
    ["https://a.example/?q=1&r=2#s", ["https://a.example/?q=1&r=2#s"]],
    ["<https://a.example>", ["<", "https://a.example", ">"]],
    ["see www.a.example/b, and WWW.c.example.", ["see ", "www.a.example/b", ", and ", "WWW.c.example", "."]],
  ])("%s", (text, shown) => {
    expect(pieces(text).map((piece) => (typeof piece === "string" ? piece : piece.text))).toEqual(shown);
    expect(pieces(text).some((piece) => typeof piece !== "string")).toBe(true);
  });

  test.each([
    "javascript:alert(1)",
    "data:text/html,<script>",
    "ftp://a.example",
    "http://",
    "https://user:pw@bank.example@evil.example",
    "<img src=x onerror=alert(1)>",
    "awww.nice",
    "bob@www.a.example",
    "www. and www..",
    "",
  ])("%s has none", (text) => {
    expect(pieces(text).filter((piece) => typeof piece !== "string")).toEqual([]);
  });

  test("never change the text", () => {
    for (const text of ["a https://x.example/. b", "https://[", "https://a.example…", "http://http://a.example"]) {
      expect(
        pieces(text)
          .map((piece) => (typeof piece === "string" ? piece : piece.text))
          .join(""),
      ).toBe(text);
    }
  });

  test("are absolute http or https URLs", () => {
    expect(webAddress("HTTPS://A.example/ä")).toBe("https://a.example/%C3%A4");
    expect(webAddress("/portal")).toBeUndefined();
  });
});

test("a day is named by its distance", () => {
  const now = new Date(2026, 4, 13, 0, 10);
  expect(dayOf(new Date(2026, 4, 13, 0, 1).toISOString(), now)).toBe("Today");
  expect(dayOf(new Date(2026, 4, 12, 23, 59).toISOString(), now)).toBe("Yesterday");
  expect(dayOf(new Date(2026, 4, 9, 12).toISOString(), now)).toMatch(/day$/);
  expect(dayOf(new Date(2025, 4, 9, 12).toISOString(), now)).toContain("2025");
});

test("initials are first and last, and whole characters", () => {
  expect(initials("Alice Tan")).toBe("AT");
  expect(initials("bob")).toBe("B");
  expect(initials("🌊 sea")).toBe("🌊S");
  expect(initials(" ")).toBe("?");
});

test("a shade is always the same for a name", () => {
  expect(shade("Alice", 6)).toBe(shade("Alice", 6));
  expect(shade("Alice", 6)).toBeLessThan(6);
});
