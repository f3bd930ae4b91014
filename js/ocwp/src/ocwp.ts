import type { ChatMessage, Group, GroupOptions, MessagesOptions, OpenOptions } from "../ocwp.d.ts";
import type { Chat } from "./model/chat.js";
import { Client } from "./model/client.js";
import english from "../locale/enGB.json";
import { loadConfig, loadWords, type Config } from "./model/config.js";
import { Layout } from "./ui/layout.js";
import { Announcer } from "./model/events.js";
import { avatarFrom } from "./xmpp/files.js";
import { groupId, readMembers } from "./model/group-options.js";
import { asJid } from "./xmpp/jids.js";
import { Notifier } from "./model/notifier.js";
import { readCredentials, readOptions, type Credentials, type InitOptions, type Options } from "./model/options.js";
import { MESSAGE_MAX_BYTES, bytesOf } from "./model/limits.js";
import { StatusLine, type Status } from "./model/status.js";
import type { Message } from "./model/timeline.js";
import type { Ui } from "./ui/ui.js";
import { Language } from "./ui/i18n.js";

/** Milliseconds that a group waits for the connection to be ready. */
const READY_MS = 30_000;
/** Milliseconds that drawing leaves the connection the main thread, on which the server's answers would wait for it. */
const DRAW_MS = 100;

/** What an `init` has made once it is known where to connect. */
interface Session {
  client: Client;
  layout: Layout;
}

/** What people see of the chat. */
export interface View {
  readonly isConnected: boolean;
  open(jid: string): void;
  announce(text: string): void;
  remove(): void;
}

type Draw = (ui: Ui) => View;

/** The functions of OneChat's page, and ours, for one page. */
export class Plugin {
  readonly status = new StatusLine();
  readonly events = new Announcer();
  #started: Promise<Ui> | undefined;
  #reached: Promise<Session> | undefined;
  #session: Session | undefined;
  #container: HTMLElement | undefined;
  #view: View | undefined;
  #login = 0;
  #counts = new Map<string, number>(); // of unread messages, as they were told last
  #prefix = ""; // of the page's title

  /** Without it there is no interface. */
  draw: Draw | undefined;

  constructor() {
    this.status.subscribeInternally((status) => {
      this.events.tell("status", status);
      if (status === "XMPP_CONNECTION_AUTHFAIL")
        this.events.tell("error", new Error("ocwp: the credentials are wrong."));
    });
  }

  /** Puts the chat into its container. Resolves when it stands there; what the site must mend rejects. */
  async init(given: InitOptions): Promise<void> {
    if (this.#view && !this.#view.isConnected) this.destroy(); // the page has removed its container
    if (this.#started)
      throw new Error("ocwp.init has been called before, by this copy of ocwp or another. Call ocwp.destroy first.");
    const options = readOptions(given);
    if (options.container && !this.draw) throw new TypeError("ocwp.init: ocwp-core has no interface. Give ui: false.");
    this.#container = options.container;
    const started = (this.#started = this.#start(options));
    if (options.credentials || options.login)
      this.#sign(options.login?.usr, options.credentials ?? (() => options.login!));
    try {
      await started;
    } catch (error) {
      if (this.#started === started) {
        this.#leave("XMPP_CONNECTION_ERROR");
        this.events.tell("error", error as Error);
      }
      throw error;
    }
  }

  standsIn(container: HTMLElement): boolean {
    return this.#container === container;
  }

  /** Disconnects and removes the chat. Drafts and open boxes stay in the tab, for the next `init`. */
  destroy(): void {
    this.#leave("XMPP_CONNECTION_IDLE");
  }

  /** Signs in as `usr`, and stays so over lost connections. */
  login(usr: string, pw: string): void {
    const credentials = readCredentials(usr, pw);
    if (!this.#started) throw new Error("ocwp.login: call ocwp.init first.");
    this.#sign(credentials.usr, () => credentials);
  }

  /** Signs out. Nothing is left of the chats on the page. */
  logout(): void {
    this.#login++;
    this.#session?.client.stop();
    this.#session?.layout.clear();
    this.status.set("XMPP_CONNECTION_IDLE");
  }

  /** Makes a group and opens it, or opens the one of that ID. A picture that fails is left out. */
  async createGroup({ members, chatName, chatAvatar, chatJid }: GroupOptions): Promise<Group> {
    if (!this.#started) throw new Error("ocwp.chat.group.create: call ocwp.init and log in first.");
    const ui = await this.#started;
    const ready = await this.#becomes((status) => status === "XMPP_CONNECTION_CONNECTED_READY", READY_MS);
    if (!ready) throw new Error("ocwp.chat.group.create: not connected. Log in first.");
    const { client, language } = ui;
    const id = chatJid === undefined || chatJid === "" ? undefined : groupId(chatJid, client.config.groups);
    const others = readMembers(members, client);
    const known = id && client.chats.get(`${id}@${client.config.groups}`);
    const avatar = chatAvatar && !known ? avatarFrom(chatAvatar) : undefined;
    avatar?.catch(() => {}); // told below
    const group: Group = { jid: "" };
    const dress = async (chat: Chat) => {
      try {
        if (avatar) await client.rooms.setAvatar(chat, await avatar);
      } catch (error) {
        group.avatarError = (error as Error).message;
      }
    };
    const chat = await client.rooms.create(id, others, chatName?.trim() || language.say("groupNameDefault"), dress);
    group.jid = chat.jid;
    this.#show(chat.jid);
    return group;
  }

  /** Opens a chat, with `draft` in it unless the person has started to write there. */
  open(jid: string, { draft }: OpenOptions = {}): void {
    const { client, chat } = this.#chat("open", jid);
    if (draft && !chat.draft) client.keepDraft(chat, draft);
    if (chat.room && !chat.room.joined) void client.rooms.enter(chat.jid).catch(() => {}); // its box says so
    this.#show(chat.jid);
  }

  close(jid: string): void {
    this.#session!.layout.close(this.#chat("close", jid).chat.jid);
  }

  /** Sends `text`, or keeps it until there is a connection. */
  send(jid: string, text: string): ChatMessage {
    const { client, chat } = this.#chat("send", jid);
    if (typeof text !== "string" || !text.trim()) throw new TypeError("ocwp.chat.send: the text is empty.");
    if (bytesOf(text) > MESSAGE_MAX_BYTES) {
      throw new RangeError(`ocwp.chat.send: the text has more than ${MESSAGE_MAX_BYTES} bytes of UTF-8.`);
    }
    if (chat.kind === "alert") throw new TypeError("ocwp.chat.send: nobody reads replies to alerts.");
    return told(client, chat, client.send(chat, text.trim()));
  }

  /** Messages of a chat, oldest first, from the archive if they are not here yet. */
  async messages(jid: string, { before, limit = 50 }: MessagesOptions = {}): Promise<ChatMessage[]> {
    const { client, chat } = this.#chat("messages", jid);
    const { messages } = chat.timeline;
    const end = () => (before === undefined ? messages.length : messages.findIndex(({ id }) => id === before));
    if (end() < 0) throw new RangeError("ocwp.chat.messages: no message has the ID of `before`.");
    for (let known = -1; end() < limit && !chat.complete && known < messages.length;) {
      known = messages.length;
      await client.older(chat);
    }
    return messages.slice(Math.max(0, end() - limit), end()).map((message) => told(client, chat, message));
  }

  /** The number of unread messages of one chat, or of all that are not muted. */
  unread(jid?: string): number {
    if (jid !== undefined) return this.#session ? this.#chat("unread", jid).chat.unread : 0;
    return this.#session?.client.unread ?? 0;
  }

  /** Connects as soon as it is known where to, while the words are on their way, and draws what there is then. */
  async #start(options: Options): Promise<Ui> {
    const stopped = () => {
      if (this.#reached !== reached) throw new DOMException("ocwp.destroy was called meanwhile.", "AbortError");
    };
    const reached = loadConfig(options.confPath).then((config) => {
      stopped();
      return this.#reach(config);
    });
    this.#reached = reached;
    const drawn = options.container && this.draw;
    const locale = drawn ? loadWords(options.localePath, options.locale) : english;
    const [{ client, layout }, words] = await Promise.all([reached, locale]);
    if (drawn) await this.#becomes((status) => status !== "XMPP_CONNECTION_CONNECTING", DRAW_MS);
    stopped();
    const ui: Ui = {
      client,
      layout,
      options,
      language: new Language(options.locale, words),
      notifier: new Notifier(client, (chat) => this.#show(chat.jid)),
      announce: (text) => this.#view?.announce(text),
      login: (usr, pw) => this.login(usr, pw),
      logout: () => this.logout(),
    };
    client.listen(() => this.#count(ui));
    this.#view = drawn?.(ui);
    return ui;
  }

  #reach(config: Config): Session {
    const client = new Client(config, this.status);
    const layout = new Layout(
      () => client.memory,
      client.changed,
      (event, chat) => this.events.tell(event, { chat }),
    );
    client.onMessage = (chat, message) =>
      void this.#started?.then(
        (ui) => this.#news(ui, chat, message),
        () => {},
      );
    client.onPerson = () => layout.restore();
    client.onGone = (jid) => layout.close(jid);
    this.status.subscribeInternally(client.changed);
    this.#session = { client, layout };
    return this.#session;
  }

  #leave(status: Status): void {
    this.#login++;
    this.#view?.remove();
    this.#entitle("");
    this.#counts.clear();
    if (this.#session) {
      this.#session.client.disconnect();
      this.status.unsubscribeInternally(this.#session.client.changed);
    }
    this.#container = undefined;
    this.#started = this.#view = this.#reached = this.#session = undefined;
    this.status.set(status);
  }

  /** The newest call decides: a logout while the configuration is on its way is one. */
  #sign(usr: string | undefined, credentials: () => Promise<Credentials> | Credentials): void {
    const login = ++this.#login;
    this.#reached?.then(
      ({ client }) => {
        if (login !== this.#login) return;
        try {
          client.start(usr, credentials);
        } catch (error) {
          console.error(error);
          this.status.set("XMPP_CONNECTION_ERROR");
          this.events.tell("error", error as Error);
        }
      },
      () => {}, // init has said so
    );
  }

  /** The chat of a JID that the page names. */
  #chat(name: string, given: string): { client: Client; chat: Chat } {
    const client = this.#session?.client;
    if (!client?.me) throw new Error(`ocwp.chat.${name}: log in first.`);
    const jid = client.chats.has(given) ? given : asJid(String(given), client.config.domain);
    if (!jid || jid === client.me) {
      throw new TypeError(
        `ocwp.chat.${name}: the JID of somebody else is needed, such as user@${client.config.domain}.`,
      );
    }
    return { client, chat: client.chat(jid) };
  }

  #show(jid: string): void {
    if (this.#view) this.#view.open(jid);
    else this.#session?.layout.open(jid);
  }

  /** Tells which chats have another number of unread messages than before. */
  #count({ client, options }: Ui): void {
    if (client !== this.#session?.client) return;
    const total = this.unread();
    for (const [jid, { unread }] of client.chats) {
      if (unread === (this.#counts.get(jid) ?? 0)) continue;
      this.#counts.set(jid, unread);
      this.events.tell("unread", { chat: jid, count: unread, total });
    }
    if (options.title) this.#entitle(total > 0 ? `(${total}) ` : "");
  }

  #entitle(prefix: string): void {
    if (prefix === this.#prefix) return;
    const { title } = document;
    document.title = prefix + (title.startsWith(this.#prefix) ? title.slice(this.#prefix.length) : title);
    this.#prefix = prefix;
  }

  #news({ client, layout, language, notifier, announce }: Ui, chat: Chat, message: Message): void {
    this.events.tell("message", told(client, chat, message));
    const watched = document.hasFocus() && layout.boxes.some(({ jid, minimised }) => jid === chat.jid && !minimised);
    if (watched || (client.muted(chat) && !message.mentionsMe)) return;
    const anonymous = chat.kind === "alert" && !message.nick;
    const sender = anonymous ? language.say("alerts") : client.senderOf(chat, message);
    const name = chat.kind === "group" ? `${sender}, ${client.nameOf(chat)}` : sender;
    announce(`${language.say("newMessage")}, ${name}: ${message.text}`);
    notifier.show(chat, message, name);
  }

  /** Whether the status becomes one that `is` accepts, within `ms`. */
  #becomes(is: (status: Status) => boolean, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (became: boolean) => {
        clearTimeout(timer);
        this.status.unsubscribeInternally(look);
        resolve(became);
      };
      const look = (status: Status) => is(status) && end(true);
      const timer = setTimeout(() => end(false), ms);
      this.status.subscribeInternally(look);
      look(this.status.now);
    });
  }
}

/** A message as the page sees it. */
function told(client: Client, chat: Chat, message: Message): ChatMessage {
  const { id, author, from, mine, text, file, at, delivery, edited, retracted } = message;
  return {
    id,
    chat: chat.jid,
    from: mine ? client.me : (author ?? from),
    name: mine ? client.people.nameOf(client.me) : client.senderOf(chat, message),
    mine,
    text: retracted ? "" : text,
    ...(file !== undefined && { file }),
    at,
    delivery,
    edited,
    retracted,
  };
}
