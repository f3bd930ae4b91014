/** Limits and forms of miniapp/contract.py, and of the shim (CALL_SECONDS), repeated: a test compares them. */

export const MESSAGE_MAX_BYTES = 4096;
export const MEMBERS_MAX = 1000;
/** Seconds after which the shim tells its page `timeout`. */
export const CALL_SECONDS = 300;
/** Seconds that a send may take: the sandbox is on this machine. */
export const SEND_SECONDS = 10;
/** Seconds that a sheet waits. The handshake (5 s) and a last-moment send fit in before the page hears `timeout`. */
export const ANSWER_SECONDS = CALL_SECONDS - SEND_SECONDS - 5;

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
