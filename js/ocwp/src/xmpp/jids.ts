/** JIDs as text: the server parses them in earnest, here they are cut and compared. */

export const bare = (jid: string): string => fold(jid.split("/", 1)[0]!);

export const resource = (jid: string): string => jid.slice(jid.indexOf("/") + 1 || jid.length);

export const domainOf = (jid: string): string => bare(jid).split("@").at(-1)!;

export const localOf = (jid: string): string => (jid.includes("@") ? bare(jid).split("@")[0]! : "");

// RFC 7622: a part has at most 1023 bytes, and none of these characters.
const JID = /^[^\s"&'/:<>@]{1,1023}@[^\s"&'/:<>@]{1,1023}$/u;

export const isJid = (text: string): boolean => JID.test(text);

/** `text` as a bare JID: what has no @ is a name on `domain`. Undefined if it can't be one. */
export function asJid(text: string, domain: string): string | undefined {
  const jid = bare(text.trim());
  const whole = jid.includes("@") ? jid : `${jid}@${domain}`;
  return isJid(whole) ? whole : undefined;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

export const isUuid = (text: string): boolean => UUID.test(text);

/** RFC 4122, version 4. `crypto.randomUUID` exists on https pages alone. */
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// RFC 7622 maps case by locale-free rules; toLowerCase is that for what servers accept.
const fold = (jid: string) => jid.toLowerCase();
