import { Reactions } from "./reactions.js";
import type { Kind } from "./stanzas.js";
import { Timeline, type Message } from "./timeline.js";

/** Milliseconds after which somebody who types no longer does so, whatever they failed to tell us. */
const TYPING_MS = 20_000;

export interface Occupant {
  nick: string;
  jid: string | undefined;
}

/** The newest ID that was read from an archive; empty if it was empty then, undefined if it was never read. */
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
  /** The archive's ID that older pages end before, and the oldest message that was here when it was noted. */
  cursor: { id: string; first: string | undefined } | undefined;
  /** Of a group: where reading its archive goes on. */
  mark: Mark;
  #readIds = new Set<string>(); // messages that were read according to other clients, but aren't here yet
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

  /** Another client has read up to the message of this ID. Returns its time if it is here, else it is noted. */
  readUpTo(id: string): number | undefined {
    const read = this.timeline.find(id);
    if (!read) this.#readIds.add(id);
    return read?.at;
  }

  /** Another client has read further than what is here. */
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
