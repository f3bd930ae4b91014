import type { GroupOptions } from "../ocwp.d.ts";
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
import { Language, type Words } from "./words.js";

/** Milliseconds that a group waits for the connection to be ready. */
const READY_MS = 30_000;

/** The functions of OneChat's page, for one page. */
export class Plugin {
  readonly status = new StatusLine();
  #started: Promise<Ui> | undefined;
  #reached: Promise<Client> | undefined;
  #root: Root | undefined;
  #client: Client | undefined;
  #desk: Desk | undefined;
  #login = 0;

  /** Puts the chat into its container. Resolves when it stands there; what the site must mend rejects. */
  async init(given: InitOptions): Promise<void> {
    if (this.#started) throw new Error("ocwp.init has been called before: one chat stands on a page.");
    const options = readOptions(given);
    this.#started = this.#start(options);
    if (options.credentials || options.login)
      this.#sign(options.login?.usr, options.credentials ?? (() => options.login!));
    try {
      await this.#started;
    } catch (error) {
      this.#started = undefined; // mended, it can be called again
      throw error;
    }
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
    this.#client?.stop();
    this.#desk?.clear();
    this.status.set("XMPP_CONNECTION_IDLE");
  }

  /** Makes a group and opens it, or opens the one of that ID. Resolves with its JID. */
  async createGroup({ members, chatName, chatAvatar, chatJid }: GroupOptions): Promise<string> {
    if (!this.#started) throw new Error("ocwp.chat.group.create: call ocwp.init and log in first.");
    const ui = await this.#started;
    await this.#ready();
    const { client, language } = ui;
    const id = chatJid === undefined || chatJid === "" ? undefined : groupId(chatJid, client.config.groups);
    const others = readMembers(members, client);
    const known = id && client.chats.get(`${id}@${client.config.groups}`);
    const avatar = chatAvatar && !known ? await avatarFrom(chatAvatar) : undefined;
    const chat = await client.rooms.create(id, others, chatName?.trim() || language.say("groupNameDefault"), avatar);
    this.#root!.open(chat.jid);
    return chat.jid;
  }

  /** Connects as soon as it is known where to; the words may come, and the chat be drawn, while the server is asked. */
  async #start(options: Options): Promise<Ui> {
    const loading = loadWords(options.localePath, options.locale);
    this.#reached = loadConfig(options.confPath).then((config) => this.#reach(config));
    let client: Client;
    let words: Words;
    try {
      [client, words] = await Promise.all([this.#reached, loading]);
    } catch (error) {
      this.#login++;
      this.#client?.disconnect();
      this.status.set("XMPP_CONNECTION_ERROR");
      throw error;
    }
    const desk = this.#desk!;
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

  #reach(config: Config): Client {
    const client = new Client(config, this.status);
    const desk = new Desk(() => client.memory, client.changed);
    client.onMessage = (chat, message) =>
      void this.#started?.then(
        (ui) => this.#news(ui, chat, message),
        () => {},
      );
    client.onPerson = () => desk.restore();
    this.status.subscribeInternally(client.changed);
    [this.#client, this.#desk] = [client, desk];
    return client;
  }

  /** The newest call decides: a logout while the configuration is on its way is one. */
  #sign(usr: string | undefined, credentials: () => Promise<Credentials> | Credentials): void {
    const login = ++this.#login;
    this.#reached!.then(
      (client) => {
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

  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (status: Status) => {
        if (status !== "XMPP_CONNECTION_CONNECTED_READY") return;
        clearTimeout(timer);
        this.status.unsubscribeInternally(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.status.unsubscribeInternally(look);
        reject(new Error("ocwp.chat.group.create: not connected. Log in first."));
      }, READY_MS);
      this.status.subscribeInternally(look);
      look(this.status.now);
    });
  }
}

function readMembers(members: unknown, { config, me }: Client): string[] {
  const given: unknown[] = Array.isArray(members) ? members : [];
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
