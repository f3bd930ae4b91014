import { beforeEach, describe, expect, test, vi } from "vitest";
import { PAGE, type Api } from "../src/api.js";
import { World, type PhoneModel } from "../src/model.js";
import { Refusal, type Invitation, type Message, type Thread } from "../src/types.js";

const ALICE = "alice@onechat.localhost";
const BOB = "bob@onechat.localhost";
const CAROL = "carol@onechat.localhost";
const NOBODY = "nobody@onechat.localhost";

const user = (jid: string) => ({ jid, name: `Name of ${jid}`, avatar: "", admin: false });

const message = (id: number, thread = BOB, from = thread): Message => ({
  id,
  kind: "direct",
  thread,
  from: { jid: from, name: from },
  to: ALICE,
  text: `Note ${id}`,
  at: "2026-05-13T12:00:00Z",
});

const thread = (id: string, last: number): Thread => ({
  id,
  kind: "direct",
  title: id,
  avatar: "",
  last: message(last, id),
  unread: 0,
});

/** The sandbox as these tests need it: whatever messages are there, in pages. */
class Sandbox {
  messages: Message[] = [];
  threads = vi.fn(async (): Promise<Thread[]> => []);
  groups = vi.fn(async () => []);
  invitations = vi.fn(async (): Promise<Invitation[]> => []);
  answer = vi.fn(async () => {});
  users = vi.fn(async (jids: readonly string[]) => jids.filter((jid) => jid !== NOBODY).map(user));
  state = vi.fn(async () => ({ domain: "onechat.localhost", groupDomain: "", users: [], userCount: 9, apps: [] }));
  read = vi.fn(async () => {});
  page = async (_: string, thread: string, before = Infinity) =>
    this.messages.filter((other) => other.thread === thread && other.id < before).slice(-PAGE);
}

let sandbox: Sandbox;
let world: World;
let phone: PhoneModel;

const ids = () => phone.messages.map(({ id }) => id);
const settled = () => vi.waitFor(() => expect(phone.loaded).toBe(true));

beforeEach(async () => {
  sandbox = new Sandbox();
  const api = { ...sandbox, messages: (...args: [string, string]) => sandbox.page(...args) };
  world = new World(api as unknown as Api);
  phone = world.open(ALICE);
  await settled();
});

describe("an open thread", () => {
  test("begins with its newest page and goes on to older ones", async () => {
    sandbox.messages = Array.from({ length: PAGE + 5 }, (_, index) => message(index + 1));
    await phone.open(BOB);
    expect(ids()).toHaveLength(PAGE);
    expect(phone.complete).toBe(false);
    await phone.older();
    expect(ids()).toEqual(sandbox.messages.map(({ id }) => id));
    expect(phone.complete).toBe(true);
  });

  test("takes a message that comes twice once, in order", async () => {
    sandbox.messages = [message(1), message(2)];
    await phone.open(BOB);
    for (const id of [4, 3, 4]) phone.take({ type: "message", jid: ALICE, thread: BOB, message: message(id) });
    expect(ids()).toEqual([1, 2, 3, 4]);
  });

  test("leaves no message of the thread before, however late it comes", async () => {
    let late: (page: Message[]) => void = () => {};
    sandbox.page = () => new Promise((resolve) => (late = resolve));
    const first = phone.open(BOB);
    const release = late;
    sandbox.page = async () => [message(9, CAROL)];
    await phone.open(CAROL);
    release([message(1)]);
    await first;
    expect(ids()).toEqual([9]);
  });

  test("keeps what it has after a gap that one page fills", async () => {
    sandbox.messages = Array.from({ length: PAGE + 5 }, (_, index) => message(index + 1));
    await phone.open(BOB);
    await phone.older();
    sandbox.messages.push(message(100));
    phone.recover();
    await vi.waitFor(() => expect(ids().at(-1)).toBe(100));
    expect(ids()[0]).toBe(1);
  });

  test("begins anew after a gap that is longer, so that nothing is missing in the middle", async () => {
    sandbox.messages = [message(1), message(2)];
    await phone.open(BOB);
    sandbox.messages.push(...Array.from({ length: PAGE + 5 }, (_, index) => message(index + 3)));
    phone.recover();
    await vi.waitFor(() => expect(ids()).toHaveLength(PAGE));
    expect(ids()[0]).toBe(8);
    expect(phone.complete).toBe(false);
  });

  test("is empty after the sandbox was emptied", async () => {
    sandbox.messages = [message(1)];
    await phone.open(BOB);
    sandbox.messages = [];
    phone.recover();
    await vi.waitFor(() => expect(ids()).toEqual([]));
  });
});

describe("a message", () => {
  const arrive = (id: number, thread: string, from = thread) =>
    phone.take({ type: "message", jid: ALICE, thread, message: message(id, thread, from) });

  test("in the thread that the person sees is read at once, and no news", async () => {
    await phone.open(BOB);
    sandbox.read.mockClear();
    phone.onNews = vi.fn();
    arrive(1, BOB);
    expect(sandbox.read).toHaveBeenCalledWith(ALICE, BOB);
    expect(phone.onNews).not.toHaveBeenCalled();
  });

  test("in an open thread behind something else is news, and read on return", async () => {
    await phone.open(BOB);
    phone.attend(false);
    sandbox.read.mockClear();
    phone.onNews = vi.fn();
    arrive(1, BOB);
    expect(phone.onNews).toHaveBeenCalledOnce();
    expect(sandbox.read).not.toHaveBeenCalled();
    phone.attend(true);
    expect(sandbox.read).toHaveBeenCalledWith(ALICE, BOB);
  });

  test("in a thread that is listed asks for nothing: the list is as the sandbox would send it", async () => {
    sandbox.messages = [message(1), message(2, CAROL)];
    sandbox.threads.mockResolvedValueOnce([thread(CAROL, 2), thread(BOB, 1)]);
    phone.refresh();
    await vi.waitFor(() => expect(phone.threads).toHaveLength(2));
    const asked = [sandbox.threads, sandbox.groups, sandbox.read, sandbox.users];
    for (const call of asked) call.mockClear();
    arrive(3, BOB);
    arrive(4, BOB);
    arrive(4, BOB); // twice, as after the stream was opened again
    arrive(5, BOB, ALICE); // written on another phone
    expect(phone.threads.map(({ id, last, unread }) => [id, last?.id, unread])).toEqual([
      [BOB, 5, 2],
      [CAROL, 2, 0],
    ]);
    phone.take({ type: "read", jid: ALICE, thread: BOB });
    expect(phone.unread).toBe(0);
    for (const call of asked) expect(call).not.toHaveBeenCalled();
  });

  test("in a thread that is new has the threads asked for", async () => {
    sandbox.threads.mockClear();
    arrive(1, BOB);
    await vi.waitFor(() => expect(sandbox.threads).toHaveBeenCalledOnce());
  });

  test("of one's own, from another phone, is no news", () => {
    phone.onNews = vi.fn();
    arrive(1, BOB, ALICE);
    expect(phone.onNews).not.toHaveBeenCalled();
  });
});

describe("names", () => {
  beforeEach(() => world.look());

  test("are asked for when they are to be shown, all in one go, and once", async () => {
    const names = () => [BOB, CAROL, NOBODY].map((jid) => phone.nameOf(jid));
    expect(names()).toEqual([BOB, CAROL, NOBODY]);
    await vi.waitFor(() => expect(names()).toEqual([`Name of ${BOB}`, `Name of ${CAROL}`, NOBODY]));
    expect(sandbox.users.mock.calls).toEqual([[[BOB, CAROL, NOBODY]]]);
  });

  test("of users who are not here, groups and alerts are not asked for", async () => {
    for (const jid of ["bob@elsewhere", "g@muc.onechat.localhost", "alerts.onechat.localhost"]) phone.nameOf(jid);
    await Promise.resolve();
    expect(sandbox.users).not.toHaveBeenCalled();
  });
});

test("a burst of events costs two looks, not one each", async () => {
  sandbox.threads.mockClear();
  for (let event = 0; event < 100; event++) phone.take({ type: "threads" });
  await vi.waitFor(() => expect(sandbox.threads).toHaveBeenCalledTimes(1));
  await new Promise((resolve) => setTimeout(resolve));
  expect(sandbox.threads.mock.calls.length).toBeLessThanOrEqual(2);
});

test("a look that fails says why, and the next one mends it", async () => {
  sandbox.threads.mockRejectedValueOnce(new Refusal("unreachable", "gone"));
  phone.refresh();
  await vi.waitFor(() => expect(phone.fault?.message).toBe("gone"));
  phone.refresh();
  await vi.waitFor(() => expect(phone.fault).toBeUndefined());
});

test("an invitation that is answered is gone, also if the group can't be entered", async () => {
  const invitation = (group: string) => ({ group, name: group, by: { jid: BOB, name: "Bob" } });
  sandbox.invitations.mockResolvedValueOnce([invitation("a"), invitation("b")]);
  phone.refresh();
  await vi.waitFor(() => expect(phone.invitations).toHaveLength(2));
  await phone.answer(invitation("a"), false);
  expect(sandbox.answer).toHaveBeenLastCalledWith(ALICE, "a", false);
  sandbox.answer.mockRejectedValueOnce(new Refusal("refused", "It is gone."));
  await expect(phone.answer(invitation("b"), true)).rejects.toThrow("It is gone.");
  expect(phone.invitations).toEqual([]);
});
