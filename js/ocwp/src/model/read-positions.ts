import type { Pep, PepEvent } from "../xmpp/pep.js";
import { bare } from "../xmpp/jids.js";
import { NS, child, x } from "../xmpp/xml.js";
import type { Chat } from "./chat.js";
import type { Memory } from "./memory.js";
import type { Message } from "./timeline.js";

/** Milliseconds to collect read positions before they are published. */
const PUBLISH_MS = 500;

/** What read positions need of the account. */
interface Account {
  readonly me: string;
  readonly live: boolean;
  readonly chats: ReadonlyMap<string, Chat>;
  readonly memory: Memory;
  changed(): void;
  onlyChanged(jid: string): void;
}

/** How far the person has read each chat: agreed with other tabs by storage, with other clients by XEP-0490. */
export class ReadPositions {
  #ids = new Map<string, string>(); // by chat: ID of the last message read elsewhere
  #unpublished = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly account: Account,
    private readonly pep: Pep,
  ) {}

  /** Begins to follow other tabs. */
  start(): void {
    addEventListener("storage", this.#otherTab);
    addEventListener("pagehide", this.publish);
  }

  stop(): void {
    removeEventListener("storage", this.#otherTab);
    removeEventListener("pagehide", this.publish);
  }

  /** Forgets everything: another person signs in. */
  clear(): void {
    this.#ids.clear();
    this.#unpublished.clear();
  }

  /** The ID of the last message that another client has read in the chat `jid`. */
  idOf(jid: string): string | undefined {
    return this.#ids.get(jid);
  }

  /** Loads what other clients have read. */
  async load(): Promise<void> {
    for (const [jid, displayed] of (await this.pep.items(NS.mds)) ?? []) this.#wasRead(jid, displayed);
  }

  /** Takes in that another client has read something just now. */
  take(event: PepEvent): void {
    if (event.node === NS.mds) for (const [jid, displayed] of event.items) this.#wasRead(jid, displayed);
  }

  /** Records that `chat` has been read up to the time `at`, by whichever client. */
  readUntil(chat: Chat, at: number): void {
    if (at > chat.readUntil) {
      chat.readUntil = at;
      this.account.memory.kept.read[chat.jid] = at;
      this.account.memory.save();
    }
    chat.recount();
    this.account.onlyChanged(chat.jid);
  }

  /** Records that `chat` has been read here up to the time `at`, and publishes that soon. */
  readHere(chat: Chat, at: number): void {
    this.readUntil(chat, at);
    this.#unpublished.add(chat.jid);
    this.#timer ??= setTimeout(this.publish, PUBLISH_MS);
  }

  /** Publishes read positions for the person's other clients. Without a connection they wait for the next session. */
  publish = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.account.live) return;
    for (const jid of this.#unpublished) {
      const chat = this.account.chats.get(jid);
      const read = chat?.timeline.messages.findLast((message) => message.at <= chat.readUntil && archiveId(message));
      if (!read) continue;
      const stanzaId = x("stanza-id", { xmlns: NS.sid, id: archiveId(read), by: chat!.room ? jid : this.account.me });
      const displayed = x("displayed", { xmlns: NS.mds }, stanzaId);
      void this.pep.publish(NS.mds, jid, displayed).catch(() => {}); // then only this browser knows
    }
    this.#unpublished.clear();
  };

  #wasRead(item: string, displayed: Element): void {
    const [jid, id] = [bare(item), child(displayed, "stanza-id", NS.sid)?.getAttribute("id")];
    if (!id) return;
    this.#ids.set(jid, id);
    const chat = this.account.chats.get(jid);
    const at = chat?.readUpTo(id);
    if (at) this.readUntil(chat!, at);
  }

  #otherTab = (event: StorageEvent): void => {
    const { memory, chats } = this.account;
    if (event.key !== memory.key) return;
    memory.merge();
    for (const [jid, at] of Object.entries(memory.kept.read)) {
      const chat = chats.get(jid);
      if (!chat || at <= chat.readUntil) continue;
      chat.readUntil = at;
      chat.recount();
    }
    this.account.changed();
  };
}

/** The archive ID; for a live message the ID that its server added last. */
export const archiveId = ({ archive, hints }: Message): string | undefined => archive ?? hints.at(-1);
