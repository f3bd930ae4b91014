import type { Kind } from "./stanzas.js";
import { Timeline } from "./timeline.js";

/** Milliseconds after which somebody who types no longer does so, whatever they failed to tell us. */
const TYPING_MS = 20_000;

export interface Occupant {
  nick: string;
  jid: string | undefined;
}

/** What is known of a group beyond its messages. */
export interface Room {
  name: string;
  nick: string;
  /** Entered, so that it can be written to. */
  joined: boolean;
  /** It is gone, or closed to us. */
  gone: boolean;
  /** Who belongs to it, by bare JID: owner, admin or member. */
  members: Map<string, string>;
  /** Who is there now, by nickname. */
  occupants: Map<string, Occupant>;
  affiliation: string;
}

/** One chat: its messages, what is unread, who types, what was begun to be written. */
export class Chat {
  readonly timeline = new Timeline();
  readonly room: Room | undefined;
  unread = 0;
  /** Messages up to this time have been read. */
  readUntil = 0;
  draft = "";
  /** All of its history is here. */
  complete = false;
  loading = false;
  #typing = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(
    readonly jid: string,
    readonly kind: Kind,
    private readonly changed: () => void,
    nick = "",
  ) {
    if (kind !== "group") return;
    const [members, occupants] = [new Map<string, string>(), new Map<string, Occupant>()];
    this.room = { name: "", nick, joined: false, gone: false, members, occupants, affiliation: "none" };
  }

  get lastAt(): number {
    return this.timeline.messages.at(-1)?.at ?? 0;
  }

  /** Who is typing: a JID, or in a group nicknames. */
  get typing(): string[] {
    return [...this.#typing.keys()];
  }

  setTyping(who: string, typing: boolean): void {
    clearTimeout(this.#typing.get(who));
    if (!typing) {
      if (!this.#typing.delete(who)) return;
    } else {
      this.#typing.set(
        who,
        setTimeout(() => this.setTyping(who, false), TYPING_MS),
      );
    }
    this.changed();
  }

  /** Count what is unread again. */
  recount(): void {
    this.unread = this.timeline.messages.filter(({ mine, at }) => !mine && at > this.readUntil).length;
  }
}
