import type { ChatMessage, Events, Group, GroupOptions, InitOptions, MessagesOptions, OpenOptions } from "../ocwp.d.ts";
import { plugin } from "./shared.js";
import type { Status, StatusCallback } from "./model/status.js";

declare const __VERSION__: number;
declare const __BUILD_DATE__: number;

/** The page's functions, without an interface; see docs/ocwp.md, and "Chat Plugin Javascript Library Functions". */
export function init(options: InitOptions): Promise<void> {
  const done = plugin.init(options);
  // OneChat's example doesn't look at what comes back: say it where developers look.
  done.catch((error: Error) => error.name !== "AbortError" && console.error(error.message));
  return done;
}

export const destroy = (): void => plugin.destroy();

export const login = (usr: string, pw: string): void => plugin.login(usr, pw);

export const logout = (): void => plugin.logout();

export const on = <Name extends keyof Events>(name: Name, handler: (detail: Events[Name]) => void): (() => void) =>
  plugin.events.on(name, handler);

export const unread = (jid?: string): number => plugin.unread(jid);

export const chat = {
  group: { create: (options: GroupOptions): Promise<Group> => plugin.createGroup(options) },
  open: (jid: string, options?: OpenOptions): void => plugin.open(jid, options),
  close: (jid: string): void => plugin.close(jid),
  send: (jid: string, text: string): ChatMessage => plugin.send(jid, text),
  messages: (jid: string, options?: MessagesOptions): Promise<ChatMessage[]> => plugin.messages(jid, options),
};

export const getConnectionStatus = (): Status => plugin.status.now;

export const subscribeConnectionStatus = (callback: StatusCallback): void => plugin.status.subscribe(callback);

export const unsubscribeConnectionStatus = (callback?: StatusCallback): void => plugin.status.unsubscribe(callback);

export const VERSION: number = __VERSION__;

export const BUILD_DATE: number = __BUILD_DATE__;
