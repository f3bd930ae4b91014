/** Text as both the host page and the chat plugin show it. */

/** Pieces of a message: plain text, or an http(s) link. */
export type Piece = string | { href: string; text: string };

// eslint-disable-next-line no-control-regex -- a control character ends a link
const LINK = /(?:https?:\/\/|(?<![\w@./-])www\.(?=[^.]))[^\s<>"'`\u0000-\u001f]+/gi;
const CLOSERS: Record<string, string> = { ")": "(", "]": "[", "}": "{" };

/** Splits `text` at its links. Only what `URL` reads as http or https becomes one; `www.` stands for https. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    const shown = trimmed(match[0]);
    const href = webAddress(/^www\./i.test(shown) ? `https://${shown}` : shown);
    if (!href) continue;
    if (match.index > at) found.push(text.slice(at, match.index));
    found.push({ href, text: shown });
    at = match.index + shown.length;
  }
  if (at < text.length) found.push(text.slice(at));
  return found;
}

/** `address` as an absolute http(s) URL without user name or password, or undefined. */
export function webAddress(address: string): string | undefined {
  try {
    const url = new URL(address);
    const web = (url.protocol === "http:" || url.protocol === "https:") && !url.username && !url.password;
    return web ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** A link without the punctuation of the sentence around it: brackets stay if they were opened inside. */
function trimmed(link: string): string {
  for (;;) {
    const last = link.at(-1)!;
    const opener = CLOSERS[last];
    const loose = opener ? count(link, last) > count(link, opener) : ".,;:!?*_~…".includes(last);
    if (!loose) return link;
    link = link.slice(0, -1);
  }
}

const count = (text: string, char: string) => text.split(char).length - 1;

/** Up to two capitals for an avatar without a picture. */
export function initials(name: string): string {
  const words = name.split(/[\s._@-]+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => (word ? [...word][0] : ""));
  return letters.join("").toUpperCase() || "?";
}

/** One of `shades` numbers, always the same for the same text. */
export function shade(text: string, shades: number): number {
  let hash = 0;
  for (const char of text) hash = (hash * 31 + char.codePointAt(0)!) >>> 0;
  return hash % shades;
}
