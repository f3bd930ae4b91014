/**
 * The page's address: `?phones=alice,bob&open=app-1,carol@onechat.localhost`. It says whose phones are shown and what is
 * open on each, so that a reload or a link shows the same.
 */

/** What is open on a phone: a tab, the ID of a mini app, or the ID of a thread. Empty: what the sandbox starts with. */
export type Place = string;

export const TABS = ["chats", "apps", "profile"] as const;
export type Tab = (typeof TABS)[number];

export const isTab = (place: Place): place is Tab => (TABS as readonly string[]).includes(place);

export interface Shown {
  user: string;
  open: Place;
}

export function readAddress(query: string): Shown[] {
  const [users, places] = [list(query, "phones"), list(query, "open")];
  return (users.length > places.length ? users : places).map((_, index) => ({
    user: users[index] ?? "",
    open: places[index] ?? "",
  }));
}

export const writeAddress = (phones: readonly Shown[]): string =>
  `?phones=${phones.map(({ user }) => entry(user)).join(",")}&open=${phones.map(({ open }) => entry(open)).join(",")}`;

const list = (query: string, name: string): string[] =>
  (new URLSearchParams(query).get(name) ?? "")
    .split(",")
    .map((text) => text.trim().replace(/%2[5C]/g, decodeURIComponent));

/** Commas separate entries, so they are escaped once more. `@` and `:` stay as they are, for people. */
const entry = (text: string): string =>
  encodeURIComponent(text.replace(/[%,]/g, encodeURIComponent)).replace(/%(40|3A)/g, decodeURIComponent);
