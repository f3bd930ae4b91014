/** The limits and forms of miniapp/contract.py, once more; a test holds the two together. */

export const MESSAGE_MAX_BYTES = 4096;
export const MEMBERS_MAX = 1000;

const NOT_XML = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Why `text` can't be a message, or undefined if it can. */
export function messageFault(text: unknown): string | undefined {
  if (typeof text !== "string") return "is not text";
  if (!text.trim()) return "is empty";
  if (NOT_XML.test(text)) return "has a character that XMPP can't carry (a control character, say)";
  if (new TextEncoder().encode(text).length > MESSAGE_MAX_BYTES) return `is longer than ${MESSAGE_MAX_BYTES} bytes`;
  return undefined;
}

// RFC 7622: each part is at most 1023 bytes. The sandbox parses JIDs in earnest; this tells a JID from a mistake.
const JID = /^[^\s"&'/:<>@]{1,1023}@[^\s"&'/:<>@]{1,1023}$/u;

export const isJid = (value: unknown): value is string => typeof value === "string" && JID.test(value);
