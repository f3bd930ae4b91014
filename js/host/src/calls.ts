import { MEMBERS_MAX, isJid, messageFault } from "./limits.js";
import { CAPABILITIES, type Capability } from "./permissions.js";
import { Refusal, isObject, type Relay } from "./types.js";

/** A call of the page, checked. */
export type Call =
  | { call: "user.selectContacts"; max: number }
  | { call: "relay"; relay: Relay }
  | { call: "permit"; capabilities: Capability[] };

/** `call` and `args` as a page sent them, or a `Refusal` that names what is wrong. */
export function checkCall(call: unknown, args: unknown): Call {
  const given = isObject(args) ? args : {};
  switch (call) {
    case "user.selectContacts":
      return { call, max: limit(given["maxNumberOfSelection"]) };
    case "message.single.relay":
      return {
        call: "relay",
        relay: { kind: "single", recipient: jids("recipient", given["recipient"]), textMessage: text(given) },
      };
    case "message.group.relay":
      return { call: "relay", relay: groupRelay(given) };
    case "permit":
      return { call, capabilities: capabilities(given["capabilities"]) };
    default:
      throw bad("OneChat has no such call.", "The calls are selectContacts, single.relay and group.relay.");
  }
}

function groupRelay(given: Record<string, unknown>): Relay {
  const textMessage = text(given);
  const groupJid = given["groupJid"];
  // As documented: a group that is given goes before the invitees.
  if (groupJid !== undefined && groupJid !== null && groupJid !== "") {
    if (!isJid(groupJid)) throw bad("groupJid is not a JID.", "Write it as name@muc.domain.");
    return { kind: "group", groupJid, textMessage };
  }
  if (given["invitees"] === undefined || given["invitees"] === null) {
    throw bad("Neither groupJid nor invitees is given.", "Give one of them.");
  }
  return { kind: "new-group", invitees: jids("invitees", given["invitees"]), textMessage };
}

function limit(value: unknown): number {
  if (value === undefined || value === null) return -1;
  if (typeof value === "number" && Number.isInteger(value) && (value === -1 || value >= 1)) return value;
  throw bad("maxNumberOfSelection is not a number of contacts.", "Give 1, 2, 3…, or -1 for no limit.");
}

function text(given: Record<string, unknown>): string {
  const fault = messageFault(given["textMessage"]);
  if (fault) throw bad(`textMessage ${fault}.`, "Give a text that can be sent.");
  return given["textMessage"] as string;
}

function jids(name: string, value: unknown): string[] {
  if (!Array.isArray(value) || value.length === 0) throw bad(`${name} has no JID.`, "Give at least one.");
  if (value.length > MEMBERS_MAX) throw bad(`${name} has more than ${MEMBERS_MAX} JIDs.`, "Send in smaller parts.");
  if (!value.every(isJid)) throw bad(`${name} has an entry that is not a JID.`, "Write each as name@domain.");
  return [...new Set(value)];
}

/** Those that a phone knows. A browser reports more: fullscreen, say. */
function capabilities(value: unknown): Capability[] {
  const known = CAPABILITIES.map(({ id }) => id).filter((id) => Array.isArray(value) && value.includes(id));
  if (known.length === 0) throw bad("capabilities has none that a phone knows.", "docs/protocol.md lists them.");
  return known;
}

const bad = (message: string, hint: string) => new Refusal("bad_argument", message, hint);
