import type { Chat } from "./chat.js";
import { uuid } from "../xmpp/jids.js";
import type { Link } from "../xmpp/link.js";
import type { Memory } from "./memory.js";
import { mentionElements, type Named } from "../xmpp/mentions.js";
import { writeReply, type Reply } from "../xmpp/replies.js";
import { isUnsent, type Message } from "./timeline.js";
import { NS, x } from "../xmpp/xml.js";

/** What one writes: shown at once, handed to the session once there is one, and `sending` until the server has it. */
export class Outbox {
  #handed = new Set<string>(); // in this session, and not to be handed to it again
  #unsent: { chat: Chat; message: Message }[] = [];

  constructor(
    private readonly link: Link,
    /** Whether the archive has been read: what the server has already is not sent again. */
    private readonly ready: (chat: Chat) => boolean,
    private readonly memory: () => Memory,
    private readonly now: () => number,
    /** The people that a text in this chat can mention. */
    private readonly people: (chat: Chat) => Named[],
  ) {}

  send(chat: Chat, me: string, text: string, file?: string, reply?: Reply): Message {
    const message = chat.timeline.addOwn(uuid(), me, text, file, this.now(), reply);
    this.#unsent.push({ chat, message });
    this.settle();
    this.#hand(chat, message);
    return message;
  }

  /** Restores unsent messages after a reload of the tab. */
  restore(me: string, chatOf: (jid: string) => Chat): void {
    this.#unsent = this.memory().tab.unsent.map(({ chat: jid, id, text, file, reply, at, failed }) => {
      const chat = chatOf(jid);
      const message = chat.timeline.addOwn(id, me, text, file, at, reply);
      if (failed) message.delivery = "failed";
      return { chat, message };
    });
  }

  /** Saves unsent messages for the tab, and forgets those that are sent. */
  settle(): void {
    this.#unsent = this.#unsent.filter(({ message }) => isUnsent(message));
    const { tab } = this.memory();
    if (this.#unsent.length === 0 && tab.unsent.length === 0) return;
    tab.unsent = this.#unsent.map(({ chat, message: { id, text, file, reply, at, delivery } }) => ({
      chat: chat.jid,
      id,
      text,
      file,
      reply,
      at,
      failed: delivery === "failed",
    }));
    this.memory().save();
  }

  /** The chats in which something waits. */
  get chats(): Chat[] {
    return [...new Set(this.#unsent.map(({ chat }) => chat))];
  }

  /** When the oldest message that waits in `chat` was written; never if there is none. */
  since(chat: Chat): number {
    return Math.min(...this.#unsent.map((one) => (one.chat === chat ? one.message.at : Infinity)));
  }

  again(chat: Chat, message: Message): void {
    this.#handed.delete(message.id);
    message.delivery = "sending";
    this.settle();
    this.#hand(chat, message);
  }

  /** A new session: nothing has been handed to it. */
  reset(): void {
    this.#handed.clear();
  }

  /** Drops unsent messages of a group that is gone. */
  forget(chat: Chat): void {
    this.#unsent = this.#unsent.filter((one) => one.chat !== chat);
    this.settle();
  }

  /** Forgets everything: another person signs in. */
  clear(): void {
    this.#handed.clear();
    this.#unsent = [];
  }

  /** Hands over what has waited, oldest first, in the chats that `which` says. */
  flush(which: (chat: Chat) => boolean): void {
    this.settle();
    for (const { chat, message } of this.#unsent) {
      if (which(chat) && message.delivery === "sending") this.#hand(chat, message);
    }
  }

  /** Marks as sent what the server has confirmed, and returns whether that is anything. A group shows what it has. */
  acknowledged(): boolean {
    const unconfirmed = this.link.unconfirmed();
    const before = this.#unsent.length;
    for (const { chat, message } of this.#unsent) {
      const confirmed = this.#handed.has(message.id) && !unconfirmed.has(message.id);
      if (chat.kind === "direct" && message.delivery === "sending" && confirmed) chat.timeline.advance(message, "sent");
    }
    this.settle();
    return this.#unsent.length < before;
  }

  /** Something small about a chat, such as that a message was read. */
  note(chat: Pick<Chat, "jid" | "kind">, hint: "store" | "no-store", ...content: Element[]): void {
    this.link.send(this.#stanza(chat, uuid(), ...content, x(hint, { xmlns: NS.hints })));
  }

  /** Without a session, or outside its group, a message waits for `flush`. */
  #hand(chat: Chat, message: Message): void {
    const open = this.link.live && this.ready(chat) && (!chat.room || chat.room.joined);
    if (!open || this.#handed.has(message.id)) return;
    this.#handed.add(message.id);
    const { body, elements } = writeReply(message.reply, message.text);
    this.link.send(
      this.#stanza(
        chat,
        message.id,
        x("body", {}, body),
        ...elements,
        ...mentionElements(message.text, this.people(chat), [...body].length - [...message.text].length),
        x("origin-id", { xmlns: NS.sid, id: message.id }),
        x("markable", { xmlns: NS.markers }),
        x("active", { xmlns: NS.chatStates }),
        chat.kind === "direct" && x("request", { xmlns: NS.receipts }),
        message.file !== undefined && x("x", { xmlns: NS.oob }, x("url", {}, message.file)),
      ),
    );
  }

  #stanza({ jid, kind }: Pick<Chat, "jid" | "kind">, id: string, ...content: (Element | false)[]): Element {
    return x("message", { xmlns: NS.client, to: jid, type: kind === "group" ? "groupchat" : "chat", id }, ...content);
  }
}
