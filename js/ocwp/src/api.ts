import type { ChatMessage, Events, Group, GroupOptions, InitOptions, MessagesOptions, OpenOptions } from "../ocwp.d.ts";
import { defineElement } from "./element.js";
import { Plugin, type Draw } from "./ocwp.js";
import type { Status, StatusCallback } from "./status.js";

declare const __VERSION__: number;
declare const __BUILD_DATE__: number;

declare global {
  interface Window {
    [COPIES]?: Plugin;
  }
}

// Not a name of the page's. Copies of the script share one chat, else their elements would stand on top of each other.
const COPIES = Symbol.for("ocwp");

/** The page's functions; see docs/ocwp.md, and "Chat Plugin Javascript Library Functions" of OneChat's page. */
export function api(draw?: Draw) {
  const plugin = (window[COPIES] ??= new Plugin());
  plugin.draw ??= draw;
  const init = (options: InitOptions): Promise<void> => {
    const done = plugin.init(options);
    // OneChat's example doesn't look at what comes back: say it where developers look.
    done.catch((error: Error) => error.name !== "AbortError" && console.error(error.message));
    return done;
  };
  if (draw) defineElement(plugin, init);
  return {
    init,
    destroy: (): void => plugin.destroy(),
    login: (usr: string, pw: string): void => plugin.login(usr, pw),
    logout: (): void => plugin.logout(),
    on: <Name extends keyof Events>(name: Name, handler: (detail: Events[Name]) => void): (() => void) =>
      plugin.events.on(name, handler),
    unread: (jid?: string): number => plugin.unread(jid),
    chat: {
      group: { create: (options: GroupOptions): Promise<Group> => plugin.createGroup(options) },
      open: (jid: string, options?: OpenOptions): void => plugin.open(jid, options),
      close: (jid: string): void => plugin.close(jid),
      send: (jid: string, text: string): ChatMessage => plugin.send(jid, text),
      messages: (jid: string, options?: MessagesOptions): Promise<ChatMessage[]> => plugin.messages(jid, options),
    },
    getConnectionStatus: (): Status => plugin.status.now,
    subscribeConnectionStatus: (callback: StatusCallback): void => plugin.status.subscribe(callback),
    unsubscribeConnectionStatus: (callback?: StatusCallback): void => plugin.status.unsubscribe(callback),
    VERSION: __VERSION__,
    BUILD_DATE: __BUILD_DATE__,
  };
}
