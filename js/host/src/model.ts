import type { ReactiveController, ReactiveControllerHost } from "lit";
import { PAGE, type Api } from "./api.js";
import type { Event, Live } from "./events.js";
import { SharedStream } from "./shared.js";
import {
  Refusal,
  type App,
  type Group,
  type Invitation,
  type Message,
  type State,
  type Thread,
  type User,
} from "./types.js";

/** Something that elements watch, to draw themselves again when it changes. */
class Model {
  #watchers = new Set<() => void>();

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  protected changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

/** Draws its element again whenever the model that `pick` names changes. */
export class Watch implements ReactiveController {
  #model: Model | undefined;
  #stop: (() => void) | undefined;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly pick: () => Model | undefined,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.hostUpdate();
  }

  hostUpdate(): void {
    const model = this.pick();
    if (model === this.#model) return;
    this.#stop?.();
    this.#model = model;
    this.#stop = model?.watch(() => this.host.requestUpdate());
  }

  hostDisconnected(): void {
    this.#stop?.();
    this.#stop = this.#model = undefined;
  }
}

/** What all phones share: users, approved apps, the stream of events. */
export class World extends Model {
  domain = "";
  /** The users to choose from: the first by name, and those of the phones. */
  users: User[] = [];
  /** Whether there are more users than `users`. */
  more = false;
  apps: App[] = [];
  live: Live = "connecting";
  /** Why nothing could be loaded, if so. */
  fault: Refusal | undefined;
  ready = false;
  #phones = new Set<PhoneModel>();
  #stream: SharedStream;
  /** Everybody who was asked for, by JID; undefined: no user has it. */
  #known = new Map<string, User | undefined>();
  #wanted = new Set<string>();

  /** `named`: the users that the page's address or setup names, by local part or JID. */
  constructor(
    readonly api: Api,
    private readonly named: () => readonly string[] = () => [],
  ) {
    super();
    this.#stream = new SharedStream(api, `onechat-events-${api.run}`, this.#onEvent, this.#onLive);
  }

  async start(): Promise<void> {
    void this.#stream.run();
    await this.look();
  }

  stop(): void {
    this.#stream.stop();
  }

  async look(): Promise<void> {
    try {
      const jids = [...this.#phones].map(({ jid }) => jid);
      const state: State = await this.api.state([...new Set([...this.named(), ...jids])].filter(Boolean));
      [this.domain, this.users, this.apps] = [state.domain, state.users, state.apps];
      this.more = state.userCount > state.users.length;
      const asked = [...this.#known.keys()];
      this.ready = true;
      this.fault = undefined;
      for (const phone of this.#phones) phone.recover();
      await this.know(asked, true);
    } catch (error) {
      this.fault = asRefusal(error);
    }
    this.changed();
  }

  /** The user `jid`. One who is not known yet is asked for, and drawn once the answer is there. */
  user(jid: string): User | undefined {
    const listed = this.users.find((user) => user.jid === jid) ?? this.#known.get(jid);
    if (!listed && this.ready && jid.endsWith(`@${this.domain}`) && !this.#known.has(jid)) this.#want(jid);
    return listed;
  }

  /** Puts the user `jid` among those to choose from. */
  async offer(jid: string): Promise<void> {
    await this.know([jid]);
    const user = this.#known.get(jid);
    if (user) this.users = [...this.users, user].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.changed();
  }

  /** Asks for those of `jids` that are not known, or for all of them again. */
  async know(jids: readonly string[], again = false): Promise<void> {
    const listed = new Set(this.users.map(({ jid }) => jid));
    const missing = jids.filter((jid) => !listed.has(jid) && (again || !this.#known.has(jid)));
    if (missing.length === 0) return;
    const found = new Map((await this.api.users(missing)).map((user) => [user.jid, user]));
    for (const jid of missing) this.#known.set(jid, found.get(jid));
    this.changed();
    for (const phone of this.#phones) phone.renamed();
  }

  #want(jid: string): void {
    if (this.#wanted.size === 0) {
      queueMicrotask(() => {
        const jids = [...this.#wanted];
        this.#wanted.clear();
        this.know(jids).catch(() => {}); // the JID is shown
      });
    }
    this.#wanted.add(jid);
  }

  open(jid: string): PhoneModel {
    const phone = new PhoneModel(this, jid);
    this.#phones.add(phone);
    phone.refresh();
    return phone;
  }

  release(phone: PhoneModel): void {
    this.#phones.delete(phone);
  }

  #onEvent = (event: Event): void => {
    if (event.type === "state") void this.look();
    for (const phone of this.#phones) {
      if (!("jid" in event) || event.jid === phone.jid) phone.take(event);
    }
  };

  #onLive = (live: Live): void => {
    // What changed before the stream was open came without an event.
    if (live === "open") void this.look();
    this.live = live;
    this.changed();
  };
}

/** One phone's user, threads and open thread. */
export class PhoneModel extends Model {
  threads: Thread[] = [];
  groups: Group[] = [];
  invitations: Invitation[] = [];
  /** The open thread's id, its messages (oldest first), and whether the first of all is among them. */
  thread: string | undefined;
  messages: Message[] = [];
  complete = false;
  loaded = false;
  fault: Refusal | undefined;

  /** What the elements of this phone want to hear of. */
  onNews: (message: Message) => void = () => {};
  onSession: (appId: string | null) => void = () => {};
  onReload: () => void = () => {};

  #attended = true;
  #refreshing = false;
  #again = false;
  #missed = false;
  #older = false;

  constructor(
    readonly world: World,
    readonly jid: string,
  ) {
    super();
  }

  get user(): User | undefined {
    return this.world.user(this.jid);
  }

  /** The first `limit` contacts that `search` finds. */
  contacts = (search: string, limit: number): Promise<User[]> => this.world.api.contacts(this.jid, search, limit);

  get unread(): number {
    return this.threads.reduce((sum, thread) => sum + thread.unread, 0);
  }

  /** Whether the person sees the open thread: if so, what arrives there is read at once. */
  attend(attended: boolean): void {
    const returned = attended && !this.#attended;
    this.#attended = attended;
    if (returned && this.thread) void this.#read(this.thread);
  }

  take(event: Event): void {
    if (event.type === "message") this.#arrive(event.message);
    else if (event.type === "threads") this.refresh();
    else if (event.type === "read") this.#mark(event.thread);
    else if (event.type === "session") this.onSession(event.appId);
    else if (event.type === "reload") this.onReload();
  }

  /** Asks for the lists again. Calls during a look make one more, so a burst of events costs two. */
  refresh(): void {
    this.#again = true;
    if (!this.#refreshing) void this.#refresh();
  }

  /** As `refresh`, and the open thread too: there may have been messages without an event. */
  recover(): void {
    this.#missed = true;
    this.refresh();
  }

  async #refresh(): Promise<void> {
    this.#refreshing = true;
    while (this.#again) {
      this.#again = false;
      try {
        const { api } = this.world;
        [this.threads, this.groups, this.invitations] = await Promise.all([
          api.threads(this.jid),
          api.groups(this.jid),
          api.invitations(this.jid),
        ]);
        this.loaded = true;
        this.fault = undefined;
        if (this.#missed && this.thread) await this.#catchUp(this.thread);
        this.#missed = false;
      } catch (error) {
        this.fault = asRefusal(error);
      }
      this.changed();
    }
    this.#refreshing = false;
  }

  /** The newest page of the open thread; what is there already stays only if the page joins it. */
  async #catchUp(thread: string): Promise<void> {
    const newest = await this.world.api.messages(this.jid, thread);
    if (this.thread !== thread) return;
    const whole = newest.length < PAGE;
    const last = this.messages.at(-1);
    if (whole || !newest.some(({ id }) => id === last?.id)) [this.messages, this.complete] = [[], whole];
    this.#merge(newest);
  }

  async open(thread: string): Promise<void> {
    [this.thread, this.messages, this.complete, this.#older] = [thread, [], false, false];
    this.changed();
    await this.older();
    if (thread.includes("@muc.")) await this.lookAtGroups();
    if (this.thread === thread) await this.#read(thread);
  }

  /** Asks who is in which group: people come and go without an event. */
  async lookAtGroups(): Promise<void> {
    this.groups = await this.world.api.groups(this.jid).catch(() => this.groups);
    this.changed();
  }

  /** Some user has a name now. */
  renamed(): void {
    this.changed();
  }

  close(): void {
    [this.thread, this.messages] = [undefined, []];
    this.changed();
  }

  /** Loads the page of messages before those that are there. */
  async older(): Promise<void> {
    const { thread } = this;
    if (!thread || this.complete || this.#older) return;
    this.#older = true;
    try {
      const page = await this.world.api.messages(this.jid, thread, this.messages[0]?.id);
      if (this.thread !== thread) return;
      this.complete = page.length < PAGE;
      this.#merge(page);
      this.fault = undefined;
    } catch (error) {
      this.fault = asRefusal(error);
    } finally {
      if (this.thread === thread) this.#older = false;
    }
    this.changed();
  }

  /** Answers an invitation. Fails with a `Refusal`, such as when the group is gone. */
  async answer({ group }: Invitation, accept: boolean): Promise<void> {
    try {
      await this.world.api.answer(this.jid, group, accept);
    } catch (error) {
      throw asRefusal(error);
    } finally {
      this.invitations = this.invitations.filter((other) => other.group !== group);
      this.refresh();
      this.changed();
    }
  }

  async send(text: string): Promise<void> {
    const { thread } = this;
    if (!thread) return;
    const message = await this.world.api.send(this.jid, thread, text);
    this.#arrive(message);
  }

  /** The name of who or what `jid` is: a thread, a contact, a group, oneself. */
  nameOf(jid: string): string {
    const known =
      this.world.user(jid)?.name ??
      this.groups.find((group) => group.jid === jid)?.name ??
      this.threads.find((thread) => thread.id === jid)?.title;
    return known || jid;
  }

  #arrive(message: Message): void {
    const here = this.thread === message.thread;
    const seen = here && this.#attended;
    const mine = message.from.jid === this.jid;
    if (here) this.#merge([message]);
    this.#list(message, seen || mine);
    if (seen && !mine) void this.#read(message.thread);
    else if (!mine) this.onNews(message);
    this.changed();
  }

  /** Puts a message into the list of threads; only a thread that is new has to be asked for. */
  #list(message: Message, seen: boolean): void {
    const thread = this.threads.find(({ id }) => id === message.thread);
    if (!thread || this.#refreshing) return this.refresh();
    if (thread.last && thread.last.id >= message.id) return; // a list that was asked for has it already
    const unread = thread.unread + (seen ? 0 : 1);
    this.threads = [{ ...thread, last: message, unread }, ...this.threads.filter((other) => other !== thread)];
  }

  #mark(thread: string): void {
    if (this.#refreshing) this.refresh(); // its answer may be from before
    this.threads = this.threads.map((other) => (other.id === thread ? { ...other, unread: 0 } : other));
    this.changed();
  }

  async #read(thread: string): Promise<void> {
    if (!this.#attended) return;
    await this.world.api.read(this.jid, thread).catch(() => {});
    this.#mark(thread);
  }

  #merge(messages: Message[]): void {
    const byId = new Map([...this.messages, ...messages].map((message) => [message.id, message]));
    this.messages = [...byId.values()].sort((a, b) => a.id - b.id);
  }
}

export const asRefusal = (error: unknown): Refusal =>
  error instanceof Refusal ? error : new Refusal("refused", String(error), "The browser's console has the reason.");
