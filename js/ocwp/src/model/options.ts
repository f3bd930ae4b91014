/** What a site gives to `ocwp.init`: OneChat's options and ours, with the documented defaults. */

import type { ChatBoxOptions, Credentials, InitOptions } from "../../ocwp.d.ts";

export type { Credentials, InitOptions };

export type Box = { [Key in keyof Required<ChatBoxOptions>]: number };

export interface Options {
  /** Undefined: no interface. */
  container: HTMLElement | undefined;
  signIn: boolean;
  title: boolean;
  confPath: string;
  localePath: string;
  locale: string;
  box: Box;
  /** Whether the site keeps room free for the list of chats. */
  reserved: boolean;
  login: Credentials | undefined;
  credentials: (() => Promise<Credentials> | Credentials) | undefined;
  theme: "auto" | "light" | "dark";
}

/** The defaults of OneChat's table, in pixels. */
export const BOX: Box = {
  marginLeft: 5,
  marginRight: 5,
  maxHeight: 600,
  maxWidth: 600,
  minHeight: 100,
  minWidth: 250,
  paddingTop: 80,
  outerPaddingLeft: 350,
  outerPaddingRight: 0,
};

/** `given` checked and completed. Throws a TypeError that names what is wrong. */
export function readOptions(given: InitOptions): Options {
  const container = given?.ui === false ? undefined : given?.containerElement;
  if (given?.ui !== false && !(container instanceof HTMLElement)) {
    throw new TypeError("ocwp.init needs containerElement: the element of your page that the chat is to stand in.");
  }
  const box = { ...given.chatbox, ...given.chatBox };
  const locale = given.locale?.default ?? "enGB";
  // It becomes part of an address: a name, no path.
  if (!/^[A-Za-z][\w-]*$/.test(locale)) throw new TypeError("ocwp.init: locale.default is a name such as 'enGB'.");
  if (given.credentials !== undefined && typeof given.credentials !== "function") {
    throw new TypeError("ocwp.init: credentials is a function that returns { usr, pw }.");
  }
  return {
    container: container as HTMLElement | undefined,
    signIn: given.signIn === true,
    title: given.title === true,
    confPath: folder(given.confPath ?? "config/"),
    localePath: folder(given.locale?.path ?? "locale/"),
    locale,
    box: readBox(box),
    reserved: box.outerPaddingLeft !== undefined,
    login: given.login && readCredentials(given.login.usr, given.login.pw),
    credentials: given.credentials,
    theme: given.theme === "light" || given.theme === "dark" ? given.theme : "auto",
  };
}

export function readCredentials(usr: unknown, pw: unknown): Credentials {
  if (typeof usr !== "string" || !usr.trim()) throw new TypeError("ocwp: usr must be a JID such as user@domain.com.");
  if (typeof pw !== "string" || !pw) throw new TypeError("ocwp: pw must be the password or credential of that user.");
  return { usr: usr.trim(), pw };
}

function readBox(given: ChatBoxOptions): Box {
  const box = { ...BOX };
  for (const key of Object.keys(BOX) as (keyof Box)[]) {
    if (given[key] !== undefined) box[key] = pixels(given[key], key);
  }
  box.maxWidth = Math.max(box.maxWidth, box.minWidth);
  box.maxHeight = Math.max(box.maxHeight, box.minHeight);
  return box;
}

/** OneChat's table has both numbers and text such as '350px'. */
function pixels(value: number | string, key: string): number {
  const number = typeof value === "number" ? value : /^\s*\d+(\.\d+)?(px)?\s*$/.test(value) ? parseFloat(value) : NaN;
  if (!Number.isFinite(number) || number < 0) {
    throw new TypeError(`ocwp.init: chatBox.${key} must be a number of pixels, such as 350 or '350px'.`);
  }
  return number;
}

const folder = (path: string) => (path.endsWith("/") ? path : `${path}/`);
