import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FEATURES, VERIFICATION } from "../src/xmpp/caps.js";
import type { Client } from "../src/model/client.js";
import { NS, child } from "../src/xmpp/xml.js";
import { login, newClient, ready, settled, texts } from "./account.js";
import { FakeServer } from "./server.js";

vi.mock("strophe/connection", async () => ({ default: (await import("./server.js")).FakeConnection }));

let server: FakeServer;
let clients: Client[];
const signIn = async (setUp: (client: Client) => void = () => {}) => {
  const client = newClient();
  clients.push(client);
  setUp(client);
  await login(client);
  return client;
};
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `${from + at}`);
const sent = (name: string, ns: string) => server.sent.filter((stanza) => child(stanza, name, ns));

const bookmark = (room: string) =>
  server.node(NS.bookmarks).set(room, `<conference xmlns="${NS.bookmarks}" autojoin="true"/>`);

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  server = new FakeServer();
  clients = [];
});
afterEach(() => {
  for (const client of clients) client.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("the archive", () => {
  test("that is still empty is asked at each confirmation, and draws nothing", async () => {
    const client = await signIn();
    const drawn = vi.fn();
    client.listen(drawn);
    const asked = server.queries.length;
    server.deliver(`<a xmlns="${NS.sm}"/>`);
    await settled();
    expect(server.queries.length).toBe(asked + 1);
    expect(drawn).not.toHaveBeenCalled();
    server.archive("me@d").push({ id: "1", at: 1, xml: '<message from="bob@d" to="me@d"><body>hi</body></message>' });
    server.deliver(`<a xmlns="${NS.sm}"/>`);
    await settled();
    expect(texts(client, "bob@d")).toEqual(["hi"]);
    expect(drawn).toHaveBeenCalled();
  });

  test("gives what was missed, whatever IDs a message claims to have in it", async () => {
    server.text("bob@d", "before");
    const client = await signIn();
    server.text("eve@d", "forged", { before: `<stanza-id xmlns="${NS.sid}" by="me@d" id="bogus"/>` });
    await settled();
    server.cut();
    for (const number of numbers(0, 320)) server.text("bob@d", number);
    await ready(client);
    expect(texts(client, "bob@d")).toEqual(["before", ...numbers(0, 320)]);
    expect(texts(client, "eve@d")).toEqual(["forged"]);
    expect(client.chats.get("bob@d")!.unread).toBe(321);
  });

  test("gives what was missed when the session is resumed whose set-up got no answer", async () => {
    server.text("bob@d", "before");
    const client = await signIn();
    vi.useFakeTimers();
    vi.spyOn(console, "error").mockImplementation(() => {});
    server.refuse = (iq) => {
      if (!child(iq, "query", NS.archive)) return undefined;
      server.refuse = () => undefined;
      server.resumable = true;
      return "silence";
    };
    server.cut();
    server.text("bob@d", "missed");
    await vi.advanceTimersByTimeAsync(30_000);
    expect(client.status.now).toBe("XMPP_CONNECTION_CONNECTED_READY");
    expect(texts(client, "bob@d")).toEqual(["before", "missed"]);
  });

  test("of a group is not read back before its newest page is here", async () => {
    server.rooms.set("room@muc.d", { config: [] });
    bookmark("room@muc.d");
    server.group("room@muc.d", "bob", "<body>old</body>");
    let asked = 0;
    const client = await signIn((client) => {
      server.refuse = (iq) => {
        if (!child(iq, "query", NS.archive) || iq.getAttribute("to") !== "room@muc.d") return undefined;
        if (++asked === 1) void client.older(client.chat("room@muc.d"));
        else server.group("room@muc.d", "bob", "<body>new</body>");
        return undefined;
      };
    });
    if (asked === 1) server.group("room@muc.d", "bob", "<body>new</body>");
    await settled();
    expect(texts(client, "room@muc.d")).toEqual(["old", "new"]);
  });

  test("that was emptied shows what it has now", async () => {
    server.text("bob@d", "old");
    const client = await signIn();
    server.cut();
    server.archives.clear();
    server.text("carol@d", "new");
    await ready(client);
    expect([texts(client, "bob@d"), texts(client, "carol@d")]).toEqual([[], ["new"]]);
  });

  test("that was empty at the login, and is emptied again, is no archive of what came between", async () => {
    const client = await signIn();
    server.text("bob@d", "old");
    client.send(client.chat("carol@d"), "mine");
    await settled();
    server.cut();
    server.archives.clear();
    await ready(client);
    expect(texts(client, "bob@d")).toEqual([]);
  });

  test("that isn't there leaves live messages, and is told of once", async () => {
    server.refuse = (iq) => (child(iq, "query", NS.archive) ? "service-unavailable" : undefined);
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const client = await signIn();
    server.text("bob@d", "live");
    await settled();
    expect(texts(client, "bob@d")).toEqual(["live"]);
    server.cut();
    await ready(client);
    expect(server.logins).toHaveLength(2);
    expect(warn).toHaveBeenCalledOnce();
    await client.older(client.chat("bob@d"));
    expect(client.chat("bob@d").complete).toBe(true);
  });

  test("that a group lacks leaves people theirs", async () => {
    server.rooms.set("room@muc.d", { config: [] });
    bookmark("room@muc.d");
    vi.spyOn(console, "warn").mockImplementation(() => {});
    server.refuse = (iq) =>
      child(iq, "query", NS.archive) && iq.getAttribute("to") ? "feature-not-implemented" : undefined;
    for (const number of numbers(0, 120)) server.text("eve@d", number);
    const client = await signIn();
    await client.older(client.chat("eve@d"));
    expect(texts(client, "eve@d")).toHaveLength(120);
    expect(client.chat("room@muc.d").room!.joined).toBe(true);
  });

  test("that never answers is asked for once per step of the back-off", async () => {
    vi.useFakeTimers();
    vi.spyOn(console, "error").mockImplementation(() => {});
    server.refuse = (iq) => (child(iq, "query", NS.archive) ? "silence" : undefined);
    const client = newClient();
    clients.push(client);
    client.start("me@d", () => ({ usr: "me@d", pw: "pw" }));
    client.status.subscribe((status) => {
      // OneChat's own example.
      if (status === "XMPP_CONNECTION_DISCONNECTED") client.start("me@d", () => ({ usr: "me@d", pw: "pw" }));
    });
    for (let second = 0; second < 60; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      server.cut(); // and the server throws us out within a second
    }
    // At once, then after 1, 2, 4, 8, 16, 32 seconds, give or take a quarter.
    expect(server.logins.length).toBeGreaterThan(4);
    expect(server.logins.length).toBeLessThan(9);
  });

  test("has two messages of one ID as two, and those without an ID once, live and after a reload", async () => {
    server.rooms.set("room@muc.d", { config: [] });
    server.node(NS.bookmarks).set("room@muc.d", `<conference xmlns="${NS.bookmarks}" autojoin="1"/>`);
    const expected = ["same", "same", "other", "none", "none"];
    const client = await signIn();
    const write = (say: (text: string, id: string) => void) => {
      for (const [at, text] of expected.entries()) say(text, at < 3 ? "id" : "");
    };
    write((text, id) => server.text("bob@d", text, { id }));
    write((text, id) => server.text("me@d", text, { id, to: "carol@d" })); // by another client of ours
    write((text, id) => server.group("room@muc.d", "bob", `<body>${text}</body>`, id));
    await settled();
    const reloaded = await signIn();
    server.cut();
    await ready(client);
    for (const one of [client, reloaded]) {
      for (const jid of ["bob@d", "carol@d", "room@muc.d"]) expect(texts(one, jid)).toEqual(expected);
    }
  });
});

test("alerts and the host's messages to groups have the names and pictures of their apps", async () => {
  server.rooms.set("room@muc.d", { config: [] });
  server.cards["alerts.d/Lunch"] = "<PHOTO><TYPE>image/png</TYPE><BINVAL>aGk=</BINVAL></PHOTO>";
  const nick = (name: string) => `<nick xmlns="${NS.nick}">${name}</nick>`;
  const host = `<x xmlns="${NS.mucUser}"><item jid="alerts.d"/></x>`;
  server.direct("alerts.d", `<body>ready</body>${nick("Lunch")}`);
  server.text("alerts.d", "nameless");
  server.text("eve@d", "hi", { before: nick("Bob") });
  bookmark("room@muc.d");
  const client = await signIn();
  server.group("room@muc.d", "Lunch", `<body>hello</body>${host}`);
  await vi.waitUntil(() => texts(client, "room@muc.d").length > 0);
  const senders = (jid: string) => {
    const chat = client.chat(jid);
    return chat.timeline.messages.map((message) => client.senderOf(chat, message));
  };
  expect(senders("alerts.d")).toEqual(["Lunch", "alerts.d"]);
  expect(senders("room@muc.d")).toEqual(["Lunch"]);
  expect(senders("eve@d")).toEqual(["eve"]);
  const pictures = (jid: string) => {
    const chat = client.chat(jid);
    return chat.timeline.messages.map((message) => client.appPicture(chat, message));
  };
  const lunch = "data:image/png;base64,aGk=";
  await vi.waitUntil(() => pictures("alerts.d")[0]);
  expect(pictures("alerts.d")).toEqual([lunch, ""]);
  expect(pictures("room@muc.d")).toEqual([lunch]);
  expect(pictures("eve@d")).toEqual([""]);
});

describe("after a login", () => {
  test.each([1, 30])("everybody has a last message and all that is unread, with %d other contacts", async (others) => {
    server.roster = ["bob@d", ...numbers(0, others).map((number) => `other${number}@d`)];
    server.text("alerts.d", "alert");
    for (const number of numbers(0, 150)) server.text("bob@d", number);
    for (let at = 0; at < 30; at++) server.direct("bob@d", `<received xmlns="${NS.receipts}" id="${at}"/>`);
    for (const number of numbers(0, 110)) server.text("eve@d", number);
    const client = await signIn();
    await vi.waitUntil(() => client.chats.get("bob@d")?.unread === 150);
    expect(client.chats.get("eve@d")!.unread).toBe(110);
    expect(texts(client, "alerts.d")).toEqual(["alert"]);
    expect(server.queries.length).toBeLessThan(others + 12);
    server.queries = [];
    server.cut();
    await ready(client);
    expect(server.queries.length).toBeLessThan(2); // what is known to be empty is not asked for again
  });

  test("older messages are found behind pages of receipts alone", async () => {
    server.text("eve@d", "first");
    for (let at = 0; at < 110; at++) server.direct("eve@d", `<received xmlns="${NS.receipts}" id="${at}"/>`);
    const client = await signIn();
    await client.older(client.chat("eve@d"));
    expect(texts(client, "eve@d")).toEqual(["first"]);
  });
});

test.each([false, true])("who wrote while we were away is told once, before = %j", async (before) => {
  const waiting = `<body>hi</body><request xmlns="${NS.receipts}"/>`;
  const client = before ? await signIn() : undefined;
  server.cut();
  server.direct("bob@d", waiting, { id: "1" });
  server.refuse = (iq) => {
    if (!child(iq, "query", NS.archive)) return undefined;
    server.refuse = () => undefined;
    server.deliver(`<message xmlns="jabber:client" type="chat" from="bob@d" to="me@d" id="1">${waiting}
      <delay xmlns="${NS.delay}" from="d" stamp="2026-01-01T00:00:00Z"/></message>`);
    return undefined;
  };
  if (client) await ready(client);
  expect(texts(client ?? (await signIn()), "bob@d")).toEqual(["hi"]);
  expect(sent("received", NS.receipts)).toHaveLength(1);
});

describe("what was read", () => {
  const seen = async () => {
    server.text("alerts.d", "one"); // which asks for no marker
    const client = await signIn();
    client.seen(client.chat("alerts.d"));
    await vi.waitUntil(() => server.nodes.has(NS.mds));
    return client;
  };

  test("is so in another browser, and nobody else is told who did not ask", async () => {
    await seen();
    expect(server.node(NS.mds).get("alerts.d")).toContain("archived-1");
    expect(sent("displayed", NS.markers)).toEqual([]);
    localStorage.clear();
    server.text("alerts.d", "two");
    const other = await signIn();
    expect(other.chats.get("alerts.d")!.unread).toBe(1);
    server.deliver(`<message xmlns="jabber:client" from="me@d"><event xmlns="${NS.pubsubEvent}"><items node="${NS.mds}">
      <item id="alerts.d"><displayed xmlns="${NS.mds}"><stanza-id xmlns="${NS.sid}" by="me@d" id="archived-2"/></displayed>
      </item></items></event></message>`);
    await settled();
    expect(other.chats.get("alerts.d")!.unread).toBe(0);
  });

  test("is so if another browser says it between our first question and our presence", async () => {
    const id = server.text("alerts.d", "one");
    server.refuse = (iq) => {
      if (child(iq, "query", NS.archive))
        server
          .node(NS.mds)
          .set("alerts.d", `<displayed xmlns="${NS.mds}"><stanza-id xmlns="${NS.sid}" id="${id}"/></displayed>`);
      return undefined;
    };
    const client = await signIn();
    await vi.waitUntil(() => client.chats.get("alerts.d")!.unread === 0);
  });

  test("is published where options are taken only when a node is made, as by ejabberd", async () => {
    const made = new Set<string>();
    server.refuse = (iq) => {
      const query = child(iq, "pubsub");
      const create = child(query, "create")?.getAttribute("node");
      if (create) made.add(create);
      const options = child(query, "publish-options")?.textContent ?? "";
      return /max/.test(options) || (child(query, "publish") && !made.has(NS.mds)) ? "resource-constraint" : undefined;
    };
    await seen();
    expect(server.node(NS.mds).get("alerts.d")).toContain("archived-1");
  });

  test("is so in another tab", async () => {
    const client = await seen();
    server.text("alerts.d", "two");
    await settled();
    const key = client.memory.key;
    localStorage.setItem(key, JSON.stringify({ read: { "alerts.d": Date.now() + 1000 } }));
    dispatchEvent(new StorageEvent("storage", { key }));
    expect(client.chats.get("alerts.d")!.unread).toBe(0);
    const later = Date.now() + 5000;
    localStorage.setItem(key, JSON.stringify({ read: { "alerts.d": later } }));
    client.memory.save(); // takes nothing back
    expect(JSON.parse(localStorage.getItem(key)!)).toMatchObject({ read: { "alerts.d": later } });
  });

  test("goes as far back as another client says", async () => {
    const ids = numbers(0, 150).map((number) => server.text("bob@d", number));
    server
      .node(NS.mds)
      .set("bob@d", `<displayed xmlns="${NS.mds}"><stanza-id xmlns="${NS.sid}" id="${ids[19]}"/></displayed>`);
    server.clock += 1;
    const client = await signIn();
    await vi.waitUntil(() => client.chats.get("bob@d")!.unread === 130);
  });
});

describe("groups", () => {
  const mediated = (room: string, by: string) =>
    server.deliver(`<message xmlns="jabber:client" from="${room}" to="me@d"><body>Come!</body>
      <x xmlns="${NS.mucUser}"><invite from="${by}"/></x></message>`);
  const directly = (room: string, by: string) =>
    server.direct(by, `<x xmlns="${NS.conference}" jid="${room}"/><body>Come!</body>`);

  test("that are gone are not brought back to life, and lose their bookmark", async () => {
    bookmark("gone@muc.d");
    const gone: string[] = [];
    const client = await signIn((client) => (client.onGone = (jid) => gone.push(jid)));
    expect(server.rooms.size).toBe(0);
    expect(server.node(NS.bookmarks).size).toBe(0);
    expect([[...client.chats.keys()], gone]).toEqual([[], ["gone@muc.d"]]);
  });

  test("that are destroyed go, with their bookmark", async () => {
    bookmark("room@muc.d");
    server.rooms.set("room@muc.d", { config: [] });
    const client = await signIn();
    expect(client.chats.get("room@muc.d")!.room!.joined).toBe(true);
    server.deliver(`<presence xmlns="jabber:client" type="unavailable" from="room@muc.d/me"><x xmlns="${NS.mucUser}">
      <item affiliation="none" role="none"/><destroy/></x></presence>`);
    await settled();
    expect(client.chats.size).toBe(0);
    expect(server.node(NS.bookmarks).size).toBe(0);
  });

  test("that were made again after a reset show nothing from before it", async () => {
    bookmark("room@muc.d");
    server.rooms.set("room@muc.d", { config: [] });
    server.group("room@muc.d", "bob", "<body>old</body>");
    const client = await signIn();
    server.cut();
    server.archives.clear();
    server.group("room@muc.d", "bob", "<body>new</body>");
    await ready(client);
    expect(texts(client, "room@muc.d")).toEqual(["new"]);
  });

  test("are entered at once when a contact or the host adds us, else after consent alone", async () => {
    const client = await signIn();
    const strangers = numbers(0, 20).map((number) => `room${number}@muc.d`);
    for (const room of [...strangers, "bobs@muc.d", "hosts@muc.d", "carols@muc.d"])
      server.rooms.set(room, { config: [] });
    for (const [at, room] of strangers.entries()) (at % 2 ? mediated : directly)(room, "eve@d/1");
    mediated("carols@muc.d", "carol@d/phone");
    directly("bobs@muc.d", "bob@d/1");
    directly("hosts@muc.d", "alerts.d");
    // A person can't pass on a contact's invitation, as a group can.
    server.deliver(
      `<message xmlns="jabber:client" from="eve@d/1"><x xmlns="${NS.mucUser}"><invite from="bob@d"/></x></message>`,
    );
    await settled();
    expect([...client.chats.keys()].sort()).toEqual(["bobs@muc.d", "carols@muc.d", "hosts@muc.d"]);
    expect([...client.rooms.invitations]).toEqual(strangers.map((room) => [room, "eve@d"]));
    client.rooms.decline("room0@muc.d");
    await client.rooms.accept("room1@muc.d");
    expect(client.chats.get("room1@muc.d")!.room!.joined).toBe(true);
    expect(client.rooms.invitations.size).toBe(18);
  });

  test("are entered once, and receipts sent once, though the archive repeats what came live", async () => {
    const client = await signIn();
    server.rooms.set("room@muc.d", { config: [] });
    mediated("room@muc.d", "bob@d");
    directly("room@muc.d", "bob@d");
    server.direct("bob@d", `<body>hi</body><request xmlns="${NS.receipts}"/>`, { id: "1" });
    await settled();
    directly("room@muc.d", "bob@d");
    server.cut();
    await ready(client);
    const joins = server.sent.filter((stanza) => stanza.getAttribute("to")?.startsWith("room@muc.d/"));
    expect(joins.map((stanza) => stanza.getAttribute("to"))).toEqual(["room@muc.d/me", "room@muc.d/me"]); // per session
    expect(sent("received", NS.receipts)).toHaveLength(1);
  });

  test("that were left or declined are not asked about again by the archive", async () => {
    const client = await signIn();
    for (const room of ["left", "declined"]) server.rooms.set(`${room}@muc.d`, { config: [] });
    directly("left@muc.d", "bob@d");
    directly("declined@muc.d", "eve@d");
    await settled();
    await client.rooms.leave(client.chats.get("left@muc.d")!);
    client.rooms.decline("declined@muc.d");
    server.cut();
    await ready(client);
    expect([client.chats.size, client.rooms.invitations.size]).toEqual([0, 0]);
  });

  test("that don't let us in are no chats", async () => {
    const client = await signIn();
    server.rooms.set("closed@muc.d", { config: ["closed"] });
    directly("closed@muc.d", "bob@d");
    await settled();
    expect(server.sent.map((stanza) => stanza.getAttribute("to"))).toContain("closed@muc.d/me");
    expect(client.chats.size).toBe(0);
  });

  test("to which a contact invited while only a phone was there are shown, once", async () => {
    server.rooms.set("room@muc.d", { config: [] });
    directly("room@muc.d", "bob@d");
    const client = await signIn();
    expect([...client.rooms.invitations]).toEqual([["room@muc.d", "bob@d"]]);
    server.clock += 1;
    client.rooms.decline("room@muc.d");
    expect((await signIn()).rooms.invitations.size).toBe(0);
  });

  test("that the service lists for us are entered, public ones are not", async () => {
    server.rooms.set("ours@muc.d", { config: ["muc_hidden", "muc_membersonly"] });
    server.rooms.set("public@muc.d", { config: ["muc_public", "muc_membersonly"] });
    const client = await signIn();
    expect([...client.chats.keys()]).toEqual(["ours@muc.d"]);
  });

  test("follow the bookmarks of our other clients, and stay left", async () => {
    const client = await signIn();
    server.rooms.set("room@muc.d", { config: [] });
    const event = (autojoin: boolean) =>
      server.deliver(`<message xmlns="jabber:client" from="me@d"><event xmlns="${NS.pubsubEvent}"><items node="${NS.bookmarks}">
        <item id="room@muc.d"><conference xmlns="${NS.bookmarks}" autojoin="${autojoin}"/></item></items></event></message>`);
    event(true);
    await settled();
    expect(client.chats.get("room@muc.d")!.room!.joined).toBe(true);
    event(false);
    await settled();
    expect(client.chats.size).toBe(0);
    directly("room@muc.d", "bob@d");
    await settled();
    await client.rooms.leave(client.chats.get("room@muc.d")!);
    const again = await signIn();
    expect([again.chats.size, again.rooms.invitations.size]).toEqual([0, 0]);
  });
});

describe("a message written while there is no connection", () => {
  test("survives a reload of the tab, and is sent once", async () => {
    const client = await signIn();
    server.up = false;
    server.cut();
    client.send(client.chat("bob@d"), "later");
    client.disconnect(); // as a page that is closed
    server.up = true;
    const reloaded = await signIn();
    expect(texts(reloaded, "bob@d")).toEqual(["later"]);
    expect(server.archive("me@d").map(({ xml }) => xml)).toEqual([expect.stringContaining("later")]);
    const third = await signIn();
    expect(server.archive("me@d")).toHaveLength(1);
    expect(third.chat("bob@d").timeline.messages).toMatchObject([{ delivery: "sent" }]);
    expect(third.memory.tab.unsent).toEqual([]);
  });

  test.each(["bob@d", "room@muc.d"])("is not sent again if the archive of %s has it further back", async (jid) => {
    server.rooms.set("room@muc.d", { config: [] });
    bookmark("room@muc.d");
    const client = await signIn();
    server.up = false;
    server.cut();
    const { id } = client.send(client.chat(jid), "taken, without a word");
    client.disconnect();
    const [archive, from, to] = jid === "bob@d" ? ["me@d", "me@d/1", jid] : [jid, `${jid}/me`, "me@d"];
    const type = jid === "bob@d" ? "chat" : "groupchat";
    const xml = `<message xmlns="jabber:client" type="${type}" from="${from}" to="${to}" id="${id}"><body>taken</body></message>`;
    server.archive(archive).push({ id: "taken", at: server.clock++, xml });
    for (const text of numbers(0, 320)) {
      if (jid === "bob@d") server.text(jid, text);
      else server.group(jid, "bob", `<body>${text}</body>`);
    }
    server.up = true;
    server.sent = [];
    const reloaded = await signIn();
    expect(reloaded.chat(jid).timeline.own(id)).toMatchObject({ delivery: "sent" });
    expect(sent("body", NS.client)).toEqual([]);
  });

  test("goes before what is written while its group's archive is read", async () => {
    server.rooms.set("room@muc.d", { config: [] });
    bookmark("room@muc.d");
    const client = await signIn();
    const chat = client.chat("room@muc.d");
    server.up = false;
    server.cut();
    client.send(chat, "first");
    server.up = true;
    server.refuse = (iq) => {
      if (!child(iq, "query", NS.archive) || iq.getAttribute("to") !== chat.jid) return undefined;
      server.refuse = () => undefined;
      client.send(chat, "second");
      return undefined;
    };
    await ready(client);
    expect(texts(client, chat.jid)).toEqual(["first", "second"]);
    expect(server.archive(chat.jid).map(({ xml }) => xml)).toEqual(
      ["first", "second"].map((text) => expect.stringContaining(text)),
    );
  });

  test("goes with its group", async () => {
    server.rooms.set("room@muc.d", { config: [] });
    bookmark("room@muc.d");
    const client = await signIn();
    server.up = false;
    server.cut();
    client.send(client.chat("room@muc.d"), "later");
    client.disconnect();
    server.up = true;
    server.rooms.clear();
    const reloaded = await signIn();
    expect([reloaded.chats.size, reloaded.memory.tab.unsent]).toEqual([0, []]);
  });

  test("is still not sent after a reload if it was refused", async () => {
    const client = await signIn();
    client.send(client.chat("bob@d"), "no");
    const { id } = client.chat("bob@d").timeline.messages[0]!;
    server.deliver(
      `<message xmlns="jabber:client" type="error" from="bob@d" id="${id}"><error><forbidden/></error></message>`,
    );
    await settled();
    const reloaded = await signIn();
    expect(reloaded.chat("bob@d").timeline.messages).toMatchObject([{ text: "no", delivery: "failed" }]);
  });
});

describe("the page", () => {
  test("ends the stream when it goes, and connects again when it comes back", async () => {
    const client = await signIn();
    server.sent = [];
    dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
    expect(server.sent.map((stanza) => stanza.getAttribute("type"))).toEqual(["unavailable"]);
    server.text("bob@d", "meanwhile");
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    await vi.waitUntil(() => texts(client, "bob@d").length > 0);
    expect(server.logins).toHaveLength(2);
  });
});

test("messages that crossed have the archive's order once the server has confirmed one's own", async () => {
  server.text("bob@d", "before");
  const client = await signIn();
  server.confirms = false;
  client.send(client.chat("bob@d"), "mine");
  await settled();
  server.text("bob@d", "theirs");
  await settled();
  server.deliver(`<a xmlns="${NS.sm}"/>`);
  await settled();
  expect(texts(client, "bob@d")).toEqual(["before", "mine", "theirs"]);
});

test.each([1, -1])("the server's clock orders messages, not this machine's, %d hours off", async (hours) => {
  server.clock = Date.now() + hours * 3_600_000;
  server.text("bob@d", "one");
  const client = await signIn();
  client.send(client.chat("bob@d"), "two");
  await settled();
  server.text("bob@d", "three");
  await settled();
  expect(texts(client, "bob@d")).toEqual(["one", "two", "three"]);
  const times = client.chat("bob@d").timeline.messages.map(({ at }) => at - server.clock);
  expect(Math.max(...times.map(Math.abs))).toBeLessThan(2000);
});

test("the verification string of the features is right (XEP-0115)", async () => {
  const text = ["client/web//ocwp", ...FEATURES, ""].join("<");
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
  expect(VERIFICATION).toBe(btoa(String.fromCharCode(...new Uint8Array(digest))));
});
