import { Archive } from "../xmpp/archive.js";
import { Blocked } from "../xmpp/blocked.js";
import { Changes } from "./changes.js";
import { Chat, type Mark } from "./chat.js";
import type { Config } from "./config.js";
import { Files } from "../xmpp/files.js";
import { asJid, bare, domainOf, localOf } from "../xmpp/jids.js";
import { caps, discoInfo } from "../xmpp/caps.js";
import { Link, Refused, isLost } from "../xmpp/link.js";
import { Memory } from "./memory.js";
import type { Credentials } from "./options.js";
import type { Named } from "../xmpp/mentions.js";
import { Outbox } from "./outbox.js";
import { Pep, pepEvent, type PepEvent } from "../xmpp/pep.js";
import { People } from "./people.js";
import { ReadPositions, archiveId } from "./read-positions.js";
import { Rooms } from "../xmpp/rooms.js";
import {
  read,
  unwrapCarbon,
  unwrapResult,
  type ChatState,
  type Incoming,
  type Kind,
  type Reader,
} from "../xmpp/stanzas.js";
import type { StatusLine } from "./status.js";
import { CLOCK_MS, type Message, type Way } from "./timeline.js";
import { NS, child, children, textOf, x } from "../xmpp/xml.js";

/** Messages asked for at a time by scrolling: some screens full. */
const PAGE = 50;
/** Messages asked for at a time otherwise; servers give at most 50 to 250. */
const RECENT = 100;
/** Up to this many people without a message are looked up one by one; for more, the archive is read back first. */
const ONE_BY_ONE = 20;
/** Most pages that are read back after a login, in the whole archive and in each chat with unread messages. */
const BACK_PAGES = 20;
/** Page size when looking for a chat's last text: receipts and markers take places too. */
const LAST = 20;
/** Requests at once in the background. */
const AT_ONCE = 4;

/** The person's account while signed in: people, chats and groups, kept in step with the server. */
export class Client {
  readonly config: Config;
  readonly people: People;
  readonly rooms: Rooms;
  readonly files: Files;
  readonly blocked: Blocked;
  readonly changes: Changes;
  readonly chats = new Map<string, Chat>();
  memory: Memory;
  /** Tells of a message that came in just now. */
  onMessage: (chat: Chat, message: Message) => void = () => {};
  /** Tells that this is somebody's from now on. */
  onPerson: () => void = () => {};
  /** Tells that a group no longer exists for the person. */
  onGone: (jid: string) => void = () => {};
  #me = "";
  #link: Link;
  #archive: Archive;
  #reader: Reader;
  #outbox: Outbox;
  #own: { mark: Mark; first: string | undefined } = { mark: undefined, first: undefined };
  #whole = false; // all of the person's archive is loaded
  #archiveless = new Set<Chat | undefined>(); // groups without an archive; undefined stands for the person's own
  #sendable = new Set<Chat | undefined>(); // groups to send to in this session; undefined stands for everybody else
  #crossed = false; // something came in before the server confirmed what one wrote: the archive knows the order
  #advancing = false;
  #receipts = new Set<string>(); // chat and ID of messages whose receipt was sent
  #silent = new Set<string>(); // people and services without any message in the archive
  #session: Promise<void> | undefined; // set-up of the current session
  #clock = 0; // milliseconds that the server's clock is ahead of ours
  #positions: ReadPositions;
  #loading = new Map<Chat, Promise<void>>();
  #pep: Pep;
  #caughtUp = false;
  #known = false;
  #early: Incoming[] = []; // what comes in before the archive has been read
  #listeners = new Set<(only?: string) => void>();
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
        if (this.#outbox.acknowledged()) this.changed(); // not at each ping: a long chat takes a while to draw
        this.#advance();
      },
    });
    const now = () => Date.now() + this.#clock;
    this.#outbox = new Outbox(
      this.#link,
      (chat) => this.#sendable.has(chat.room && chat),
      () => this.memory,
      now,
      (chat) => this.membersOf(chat),
    );
    this.#archive = new Archive(this.#link, () => this.#me);
    this.#pep = new Pep(this.#link);
    this.#positions = new ReadPositions(this, this.#pep);
    this.#reader = { jid: "", domain: config.domain, nick: (room) => this.chats.get(room)?.room?.nick, now };
    this.people = new People(this.#link, config.features.avatars, changed, this.onlyChanged);
    this.changes = new Changes(this.#outbox, () => this.#link.live, now, changed);
    this.blocked = new Blocked(this.#link, changed);
    this.files = new Files(this.#link, config);
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the getters below have a `this` of their own
    const client = this;
    this.rooms = new Rooms(this.#link, this.#pep, {
      get me() {
        return client.#me;
      },
      get declined() {
        return client.memory.kept.declined;
      },
      groups: config.groups,
      chat: (jid) => this.chat(jid, "group"),
      known: (jid) => this.chats.get(jid),
      entered: (chat) => this.#entered(chat),
      dressed: (chat) => this.people.refresh(chat.jid),
      forget: (chat) => {
        this.chats.delete(chat.jid);
        this.#outbox.forget(chat);
        this.onGone(chat.jid);
        changed();
      },
      trusts: (jid) => this.#trusts(jid),
      save: () => this.memory.save(),
      now,
      changed,
    });
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

  /** Calls `listener` after each change, with the JID of the chat or person that alone has changed, if it is one. */
  listen(listener: (only?: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed = (): void => {
    for (const listener of this.#listeners) listener();
  };

  /** Tells that nothing but the chat or person `jid` has changed: what shows neither need not be drawn again. */
  onlyChanged = (jid: string): void => {
    for (const listener of this.#listeners) listener(jid);
  };

  /** Signs in, and stays so. Throws a TypeError if `usr` is no JID. */
  start(usr: string | undefined, credentials: () => Promise<Credentials> | Credentials): void {
    if (usr !== undefined) {
      if (this.#me && asJid(usr, this.config.domain) !== this.#me) this.stop(); // the other person has left
      this.#become(usr);
    }
    this.#positions.start();
    this.#link.start(async () => {
      const given = await credentials();
      this.#become(given.usr);
      return given;
    });
  }

  /** Ends the connection. What is kept of the chats stays. */
  disconnect(): void {
    this.#positions.stop();
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
      chat = new Chat(jid, kind, () => this.onlyChanged(jid), localOf(this.#me));
      chat.readUntil = this.memory.kept.read[jid] ?? 0;
      chat.draft = this.memory.tab.drafts[jid] ?? "";
      const read = this.#positions.idOf(jid);
      if (read) chat.readUpTo(read);
      this.chats.set(jid, chat);
      this.onlyChanged(jid);
    }
    return chat;
  }

  kindOf = (jid: string): Kind =>
    !jid.includes("@") ? "alert" : domainOf(jid) === this.config.groups ? "group" : "direct";

  nameOf(chat: Chat): string {
    return chat.kind === "group" ? chat.room!.name : this.people.nameOf(chat.jid);
  }

  /** The others in a group, by name; in a chat of two nobody needs to be mentioned. */
  membersOf({ room }: Pick<Chat, "room">): Named[] {
    if (!room) return [];
    const here = [...room.occupants.values()].flatMap(({ jid }) => jid ?? []);
    const jids = new Set([...room.members.keys(), ...here].filter((jid) => jid !== this.#me));
    return [...jids].map((jid) => ({ jid, name: this.people.nameOf(jid) }));
  }

  /** The name of who sent `message`. */
  senderOf(chat: Chat, { from, author, nick }: Message): string {
    return chat.kind === "group" ? this.occupantName(chat, from, author) : (nick ?? this.people.nameOf(from));
  }

  /** The picture of the mini app that sent `message`, if it was one: the host has a vCard for each, by name. */
  appPicture(chat: Chat, { from, author, nick }: Message): string {
    const host = chat.room ? (author ?? chat.room.occupants.get(from)?.jid) : chat.jid;
    const app = chat.room ? from : nick;
    return app && host && !host.includes("@") ? this.people.avatarOf(`${host}/${app}`) : "";
  }

  occupantName(chat: Chat, nick: string, author = chat.room?.occupants.get(nick)?.jid): string {
    // The host writes for many apps; each has its name as its nickname.
    return author?.includes("@") ? this.people.nameOf(author) : nick;
  }

  /** Sends `text`, or keeps it until there is a connection. */
  send(chat: Chat, text: string, file?: string): Message {
    this.#states.delete(chat.jid);
    const reply = chat.answering && this.changes.replyTo(chat, chat.answering);
    chat.answering = undefined;
    const message = this.#outbox.send(chat, this.#me, text, file, reply);
    this.changed();
    return message;
  }

  again(chat: Chat, message: Message): void {
    this.#outbox.again(chat, message);
    this.changed();
  }

  /** Loads history before what is here. */
  older(chat: Chat, max = PAGE): Promise<void> {
    const loading = this.#loading.get(chat) ?? this.#older(chat, max).finally(() => this.#loading.delete(chat));
    this.#loading.set(chat, loading);
    return loading;
  }

  async #older(chat: Chat, max: number): Promise<void> {
    if (chat.complete || !this.#caughtUp || (chat.room && !chat.room.joined)) return;
    if ((!chat.room && this.#whole) || this.#archiveless.has(chat.room && chat)) {
      chat.complete = true;
      return this.onlyChanged(chat.jid);
    }
    if (chat.room && chat.mark === undefined) return; // its newest page is on its way
    chat.loading = true;
    this.onlyChanged(chat.jid);
    const { timeline } = chat;
    const oldest = timeline.messages[0];
    const where = chat.kind === "group" ? { room: chat.jid } : { peer: chat.jid };
    try {
      // A page may hold receipts alone.
      while (!chat.complete && oldest === timeline.messages[0]) {
        const first = timeline.first;
        const before = chat.cursor && chat.cursor.first === first ? chat.cursor.id : (first ?? "");
        const page = await this.#archive.page({ ...where, before, max });
        this.#results(page.results, "older");
        if (page.first) chat.cursor = { id: page.first, first: timeline.first };
        chat.complete = page.complete || page.results.length === 0 || page.first === before;
      }
    } catch {
      // The connection went; scrolling asks again.
    }
    chat.loading = false;
    this.onlyChanged(chat.jid);
  }

  /** Everything in `chat` has been seen. */
  seen(chat: Chat): void {
    const last = chat.timeline.messages.findLast(({ mine }) => !mine);
    if (!last || last.at <= chat.readUntil) return;
    this.#positions.readHere(chat, last.at);
    // Senders get a marker only if they asked for one. Own other clients learn it from the private node.
    if (!this.config.features.receipts || !last.markable || !this.#link.live) return;
    const marked = chat.kind === "group" ? (archiveId(last) ?? last.id) : last.id;
    this.#outbox.note(chat, "store", x("displayed", { xmlns: NS.markers, id: marked }));
  }

  /** Tells the other side that one types, or no longer does; what it knows already is not repeated. */
  typing(chat: Chat, state: ChatState): void {
    if (!this.config.features.typing || !this.#link.live || chat.kind === "alert") return;
    if ((this.#states.get(chat.jid) ?? "active") === state) return;
    this.#states.set(chat.jid, state);
    this.#outbox.note(chat, "no-store", x(state, { xmlns: NS.chatStates }));
  }

  /** Whether `chat` is quiet in this browser: no notification, no sound, not counted among all. */
  muted(chat: Chat): boolean {
    return Boolean(this.memory.kept.muted[chat.jid]);
  }

  mute(chat: Chat, muted: boolean): void {
    if (muted) this.memory.kept.muted[chat.jid] = true;
    else delete this.memory.kept.muted[chat.jid];
    this.memory.save();
    this.changed();
  }

  /** The number of unread messages in all chats that are not muted. */
  get unread(): number {
    return [...this.chats.values()].reduce((sum, chat) => sum + (this.muted(chat) ? 0 : chat.unread), 0);
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
    this.#outbox.restore(jid, (chat) => this.chat(chat));
    this.onPerson();
    this.changed();
  }

  #clear(): void {
    this.chats.clear();
    this.people.clear();
    this.blocked.clear();
    this.rooms.clear();
    this.#outbox.clear();
    this.#states.clear();
    this.#positions.clear();
    this.#silent.clear();
    this.#receipts.clear();
    this.#archiveless.clear();
    this.#sendable.clear();
    this.#early = [];
    this.#session = undefined;
    this.#own = { mark: undefined, first: undefined };
    this.#caughtUp = this.#known = this.#whole = this.#crossed = false;
    this.changed();
  }

  async #connected(resumed: boolean): Promise<void> {
    // A session resumed during its set-up continues it, or repeats it after a failure.
    if (!resumed || !this.#session) this.#session = this.#setUp();
    const session = this.#session;
    try {
      await session;
    } catch (error) {
      if (this.#session === session) this.#session = undefined;
      throw error;
    }
    if (!resumed) return;
    this.#crossed ||= this.#outbox.chats.some(({ room }) => !room);
    this.#outbox.acknowledged();
    this.#outbox.flush(() => true);
    this.#advance();
    this.changed();
  }

  async #setUp(): Promise<void> {
    this.#outbox.reset();
    this.#sendable.clear();
    this.#states.clear();
    this.#caughtUp = this.#crossed = false;
    this.rooms.lost(this.chats.values());
    void this.#link.iq("set", undefined, x("enable", { xmlns: NS.carbons })).catch(() => {});
    void this.blocked.load().catch(() => {}); // this server can't
    await Promise.all([this.people.load().catch(kept), this.#setClock(), this.#positions.load().catch(kept)]);
    this.#link.send(x("presence", { xmlns: NS.client }, caps()));
    await this.#catchUp();
    // Again: the server tells of changes only since it knows our capabilities, which it asked for before this answer.
    void this.#positions.load().catch(() => {});
    await Promise.all(this.#outbox.chats.filter(({ room }) => !room).map((chat) => this.#reachUnsent(chat)));
    this.#sendable.add(undefined);
    this.#outbox.flush(({ kind }) => kind !== "group");
    this.#positions.publish();
    if (this.config.features.groups) await this.rooms.load(this.chats.values());
    void this.#fill().catch(() => {}); // the connection went: the next session does it
    this.changed();
  }

  /** Measures how far the server's clock is ahead (XEP-0202): ours may be hours off. */
  async #setClock(): Promise<void> {
    const sent = Date.now();
    const answer = await this.#link.iq("get", this.config.domain, x("time", { xmlns: NS.time })).catch(kept);
    const ahead = Date.parse(textOf(child(child(answer, "time", NS.time), "utc"))) - (sent + Date.now()) / 2;
    this.#clock = Math.abs(ahead) > CLOCK_MS ? ahead : 0;
  }

  async #catchUp(): Promise<void> {
    try {
      await this.#readOn();
    } catch (error) {
      this.#noArchive(error);
    }
    this.#caughtUp = this.#known = true;
    for (const incoming of this.#early.splice(0)) {
      // What waited for the person is in the archive: here already, or further back, where scrolling finds it in order.
      if (incoming.live || !incoming.text || this.#archiveless.has(undefined)) this.#hear(incoming);
      else this.#answer(incoming);
    }
  }

  #noArchive(error: unknown, group?: Chat): void {
    if (isLost(error)) throw error;
    if (this.#archiveless.size === 0) {
      console.warn(
        "ocwp: no message archive (XEP-0313), so only live messages are shown.",
        group?.jid ?? this.#me,
        error,
      );
    }
    this.#archiveless.add(group);
  }

  /** Reads an archive, the person's own or a group's, from its mark on; the first time its newest page. */
  async #readOn(group?: Chat): Promise<void> {
    const place = group ?? this.#own;
    const where = group ? { room: group.jid } : {};
    for (;;) {
      const { mark } = place;
      const from = mark === undefined ? { before: "" } : mark ? { after: mark } : {};
      let page;
      try {
        page = await this.#archive.page({ ...where, ...from, max: mark === undefined && group ? PAGE : RECENT });
      } catch (error) {
        if (!mark || !(error instanceof Refused) || error.condition !== "item-not-found") throw error;
        // The archive was emptied, or the entry has expired: show what it has now.
        this.#forget(group);
        continue;
      }
      this.#results(page.results, mark === undefined ? "older" : "newer");
      this.#archiveless.delete(group);
      place.mark = page.last ?? mark ?? "";
      if (mark === undefined) {
        if (group) group.complete = page.complete;
        else [this.#own.first, this.#whole] = [page.first, page.complete];
      }
      if (mark === undefined || page.complete || page.results.length === 0 || place.mark === mark) return;
    }
  }

  #forget(group: Chat | undefined): void {
    for (const chat of group ? [group] : this.chats.values()) if (group || !chat.room) chat.clear();
    if (!group) Object.assign(this.#own, { mark: undefined, first: undefined });
  }

  /**
   * Reads on where live messages don't tell enough: an archive that was empty at login has a first mark then, without
   * which we can't tell when it is emptied; and messages that crossed have their order.
   */
  #advance(): void {
    const crossed = this.#crossed && !this.#outbox.chats.some(waits);
    if (this.#own.mark !== "" && !crossed) return;
    if (!this.#caughtUp || this.#archiveless.has(undefined) || this.#advancing) return;
    this.#crossed = false;
    this.#advancing = true;
    const { mark } = this.#own;
    void this.#readOn()
      .catch(() => {})
      .finally(() => {
        this.#advancing = false;
        if (this.#own.mark !== mark) this.changed();
      });
  }

  async #entered(chat: Chat): Promise<void> {
    try {
      await this.#readOn(chat);
    } catch (error) {
      this.#noArchive(error, chat);
    }
    await this.#reachUnsent(chat);
    this.#sendable.add(chat);
    this.#outbox.flush((other) => other === chat);
    void this.#reach(chat);
  }

  // --- in the background ---

  /** Loads everybody's last message, and unread messages beyond the newest page. */
  async #fill(): Promise<void> {
    const answer = await this.#link.iq("get", this.config.domain, x("query", { xmlns: NS.discoItems })).catch(kept);
    const services = children(child(answer, "query"), "item").map((item) => bare(item.getAttribute("jid") ?? ""));
    for (const jid of [this.config.domain, ...services]) void this.#discover(jid).catch(() => {});
    if (this.#archiveless.has(undefined)) return;
    const hosts = [this.config.domain, ...services].filter((jid) => jid !== this.config.groups && !jid.includes("@"));
    const missing = () =>
      [...this.people.contacts.keys(), ...hosts].filter(
        (jid) => !this.chats.get(jid)?.lastAt && !this.#silent.has(jid),
      );
    for (let pages = 0; !this.#whole && missing().length > ONE_BY_ONE && pages < BACK_PAGES; pages++) {
      const page = await this.#archive.page({ before: this.#own.first ?? "", max: RECENT });
      this.#results(page.results, "older");
      this.#own.first = page.first ?? this.#own.first;
      this.#whole = page.complete || page.results.length === 0;
      this.changed();
    }
    if (!this.#whole) await inTurns(missing(), (jid) => this.#lastOf(jid));
    await inTurns(
      [...this.chats.values()].filter(({ room }) => !room),
      (chat) => this.#reach(chat),
    );
  }

  /** Takes `jid`, the server or a service that it lists, for uploads (XEP-0363) or to search people (XEP-0055). */
  async #discover(jid: string): Promise<void> {
    const query = child(await this.#link.iq("get", jid, x("query", { xmlns: NS.discoInfo })), "query")!;
    const features = children(query, "feature").map((feature) => feature.getAttribute("var"));
    if (features.includes(NS.upload) && this.config.features.uploads) this.files.offer(jid, query);
    if (features.includes(NS.search)) this.people.directory = jid;
    this.changed();
  }

  async #lastOf(peer: string): Promise<void> {
    let before = "";
    while (!this.chats.get(peer)?.lastAt) {
      const page = await this.#archive.page({ peer, before, max: LAST });
      this.#results(page.results, "older");
      if (page.complete || !page.first) return void this.#silent.add(peer);
      before = page.first;
    }
    this.onlyChanged(peer);
  }

  /** Reads back to the oldest message that this tab has not seen sent: the server may have it all the same. */
  async #reachUnsent(chat: Chat): Promise<void> {
    const since = this.#outbox.since(chat) - CLOCK_MS;
    for (let pages = 0; pages < BACK_PAGES && this.#link.live && !chat.complete; pages++) {
      const first = chat.timeline.messages.find(({ archive }) => archive);
      if (first && first.at <= since) return;
      await this.older(chat, RECENT);
    }
  }

  /** Reads back until all unread messages are loaded. A group that was never read keeps to its newest page. */
  async #reach(chat: Chat): Promise<void> {
    if (chat.room && !chat.readUntil && !chat.readsAhead) return;
    for (let pages = 0; pages < BACK_PAGES && this.#link.live && !chat.complete; pages++) {
      const first = chat.timeline.messages[0];
      if (first && first.at <= chat.readUntil) return;
      await this.older(chat, RECENT);
    }
  }

  // --- what comes in ---

  #stanza(stanza: Element): void {
    switch (stanza.localName) {
      case "message":
        if (!this.#archive.take(stanza)) this.#messageIn(stanza);
        return;
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
    const event = pepEvent(stanza, this.#me);
    if (event) return this.#pepIn(event);
    const wrapped = unwrapCarbon(stanza, this.#me);
    const incoming = wrapped && read(wrapped, this.#reader);
    if (!incoming) return;
    // Before the archive has been read, what comes in could stand before older messages, and hide a gap.
    if (!this.#caughtUp && incoming.kind !== "group") this.#early.push(incoming);
    else this.#hear(incoming);
    this.changed();
  }

  #results(results: Element[], way: Way): void {
    const all = results.flatMap((result) => {
      const wrapped = unwrapResult(result);
      return (wrapped && read(wrapped, this.#reader)) ?? [];
    });
    // Missed messages are answered and announced like live ones.
    const take = (incoming: Incoming) => (way === "newer" ? this.#hear(incoming, way) : this.#take(incoming, way));
    const texts = all.filter(({ text }) => text);
    (way === "older" ? texts.toReversed() : texts).forEach(take);
    for (const incoming of all) {
      // What says that a message was read finds it now, whichever way round they came.
      if (!incoming.text) take(incoming);
      const { invite, mine, at } = incoming;
      if (way === "older" && invite && !mine && !this.#caughtUp) this.rooms.wasInvited(invite.room, invite.by, at);
    }
    for (const chat of new Set(all.map(({ chat }) => this.chats.get(chat)))) chat?.recount();
  }

  #hear(incoming: Incoming, way: Way = "now"): void {
    if (this.#take(incoming, way)) this.#answer(incoming);
  }

  /** Follows the invitation in a new message and sends the receipt that it asks for. */
  #answer({ wantsReceipt, mine, kind, chat, id, invite, at, live }: Incoming): void {
    if (mine) return;
    if (invite && this.config.features.groups) this.rooms.invited(invite.room, invite.by, at, live);
    const key = `${chat} ${id}`;
    if (!wantsReceipt || !this.config.features.receipts || kind !== "direct" || this.#receipts.has(key)) return;
    this.#receipts.add(key);
    this.#outbox.note({ jid: chat, kind }, "store", x("received", { xmlns: NS.receipts, id }));
  }

  /** Applies a stanza to its chat. Returns false if there is nothing new in it to answer. */
  #take(incoming: Incoming, way: Way): boolean {
    if (incoming.error !== undefined) {
      this.#bounced(incoming);
      return false;
    }
    const service = incoming.kind !== "group" && this.kindOf(incoming.chat) === "group";
    const known = this.chats.get(incoming.chat);
    if (incoming.received) this.#delivered(known, incoming);
    if (incoming.displayed) this.#displayed(known, incoming);
    if (incoming.state && known && !incoming.mine && incoming.live) {
      known.setTyping(incoming.from, incoming.state === "composing");
    }
    if (incoming.changed && known?.room?.joined) this.rooms.look(known);
    if (incoming.reacts && known) {
      known.reactions.take(incoming.reacts, incoming.mine ? "" : incoming.from, incoming.at);
    }
    if (!incoming.text && incoming.retracts === undefined) return true;
    if (service) return false; // a note by the group service, not by a person
    const chat = known ?? this.chat(incoming.chat, incoming.kind);
    if (incoming.retracts !== undefined) {
      chat.timeline.retract(incoming, way);
      chat.recount();
      return true;
    }
    const message = chat.timeline.add(incoming, way);
    if (incoming.mine) this.#outbox.settle();
    if (way === "now" && !chat.room) {
      this.#crossed ||= Boolean(message) && waits(chat);
      this.#advance();
    }
    if (!message) return false;
    chat.setTyping(incoming.from, false);
    // Whoever answers has read what came before.
    if (incoming.mine) this.#positions.readUntil(chat, message.at);
    if (way === "now") chat.recount();
    if ((incoming.live || way === "newer") && !incoming.mine) this.onMessage(chat, message);
    return true;
  }

  #bounced(incoming: Incoming): void {
    const chat = this.chats.get(incoming.chat);
    const message = chat?.timeline.own(incoming.id);
    if (!chat || !message) return;
    message.delivery = "failed";
    this.#outbox.settle();
    // The group has lost us without a word, by its restart for one: enter it again, and try again.
    if (chat.room && incoming.error === "not-acceptable") {
      chat.room.joined = false;
      this.#sendable.delete(chat);
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
    const at = chat.readUpTo(displayed!); // in another tab, or on another device
    if (at) this.#positions.readUntil(chat, at);
  }

  #pepIn(event: PepEvent): void {
    if (event.node === NS.bookmarks && this.config.features.groups) this.rooms.bookmarks(event);
    this.#positions.take(event);
  }

  /** Whether `jid` is a contact, or a service of the host. */
  #trusts(jid: string): boolean {
    const { domain } = this.config;
    return this.people.contacts.has(jid) || jid === domain || (!jid.includes("@") && jid.endsWith(`.${domain}`));
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
    if (iq.getAttribute("type") === "set" && (!from || bare(from) === this.#me) && this.blocked.pushed(iq)) {
      return answer("result");
    }
    if (child(iq, "ping", NS.ping)) return answer("result");
    const info = child(iq, "query", NS.discoInfo);
    if (info && iq.getAttribute("type") === "get")
      return answer("result", discoInfo(info.getAttribute("node") ?? undefined));
    const condition = x("service-unavailable", { xmlns: "urn:ietf:params:xml:ns:xmpp-stanzas" });
    answer("error", x("error", { type: "cancel" }, condition));
  }
}

/** Ignores a failed request unless the connection was lost. */
function kept(error: unknown): undefined {
  if (isLost(error)) throw error;
}

/** Whether the server has yet to confirm something that was written to this person. */
const waits = ({ room, timeline }: Chat): boolean => !room && timeline.messages.at(-1)?.delivery === "sending";

/** Does `work` for each, a few at a time. */
async function inTurns<T>(all: T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = all.values();
  const worker = async () => {
    for (const one of left) await work(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
