import { afterEach, expect, test, vi } from "vitest";
import words from "../locale/enGB.json";
import { Thread } from "../src/ui/thread.js";
import type { Ui } from "../src/ui/ui.js";
import { Language } from "../src/ui/i18n.js";
import { login, newClient, settled } from "./account.js";
import { FakeServer } from "./server.js";
import "./site.js";

vi.mock("strophe/connection", async () => ({ default: (await import("./server.js")).FakeConnection }));
vi.stubGlobal(
  "ResizeObserver",
  class {
    observe(): void {}
    disconnect(): void {}
  },
);

afterEach(() => document.body.replaceChildren());

test("of the rows of a chat, only those that have changed are made again", async () => {
  const server = new FakeServer();
  for (let number = 0; number < 9; number++) server.text("bob@d", `text ${number}`, { id: `m${number}` });
  const client = newClient();
  await login(client);
  const language = new Language("enGB", words);
  const thread = new Thread();
  [thread.ui, thread.chat] = [{ client, language } as Ui, client.chat("bob@d")];
  document.body.append(thread);
  await thread.updateComplete;
  await settled();
  const made = vi.spyOn(language, "full");
  const rows = async () => {
    made.mockClear();
    thread.requestUpdate();
    await thread.updateComplete;
    return made.mock.calls.length;
  };
  const text = (index: number) => thread.renderRoot.querySelectorAll(".message")[index]!.textContent;
  const [first, second] = thread.chat.timeline.messages as [never, never];
  await rows(); // which finds the last one
  expect(await rows()).toBe(0);
  thread.chat.timeline.change(first, "other words");
  expect(await rows()).toBe(1);
  expect(text(0)).toContain("other words");
  client.changes.react(thread.chat, second, "👍");
  expect(await rows()).toBe(1);
  expect(text(1)).toContain("👍");
  client.changes.react(thread.chat, second, "👍"); // takes it back
  expect(await rows()).toBe(1);
  expect(text(1)).not.toContain("👍");
  client.people.contacts.set("bob@d", { jid: "bob@d", name: "Robert" });
  expect(await rows()).toBe(9);
  expect(text(2)).toContain("Robert");
  client.stop();
});
