import { expect, test } from "vitest";
import { isEnter, isEscape } from "../../common/keys.js";

const key = (key: string, keyCode: number, isComposing = false) => ({ key, keyCode, isComposing });

test("Enter is Enter, but not where it ends an input method's composition", () => {
  expect(isEnter(key("Enter", 13))).toBe(true);
  expect(isEnter(key("a", 65))).toBe(false);
  // Chromium and Firefox: the key comes before compositionend.
  expect(isEnter(key("Enter", 229, true))).toBe(false);
  expect(isEnter(key("Enter", 13, true))).toBe(false);
  // Safari: the key comes after it, and says so by its code alone.
  expect(isEnter(key("Enter", 229))).toBe(false);
});

test("Escape is Escape, but not where it gives up a composition", () => {
  expect(isEscape(key("Escape", 27))).toBe(true);
  expect(isEscape(key("Escape", 27, true))).toBe(false);
  expect(isEscape(key("Escape", 229))).toBe(false);
});
