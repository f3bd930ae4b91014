import { Archive } from "./archive.js";
import { Chat } from "./chat.js";
import type { Config } from "./config.js";
import { Files } from "./files.js";
import { asJid, bare, domainOf, localOf } from "./jids.js";
import { Link } from "./link.js";
import { Memory } from "./memory.js";
import type { Credentials } from "./options.js";
import { Outbox } from "./outbox.js";
import { People } from "./people.js";
import { Rooms } from "./rooms.js";
import { read, unwrapCarbon, unwrapResult, type ChatState, type Incoming, type Kind, type Reader } from "./stanzas.js";
import type { StatusLine } from "./status.js";
import type { Message, Way } from "./timeline.js";
import { NS, child, x } from "./xml.js";

/** Messages asked for at a time: some screens full. */
const PAGE = 50;
/** The archive's newest messages, of all chats, that the list of chats is made from. */
const RECENT = 100;

/** The person's account while signed in: people, chats and groups, kept in step with the server. */
export class Client {
  readonly config: Config;
  readonly people: People;
  readonly rooms: Rooms;
  readonly files: Files;
  readonly chats = new Map<string, Chat>();
  memory: Memory;
  /** Tells of a message that came in just now. */
  onMessage: (chat: Chat, message: Message) => void = () => {};
  /** Tells that this is somebody's from now on. */
  onPerson: () => void = () => {};
  #me = "";
  #link: Link;
  #archive: Archive;
  #reader: Reader;
  #outbox: Outbox;
  #last: string | undefined; // the newest of the archive that we have seen
  #caughtUp = false;
  #known = false;
  #early: Incoming[] = []; // what comes in before the archive has been read
  #listeners = new Set<() => void>();
  #states = new Map<string, ChatState>();

  constructor(
    config: Config,
    readonly status: StatusLine,
  ) {
    this.config = config;
    this.memory = new Memory("");
    const changed = this.changed;
    this.#link = new Link(config.service, config.domain, status, {
      stanza: (stanza) => this.#stanza(stanza),
      connected: (resumed) => this.#connected(resumed),
      acknowledged: () => {
        this.#outbox.acknowledged();
        this.changed();
      },
    });
    this.#outbox = new Outbox(this.#link, this.chats, () => this.#caughtUp);
    this.#archive = new Archive(this.#link, () => this.#me);
    this.#reader = { jid: "", nick: (room) => this.chats.get(room)?.room?.nick };
    this.people = new People(this.#link, config.features.avatars, changed);
    this.files = new Files(this.#link, config);
    const host = {
      groups: config.groups,
      chat: (jid: string) => this.chat(jid, "group"),
      known: (jid: string) => this.chats.get(jid),
      entered: (chat: Chat) => this.#entered(chat),
      dressed: (chat: Chat) => this.people.refresh(chat.jid),
      forget: (chat: Chat) => void this.chats.delete(chat.jid),
      changed,
    };
    this.rooms = new Rooms(
      this.#link,
      this.#archive,
      Object.defineProperty(host, "me", { get: () => this.#me }) as never,
    );
  }

  get me(): string {
    return this.#me;
  }

  get live(): boolean {
    return this.#link.live;
  }

  /** Whether this person's chats have been here before: a lost connection is another thing than a first one. */
  get known(): boolean {
    return this.#known;
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed = (): void => {
    for (const listener of this.#listeners) listener();
  };

  /** Signs in, and stays so. Throws a TypeError if `usr` is no JID. */
  start(usr: string | undefined, credentials: () => Promise<Credentials> | Credentials): void {
    if (usr !== undefined) {
      if (this.#me && asJid(usr, this.config.domain) !== this.#me) this.stop(); // the other person has left
      this.#become(usr);
    }
    this.#link.start(async () => {
      const given = await credentials();
      this.#become(given.usr);
      return given;
    });
  }

  /** Ends the connection. What is kept of the chats stays. */
  disconnect(): void {
    this.#link.stop();
  }

  /** Signs out: nothing of the chats stays here. */
  stop(): void {
    this.disconnect();
    this.memory.forget();
    this.memory = new Memory("");
    this.#me = "";
    this.#clear();
  }

  /** The chat with `jid`; made if there is none yet. */
  chat(jid: string, kind: Kind = this.kindOf(jid)): Chat {
    let chat = this.chats.get(jid);
    if (!chat) {
      chat = new Chat(jid, kind, this.changed, localOf(this.#me));
      chat.readUntil = this.memory.kept.read[jid] ?? 0;
      chat.draft = this.memory.tab.drafts[jid] ?? "";
      this.chats.set(jid, chat);
      this.changed();
    }
    return chat;
  }

  kindOf = (jid: string): Kind =>
    !jid.includes("@") ? "alert" : domainOf(jid) === this.config.groups ? "group" : "direct";

  nameOf(chat: Chat): string {
    return chat.kind === "group" ? chat.room!.name : this.people.nameOf(chat.jid);
  }

  /** The name of who sent `message`. */
  senderOf(chat: Chat, message: Message): string {
    return chat.kind === "group"
      ? this.occupantName(chat, message.from, message.author)
      : this.people.nameOf(message.from);
  }

  occupantName(chat: Chat, nick: string, author = chat.room?.occupants.get(nick)?.jid): string {
    return author ? this.people.nameOf(author) : nick;
  }

  /** Sends `text`, or keeps it until there is a connection. */
  send(chat: Chat, text: string, image?: string): void {
    this.#states.delete(chat.jid);
    this.#outbox.send(chat, this.#me, text, image);
    this.changed();
  }

  again(chat: Chat, message: Message): void {
    this.#outbox.again(chat, message);
    this.changed();
  }

  /** Loads the page of history before what is here. */
  async older(chat: Chat): Promise<void> {
    if (chat.loading || chat.complete || !this.#caughtUp || (chat.room && !chat.room.joined)) return;
    chat.loading = true;
    this.changed();
    try {
      const before = chat.timeline.first ?? "";
      const where = chat.kind === "group" ? { room: chat.jid } : { peer: chat.jid };
      const page = await this.#archive.page({ ...where, before, max: PAGE });
      this.#results(page.results, "older");
      chat.complete = page.complete || page.results.length === 0;
    } catch {
      // The connection went; scrolling asks again.
    }
    chat.loading = false;
    this.changed();
  }

  /** Everything in `chat` has been seen. */
  seen(chat: Chat): void {
    const last = chat.timeline.messages.findLast(({ mine }) => !mine);
    if (!last || last.at <= chat.readUntil) return;
    this.#readUntil(chat, last.at);
    if (!this.config.features.receipts || !last.markable || !this.#link.live) return;
    const marked = chat.kind === "group" ? (last.archive ?? last.id) : last.id;
    this.#outbox.note(chat, "store", x("displayed", { xmlns: NS.markers, id: marked }));
  }

  /** Tells the other side that one types, or no longer does; what it knows already is not repeated. */
  typing(chat: Chat, state: ChatState): void {
    if (!this.config.features.typing || !this.#link.live || chat.kind === "alert") return;
    if ((this.#states.get(chat.jid) ?? "active") === state) return;
    this.#states.set(chat.jid, state);
    this.#outbox.note(chat, "no-store", x(state, { xmlns: NS.chatStates }));
  }

  keepDraft(chat: Chat, draft: string): void {
    chat.draft = draft;
    if (draft) this.memory.tab.drafts[chat.jid] = draft;
    else delete this.memory.tab.drafts[chat.jid];
    this.memory.save();
  }

  // --- the session ---

  #become(usr: string): void {
    const jid = asJid(usr, this.config.domain);
    if (!jid) throw new TypeError(`ocwp: usr must be a JID such as user@${this.config.domain}.`);
    if (jid === this.#me) return;
    this.#clear();
    this.#me = this.#reader.jid = jid;
    this.memory = new Memory(jid);
    this.onPerson();
    this.changed();
  }

  #clear(): void {
    this.chats.clear();
    this.people.clear();
    this.#outbox.reset();
    this.#states.clear();
    this.#last = undefined;
    this.#caughtUp = this.#known = false;
    this.changed();
  }

  async #connected(resumed: boolean): Promise<void> {
    if (resumed) {
      this.#outbox.acknowledged();
      this.#outbox.flush(() => true);
      this.changed();
      return;
    }
    this.#outbox.reset();
    this.#states.clear();
    this.#caughtUp = false;
    this.rooms.lost(this.chats.values());
    void this.#link.iq("set", undefined, x("enable", { xmlns: NS.carbons })).catch(() => {});
    await this.people.load();
    this.#link.send(x("presence", { xmlns: NS.client }));
    await this.#catchUp();
    this.#outbox.flush(({ kind }) => kind !== "group");
    if (this.config.features.groups) await this.rooms.load(this.chats.values());
    if (this.config.features.uploads) void this.files.find().then(this.changed, () => {});
    this.changed();
  }

  /** Reads what the archive has beyond what we have; the first time its newest page. */
  async #catchUp(): Promise<void> {
    let after = this.#last;
    if (after === undefined) {
      const page = await this.#archive.page({ before: "", max: RECENT });
      this.#results(page.results, "older");
      this.#last = page.last ?? this.#last;
    }
    while (after !== undefined) {
      const page = await this.#archive.page({ after, max: RECENT });
      this.#results(page.results, "newer");
      this.#last = page.last ?? this.#last;
      after = page.complete ? undefined : page.last;
    }
    this.#caughtUp = this.#known = true;
    for (const incoming of this.#early.splice(0)) {
      // What waited for the person is in the archive: here already, or further back, where scrolling finds it in order.
      if (incoming.live || !incoming.text) this.#take(incoming);
    }
  }

  async #entered(chat: Chat): Promise<void> {
    let after = chat.timeline.last;
    const start = after === undefined ? { before: "" } : {};
    for (;;) {
      const page = await this.#archive.page({ room: chat.jid, ...start, ...(after ? { after } : {}), max: PAGE });
      this.#results(page.results, after === undefined ? "older" : "newer");
      if (after === undefined) chat.complete = page.complete;
      if (after === undefined || page.complete || !page.last) break;
      after = page.last;
    }
    this.#outbox.flush((other) => other === chat);
  }

  // --- what comes in ---

  #stanza(stanza: Element): void {
    switch (stanza.localName) {
      case "message":
        if (this.#archive.take(stanza)) return;
        return this.#messageIn(stanza);
      case "presence":
        // Inside a group each presence shows its person's picture, not the group's.
        if (
          !this.chats.get(bare(stanza.getAttribute("from") ?? ""))?.room ||
          !stanza.getAttribute("from")?.includes("/")
        ) {
          this.people.photo(stanza);
        }
        if (!this.rooms.presence(stanza)) this.people.presence(stanza);
        return;
      case "iq":
        this.#query(stanza);
    }
  }

  #messageIn(stanza: Element): void {
    const wrapped = unwrapCarbon(stanza, this.#me);
    const incoming = wrapped && read(wrapped, this.#reader);
    if (!incoming) return;
    // Before the archive has been read, what comes in could stand before older messages, and hide a gap.
    if (!this.#caughtUp && incoming.kind !== "group") this.#early.push(incoming);
    else this.#take(incoming);
    this.#answer(incoming);
    this.changed();
  }

  #results(results: Element[], way: Way): void {
    const all = results.flatMap((result) => {
      const wrapped = unwrapResult(result);
      return (wrapped && read(wrapped, this.#reader)) ?? [];
    });
    const texts = all.filter(({ text }) => text);
    for (const incoming of way === "older" ? texts.toReversed() : texts) this.#take(incoming, way);
    // What says that a message was read finds it now, whichever way round they came.
    for (const incoming of all) if (!incoming.text) this.#take(incoming, way);
    if (way === "newer") all.forEach((incoming) => this.#answer(incoming)); // news, though it comes from the archive
  }

  /** What a message asks of whoever gets it for the first time. */
  #answer({ wantsReceipt, mine, kind, chat, id, invite }: Incoming): void {
    if (mine) return;
    if (invite) void this.rooms.invited(invite.room).catch(() => {});
    if (!wantsReceipt || !this.config.features.receipts || kind !== "direct") return;
    this.#outbox.note({ jid: chat, kind }, "store", x("received", { xmlns: NS.receipts, id }));
  }

  #take(incoming: Incoming, way: Way = "now"): void {
    if (incoming.error !== undefined) return this.#bounced(incoming);
    const known = this.chats.get(incoming.chat);
    if (incoming.received) this.#delivered(known, incoming);
    if (incoming.displayed) this.#displayed(known, incoming);
    if (incoming.state && known && !incoming.mine && incoming.live) {
      known.setTyping(incoming.from, incoming.state === "composing");
    }
    if (incoming.changed && known?.room?.joined) this.rooms.look(known);
    if (!incoming.text) return;
    const chat = known ?? this.chat(incoming.chat, incoming.kind);
    const { message, fresh } = chat.timeline.add(incoming, way);
    if (incoming.archive && incoming.kind !== "group" && this.#caughtUp) this.#last = incoming.archive;
    if (!fresh) return;
    chat.setTyping(incoming.from, false);
    // Whoever answers has read what came before.
    if (incoming.mine) this.#readUntil(chat, incoming.at);
    chat.recount();
    if ((incoming.live || way === "newer") && !incoming.mine) this.onMessage(chat, message);
  }

  #bounced(incoming: Incoming): void {
    const chat = this.chats.get(incoming.chat);
    const message = chat?.timeline.own(incoming.id);
    if (!chat || !message) return;
    message.delivery = "failed";
    // The group has lost us without a word, by its restart for one: enter it again, and try again.
    if (chat.room && incoming.error === "not-acceptable") {
      chat.room.joined = false;
      this.#outbox.again(chat, message);
      void this.rooms.enter(chat.jid).catch(() => {});
    }
  }

  #delivered(chat: Chat | undefined, { received, mine }: Incoming): void {
    const message = mine ? undefined : chat?.timeline.own(received!);
    if (message) chat!.timeline.advance(message, "delivered");
  }

  #displayed(chat: Chat | undefined, { displayed, mine, kind, from }: Incoming): void {
    if (!chat) return;
    if (!mine) return chat.timeline.readUpTo(displayed!, kind === "group" ? from : undefined);
    const read = chat.timeline.find(displayed!); // in another tab, or on another device
    if (read) this.#readUntil(chat, read.at);
  }

  #readUntil(chat: Chat, at: number): void {
    if (at > chat.readUntil) {
      chat.readUntil = at;
      this.memory.kept.read[chat.jid] = at;
      this.memory.save();
    }
    chat.recount();
    this.changed();
  }

  #query(iq: Element): void {
    const from = iq.getAttribute("from") ?? undefined;
    const id = iq.getAttribute("id") ?? undefined;
    const answer = (type: string, ...children: Element[]) =>
      this.#link.send(x("iq", { xmlns: NS.client, type, to: from, id }, ...children));
    const roster = child(iq, "query", NS.roster);
    if (roster && iq.getAttribute("type") === "set" && (!from || bare(from) === this.#me)) {
      this.people.pushed(roster);
      return answer("result");
    }
    if (child(iq, "ping", NS.ping)) return answer("result");
    const condition = x("service-unavailable", { xmlns: "urn:ietf:params:xml:ns:xmpp-stanzas" });
    answer("error", x("error", { type: "cancel" }, condition));
  }
}
