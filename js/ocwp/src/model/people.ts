import { bare, localOf, resource } from "../xmpp/jids.js";
import type { Link } from "../xmpp/link.js";
import { NS, child, children, form, textOf, x } from "../xmpp/xml.js";

export type Presence = "online" | "away" | "busy" | "offline";

export interface Contact {
  jid: string;
  /** As the roster has it; may be empty. */
  name: string;
}

interface Card {
  name: string;
  /** A data: URL, or empty. */
  avatar: string;
}

const PRESENCES: Record<string, Presence> = { "": "online", chat: "online", away: "away", xa: "away", dnd: "busy" };
const BEST: Presence[] = ["online", "away", "busy"];
const PICTURES = /^image\/(png|jpe?g|gif|webp|svg\+xml)$/;
/** vCards asked for at once: a group of 200 doesn't fill the stream with pictures. */
const AT_ONCE = 4;
/** Milliseconds without a key until the server is asked for whom one types, and characters that are too few to ask. */
const SEEK_MS = 300;
const TOO_FEW = 1;
/** Fields of a search: name and local part of the JID. Servers want all that are given to match, so each is one request. */
const FIELDS = ["fn", "user"];

/** Contacts (RFC 6121), who is there, and what their vCards say (XEP-0054). */
export class People {
  readonly contacts = new Map<string, Contact>();
  /** The names of those whom the server has found, by JID. */
  readonly found = new Map<string, string>();
  /** The service that searches people, if there is one. */
  directory: string | undefined;
  /** Who asks to see one's presence. */
  readonly requests = new Set<string>();
  #there = new Map<string, Map<string, Presence>>();
  #cards = new Map<string, Card>();
  #photos = new Map<string, string>(); // the digests of pictures, as presence has them
  #wanted: string[] = [];
  #asking = 0;
  #seeking: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly link: Link,
    private readonly avatars: boolean,
    private readonly changed: () => void,
    private readonly onlyChanged: (jid: string) => void,
  ) {}

  async load(): Promise<void> {
    this.#there.clear();
    const answer = await this.link.iq("get", undefined, x("query", { xmlns: NS.roster }));
    this.contacts.clear();
    for (const item of children(child(answer, "query", NS.roster), "item")) this.#item(item);
    this.changed();
  }

  clear(): void {
    clearTimeout(this.#seeking);
    this.directory = undefined;
    this.contacts.clear();
    this.found.clear();
    this.requests.clear();
    this.#there.clear();
    this.#cards.clear();
    this.#photos.clear();
    this.#wanted = [];
  }

  /** Contacts, and others whom the server has found. */
  get known(): string[] {
    return [...new Set([...this.contacts.keys(), ...this.found.keys()])];
  }

  /** Asks the server too for people who match `text`, once typing pauses. Whom it finds are in `found`. */
  seek(text: string): void {
    clearTimeout(this.#seeking);
    const words = text.trim();
    if (words.length <= TOO_FEW) return;
    this.#seeking = setTimeout(() => {
      for (const field of FIELDS) void this.#find(field, words).catch(() => {}); // then only contacts are found
    }, SEEK_MS);
  }

  async #find(field: string, words: string): Promise<void> {
    if (!this.directory) return;
    const query = x("query", { xmlns: NS.search }, form(NS.search, { [field]: `${words}*` }));
    const answer = await this.link.iq("set", this.directory, query);
    for (const item of children(child(child(answer, "query"), "x"), "item")) {
      const fields = children(item, "field").map((field) => [field.getAttribute("var"), textOf(child(field, "value"))]);
      const { jid = "", fn = "" } = Object.fromEntries(fields) as Record<string, string>;
      if (jid.includes("@")) this.found.set(bare(jid), fn);
    }
    this.changed();
  }

  /** A change of the roster, which only the server may send. */
  pushed(query: Element): void {
    for (const item of children(query, "item")) this.#item(item);
    this.changed();
  }

  /** Presence tells when the vCard has another picture (XEP-0153), a group's too. */
  photo(stanza: Element): void {
    const photo = child(child(stanza, "x", NS.vcardUpdate), "photo");
    if (!photo) return;
    const jid = bare(stanza.getAttribute("from") ?? "");
    const before = this.#photos.get(jid);
    this.#photos.set(jid, textOf(photo));
    if (before !== undefined && before !== textOf(photo)) this.refresh(jid);
  }

  presence(stanza: Element): void {
    const from = stanza.getAttribute("from") ?? "";
    const type = stanza.getAttribute("type");
    const jid = bare(from);
    if (type === "subscribe") {
      if (this.contacts.has(jid)) this.link.send(x("presence", { xmlns: NS.client, to: jid, type: "subscribed" }));
      else this.requests.add(jid);
    } else if (type === null || type === "unavailable") {
      const there = this.#there.get(jid) ?? new Map<string, Presence>();
      this.#there.set(jid, there);
      if (type) there.delete(resource(from));
      else there.set(resource(from), PRESENCES[textOf(child(stanza, "show"))] ?? "online");
    }
    this.onlyChanged(jid);
  }

  presenceOf(jid: string): Presence {
    const there = [...(this.#there.get(jid)?.values() ?? [])];
    return BEST.find((presence) => there.includes(presence)) ?? "offline";
  }

  nameOf(jid: string): string {
    return this.contacts.get(jid)?.name || this.#card(jid)?.name || this.found.get(jid) || localOf(jid) || jid;
  }

  avatarOf(jid: string): string {
    return this.avatars ? (this.#card(jid)?.avatar ?? "") : "";
  }

  /** Ask for the vCard again: it has changed. */
  refresh(jid: string): void {
    if (this.#cards.delete(jid)) this.onlyChanged(jid);
  }

  async add(jid: string): Promise<void> {
    this.requests.delete(jid);
    await this.link.iq("set", undefined, x("query", { xmlns: NS.roster }, x("item", { jid })));
    this.link.send(x("presence", { xmlns: NS.client, to: jid, type: "subscribe" }));
    this.link.send(x("presence", { xmlns: NS.client, to: jid, type: "subscribed" }));
  }

  decline(jid: string): void {
    this.requests.delete(jid);
    this.link.send(x("presence", { xmlns: NS.client, to: jid, type: "unsubscribed" }));
    this.changed();
  }

  #item(item: Element): void {
    const jid = bare(item.getAttribute("jid") ?? "");
    if (item.getAttribute("subscription") === "remove") this.contacts.delete(jid);
    else if (jid.includes("@")) this.contacts.set(jid, { jid, name: item.getAttribute("name") ?? "" });
  }

  /** The vCard of `jid` if it is known; asked for once if it is not. */
  #card(jid: string): Card | undefined {
    const card = this.#cards.get(jid);
    if (!card && this.link.live && /[@/]/.test(jid)) {
      this.#cards.set(jid, { name: "", avatar: "" });
      this.#wanted.push(jid);
      this.#next();
    }
    return card;
  }

  #next(): void {
    while (this.#asking < AT_ONCE && this.#wanted.length > 0) {
      const jid = this.#wanted.shift()!;
      this.#asking++;
      void this.#ask(jid).finally(() => {
        this.#asking--;
        this.#next();
      });
    }
  }

  async #ask(jid: string): Promise<void> {
    try {
      const answer = await this.link.iq("get", jid, x("vCard", { xmlns: NS.vcard }));
      this.#cards.set(jid, readCard(child(answer, "vCard", NS.vcard)));
      this.onlyChanged(jid);
    } catch {
      // None, or not for us: the name and initials have to do.
    }
  }
}

export function readCard(card: Element | undefined): Card {
  const photo = child(card, "PHOTO");
  const type = textOf(child(photo, "TYPE")).trim().toLowerCase();
  const data = textOf(child(photo, "BINVAL")).replace(/\s+/g, "");
  const shown = PICTURES.test(type) && /^[A-Za-z0-9+/]+=*$/.test(data);
  return {
    name: (textOf(child(card, "FN")) || textOf(child(card, "NICKNAME"))).trim(),
    avatar: shown ? `data:${type};base64,${data}` : "",
  };
}
