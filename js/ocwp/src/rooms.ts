import type { Archive } from "./archive.js";
import type { Chat } from "./chat.js";
import { bare, domainOf, localOf, resource, uuid } from "./jids.js";
import { Refused, type Link } from "./link.js";
import { NS, child, children, down, form, x } from "./xml.js";

/** Milliseconds for entering a group: a group of hundreds sends each one's presence first. */
const JOIN_MS = 20_000;

/** What the rooms need of the client. */
export interface RoomsHost {
  readonly me: string;
  readonly groups: string;
  chat(jid: string, kind: "group"): Chat;
  known(jid: string): Chat | undefined;
  entered(chat: Chat): Promise<void>;
  forget(chat: Chat): void;
  /** The group has another picture. */
  dressed(chat: Chat): void;
  changed(): void;
}

interface Joining {
  resolve(created: boolean): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

/** Groups: rooms (XEP-0045) that the person's bookmarks (XEP-0402) bring back. */
export class Rooms {
  #joining = new Map<string, Joining>();

  constructor(
    private readonly link: Link,
    readonly archive: Archive,
    private readonly host: RoomsHost,
  ) {}

  /** Enter every group of the bookmarks, and those that are open already. */
  async load(open: Iterable<Chat>): Promise<void> {
    const rooms = new Set([...open].filter(({ room }) => room && !room.gone).map(({ jid }) => jid));
    try {
      const answer = await this.link.iq(
        "get",
        undefined,
        x("pubsub", { xmlns: NS.pubsub }, x("items", { node: NS.bookmarks })),
      );
      for (const item of children(down(answer, "pubsub", "items"), "item")) {
        const autojoin = child(item, "conference")?.getAttribute("autojoin") ?? "";
        if (["true", "1"].includes(autojoin)) rooms.add(bare(item.getAttribute("id") ?? ""));
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error; // no bookmarks yet, or a server without
    }
    for (const room of rooms) void this.enter(room).catch(() => {});
  }

  /** Enter a group and catch up with it. */
  async enter(jid: string): Promise<Chat> {
    const chat = this.host.chat(jid, "group");
    await this.#join(chat);
    await this.#ready(chat);
    return chat;
  }

  /** Make a group, or enter the one of that ID. `dress` comes before anybody is invited. */
  async create(
    id: string | undefined,
    members: string[],
    name: string,
    dress?: (chat: Chat) => Promise<void>,
  ): Promise<Chat> {
    const chat = this.host.chat(`${id ?? uuid()}@${this.host.groups}`, "group");
    if (chat.room!.joined) return chat;
    const created = await this.#join(chat);
    if (created) {
      await this.#configure(chat, name, true);
      await this.#affiliate(chat, members);
      await dress?.(chat);
      for (const member of members) this.#invite(chat, member);
    }
    void this.#bookmark(chat, true);
    await this.#ready(chat);
    return chat;
  }

  async invited(jid: string): Promise<void> {
    // A stranger's invitation to a room elsewhere is not followed by itself.
    if (domainOf(jid) !== this.host.groups || this.host.known(jid)?.room?.joined) return;
    const chat = await this.enter(jid);
    void this.#bookmark(chat, true);
  }

  async invite(chat: Chat, jid: string): Promise<void> {
    // In a group for members alone the invitation makes them one, where the group lets those who invite do so.
    await this.#affiliate(chat, [jid]).catch(() => {
      this.link.send(
        x(
          "message",
          { xmlns: NS.client, to: chat.jid, id: uuid() },
          x("x", { xmlns: NS.mucUser }, x("invite", { to: jid })),
        ),
      );
    });
    this.#invite(chat, jid);
    await this.#members(chat);
  }

  async rename(chat: Chat, name: string): Promise<void> {
    await this.#configure(chat, name, false);
    chat.room!.name = name;
    this.host.changed();
  }

  async setAvatar(chat: Chat, dataUrl: string): Promise<void> {
    const [, type, data] = /^data:(image\/[\w+]+);base64,(.*)$/.exec(dataUrl) ?? [];
    if (!type) throw new TypeError("ocwp: the picture of a group must be an image.");
    const photo = x("PHOTO", {}, x("TYPE", {}, type), x("BINVAL", {}, data));
    await this.link.iq("set", chat.jid, x("vCard", { xmlns: NS.vcard }, photo));
    this.host.dressed(chat);
  }

  async leave(chat: Chat): Promise<void> {
    chat.room!.joined = false;
    this.link.send(x("presence", { xmlns: NS.client, to: `${chat.jid}/${chat.room!.nick}`, type: "unavailable" }));
    this.host.forget(chat);
    await this.#bookmark(chat, false);
  }

  /** Something about the group has changed: look again. */
  look(chat: Chat): void {
    void this.#describe(chat).catch(() => {});
  }

  /** Presence inside a group; true if it was one. */
  presence(stanza: Element): boolean {
    const from = stanza.getAttribute("from") ?? "";
    const chat = this.host.known(bare(from));
    const room = chat?.room;
    if (!room || !chat) return false;
    const type = stanza.getAttribute("type");
    if (type === "error") {
      const condition = child(stanza, "error")?.firstElementChild?.localName ?? "undefined-condition";
      this.#joined(chat.jid, new Refused(condition));
      return true;
    }
    const info = child(stanza, "x", NS.mucUser);
    const codes = children(info, "status").map((status) => status.getAttribute("code"));
    const item = child(info, "item");
    const nick = resource(from);
    if (!nick) return true; // of the group itself
    const self = codes.includes("110") || nick === room.nick;
    const jid = item?.getAttribute("jid");
    const affiliation = item?.getAttribute("affiliation") ?? "none";
    if (type === "unavailable") {
      room.occupants.delete(nick);
      chat.setTyping(nick, false);
      // 303: under another name now. 307, 321, 322: put out, by whichever rule.
      if (self && !codes.includes("303") && room.joined) {
        room.joined = false;
        room.gone =
          ["301", "307", "321", "322"].some((code) => codes.includes(code)) || Boolean(child(info, "destroy"));
      }
      if (jid && affiliation === "none") room.members.delete(bare(jid));
    } else {
      room.occupants.set(nick, { nick, jid: jid ? bare(jid) : undefined });
      if (jid?.includes("@") && affiliation !== "none") room.members.set(bare(jid), affiliation);
      if (self) {
        room.nick = nick;
        room.affiliation = affiliation;
        room.joined = true;
        this.#joined(chat.jid, codes.includes("201"));
      }
    }
    this.host.changed();
    return true;
  }

  /** The connection is lost for good: nothing is entered any more. */
  lost(chats: Iterable<Chat>): void {
    for (const { room } of chats) {
      if (!room) continue;
      room.joined = false;
      room.occupants.clear();
    }
    for (const jid of [...this.#joining.keys()]) this.#joined(jid, new Refused("not-connected"));
  }

  async #join(chat: Chat): Promise<boolean> {
    const room = chat.room!;
    room.gone = false;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#knock(chat);
      } catch (error) {
        const condition = error instanceof Refused ? error.condition : "";
        // Somebody else has the nickname.
        if (condition === "conflict" && attempt < 3) room.nick = `${localOf(this.host.me)} ${attempt + 2}`;
        else {
          room.gone = !["not-connected", "timeout"].includes(condition);
          this.host.changed();
          throw error;
        }
      }
    }
  }

  #knock(chat: Chat): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#joined(chat.jid, new Refused("timeout")), JOIN_MS);
      this.#joined(chat.jid, new Refused("conflict"));
      this.#joining.set(chat.jid, { resolve, reject, timer });
      if (!this.link.live) return this.#joined(chat.jid, new Refused("not-connected"));
      this.link.send(
        x(
          "presence",
          { xmlns: NS.client, to: `${chat.jid}/${chat.room!.nick}` },
          // The archive has the history, with IDs.
          x("x", { xmlns: NS.muc }, x("history", { maxstanzas: "0" })),
        ),
      );
    });
  }

  #joined(jid: string, outcome: boolean | Error): void {
    const joining = this.#joining.get(jid);
    if (!joining) return;
    this.#joining.delete(jid);
    clearTimeout(joining.timer);
    if (typeof outcome === "boolean") joining.resolve(outcome);
    else joining.reject(outcome);
  }

  async #ready(chat: Chat): Promise<void> {
    await Promise.all([this.#describe(chat).catch(() => {}), this.host.entered(chat)]);
    this.host.changed();
  }

  async #describe(chat: Chat): Promise<void> {
    const answer = await this.link.iq("get", chat.jid, x("query", { xmlns: NS.discoInfo }));
    chat.room!.name = child(child(answer, "query"), "identity")?.getAttribute("name") ?? "";
    await this.#members(chat);
  }

  async #members(chat: Chat): Promise<void> {
    const lists = ["owner", "admin", "member"].map((affiliation) =>
      this.link.iq("get", chat.jid, x("query", { xmlns: NS.mucAdmin }, x("item", { affiliation }))),
    );
    for (const list of await Promise.allSettled(lists)) {
      if (list.status === "rejected") continue; // not for ordinary members: then those who are there are shown
      for (const item of children(child(list.value, "query"), "item")) {
        const jid = item.getAttribute("jid");
        // A bare domain is a service of the host's, no member.
        if (jid?.includes("@")) chat.room!.members.set(bare(jid), item.getAttribute("affiliation") ?? "member");
      }
    }
    this.host.changed();
  }

  async #configure(chat: Chat, name: string, fresh: boolean): Promise<void> {
    const rules = {
      "muc#roomconfig_persistentroom": "1",
      "muc#roomconfig_publicroom": "0",
      "muc#roomconfig_membersonly": "1",
      "muc#roomconfig_allowinvites": "1",
      "muc#roomconfig_whois": "anyone", // members know each other, as in any group of people
    };
    const fields = { "muc#roomconfig_roomname": name, ...(fresh ? rules : {}) };
    const config = form("http://jabber.org/protocol/muc#roomconfig", fields);
    await this.link.iq("set", chat.jid, x("query", { xmlns: NS.mucOwner }, config));
  }

  async #affiliate(chat: Chat, members: string[]): Promise<void> {
    // One request each, as Prosody obeys the first item alone; none waits for the answer to the one before.
    const requests = members.map(async (jid) => {
      const item = x("item", { jid, affiliation: "member" });
      await this.link.iq("set", chat.jid, x("query", { xmlns: NS.mucAdmin }, item));
      chat.room!.members.set(jid, "member");
    });
    await Promise.all(requests);
  }

  #invite(chat: Chat, jid: string): void {
    const invitation = x("x", { xmlns: NS.conference, jid: chat.jid });
    this.link.send(x("message", { xmlns: NS.client, to: jid, id: uuid() }, invitation));
  }

  async #bookmark(chat: Chat, keep: boolean): Promise<void> {
    const conference = x("conference", { xmlns: NS.bookmarks, autojoin: "true", name: chat.room!.name || undefined });
    const change = keep
      ? x("publish", { node: NS.bookmarks }, x("item", { id: chat.jid }, conference))
      : x("retract", { node: NS.bookmarks, notify: "true" }, x("item", { id: chat.jid }));
    const options = form("http://jabber.org/protocol/pubsub#publish-options", {
      "pubsub#persist_items": "true",
      "pubsub#max_items": "max",
      "pubsub#send_last_published_item": "never",
      "pubsub#access_model": "whitelist",
    });
    try {
      await this.link.iq(
        "set",
        undefined,
        x("pubsub", { xmlns: NS.pubsub }, change, keep && x("publish-options", {}, options)),
      );
    } catch (error) {
      console.warn("ocwp: the group can't be bookmarked; it won't come back by itself.", error);
    }
  }
}
