import { Reactions } from "../xmpp/reactions.js";
import type { Kind } from "../xmpp/stanzas.js";
import { Timeline, type Message } from "./timeline.js";

/** Milliseconds after which somebody who types no longer does so, whatever they failed to tell us. */
const TYPING_MS = 20_000;

export interface Occupant {
  nick: string;
  jid: string | undefined;
}

/** Newest ID read from an archive: empty if the archive was empty, undefined if it was never read. */
export type Mark = string | undefined;

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
  readonly reactions = new Reactions();
  /** The message that is being answered, or edited. */
  answering: Message | undefined;
  editing: Message | undefined;
  readonly room: Room | undefined;
  unread = 0;
  /** Messages up to this time have been read. */
  readUntil = 0;
  draft = "";
  /** All of its history is here. */
  complete = false;
  loading = false;
  /** Archive ID before which the next older page ends, valid while `first` is the oldest loaded message. */
  cursor: { id: string; first: string | undefined } | undefined;
  /** Of a group: resume point in its archive. */
  mark: Mark;
  #readIds = new Set<string>(); // read by other clients, not loaded here
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

  /** Finds the time of a message that another client has read. Remembers the ID if the message isn't loaded. */
  readUpTo(id: string): number | undefined {
    const read = this.timeline.find(id);
    if (!read) this.#readIds.add(id);
    return read?.at;
  }

  /** Whether another client has read messages that are not loaded here. */
  get readsAhead(): boolean {
    return this.#readIds.size > 0;
  }

  /** Count what is unread again. */
  recount(): void {
    const { messages } = this.timeline;
    for (const id of this.#readIds) {
      const read = this.timeline.find(id);
      if (!read) continue;
      this.#readIds.delete(id);
      this.readUntil = Math.max(this.readUntil, read.at);
    }
    this.unread = messages.filter(({ mine, at, retracted }) => !mine && !retracted && at > this.readUntil).length;
  }

  /** Forgets the messages; one's own that are not sent yet stay. */
  clear(): void {
    this.timeline.clear();
    this.reactions.clear();
    this.answering = this.editing = undefined;
    this.complete = false;
    this.cursor = this.mark = undefined;
    this.recount();
  }
}
