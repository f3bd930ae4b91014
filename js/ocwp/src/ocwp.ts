import type { Group, GroupOptions } from "../ocwp.d.ts";
import type { Chat } from "./chat.js";
import { Client } from "./client.js";
import { loadConfig, loadWords, type Config } from "./config.js";
import { Desk } from "./desk.js";
import { avatarFrom } from "./files.js";
import { asJid, domainOf, isUuid, localOf } from "./jids.js";
import { Notifier } from "./notifier.js";
import { readCredentials, readOptions, type Credentials, type InitOptions, type Options } from "./options.js";
import { Root } from "./root.js";
import { StatusLine, type Status, type StatusCallback } from "./status.js";
import type { Message } from "./timeline.js";
import type { Ui } from "./ui.js";
import { Language } from "./words.js";

/** Milliseconds that a group waits for the connection to be ready. */
const READY_MS = 30_000;
/** Milliseconds that drawing leaves the connection the main thread, on which the server's answers would wait for it. */
const DRAW_MS = 100;

/** What an `init` has made once it is known where to connect. */
interface Session {
  client: Client;
  desk: Desk;
}

/** The functions of OneChat's page, for one page. */
export class Plugin {
  readonly status = new StatusLine();
  #started: Promise<Ui> | undefined;
  #reached: Promise<Session> | undefined;
  #session: Session | undefined;
  #root: Root | undefined;
  #login = 0;

  /** Puts the chat into its container. Resolves when it stands there; what the site must mend rejects. */
  async init(given: InitOptions): Promise<void> {
    if (this.#root && !this.#root.isConnected) this.destroy(); // the page has removed its container
    if (this.#started)
      throw new Error("ocwp.init has been called before, by this copy of ocwp or another. Call ocwp.destroy first.");
    const options = readOptions(given);
    const started = (this.#started = this.#start(options));
    if (options.credentials || options.login)
      this.#sign(options.login?.usr, options.credentials ?? (() => options.login!));
    try {
      await started;
    } catch (error) {
      if (this.#started === started) this.#leave("XMPP_CONNECTION_ERROR");
      throw error;
    }
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
    this.#session?.desk.clear();
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
    this.#root!.open(chat.jid);
    return group;
  }

  /** Connects as soon as it is known where to, while the words are on their way, and draws what there is then. */
  async #start(options: Options): Promise<Ui> {
    const stopped = () => {
      if (this.#reached !== reached) throw new Error("ocwp.init: ocwp.destroy was called meanwhile.");
    };
    const reached = loadConfig(options.confPath).then((config) => {
      stopped();
      return this.#reach(config);
    });
    this.#reached = reached;
    const [{ client, desk }, words] = await Promise.all([reached, loadWords(options.localePath, options.locale)]);
    await this.#becomes((status) => status !== "XMPP_CONNECTION_CONNECTING", DRAW_MS);
    stopped();
    const root = document.createElement("ocwp-root") as Root;
    const ui: Ui = {
      client,
      desk,
      options,
      language: new Language(options.locale, words),
      notifier: new Notifier(client, (chat) => root.open(chat.jid)),
      announce: (text) => root.announce(text),
    };
    root.ui = ui;
    options.container.append(root);
    this.#root = root;
    return ui;
  }

  #reach(config: Config): Session {
    const client = new Client(config, this.status);
    const desk = new Desk(() => client.memory, client.changed);
    client.onMessage = (chat, message) =>
      void this.#started?.then(
        (ui) => this.#news(ui, chat, message),
        () => {},
      );
    client.onPerson = () => desk.restore();
    client.onGone = (jid) => desk.close(jid);
    this.status.subscribeInternally(client.changed);
    this.#session = { client, desk };
    return this.#session;
  }

  #leave(status: Status): void {
    this.#login++;
    this.#root?.remove();
    if (this.#session) {
      this.#session.client.disconnect();
      this.status.unsubscribeInternally(this.#session.client.changed);
    }
    this.#started = this.#root = this.#reached = this.#session = undefined;
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
        }
      },
      () => {}, // init has said so
    );
  }

  #news({ client, desk, language, notifier, announce }: Ui, chat: Chat, message: Message): void {
    const watched = document.hasFocus() && desk.boxes.some(({ jid, minimised }) => jid === chat.jid && !minimised);
    if (watched) return;
    const sender = chat.kind === "alert" ? language.say("alerts") : client.senderOf(chat, message);
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

function readMembers(members: unknown, { config, me }: Client): string[] {
  const given: unknown = typeof members === "string" ? [members] : (members ?? []);
  if (!Array.isArray(given)) throw new TypeError("ocwp.chat.group.create: members must be an array of JIDs.");
  const jids = given.map((member) => {
    const jid = typeof member === "string" ? asJid(member, config.domain) : undefined;
    if (!jid) throw new TypeError(`ocwp.chat.group.create: a member is not a JID such as user@${config.domain}.`);
    return jid;
  });
  const others = [...new Set(jids)].filter((jid) => jid !== me);
  if (others.length === 0) {
    throw new TypeError("ocwp.chat.group.create: members must have at least one person other than the creator.");
  }
  return others;
}

/** The UUID that names a group; a group's whole JID is taken, too. */
function groupId(given: string, groups: string): string {
  const id = given.includes("@") && domainOf(given) === groups ? localOf(given) : given.toLowerCase();
  if (!isUuid(id)) throw new TypeError("ocwp.chat.group.create: chatJid must be a UUID.");
  return id;
}

export type { StatusCallback };
