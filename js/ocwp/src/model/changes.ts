import type { Chat } from "./chat.js";
import type { Outbox } from "./outbox.js";
import { reactionsElement } from "../xmpp/reactions.js";
import { shortened, writeReply, type Reply } from "../xmpp/replies.js";
import { isUnsent, type Message } from "./timeline.js";
import { NS, x } from "../xmpp/xml.js";

/** What XEP-0424 has clients show that don't know retractions. */
const RETRACTED = "/me retracted a previous message, but it's unsupported by your client.";

/** Edits, retractions and reactions: what one does to messages that are there. */
export class Changes {
  constructor(
    private readonly outbox: Outbox,
    private readonly live: () => boolean,
    private readonly now: () => number,
    private readonly changed: () => void,
  ) {}

  /** Whether the others can be told now of what is done to `message`. */
  possible(chat: Chat, message: Message): boolean {
    const there = this.live() && chat.kind !== "alert" && (!chat.room || chat.room.joined);
    const sent = !message.retracted && !isUnsent(message);
    return there && sent && Boolean(nameOf(chat, message));
  }

  /** Changes the text of one's own message (XEP-0308). */
  edit(chat: Chat, message: Message, text: string): void {
    chat.editing = undefined;
    chat.timeline.change(message, text);
    // A correction replaces all of the message, its reply too.
    const { body, elements } = writeReply(message.reply, text);
    const replace = x("replace", { xmlns: NS.correct, id: message.id });
    this.outbox.note(chat, "store", x("body", {}, body), ...elements, replace);
    this.changed();
  }

  /** Withdraws one's own message (XEP-0424). */
  retract(chat: Chat, message: Message): void {
    const retract = x("retract", { xmlns: NS.retract, id: nameOf(chat, message) });
    chat.timeline.change(message, undefined);
    const fallback = x("fallback", { xmlns: NS.fallback, for: NS.retract });
    this.outbox.note(chat, "store", retract, fallback, x("body", {}, RETRACTED));
    this.changed();
  }

  /** Puts `emoji` on a message, or takes it off (XEP-0444). */
  react(chat: Chat, message: Message, emoji: string): void {
    const mine = [...this.reactions(chat, message)].flatMap(([one, senders]) => (senders.includes("") ? one : []));
    const now = mine.includes(emoji) ? mine.filter((one) => one !== emoji) : [...mine, emoji];
    const reacted = { id: nameOf(chat, message)!, emoji: now };
    chat.reactions.take(reacted, "", this.now());
    this.outbox.note(chat, "store", reactionsElement(reacted));
    this.changed();
  }

  /** By emoji the senders, of whom "" is the person. */
  reactions(chat: Chat, { id, archive, hints }: Message): Map<string, string[]> {
    return chat.reactions.on(chat.room ? [archive, ...hints] : [id]);
  }

  /** A reply to `message` (XEP-0461), if that has an ID. */
  replyTo(chat: Chat, message: Message): Reply | undefined {
    const id = nameOf(chat, message);
    const to = chat.room ? `${chat.jid}/${message.from}` : message.from;
    return id ? { id, to, quote: shortened(message.text) } : undefined;
  }
}

/** By which ID others know the message: in a group by the archive's, since senders choose theirs. */
const nameOf = (chat: Chat, { id, archive, hints }: Message): string | undefined =>
  (chat.room ? (archive ?? hints.at(-1)) : id) || undefined;
