import type { Incoming } from "./stanzas.js";

/** How a message came: just now, or from the archive, before or after what is here. */
export type Way = "now" | "older" | "newer";

export type Delivery = "sending" | "sent" | "delivered" | "read" | "failed";

export interface Message {
  id: string;
  archive: string | undefined;
  from: string;
  author: string | undefined;
  mine: boolean;
  text: string;
  image: string | undefined;
  at: number;
  /** Of what one has sent oneself. */
  delivery: Delivery;
  /** In a group: who has read it, by nickname. */
  readers: Set<string>;
  markable: boolean;
}

/** Milliseconds by which two clocks may differ without it showing. */
const CLOCK_MS = 2_000;

const RANK: Delivery[] = ["failed", "sending", "sent", "delivered", "read"];

/** The messages of one chat in order of time, each once, by whichever ways it came. */
export class Timeline {
  readonly messages: Message[] = [];
  #byArchive = new Map<string, Message>();
  #byId = new Map<string, Message>();

  /**
   * Takes a message in. The answer says whether it was new here.
   *
   * An archive's times may be whole seconds: among equal ones its order counts, so pages of older messages are to be
   * added from their end.
   */
  add(incoming: Incoming, way: Way = "now"): { message: Message; fresh: boolean } {
    const known =
      (incoming.archive && this.#byArchive.get(incoming.archive)) || this.#byId.get(key(incoming)) || undefined;
    if (known) {
      if (incoming.archive && !known.archive) {
        const last = this.#lastArchived;
        known.archive = incoming.archive;
        this.#byArchive.set(incoming.archive, known);
        // The server's clock orders everybody's messages alike; whole seconds say no more than ours does.
        const off = !incoming.live && Math.abs(incoming.at - known.at) > CLOCK_MS;
        const at = off ? incoming.at : known.at;
        // A group has one order, in which one's own stand where they come back from it, not where they were written.
        if (incoming.kind === "group" && way !== "older") this.#move(known, Math.max(at, last?.at ?? 0));
        else if (off) this.#move(known, at);
      }
      known.author ??= incoming.author;
      if (known.mine) this.advance(known, "sent");
      return { message: known, fresh: false };
    }
    const message: Message = {
      id: incoming.id,
      archive: incoming.archive,
      from: incoming.from,
      author: incoming.author,
      mine: incoming.mine,
      text: incoming.text ?? "",
      image: incoming.image,
      // What comes now or later was sent after what is here, though its time may be a whole second.
      at: way === "older" ? incoming.at : Math.max(incoming.at, this.#lastArchived?.at ?? 0),
      delivery: "sent",
      readers: new Set(),
      markable: incoming.markable,
    };
    this.#insert(message, way === "older");
    return { message, fresh: true };
  }

  /** What one sends: shown at once, `sending` until the server has it. */
  addOwn(id: string, from: string, text: string, image: string | undefined, at = Date.now()): Message {
    const message: Message = {
      id,
      archive: undefined,
      from,
      author: undefined,
      mine: true,
      text,
      image,
      // Not before what is there, though this machine's clock may be slow.
      at: Math.max(at, (this.messages.at(-1)?.at ?? 0) + 1),
      delivery: "sending",
      readers: new Set(),
      markable: true,
    };
    this.#insert(message);
    return message;
  }

  own(id: string): Message | undefined {
    const message = this.#byId.get(`>${id}`);
    return message?.mine ? message : undefined;
  }

  find(id: string): Message | undefined {
    return this.own(id) ?? this.messages.findLast((message) => message.id === id || message.archive === id);
  }

  /** Delivery only ever goes forward; what has failed can be sent again. */
  advance(message: Message, delivery: Delivery): boolean {
    if (RANK.indexOf(delivery) <= RANK.indexOf(message.delivery)) return false;
    message.delivery = delivery;
    return true;
  }

  /** Whoever has read a message has read those before. */
  readUpTo(id: string, reader: string | undefined): void {
    const last = this.own(id) ?? this.find(id);
    if (!last) return;
    for (const message of this.messages) {
      if (message.at > last.at || !message.mine || message.delivery === "sending" || message.delivery === "failed") {
        continue;
      }
      if (reader) message.readers.add(reader);
      else this.advance(message, "read");
    }
  }

  /** The archive's ID of the oldest and of the newest message that has one. */
  get first(): string | undefined {
    return this.messages.find(({ archive }) => archive)?.archive;
  }

  get last(): string | undefined {
    return this.#lastArchived?.archive;
  }

  get #lastArchived(): Message | undefined {
    return this.messages.findLast(({ archive }) => archive);
  }

  #insert(message: Message, beforeEqual = false): void {
    let at = this.messages.length;
    const isAfter = (other: Message) => (beforeEqual ? other.at >= message.at : other.at > message.at);
    while (at > 0 && isAfter(this.messages[at - 1]!)) at--;
    this.messages.splice(at, 0, message);
    if (message.archive) this.#byArchive.set(message.archive, message);
    if (message.id) this.#byId.set(key(message), message);
  }

  #move(message: Message, at: number): void {
    this.messages.splice(this.messages.indexOf(message), 1);
    message.at = at;
    this.#insert(message);
  }
}

/** One's own messages go by their ID alone: a group shows them to come from its nickname. */
const key = ({ mine, from, id }: { mine: boolean; from: string; id: string }) => (mine ? `>${id}` : `${from}>${id}`);
