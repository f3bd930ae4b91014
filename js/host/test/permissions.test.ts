import { expect, test } from "vitest";
import { Permissions } from "../src/permissions.js";

class Memory {
  kept: string | null = null;
  getItem = () => this.kept;
  setItem = (_: string, value: string) => void (this.kept = value);
}

test("what a user allowed an app is that user's and that app's, and is kept", () => {
  const memory = new Memory();
  const permissions = new Permissions(memory);
  permissions.set("alice@d", "app-1", { capabilities: ["geolocation"], allowed: true });
  permissions.set("alice@d", "app-1", { capabilities: ["camera"], allowed: true });
  permissions.set("alice@d", "app-1", { capabilities: ["geolocation"], allowed: true });
  const later = new Permissions(memory);
  expect(later.of("alice@d", "app-1")).toEqual(["camera", "geolocation"]);
  expect(later.of("bob@d", "app-1")).toEqual([]);
  expect(later.of("alice@d", "app-2")).toEqual([]);
  later.set("alice@d", "app-1", { capabilities: ["camera"], allowed: false });
  expect(new Permissions(memory).of("alice@d", "app-1")).toEqual(["geolocation"]);
});

test.each(["nonsense", "7", "[]", '{"alice@d app-1":7}', '{"alice@d app-1":["fullscreen *"]}'])(
  "%s in storage allows nothing",
  (text) => {
    const memory = new Memory();
    memory.kept = text;
    expect(new Permissions(memory).of("alice@d", "app-1")).toEqual([]);
  },
);
