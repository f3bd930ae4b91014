import type { Chat } from "./chat.js";
import { uuid } from "./jids.js";
import type { Link } from "./link.js";
import type { Message } from "./timeline.js";
import { NS, x } from "./xml.js";

/** What one writes: shown at once, handed to the session once there is one, and `sending` until the server has it. */
export class Outbox {
  #handed = new Set<string>(); // in this session, and not to be handed to it again

  constructor(
    private readonly link: Link,
    private readonly chats: ReadonlyMap<string, Chat>,
    /** Whether the archive has been read: what the server has already is not sent again. */
    private readonly ready: () => boolean,
  ) {}

  send(chat: Chat, me: string, text: string, image?: string): void {
    this.#hand(chat, chat.timeline.addOwn(uuid(), me, text, image));
  }

  again(chat: Chat, message: Message): void {
    this.#handed.delete(message.id);
    message.delivery = "sending";
    this.#hand(chat, message);
  }

  /** A new session: nothing has been handed to it. */
  reset(): void {
    this.#handed.clear();
  }

  /** Hands over what has waited, oldest first, in the chats that `which` says. */
  flush(which: (chat: Chat) => boolean): void {
    for (const chat of this.chats.values()) {
      if (!which(chat)) continue;
      for (const message of chat.timeline.messages) {
        if (message.mine && message.delivery === "sending") this.#hand(chat, message);
      }
    }
  }

  /** What the server has confirmed is sent. A group confirms by showing the message. */
  acknowledged(): void {
    const unconfirmed = this.link.unconfirmed();
    for (const chat of this.chats.values()) {
      if (chat.kind !== "direct") continue;
      for (const message of chat.timeline.messages) {
        const confirmed = this.#handed.has(message.id) && !unconfirmed.has(message.id);
        if (message.delivery === "sending" && confirmed) chat.timeline.advance(message, "sent");
      }
    }
  }

  /** Something small about a chat, such as that a message was read. */
  note(chat: Pick<Chat, "jid" | "kind">, hint: "store" | "no-store", content: Element): void {
    this.link.send(this.#stanza(chat, uuid(), content, x(hint, { xmlns: "urn:xmpp:hints" })));
  }

  /** Without a session, or outside its group, a message waits for `flush`. */
  #hand(chat: Chat, message: Message): void {
    const open = this.link.live && this.ready() && (!chat.room || chat.room.joined);
    if (!open || this.#handed.has(message.id)) return;
    this.#handed.add(message.id);
    this.link.send(
      this.#stanza(
        chat,
        message.id,
        x("body", {}, message.text),
        x("origin-id", { xmlns: NS.sid, id: message.id }),
        x("markable", { xmlns: NS.markers }),
        x("active", { xmlns: NS.chatStates }),
        chat.kind === "direct" && x("request", { xmlns: NS.receipts }),
        message.image !== undefined && x("x", { xmlns: NS.oob }, x("url", {}, message.image)),
      ),
    );
  }

  #stanza({ jid, kind }: Pick<Chat, "jid" | "kind">, id: string, ...content: (Element | false)[]): Element {
    return x("message", { xmlns: NS.client, to: jid, type: kind === "group" ? "groupchat" : "chat", id }, ...content);
  }
}
