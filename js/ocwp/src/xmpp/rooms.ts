import type { Chat } from "../model/chat.js";
import { bare, domainOf, localOf, resource, uuid } from "./jids.js";
import { Refused, isLost, type Link } from "./link.js";
import type { Pep, PepEvent } from "./pep.js";
import { NS, child, children, form, x } from "./xml.js";

/** Milliseconds for entering a group: a group of hundreds sends each one's presence first. */
const JOIN_MS = 20_000;
/** Most rooms of the service's list to look at: it may hold thousands of public ones. */
const LISTED_MAX = 100;

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
  /** Whether `jid` may add the person to groups: a contact, or the host. */
  trusts(jid: string): boolean;
  /** When an invitation to the group was declined, or the group was left; by the memory of this browser. */
  readonly declined: Record<string, number>;
  save(): void;
  now(): number;
  changed(): void;
}

interface Joining {
  resolve(created: boolean): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

/** Groups: rooms (XEP-0045) that the person's bookmarks (XEP-0402) bring back. */
export class Rooms {
  /** By group: who invites to it. An entry ends when the person accepts or declines. */
  readonly invitations = new Map<string, string>();
  #entering = new Map<string, Promise<Chat>>();
  #joining = new Map<string, Joining>();
  #bookmarked = new Set<string>(); // including groups that were left
  #past: { room: string; by: string; at: number }[] = []; // invitations of the archive

  constructor(
    private readonly link: Link,
    private readonly pep: Pep,
    private readonly host: RoomsHost,
  ) {}

  /** Enter the groups of the bookmarks, the open ones, and those that the service lists as ours. */
  async load(open: Iterable<Chat>): Promise<void> {
    const rooms = new Set([...open].filter(({ room }) => room && !room.gone).map(({ jid }) => jid));
    try {
      for (const [id, conference] of await this.pep.items(NS.bookmarks)) {
        this.#bookmarked.add(bare(id));
        if (autojoin(conference)) rooms.add(bare(id));
      }
    } catch (error) {
      if (isLost(error)) throw error; // else there are no bookmarks yet, or the server has none
    }
    for (const room of rooms) void this.enter(room).catch(() => {});
    for (const { room, by, at } of this.#past.splice(0)) {
      if (!this.#settled(room, at) && !this.host.known(room)) this.#ask(room, by);
    }
    void this.#listed().catch(() => {});
  }

  clear(): void {
    this.invitations.clear();
    this.#bookmarked.clear();
    this.#past = [];
  }

  /** Follow a change of the bookmarks by another client. */
  bookmarks({ items, retracted }: PepEvent): void {
    for (const [id, conference] of items) {
      const room = bare(id);
      this.#bookmarked.add(room);
      if (!autojoin(conference)) this.#quit(room);
      else if (!this.host.known(room)?.room?.joined) void this.enter(room).catch(() => {});
    }
    for (const id of retracted) this.#quit(bare(id));
  }

  /** Enter a group that is there, and catch up with it. */
  enter(jid: string): Promise<Chat> {
    const entering = this.#entering.get(jid) ?? this.#enter(jid).finally(() => this.#entering.delete(jid));
    this.#entering.set(jid, entering);
    return entering;
  }

  async #enter(jid: string): Promise<Chat> {
    const chat = this.host.chat(jid, "group");
    let made: boolean;
    try {
      made = await this.#join(chat);
    } catch (error) {
      if (error instanceof Refused && ["gone", "item-not-found"].includes(error.condition)) this.#drop(chat);
      throw error;
    }
    if (made) {
      // The group no longer existed, so entering has created it.
      const destroy = x("query", { xmlns: NS.mucOwner }, x("destroy"));
      await this.link.iq("set", jid, destroy).catch(() => this.#exit(chat));
      this.#drop(chat);
      throw new Refused("item-not-found");
    }
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
    this.invitations.delete(chat.jid);
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

  /** Handle an invitation: enter if a contact or the host sent it, else ask the person. */
  invited(room: string, by: string, at: number, live: boolean): void {
    // Groups of other services are not supported.
    if (domainOf(room) !== this.host.groups || this.host.known(room)?.room?.joined) return;
    if (!live && this.#settled(room, at)) return;
    if (this.host.trusts(by)) void this.accept(room).catch(() => {});
    else this.#ask(room, by);
  }

  /** Keep an archived invitation until the bookmarks are loaded: another client may have answered it. */
  wasInvited(room: string, by: string, at: number): void {
    if (domainOf(room) === this.host.groups) this.#past.push({ room, by, at });
  }

  async accept(room: string): Promise<void> {
    this.invitations.delete(room);
    this.host.changed();
    try {
      void this.#bookmark(await this.enter(room), true);
    } catch (error) {
      const chat = this.host.known(room);
      if (chat && !isLost(error)) this.host.forget(chat); // it refuses us
      throw error;
    }
  }

  decline(room: string): void {
    this.invitations.delete(room);
    this.host.declined[room] = this.host.now();
    this.host.save();
    this.host.changed();
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

  /** Leave a group. Its bookmark stays, without autojoin: other clients leave, old invitations are ignored. */
  async leave(chat: Chat): Promise<void> {
    this.#exit(chat);
    this.decline(chat.jid);
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
      if (self && child(info, "destroy")) {
        this.#drop(chat);
      } else if (self && !codes.includes("303") && room.joined) {
        room.joined = false;
        room.gone = ["301", "307", "321", "322"].some((code) => codes.includes(code));
      }
      if (jid && affiliation === "none") room.members.delete(bare(jid));
    } else {
      room.occupants.set(nick, { nick, jid: jid ? bare(jid) : undefined });
      if (jid?.includes("@") && affiliation !== "none") room.members.set(bare(jid), affiliation);
      if (self) {
        room.nick = nick;
        room.affiliation = affiliation;
        room.joined = true;
        this.invitations.delete(chat.jid);
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

  /** Enter hidden groups that the service lists: ejabberd shows them to their members. */
  async #listed(): Promise<void> {
    const answer = await this.link.iq("get", this.host.groups, x("query", { xmlns: NS.discoItems }));
    const listed = children(child(answer, "query"), "item").map((item) => bare(item.getAttribute("jid") ?? ""));
    const unknown = listed.filter(
      (room) => room.includes("@") && !this.#bookmarked.has(room) && !this.host.known(room),
    );
    for (const room of unknown.slice(0, LISTED_MAX)) {
      const info = await this.link.iq("get", room, x("query", { xmlns: NS.discoInfo })).catch(() => undefined);
      const features = children(child(info, "query"), "feature").map((feature) => feature.getAttribute("var"));
      if (features.includes("muc_hidden") && features.includes("muc_membersonly"))
        await this.accept(room).catch(() => {});
    }
  }

  /** Whether an invitation from that time was answered, according to bookmarks and this browser. */
  #settled(room: string, at: number): boolean {
    return this.#bookmarked.has(room) || at <= (this.host.declined[room] ?? 0);
  }

  #ask(room: string, by: string): void {
    if (this.host.known(room)?.room?.joined) return;
    this.invitations.set(room, by);
    this.host.changed();
  }

  /** Leave a group that another client has left. */
  #quit(room: string): void {
    const chat = this.host.known(room);
    if (!chat?.room) return;
    this.#exit(chat);
    this.host.forget(chat);
  }

  #exit(chat: Chat): void {
    chat.room!.joined = false;
    this.link.send(x("presence", { xmlns: NS.client, to: `${chat.jid}/${chat.room!.nick}`, type: "unavailable" }));
  }

  /** Forget a group that no longer exists, and its bookmark. */
  #drop(chat: Chat): void {
    Object.assign(chat.room!, { joined: false, gone: true });
    this.host.forget(chat);
    if (this.#bookmarked.delete(chat.jid)) void this.pep.retract(NS.bookmarks, chat.jid).catch(() => {});
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

  /** Make somebody a member or an admin of a group, or nothing of it, which puts them out. */
  async affiliate(chat: Chat, jid: string, affiliation: "member" | "admin" | "none"): Promise<void> {
    await this.link.iq("set", chat.jid, x("query", { xmlns: NS.mucAdmin }, x("item", { jid, affiliation })));
    if (affiliation === "none") chat.room!.members.delete(jid);
    else chat.room!.members.set(jid, affiliation);
    this.host.changed();
  }

  async #affiliate(chat: Chat, members: string[]): Promise<void> {
    // One request each, as Prosody obeys the first item alone; none waits for the answer to the one before.
    await Promise.all(members.map((jid) => this.affiliate(chat, jid, "member")));
  }

  #invite(chat: Chat, jid: string): void {
    const invitation = x("x", { xmlns: NS.conference, jid: chat.jid });
    const store = x("store", { xmlns: NS.hints }); // for clients that log in later
    this.link.send(x("message", { xmlns: NS.client, to: jid, id: uuid() }, invitation, store));
  }

  async #bookmark(chat: Chat, autojoin: boolean): Promise<void> {
    const name = chat.room!.name || undefined;
    this.#bookmarked.add(chat.jid);
    try {
      await this.pep.publish(
        NS.bookmarks,
        chat.jid,
        x("conference", { xmlns: NS.bookmarks, autojoin: String(autojoin), name }),
      );
    } catch (error) {
      console.warn("ocwp: the group can't be bookmarked; it won't come back by itself.", error);
    }
  }
}

const autojoin = (conference: Element): boolean => ["true", "1"].includes(conference.getAttribute("autojoin") ?? "");
