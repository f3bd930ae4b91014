import { webAddress } from "../../common/text.js";
import { bare, resource } from "./jids.js";
import { NS, child, children, down, textOf } from "./xml.js";

/** What kind of chat: with a person, in a group, or messages of the host's that nobody answers. */
export type Kind = "direct" | "group" | "alert";

export type ChatState = "active" | "composing" | "paused" | "inactive" | "gone";

/** A message stanza, read: what it is about, and whom it concerns. */
export interface Incoming {
  chat: string;
  kind: Kind;
  mine: boolean;
  /** The sender's bare JID; in a group, the nickname. */
  from: string;
  /** In a group, the sender's bare JID where the group tells it. */
  author: string | undefined;
  id: string;
  /** Its ID in the archive: the person's own, or the group's. */
  archive: string | undefined;
  at: number;
  /** Not from the archive, not delayed: it was sent just now. */
  live: boolean;
  text: string | undefined;
  image: string | undefined;
  state: ChatState | undefined;
  /** The ID of a message that it says was delivered, or read. */
  received: string | undefined;
  displayed: string | undefined;
  wantsReceipt: boolean;
  markable: boolean;
  invite: { room: string; by: string } | undefined;
  /** The group's name, avatar or rules have changed. */
  changed: boolean;
  /** Why a message of ours was not delivered. */
  error: string | undefined;
}

/** Whose messages these are: the person's JID, and in which group under which nickname. */
export interface Reader {
  jid: string;
  nick(room: string): string | undefined;
}

interface Wrapped {
  message: Element;
  /** Sent by another client of the same person. */
  sent: boolean;
  archive: string | undefined;
  at: number | undefined;
}

const STATES: ChatState[] = ["active", "composing", "paused", "inactive", "gone"];

/** The message inside a carbon copy (XEP-0280), which only the person's own account may send; or the message itself. */
export function unwrapCarbon(stanza: Element, me: string): Wrapped | undefined {
  for (const name of ["sent", "received"]) {
    const carbon = child(stanza, name, NS.carbons);
    if (!carbon) continue;
    const message = down(carbon, "forwarded", "message");
    if (!message || bare(stanza.getAttribute("from") ?? me) !== me) return undefined;
    return { message, sent: name === "sent", archive: undefined, at: undefined };
  }
  return { message: stanza, sent: false, archive: undefined, at: undefined };
}

/** The message inside one result of an archive (XEP-0313). */
export function unwrapResult(result: Element): Wrapped | undefined {
  const forwarded = child(result, "forwarded", NS.forward);
  const message = child(forwarded, "message");
  if (!message) return undefined;
  return { message, sent: false, archive: result.getAttribute("id") ?? undefined, at: delayOf(forwarded) };
}

/** Undefined for what is none of our business, such as private messages inside a group. */
export function read(wrapped: Wrapped, me: Reader): Incoming | undefined {
  const { message } = wrapped;
  const from = message.getAttribute("from") ?? me.jid;
  const group = message.getAttribute("type") === "groupchat";
  const x = child(message, "x", NS.mucUser);
  const invite = inviteIn(message, x, from);
  if (!group && x && !invite && from.includes("/")) return undefined;
  const fromMe = !group && (wrapped.sent || bare(from) === me.jid);
  const chat = fromMe ? bare(message.getAttribute("to") ?? me.jid) : bare(from);
  const delayed = wrapped.at ?? delayOf(message);
  const author = group ? jidOf(x) : undefined;
  const nick = group ? resource(from) : "";
  const archive = wrapped.archive ?? archiveId(message, group ? chat : me.jid);
  const text = child(message, "body") && textOf(child(message, "body"));
  const id = message.getAttribute("id") ?? child(message, "origin-id", NS.sid)?.getAttribute("id") ?? archive ?? "";
  return {
    chat,
    kind: group ? "group" : chat.includes("@") ? "direct" : "alert",
    mine: group ? (author ? author === me.jid : nick !== "" && nick === me.nick(chat)) : fromMe,
    from: group ? nick : bare(from),
    author,
    id,
    archive,
    at: delayed ?? Date.now(),
    live: delayed === undefined,
    text: message.getAttribute("type") === "error" ? undefined : text,
    image: text === undefined ? undefined : imageIn(message, text),
    state: STATES.find((state) => child(message, state, NS.chatStates)),
    received: child(message, "received", NS.receipts)?.getAttribute("id") ?? undefined,
    displayed: child(message, "displayed", NS.markers)?.getAttribute("id") ?? undefined,
    wantsReceipt: Boolean(child(message, "request", NS.receipts)),
    markable: Boolean(child(message, "markable", NS.markers)),
    invite,
    changed: group && Boolean(child(message, "subject") ?? child(x, "status")),
    error:
      message.getAttribute("type") === "error"
        ? (child(message, "error")?.firstElementChild?.localName ?? "undefined-condition")
        : undefined,
  };
}

/** The time of a delayed delivery (XEP-0203), in milliseconds. */
function delayOf(element: Element | undefined): number | undefined {
  const at = Date.parse(child(element, "delay", NS.delay)?.getAttribute("stamp") ?? "");
  return Number.isNaN(at) ? undefined : at;
}

/** Only the archive that a message is in may name its place there. */
const archiveId = (message: Element, by: string): string | undefined =>
  children(message, "stanza-id", NS.sid)
    .find((element) => bare(element.getAttribute("by") ?? "") === by)
    ?.getAttribute("id") ?? undefined;

function jidOf(x: Element | undefined): string | undefined {
  const jid = child(x, "item")?.getAttribute("jid");
  return jid ? bare(jid) : undefined;
}

/** An invitation by a person (XEP-0249) or passed on by the group (XEP-0045). */
function inviteIn(message: Element, x: Element | undefined, from: string): Incoming["invite"] {
  const direct = child(message, "x", NS.conference)?.getAttribute("jid");
  const inviter = child(x, "invite")?.getAttribute("from");
  if (inviter) return { room: bare(from), by: bare(inviter) };
  return direct ? { room: bare(direct), by: bare(from) } : undefined;
}

/** The address of a picture, if that is all the message consists of (XEP-0066, as HTTP upload uses it). */
function imageIn(message: Element, text: string): string | undefined {
  const url = textOf(child(child(message, "x", NS.oob), "url")).trim();
  const address = url && url === text.trim() ? webAddress(url) : undefined;
  return address && /\.(png|jpe?g|gif|webp|avif)$/i.test(new URL(address).pathname) ? address : undefined;
}
