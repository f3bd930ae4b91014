import type { Reply } from "../xmpp/replies.js";
import type { Incoming } from "../xmpp/stanzas.js";

/** How a message came: just now, or from the archive, before or after what is here. */
export type Way = "now" | "older" | "newer";

export type Delivery = "sending" | "sent" | "delivered" | "read" | "failed";

export interface Message {
  id: string;
  archive: string | undefined;
  /** Archive IDs that came with the live message. */
  hints: string[];
  from: string;
  author: string | undefined;
  nick: string | undefined;
  mine: boolean;
  text: string;
  /** The address of the file that the message consists of. */
  file: string | undefined;
  at: number;
  /** Of what one has sent oneself. */
  delivery: Delivery;
  /** In a group: who has read it, by nickname. */
  readers: Set<string>;
  markable: boolean;
  edited: boolean;
  retracted: boolean;
  reply: Reply | undefined;
  mentionsMe: boolean;
}

/** Milliseconds by which two clocks may differ without it showing. */
export const CLOCK_MS = 2_000;

const RANK: Delivery[] = ["failed", "sending", "sent", "delivered", "read"];

/**
 * The messages of one chat in order of time, each once, by whichever ways it came.
 *
 * Only the archive's own ID identifies a message: senders choose the others, and may repeat them.
 */
export class Timeline {
  readonly messages: Message[] = [];
  #byArchive = new Map<string, Message>();
  #unbound: Message[] = []; // without an archive ID so far
  #changes = new Map<string, Incoming>(); // corrections and retractions whose message isn't loaded

  /**
   * Takes a message in, and returns it if it was new here.
   *
   * An archive's times may be whole seconds: among equal ones its order counts, so pages of older messages are to be
   * added from their end.
   */
  add(incoming: Incoming, way: Way = "now"): Message | undefined {
    if (incoming.corrects !== undefined) {
      // A new correction whose message isn't loaded is shown as a message.
      if (this.#change(incoming, incoming.corrects, way) || way === "older") return undefined;
    }
    const known = incoming.archive
      ? (this.#byArchive.get(incoming.archive) ?? this.#copyOf(incoming, way))
      : this.#repeated(incoming);
    if (known) {
      if (incoming.archive && !known.archive) this.#bind(known, incoming, way);
      known.author ??= incoming.author;
      if (known.mine && known.delivery !== "failed") this.advance(known, "sent");
      return undefined;
    }
    const message: Message = {
      id: incoming.id,
      archive: incoming.archive,
      hints: incoming.hints,
      from: incoming.from,
      author: incoming.author,
      nick: incoming.nick,
      mine: incoming.mine,
      text: incoming.text ?? "",
      file: incoming.file,
      at: this.#timeOf(incoming, way),
      delivery: "sent",
      readers: new Set(),
      markable: incoming.markable,
      edited: false,
      retracted: false,
      reply: incoming.reply,
      mentionsMe: incoming.mentionsMe,
    };
    this.#insert(message, way === "older");
    if (incoming.archive) this.#byArchive.set(incoming.archive, message);
    else this.#unbound.push(message);
    for (const key of [
      changeKey(incoming, incoming.id),
      changeKey(incoming, incoming.archive),
      `>${incoming.archive}`,
    ]) {
      const change = way === "older" && this.#changes.get(key);
      if (change && mayChange(change, message)) apply(message, change);
    }
    return message;
  }

  /** What one sends: shown at once, `sending` until the server has it. */
  addOwn(id: string, from: string, text: string, file?: string, at = Date.now(), reply?: Reply): Message {
    const message: Message = {
      id,
      archive: undefined,
      hints: [],
      from,
      author: undefined,
      nick: undefined,
      mine: true,
      text,
      file,
      // Not before what is there, though this machine's clock may be slow.
      at: Math.max(at, (this.#lastSettled?.at ?? 0) + 1),
      delivery: "sending",
      readers: new Set(),
      markable: true,
      edited: false,
      retracted: false,
      reply,
      mentionsMe: false,
    };
    this.messages.push(message);
    this.#unbound.push(message);
    return message;
  }

  /** Changes one's own message to `text`; undefined retracts it. */
  change(message: Message, text: string | undefined): void {
    message.edited = true;
    message.retracted = text === undefined;
    message.text = text ?? "";
  }

  /** Withdraws the message that `incoming` names, if they have the same sender. */
  retract(incoming: Incoming, way: Way = "now"): void {
    this.#change(incoming, incoming.retracts!, way);
  }

  own(id: string): Message | undefined {
    return this.messages.findLast((message) => message.mine && message.id === id);
  }

  find(id: string): Message | undefined {
    return this.own(id) ?? this.messages.findLast((message) => names(message, id));
  }

  /** Delivery only ever goes forward; what has failed can be sent again. A message stands where the server took it. */
  advance(message: Message, delivery: Delivery): boolean {
    if (RANK.indexOf(delivery) <= RANK.indexOf(message.delivery)) return false;
    if (message.delivery === "sending" && !message.archive) {
      this.#move(message, Math.max(message.at, (this.#lastSettled?.at ?? 0) + 1));
    }
    message.delivery = delivery;
    return true;
  }

  /** Whoever has read a message has read those before. */
  readUpTo(id: string, reader: string | undefined): void {
    const last = this.find(id);
    if (!last) return;
    for (const message of this.messages) {
      if (message.at > last.at || !message.mine || isUnsent(message)) {
        continue;
      }
      if (reader) message.readers.add(reader);
      else this.advance(message, "read");
    }
  }

  /** Forgets everything except one's own unsent messages. */
  clear(): void {
    const kept = this.messages.filter(isUnsent);
    this.messages.splice(0, Infinity, ...kept);
    this.#unbound = [...kept];
    this.#byArchive.clear();
    this.#changes.clear();
  }

  /** The archive's ID of the oldest message that has one. */
  get first(): string | undefined {
    return this.messages.find(({ archive }) => archive)?.archive;
  }

  get #lastArchived(): Message | undefined {
    return this.messages.findLast(({ archive }) => archive);
  }

  get #lastSettled(): Message | undefined {
    return this.messages.findLast(({ delivery }) => delivery !== "sending");
  }

  /** Computes the time to sort by. The archive's order counts: clocks differ, and stamps may be whole seconds. */
  #timeOf({ at }: { at: number }, way: Way): number {
    if (way === "older") return Math.min(at, this.messages.find(({ archive }) => archive)?.at ?? Infinity);
    if (way === "newer") {
      const after = this.#lastArchived?.at ?? 0;
      // It is read in order: what came live meanwhile is later.
      const live = this.#unbound.filter((one) => one.at > after && !isUnsent(one));
      return Math.max(after, Math.min(at, ...live.map((one) => one.at - 1)));
    }
    const last = this.#lastSettled?.at ?? 0;
    return at > last ? at : last + 1;
  }

  /** Finds the live message, or one's own from this tab, of which `incoming` is the archived copy. */
  #copyOf(incoming: Incoming, way: Way): Message | undefined {
    const alike = this.#unbound.filter((message) => same(message, incoming));
    return (
      alike.find(({ hints }) => hints.includes(incoming.archive!)) ??
      // Missed messages are read completely and in order. Further back another message may have the same text.
      (way === "newer" ? alike[0] : alike.findLast(({ id, mine, hints }) => (mine && id) || hints.length === 0))
    );
  }

  /** Finds the message that a live one repeats: one's own echoed by a group, or one already read from the archive. */
  #repeated(incoming: Incoming): Message | undefined {
    const { mine, id, hints } = incoming;
    const own =
      mine && id ? this.#unbound.find((one) => one.id === id && one.mine && one.delivery !== "sent") : undefined;
    if (!own) {
      const told = hints.map((hint) => this.#byArchive.get(hint));
      return told.find((message) => message !== undefined && same(message, incoming));
    }
    own.hints = hints;
    return own;
  }

  /** Gives a live message its archive ID and its place in the archive's order. */
  #bind(message: Message, incoming: Incoming, way: Way): void {
    // The server's clock decides, unless both agree: its stamps may be whole seconds.
    const off = message.delivery === "sending" || Math.abs(incoming.at - message.at) > CLOCK_MS;
    this.#unbound.splice(this.#unbound.indexOf(message), 1);
    const at = this.#timeOf(off ? incoming : message, way);
    message.archive = incoming.archive;
    this.#byArchive.set(incoming.archive!, message);
    this.#move(message, at, way === "older");
  }

  /** Corrects or retracts the sender's message `id`. Returns false if it isn't loaded; an older page may bring it. */
  #change(incoming: Incoming, id: string, way: Way): boolean {
    const target = this.messages.findLast((message) => names(message, id) && mayChange(incoming, message));
    const key = changeKey(incoming, id);
    // Pages are read from their end: of several changes the last one comes first.
    if (target && (way !== "older" || !target.edited)) apply(target, incoming);
    else if (!target && (way === "older" ? !this.#changes.has(key) : incoming.retracts))
      this.#changes.set(key, incoming);
    return Boolean(target);
  }

  #insert(message: Message, beforeEqual = false): void {
    let at = this.messages.length;
    while (this.messages[at - 1]?.delivery === "sending") at--; // they come last, as the server has yet to take them
    const isAfter = (other: Message) => (beforeEqual ? other.at >= message.at : other.at > message.at);
    while (at > 0 && isAfter(this.messages[at - 1]!)) at--;
    this.messages.splice(at, 0, message);
  }

  #move(message: Message, at: number, beforeEqual = false): void {
    this.messages.splice(this.messages.indexOf(message), 1);
    message.at = at;
    this.#insert(message, beforeEqual);
  }
}

/** Whether the server does not have what one has written, as far as we know. */
export const isUnsent = ({ delivery }: Message): boolean => delivery === "sending" || delivery === "failed";

const names = ({ id, archive, hints }: Message, name: string) =>
  Boolean(name) && (id === name || archive === name || hints.includes(name));

/** Whether both could be one message. One's own go by their ID alone: a group shows them under a nickname. */
const same = (message: Message, { mine, from, id, text }: Incoming) =>
  message.mine === mine &&
  message.id === id &&
  (mine && id ? true : message.from === from && (message.text === text || message.edited));

const changeKey = ({ mine, from }: Incoming, id: string | undefined) => (mine ? `>${id}` : `${from}>${id}`);

/** Only the sender may change a message; a group itself may retract any of its own. */
const mayChange = (incoming: Incoming, message: Message) =>
  (incoming.kind === "group" && incoming.from === "" && incoming.retracts !== undefined) ||
  (message.mine === incoming.mine &&
    (message.mine || (message.from === incoming.from && (message.author ?? "") === (incoming.author ?? ""))));

function apply(message: Message, change: Incoming): void {
  if (change.retracts !== undefined) message.retracted = true;
  message.edited = true;
  message.text = message.retracted ? "" : (change.text ?? "");
  message.file = message.retracted ? undefined : change.file;
}
