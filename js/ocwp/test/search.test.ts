import { afterEach, beforeEach, expect, test, vi } from "vitest";
import words from "../locale/enGB.json";
import { ChatList } from "../src/ui/list.js";
import { NewGroup } from "../src/ui/new-group.js";
import type { Ui } from "../src/ui/ui.js";
import { Language } from "../src/ui/i18n.js";
import { login, newClient, ready, settled } from "./account.js";
import { FakeServer } from "./server.js";
import "./site.js";

vi.mock("strophe/connection", async () => ({ default: (await import("./server.js")).FakeConnection }));

const client = newClient();
const ui = {
  client,
  language: new Language("enGB", words),
  options: { signIn: false },
  notifier: { possible: false },
} as Ui;
let server: FakeServer;

beforeEach(async () => {
  server = new FakeServer();
  server.services.push("vjud.d");
  server.directory = { "bob@d": "Bob Rahman", "bruno@d": "Bruno Silva", "me@d": "Me Brooks" };
  await login(client);
});
afterEach(() => {
  vi.useRealTimers();
  client.stop();
  document.body.replaceChildren();
});

/** Types `text` into the last field of `element`, key by key, and waits until the server has answered. */
async function type(element: ChatList | NewGroup, text: string): Promise<void> {
  vi.useFakeTimers();
  const field = [...element.renderRoot.querySelectorAll<HTMLInputElement>("input.field")].at(-1)!;
  for (let end = 1; end <= text.length; end++) {
    field.value = text.slice(0, end);
    field.dispatchEvent(new Event("input"));
    await vi.advanceTimersByTimeAsync(100);
  }
  await vi.advanceTimersByTimeAsync(500);
  vi.useRealTimers();
  await settled();
  await element.updateComplete;
}

async function show<Shown extends ChatList | NewGroup>(element: Shown): Promise<Shown> {
  element.ui = ui;
  document.body.append(element);
  await element.updateComplete;
  return element;
}

const rows = (element: Element) =>
  [...element.shadowRoot!.querySelectorAll("li .row, label.row")].map(
    (row) => row.textContent.trim().split(/\s{2,}/)[0],
  );

test("the list shows whom the server finds by name or address, once each, and asks when typing pauses", async () => {
  const list = await show(new ChatList());
  await type(list, "bru");
  expect(rows(list)).toEqual(["Bruno Silva", "Write to bru@d"]);
  expect(server.searches.length).toBe(2); // by name and by address
  await type(list, "bo");
  expect(rows(list)).toEqual(["Bob Rahman", "Write to bo@d"]);
  await type(list, "b");
  expect(server.searches.length).toBe(4);
});

test("a new group can be made of people whom the server finds", async () => {
  const form = await show(new NewGroup());
  expect(rows(form)).toEqual(["bob", "carol"]);
  await type(form, "bru");
  expect(rows(form)).toEqual(["Bruno Silva"]);
  form.renderRoot.querySelector<HTMLInputElement>("label input")!.click();
  await type(form, "caro");
  expect(rows(form)).toEqual(["Bruno Silva", "carol"]);
});

test("without a directory, or with one that fails, contacts are found", async () => {
  const list = await show(new ChatList());
  server.refuse = (iq) => (iq.getAttribute("to") === "vjud.d" ? "forbidden" : undefined);
  await type(list, "carol");
  expect(rows(list)).toEqual(["carol"]);
  expect(server.searches).toEqual([]);
  client.stop();
  server.services.pop();
  await login(client);
  await type(list, "bru");
  expect(rows(list)).toEqual(["Write to bru@d"]);
  await ready(client);
});
