import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type * as documented from "../ocwp.js";
import { settled } from "./account.js";
import { FakeServer } from "./server.js";
import { files } from "./site.js";

vi.mock("strophe/connection", async () => ({ default: (await import("./server.js")).FakeConnection }));

const ocwp: typeof documented = await import("../src/core.js");
const login = { usr: "me@d", pw: "pw" };
let server: FakeServer;
const ends: (() => void)[] = [];

const heard = <Name extends keyof documented.Events>(name: Name) => {
  const events: documented.Events[Name][] = [];
  ends.push(ocwp.on(name, (detail) => events.push(detail)));
  return events;
};
const signIn = async (options: Partial<documented.InitOptions> = {}) => {
  await ocwp.init({ ui: false, login, ...options });
  await vi.waitUntil(() => ocwp.getConnectionStatus() === "XMPP_CONNECTION_CONNECTED_READY", { interval: 5 });
  await settled();
};

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  server = new FakeServer();
  files["/config/config.json"] = { service: "wss://d/ws", domain: "d", groups: "muc.d" };
});

afterEach(() => {
  for (const end of ends.splice(0)) end();
  ocwp.destroy();
  vi.restoreAllMocks();
});

describe("without an interface", () => {
  test("messages come in and go out, and nothing is put on the page", async () => {
    const messages = heard("message");
    await signIn();
    server.text("bob@d", "hello", { id: "m1" });
    await settled();
    expect(messages).toMatchObject([{ chat: "bob@d", from: "bob@d", text: "hello", mine: false, id: "m1" }]);
    expect(ocwp.chat.send("bob", "hi")).toMatchObject({ chat: "bob@d", from: "me@d", text: "hi", mine: true });
    expect((await ocwp.chat.messages("bob@d")).map(({ text }) => text)).toEqual(["hello", "hi"]);
    expect(document.body.childElementCount).toBe(0);
  });

  test("history comes page by page, oldest first, each message once", async () => {
    for (let number = 0; number < 230; number++) server.text("bob@d", `${number}`, { id: `m${number}` });
    await signIn();
    const numbers: string[] = [];
    let before: string | undefined;
    for (;;) {
      const page = await ocwp.chat.messages("bob@d", { limit: 60, ...(before !== undefined && { before }) });
      if (page.length === 0) break;
      numbers.unshift(...page.map(({ text }) => text));
      before = page[0]!.id;
    }
    expect(numbers).toEqual(Array.from({ length: 230 }, (_, number) => `${number}`));
    await expect(ocwp.chat.messages("bob@d", { before: "none" })).rejects.toThrow("before");
  });

  test("unread messages are counted and told, in the page's title too", async () => {
    document.title = "A site";
    const counts = heard("unread");
    await signIn({ title: true });
    server.text("bob@d", "one");
    server.text("carol@d", "two");
    await settled();
    expect(counts).toEqual([
      { chat: "bob@d", count: 1, total: 1 },
      { chat: "carol@d", count: 1, total: 2 },
    ]);
    expect([ocwp.unread(), ocwp.unread("bob"), document.title]).toEqual([2, 1, "(2) A site"]);
    document.title = "Another page of it";
    server.text("bob@d", "three");
    await settled();
    expect(document.title).toBe("(3) Another page of it");
    ocwp.destroy();
    expect([ocwp.unread(), document.title]).toEqual([0, "Another page of it"]);
  });

  test("chats open with a draft, unless the person has started to write, and close", async () => {
    const opened = heard("open");
    const closed = heard("close");
    await signIn();
    ocwp.chat.open("bob", { draft: "About order 17: " });
    ocwp.chat.open("bob", { draft: "Another" });
    ocwp.chat.close("bob@d");
    ocwp.chat.close("bob@d");
    expect([opened, closed]).toEqual([[{ chat: "bob@d" }], [{ chat: "bob@d" }]]);
    expect(JSON.parse(sessionStorage.getItem("ocwp:me@d")!).drafts).toEqual({ "bob@d": "About order 17: " });
  });
});

describe("handlers", () => {
  test("hear until they are ended, whatever another one does", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const statuses: string[] = [];
    ends.push(
      ocwp.on("status", () => {
        throw new Error("the site's");
      }),
    );
    const end = ocwp.on("status", (status) => statuses.push(status));
    await signIn();
    expect(statuses.at(-1)).toBe("XMPP_CONNECTION_CONNECTED_READY");
    expect(error).toHaveBeenCalledTimes(statuses.length);
    end();
    const before = statuses.length;
    ocwp.logout();
    expect(statuses).toHaveLength(before);
  });

  test("hear why the chat can't start", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const errors = heard("error");
    delete files["/config/config.json"];
    await expect(ocwp.init({ ui: false })).rejects.toThrow();
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining("answers 404")]);
  });

  test("of an unknown event are refused", () => {
    expect(() => ocwp.on("mesage" as "message", () => {})).toThrow(/no event "mesage".*message, unread/);
  });
});

describe("what can't be done says why", () => {
  test("an interface without ocwp.js", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    await expect(ocwp.init({ containerElement: document.body })).rejects.toThrow("ui: false");
  });

  test("before the login", async () => {
    await ocwp.init({ ui: false });
    for (const act of [() => ocwp.chat.open("bob"), () => ocwp.chat.send("bob", "hi")]) expect(act).toThrow("log in");
    await expect(ocwp.chat.messages("bob")).rejects.toThrow("log in");
  });

  test.each([
    ["", "hi", "JID"],
    ["me", "hi", "somebody else"],
    ["bob", " ", "empty"],
    ["bob", "é".repeat(2049), "4096 bytes"],
  ])("send(%j, …)", async (jid, text, says) => {
    await signIn();
    expect(() => ocwp.chat.send(jid, text)).toThrow(says);
  });
});
