import { DEFAULT_DEVICE, DEVICES } from "./devices.js";
import { readAddress, type Place } from "./address.js";
import { isObject } from "./types.js";

export type Theme = "light" | "dark";
export type PageTheme = Theme | "system";

/**
 * One phone as it is set up: whose it is (a local part or a JID; empty: whoever is free), its make and theme, and what
 * is open on it, which the page's address keeps and the storage doesn't.
 */
export interface PhoneSetup {
  user: string;
  open: Place;
  device: string;
  theme: Theme;
}

export interface Setup {
  theme: PageTheme;
  phones: PhoneSetup[];
}

export const PHONES_MAX = 4;
const KEY = "onechat-host-page";
const DEFAULT_USERS = ["alice", "bob"];

/** The setup that `storage` keeps, with the users and open places that the page's query names, if it names any. */
export function readSetup(storage: Pick<Storage, "getItem">, query: string, system: Theme): Setup {
  const kept = parse(storage, system);
  const shown = readAddress(query);
  const named = shown.filter(({ user }) => user).slice(0, PHONES_MAX);
  if (named.length > 0) {
    const phones = named.map((phone, index) => ({ ...(kept.phones[index] ?? newPhone(system)), ...phone }));
    return { ...kept, phones };
  }
  if (kept.phones.length === 0) kept.phones = DEFAULT_USERS.map((user) => newPhone(system, user));
  kept.phones = kept.phones.map((phone, index) => ({ ...phone, open: shown[index]?.open ?? "" }));
  return kept;
}

export function writeSetup(storage: Pick<Storage, "setItem">, setup: Setup): void {
  try {
    const phones = setup.phones.map(({ open: _, ...phone }) => phone);
    storage.setItem(KEY, JSON.stringify({ ...setup, phones }));
  } catch {
    // Storage is full or blocked: the setup is a convenience, the page works without it.
  }
}

/** The browser's storage; one that keeps nothing where site data are blocked, where even its name throws. */
export function storageOf(name: "localStorage" | "sessionStorage"): Pick<Storage, "getItem" | "setItem"> {
  try {
    return window[name];
  } catch {
    return { getItem: () => null, setItem: () => {} };
  }
}

export const newPhone = (theme: Theme, user = ""): PhoneSetup => ({
  user,
  open: "",
  device: DEFAULT_DEVICE.id,
  theme,
});

function parse(storage: Pick<Storage, "getItem">, system: Theme): Setup {
  let kept: unknown;
  try {
    kept = JSON.parse(storage.getItem(KEY) ?? "null");
  } catch {
    kept = null;
  }
  const { theme, phones } = isObject(kept) ? kept : {};
  return {
    theme: theme === "light" || theme === "dark" ? theme : "system",
    phones: (Array.isArray(phones) ? phones : [])
      .filter(isObject)
      .slice(0, PHONES_MAX)
      .map((phone) => ({
        user: typeof phone["user"] === "string" ? phone["user"] : "",
        open: "",
        device: DEVICES.some(({ id }) => id === phone["device"]) ? (phone["device"] as string) : DEFAULT_DEVICE.id,
        theme: phone["theme"] === "light" || phone["theme"] === "dark" ? phone["theme"] : system,
      })),
  };
}
