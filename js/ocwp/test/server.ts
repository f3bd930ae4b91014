import { NS, child, children, textOf } from "../src/xmpp/xml.js";

/**
 * A scripted XMPP server in place of Strophe's connection: accounts, archives, private nodes and rooms, without a network.
 * A test file mocks `strophe/connection` by `FakeConnection`; the server that was made last gets its connections.
 */
export class FakeServer {
  archives = new Map<string, Entry[]>();
  roster = ["bob@d", "carol@d"];
  nodes = new Map<string, Map<string, string>>();
  rooms = new Map<string, { config: string[] }>();
  /** Services that the domain lists. */
  services = ["muc.d", "alerts.d"];
  /** The people whom the service `vjud.d` finds by what their JID or name begins with. */
  directory: Record<string, string> = {};
  searches: Element[] = [];
  /** What is in the vCard of each JID that has one. */
  cards: Record<string, string> = {};
  clock = Date.now();
  logins: number[] = [];
  /** What the client has sent, other than queries of archives. */
  sent: Element[] = [];
  queries: Element[] = [];
  live: FakeConnection[] = [];
  up = true;
  /** Whether it confirms a message to a person as soon as it has it (XEP-0198). */
  confirms = true;
  /** Whether a lost session can be resumed. */
  resumable = false;
  /** XMPP's name of the error that answers a query, or `silence`, if there is one. */
  refuse: (iq: Element) => string | undefined = () => undefined;
  #count = 0;

  constructor() {
    FakeConnection.server = this;
  }

  /** A message to the person: archived, and delivered to all who are connected. Returns its ID in the archive. */
  direct(from: string, inner: string, { id = "", to = "me@d", before = "", archive = true } = {}): string {
    const message = (more: string) =>
      `<message xmlns="jabber:client" type="chat" from="${from}" to="${to}"${id && ` id="${id}"`}>${before}${inner}${more}</message>`;
    return this.#carry("me@d", message, archive);
  }

  text(from: string, text: string, options = {}): string {
    return this.direct(from, `<body>${text}</body>`, options);
  }

  group(room: string, nick: string, inner: string, id = ""): string {
    const message = (more: string) =>
      `<message xmlns="jabber:client" type="groupchat" from="${room}/${nick}" to="me@d"${id && ` id="${id}"`}>${inner}${more}</message>`;
    return this.#carry(room, message, true);
  }

  deliver(xml: string): void {
    for (const connection of this.live) connection.hear(parse(xml));
  }

  /** Every connection breaks. */
  cut(): void {
    for (const connection of this.live.splice(0)) connection.callback(6, null);
  }

  node(name: string): Map<string, string> {
    const node = this.nodes.get(name) ?? new Map<string, string>();
    this.nodes.set(name, node);
    return node;
  }

  archive(of: string): Entry[] {
    const archive = this.archives.get(of) ?? [];
    this.archives.set(of, archive);
    return archive;
  }

  #carry(archive: string, message: (more: string) => string, keep: boolean): string {
    const id = `archived-${++this.#count}`;
    const stanzaId = `<stanza-id xmlns="${NS.sid}" by="${archive}" id="${id}"/>`;
    if (keep) this.archive(archive).push({ id, at: this.clock++, xml: message("") });
    if (archive === "me@d" || this.rooms.has(archive)) this.deliver(message(keep ? stanzaId : ""));
    return id;
  }

  take(connection: FakeConnection, stanza: Element): void {
    const to = stanza.getAttribute("to") ?? "";
    if (stanza.localName === "iq") {
      const answer = (inner: string, type = "result") =>
        connection.hear(
          parse(
            `<iq xmlns="jabber:client" type="${type}" from="${to}" id="${stanza.getAttribute("id")}">${inner}</iq>`,
          ),
        );
      if (stanza.getAttribute("type") === "result" || stanza.getAttribute("type") === "error") {
        return void this.sent.push(stanza);
      }
      const condition = this.refuse(stanza) ?? this.#answer(connection, stanza, to, answer);
      if (condition && condition !== "silence") answer(`<error><${condition}/></error>`, "error");
      return;
    }
    this.sent.push(stanza);
    const [room, nick] = to.split("/");
    if (stanza.localName === "presence" && nick && room!.endsWith("@muc.d")) {
      if (stanza.getAttribute("type") === "unavailable") return;
      if (this.rooms.get(room!)?.config.includes("closed")) {
        const error = "<error><registration-required/></error>";
        return connection.hear(parse(`<presence xmlns="jabber:client" type="error" from="${to}">${error}</presence>`));
      }
      const made = !this.rooms.has(room!);
      if (made) this.rooms.set(room!, { config: [] });
      const codes = `<status code="110"/>${made ? '<status code="201"/>' : ""}`;
      const item = `<item affiliation="${made ? "owner" : "member"}" role="participant" jid="me@d/1"/>`;
      connection.hear(
        parse(`<presence xmlns="jabber:client" from="${to}"><x xmlns="${NS.mucUser}">${item}${codes}</x></presence>`),
      );
    } else if (stanza.localName === "message" && child(stanza, "body")) {
      const [body, id] = [textOf(child(stanza, "body")), stanza.getAttribute("id") ?? ""];
      if (stanza.getAttribute("type") === "groupchat") this.group(to, "me", `<body>${body}</body>`, id);
      else {
        this.archive("me@d").push({ id: `archived-${++this.#count}`, at: this.clock, xml: own(to, body, id) });
        if (this.confirms) connection.hear(parse(`<a xmlns="${NS.sm}"/>`));
      }
    }
  }

  #answer(connection: FakeConnection, iq: Element, to: string, answer: (inner: string) => void): string | undefined {
    const query = iq.firstElementChild!;
    const set = iq.getAttribute("type") === "set";
    switch (query.namespaceURI ?? query.getAttribute("xmlns")) {
      case NS.archive:
        this.queries.push(query);
        return this.#page(connection, query, to, answer);
      case NS.roster:
        return void answer(
          `<query xmlns="${NS.roster}">${this.roster.map((jid) => `<item jid="${jid}" subscription="both"/>`).join("")}</query>`,
        );
      case NS.vcard:
        if (this.cards[to] === undefined) return "item-not-found";
        return void answer(`<vCard xmlns="${NS.vcard}">${this.cards[to]}</vCard>`);
      case NS.time:
        return void answer(`<time xmlns="${NS.time}"><utc>${new Date(this.clock).toISOString()}</utc></time>`);
      case NS.pubsub: {
        if (child(query, "create")) return void answer("");
        const [items, publish, retract] = ["items", "publish", "retract"].map((name) => child(query, name));
        const asked = items ?? publish ?? retract!;
        const node = asked.getAttribute("node")!;
        const item = child(asked, "item");
        if (publish) this.node(node).set(item!.getAttribute("id")!, item!.firstElementChild!.outerHTML);
        if (retract) this.node(node).delete(item!.getAttribute("id")!);
        if (items && !this.nodes.has(node)) return "item-not-found";
        const all = [...this.node(node)].map(([id, xml]) => `<item id="${id}">${xml}</item>`).join("");
        return void answer(items ? `<pubsub xmlns="${NS.pubsub}"><items node="${node}">${all}</items></pubsub>` : "");
      }
      case NS.discoItems: {
        const listed = to === "muc.d" ? [...this.rooms.keys()] : this.services;
        const items = listed.map((jid) => `<item jid="${jid}"/>`).join("");
        return void answer(`<query xmlns="${NS.discoItems}">${items}</query>`);
      }
      case NS.discoInfo: {
        const features = to === "vjud.d" ? [NS.search] : (this.rooms.get(to)?.config ?? []);
        const vars = features.map((feature) => `<feature var="${feature}"/>`).join("");
        return void answer(`<query xmlns="${NS.discoInfo}"><identity name="${to}"/>${vars}</query>`);
      }
      case NS.search: {
        this.searches.push(query);
        const [, field] = children(child(query, "x"), "field");
        const prefix = textOf(field).toLowerCase().replace("*", "");
        const items = Object.entries(this.directory)
          .filter(([jid, fn]) => (field!.getAttribute("var") === "fn" ? fn : jid).toLowerCase().startsWith(prefix))
          .map(([jid, fn]) => [
            `<field var="jid"><value>${jid}</value></field>`,
            `<field var="fn"><value>${fn}</value></field>`,
          ])
          .map((fields) => `<item>${fields.join("")}</item>`);
        const found = `<x xmlns="${NS.data}" type="result">${items.join("")}</x>`;
        return void answer(`<query xmlns="${NS.search}">${found}</query>`);
      }
      case NS.mucOwner:
        this.sent.push(iq);
        if (child(query, "destroy")) this.rooms.delete(to);
        return void answer("");
      case NS.ping:
      case NS.carbons:
        return void answer("");
      default:
        return set ? void answer("") : "service-unavailable";
    }
  }

  #page(connection: FakeConnection, query: Element, to: string, answer: (inner: string) => void): string | undefined {
    const fields = children(child(query, "x"), "field");
    const peer = textOf(fields.find((field) => field.getAttribute("var") === "with"));
    const set = child(query, "set")!;
    const [max, before, after] = ["max", "before", "after"].map((name) => child(set, name));
    const parties = (xml: string) => ["from", "to"].map((name) => parse(xml).getAttribute(name)!.split("/")[0]);
    const all = this.archive(to || "me@d").filter(({ xml }) => !peer || parties(xml).includes(peer));
    const index = (element: Element) => all.findIndex(({ id }) => id === textOf(element));
    if ([before, after].some((end) => end && textOf(end) && index(end) < 0)) return "item-not-found";
    const from = after ? index(after) + 1 : 0;
    const upto = before && textOf(before) ? index(before) : all.length;
    const size = Number(textOf(max));
    const range = all.slice(from, upto);
    const page = before ? range.slice(-size) : range.slice(0, size);
    for (const { id, at, xml } of page) {
      connection.hear(
        parse(`<message xmlns="jabber:client" from="${to || "me@d"}" to="me@d"><result xmlns="${NS.archive}" id="${id}"
          queryid="${query.getAttribute("queryid")}"><forwarded xmlns="${NS.forward}"><delay xmlns="${NS.delay}"
          stamp="${new Date(at).toISOString()}"/>${xml}</forwarded></result></message>`),
      );
    }
    const ends = page.length > 0 ? `<first>${page[0]!.id}</first><last>${page.at(-1)!.id}</last>` : "";
    const complete = page.length === range.length;
    answer(`<fin xmlns="${NS.archive}" complete="${complete}"><set xmlns="${NS.rsm}">${ends}</set></fin>`);
    return undefined;
  }
}

interface Entry {
  id: string;
  at: number;
  xml: string;
}

/** What the plugin uses of Strophe's connection. */
export class FakeConnection {
  static server: FakeServer;
  xmlInput = () => {};
  sm = undefined;
  handler: (stanza: Element) => boolean = () => true;
  callback: (status: number, condition: string | null) => void = () => {};
  #resumed = false;

  connect(_jid: string, _pw: string, callback: FakeConnection["callback"]): void {
    const { server } = FakeConnection;
    this.callback = callback;
    server.logins.push(Date.now());
    queueMicrotask(() => {
      if (!server.up) return callback(6, null);
      this.#resumed = server.resumable && server.logins.length > 1;
      server.live.push(this);
      callback(5, null);
    });
  }

  addHandler(handler: FakeConnection["handler"]): void {
    this.handler = handler;
  }

  hasResumed(): boolean {
    return this.#resumed;
  }

  send(stanza: Element): void {
    const copy = parse(new XMLSerializer().serializeToString(stanza));
    queueMicrotask(() => this.#open && FakeConnection.server.take(this, copy));
  }

  hear(stanza: Element): void {
    queueMicrotask(() => this.#open && this.handler(stanza));
  }

  disconnect(): void {
    FakeConnection.server.sent.push(parse('<presence xmlns="jabber:client" type="unavailable"/>'));
    this._doDisconnect();
  }

  _doDisconnect(): void {
    const { live } = FakeConnection.server;
    if (this.#open) live.splice(live.indexOf(this), 1);
  }

  get #open(): boolean {
    return FakeConnection.server.live.includes(this);
  }
}

export const parse = (xml: string): Element => new DOMParser().parseFromString(xml, "text/xml").documentElement;

const own = (to: string, body: string, id: string) =>
  `<message xmlns="jabber:client" type="chat" from="me@d/1" to="${to}" id="${id}"><body>${body}</body></message>`;
