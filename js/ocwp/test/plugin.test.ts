import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ChatElement } from "../ocwp.js";
import { files } from "./site.js";

const CONFIG = { service: "wss://chat.example.com/", domain: "example.com" };
const ocwp = await import("../src/index.js");
const chats = () => document.querySelectorAll("ocwp-root").length;
const container = () => document.body.appendChild(document.createElement("div"));

beforeEach(() => {
  Object.assign(files, {
    "/config/config.json": CONFIG,
    "/locale/enGB.json": {},
    "/locale/deDE.json": { signIn: "Anmelden" },
  });
});

afterEach(() => {
  ocwp.destroy();
  document.body.replaceChildren();
  vi.restoreAllMocks();
});

const quiet = (level: "error" | "warn") => vi.spyOn(console, level).mockImplementation(() => {});

describe("init", () => {
  test("is refused while a chat stands on the page, and possible again after destroy", async () => {
    const error = quiet("error");
    await ocwp.init({ containerElement: container() });
    await expect(ocwp.init({ containerElement: container() })).rejects.toThrow("ocwp.destroy");
    expect(error).toHaveBeenCalledOnce();
    ocwp.destroy();
    expect(chats()).toBe(0);
    await ocwp.init({ containerElement: container() });
    expect(chats()).toBe(1);
  });

  test("is possible again once the page has removed the container", async () => {
    const removed = container();
    await ocwp.init({ containerElement: removed });
    removed.remove();
    await ocwp.init({ containerElement: container() });
    expect(chats()).toBe(1);
  });

  test("is possible again after it has failed", async () => {
    quiet("error");
    delete files["/config/config.json"];
    await expect(ocwp.init({ containerElement: container() })).rejects.toThrow("answers 404");
    expect(ocwp.getConnectionStatus()).toBe("XMPP_CONNECTION_ERROR");
    files["/config/config.json"] = CONFIG;
    await ocwp.init({ containerElement: container() });
    expect(chats()).toBe(1);
  });

  test("that destroy overtakes leaves nothing to the next", async () => {
    quiet("error");
    const first = ocwp.init({ containerElement: container() });
    ocwp.destroy();
    const second = ocwp.init({ containerElement: container() });
    await expect(first).rejects.toThrow("destroy");
    await second;
    expect(chats()).toBe(1);
    expect(ocwp.getConnectionStatus()).toBe("XMPP_CONNECTION_IDLE");
  });

  test("by a second copy of the script is refused as by the first", async () => {
    quiet("error");
    await ocwp.init({ containerElement: container() });
    vi.resetModules();
    const copy: typeof ocwp = await import("../src/index.js");
    expect(copy).not.toBe(ocwp);
    await expect(copy.init({ containerElement: container() })).rejects.toThrow("another");
    copy.destroy();
    expect(chats()).toBe(0);
  });

  test("is done by <ocwp-chat>, each time that it is put in", async () => {
    const element = document.createElement("ocwp-chat") as ChatElement;
    element.setAttribute("locale", "deDE");
    element.setAttribute("sign-in", "");
    for (let time = 0; time < 2; time++) {
      document.body.append(element);
      await vi.waitUntil(() => element.querySelector("ocwp-root"), { interval: 5 });
      const list = element.querySelector("ocwp-root")!.shadowRoot!;
      expect(list.querySelector("[lang=de-DE], .launcher")!.textContent).toContain("Anmelden");
      element.remove();
      expect(chats()).toBe(0);
    }
    // What comes between two microtasks: React's strict mode mounts, unmounts and mounts.
    document.body.append(element);
    element.remove();
    document.body.append(element);
    await vi.waitUntil(() => chats() === 1, { interval: 5 });
    element.remove();
  });

  test("without its locale's file is in English, and says so once", async () => {
    const warn = quiet("warn");
    await ocwp.init({ containerElement: container(), locale: { default: "frFR" } });
    expect(document.querySelector("ocwp-root")!.shadowRoot!.textContent).toContain("Chats");
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/frFR\.json answers 404.* English/)]]);
  });
});
