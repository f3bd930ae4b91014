import { webAddress } from "../../../common/text.js";
import { bare, resource } from "./jids.js";
import { readMentions } from "./mentions.js";
import { readReactions, type Reacted } from "./reactions.js";
import { readReply, type Reply } from "./replies.js";
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
  /** Of an alert: the name of its app (XEP-0172). */
  nick: string | undefined;
  /** Chosen by the sender, who may repeat or omit it. */
  id: string;
  /** Its ID in the archive it was read from: the person's own, or the group's. */
  archive: string | undefined;
  /** Archive IDs in a live message. Prosody 0.12 leaves forged ones in, so they are hints only. */
  hints: string[];
  at: number;
  /** Not from the archive, not delayed: it was sent just now. */
  live: boolean;
  text: string | undefined;
  /** The address that all of the message consists of. */
  file: string | undefined;
  /** The ID of the sender's own message that `text` replaces (XEP-0308). */
  corrects: string | undefined;
  /** The ID of the sender's own message that is withdrawn (XEP-0424). */
  retracts: string | undefined;
  reply: Reply | undefined;
  reacts: Reacted | undefined;
  /** In a group, whether it mentions the person. */
  mentionsMe: boolean;
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

/** Whose messages these are: the person's JID, in which group under which nickname, and the server's domain and time. */
export interface Reader {
  jid: string;
  domain: string;
  nick(room: string): string | undefined;
  now(): number;
}

interface Wrapped {
  message: Element;
  /** Sent by another client of the same person. */
  sent: boolean;
  archive: string | undefined;
  at: number | undefined;
}

/** Texts of nothing but spaces and invisible characters. */
const BLANK = /^[\s\p{Cf}\u115f\u1160\u2800\u3164\uffa0]*$/u;

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
  const invite = group ? undefined : inviteIn(message, x, from);
  if (!group && x && !invite && from.includes("/")) return undefined;
  const fromMe = !group && (wrapped.sent || bare(from) === me.jid);
  const chat = fromMe ? bare(message.getAttribute("to") ?? me.jid) : bare(from);
  const delayed = wrapped.at ?? delayOf(message, [me.domain, me.jid, chat], me.now());
  const kind = group ? "group" : chat.includes("@") ? "direct" : "alert";
  const author = group ? jidOf(x) : undefined;
  const nick = group ? resource(from) : "";
  const id = message.getAttribute("id") ?? child(message, "origin-id", NS.sid)?.getAttribute("id") ?? "";
  const retracts = retractedIn(message);
  const body = child(message, "body");
  const none = !body || invite || retracts || message.getAttribute("type") === "error" || BLANK.test(textOf(body));
  const { text, reply } = none ? { text: undefined, reply: undefined } : readReply(message, textOf(body));
  return {
    chat,
    kind,
    mine: group ? (author ? author === me.jid : nick !== "" && nick === me.nick(chat)) : fromMe,
    from: group ? nick : bare(from),
    author,
    nick: kind === "alert" ? textOf(child(message, "nick", NS.nick)).trim() || undefined : undefined,
    id,
    archive: wrapped.archive,
    hints: wrapped.archive ? [] : archiveIds(message, group ? chat : me.jid),
    at: delayed ?? me.now(),
    live: delayed === undefined,
    text,
    file: text === undefined ? undefined : fileIn(message, text),
    corrects: text === undefined ? undefined : (child(message, "replace", NS.correct)?.getAttribute("id") ?? undefined),
    retracts,
    reply,
    reacts: readReactions(message),
    mentionsMe: group && readMentions(message).includes(me.jid),
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

/** The time of a delayed delivery (XEP-0203) in milliseconds, if the server or the group states it. */
function delayOf(element: Element | undefined, by?: string[], latest = Infinity): number | undefined {
  const delay = children(element, "delay", NS.delay).find(
    (delay) => !by || by.includes(bare(delay.getAttribute("from") ?? "")),
  );
  const at = Date.parse(delay?.getAttribute("stamp") ?? "");
  return Number.isNaN(at) ? undefined : Math.min(at, latest);
}

const archiveIds = (message: Element, by: string): string[] =>
  children(message, "stanza-id", NS.sid)
    .filter((element) => bare(element.getAttribute("by") ?? "") === by)
    .map((element) => element.getAttribute("id") ?? "");

/** Finds the ID of the retracted message, in either version of XEP-0424. */
function retractedIn(message: Element): string | undefined {
  const retract = child(message, "retract", NS.retract);
  const older = child(message, "apply-to", "urn:xmpp:fasten:0");
  const named = retract ?? (child(older, "retract", NS.retractOld) && older);
  return named?.getAttribute("id") ?? undefined;
}

function jidOf(x: Element | undefined): string | undefined {
  const jid = child(x, "item")?.getAttribute("jid");
  return jid ? bare(jid) : undefined;
}

/** An invitation by a person (XEP-0249) or passed on by the group (XEP-0045). */
function inviteIn(message: Element, x: Element | undefined, from: string): Incoming["invite"] {
  const direct = child(message, "x", NS.conference)?.getAttribute("jid");
  const invite = child(x, "invite");
  // The group service fills in who invites; some leave it out.
  if (invite) return { room: bare(from), by: bare(invite.getAttribute("from") ?? from) };
  return direct ? { room: bare(direct), by: bare(from) } : undefined;
}

/** The address of a file, if that is all the message consists of (XEP-0066, as HTTP upload uses it). */
function fileIn(message: Element, text: string): string | undefined {
  const url = textOf(child(child(message, "x", NS.oob), "url")).trim();
  return url && url === text.trim() ? webAddress(url) : undefined;
}
