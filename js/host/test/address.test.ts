import { describe, expect, test } from "vitest";
import { readAddress, writeAddress } from "../src/address.js";
import { readSetup } from "../src/settings.js";

const nothing = { getItem: () => null };

describe("the page's address", () => {
  test("says whose phones are shown and what is open on each, for people to read", () => {
    const phones = [
      { user: "alice", open: "app-1" },
      { user: "bob", open: "carol@onechat.localhost" },
    ];
    expect(writeAddress(phones)).toBe("?phones=alice,bob&open=app-1,carol@onechat.localhost");
    expect(readAddress(writeAddress(phones))).toEqual(phones);
  });

  test.each(["a,b@d", "100%", "%2C,", "a&open=b", "zoë", "a+b", "a b"])("holds %s", (user) => {
    const phones = [
      { user, open: "apps" },
      { user: "bob", open: user },
    ];
    expect(readAddress(writeAddress(phones))).toEqual(phones);
  });

  test("may name what is open alone, on the phones that are kept", () => {
    expect(readSetup(nothing, "?open=,app-1", "light").phones.map(({ user, open }) => [user, open])).toEqual([
      ["alice", ""],
      ["bob", "app-1"],
    ]);
  });
});
