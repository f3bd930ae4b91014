import type { Group, GroupOptions, InitOptions } from "../ocwp.d.ts";
import { Plugin } from "./ocwp.js";
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
const plugin = (window[COPIES] ??= new Plugin());

/** See docs/ocwp.md, and "Chat Plugin Javascript Library Functions" of OneChat's page. */
export function init(options: InitOptions): Promise<void> {
  const done = plugin.init(options);
  // OneChat's example doesn't look at what comes back: say it where developers look.
  done.catch((error: Error) => console.error(error.message));
  return done;
}

export const destroy = (): void => plugin.destroy();

export const login = (usr: string, pw: string): void => plugin.login(usr, pw);

export const logout = (): void => plugin.logout();

export const chat = { group: { create: (options: GroupOptions): Promise<Group> => plugin.createGroup(options) } };

export const getConnectionStatus = (): Status => plugin.status.now;

export const subscribeConnectionStatus = (callback: StatusCallback): void => plugin.status.subscribe(callback);

export const unsubscribeConnectionStatus = (callback?: StatusCallback): void => plugin.status.unsubscribe(callback);

export const VERSION: number = __VERSION__;

export const BUILD_DATE: number = __BUILD_DATE__;
