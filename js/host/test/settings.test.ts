import { describe, expect, test } from "vitest";
import { readSetup, writeSetup } from "../src/settings.js";

class Memory {
  kept: string | null = null;
  getItem = () => this.kept;
  setItem = (_: string, value: string) => void (this.kept = value);
}

const users = (setup: { phones: { user: string }[] }) => setup.phones.map(({ user }) => user);

describe("the page's setup", () => {
  test("begins with alice and bob", () => {
    expect(users(readSetup(new Memory(), "", "dark"))).toEqual(["alice", "bob"]);
    expect(readSetup(new Memory(), "", "dark").phones[0]!.theme).toBe("dark");
  });

  test("is the same after it was written and read", () => {
    const memory = new Memory();
    const phones = [{ user: "carol@d", open: "", device: "pixel-8", theme: "dark" as const }];
    writeSetup(memory, { theme: "light", phones });
    expect(readSetup(memory, "", "light")).toEqual({ theme: "light", phones });
  });

  test("has the users that the query names, four at most, on the phones that are kept", () => {
    const memory = new Memory();
    writeSetup(memory, {
      theme: "system",
      phones: [{ user: "carol@d", open: "apps", device: "pixel-8", theme: "dark" }],
    });
    const setup = readSetup(memory, "?phones=alice, bob,,carol,dave,erin", "light");
    expect(users(setup)).toEqual(["alice", "bob", "carol", "dave"]);
    expect(setup.phones[0]!.device).toBe("pixel-8");
  });

  test.each(["nonsense", "7", "[]", '{"phones":7}', '{"phones":[7,null]}'])("survives %s in storage", (text) => {
    const memory = new Memory();
    memory.kept = text;
    expect(users(readSetup(memory, "", "light"))).toEqual(["alice", "bob"]);
  });

  test("corrects a device or theme that there isn't", () => {
    const memory = new Memory();
    memory.kept = '{"theme":"pink","phones":[{"user":7,"device":"nokia","theme":"pink"}]}';
    expect(readSetup(memory, "", "light")).toEqual({
      theme: "system",
      phones: [{ user: "", open: "", device: "iphone-7", theme: "light" }],
    });
  });
});
