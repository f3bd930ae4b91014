import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Bridge, readLaunch, type Answer } from "../src/bridge.js";
import { ANSWER_SECONDS, SEND_SECONDS } from "../src/limits.js";
import { Refusal, type LaunchData } from "../src/types.js";

/** A task later, whatever the clock of a test says. */
const later = setTimeout;
const soon = () => new Promise<void>((done) => void later(done));

const ORIGIN = "http://alice.onechat.localhost:5000";

const LAUNCH = { v: 1, host: "http://onechat.localhost:8700", sessionId: "s-1" } as LaunchData;

/** A frame's window: it keeps what is posted to it. */
class FrameWindow {
  posted: { data: Record<string, unknown>; targetOrigin: string; port: MessagePort }[] = [];
  postMessage(
    data: Record<string, unknown>,
    { targetOrigin, transfer }: { targetOrigin: string; transfer: MessagePort[] },
  ) {
    this.posted.push({ data, targetOrigin, port: transfer[0]! });
  }
}

let target: EventTarget;
let frame: FrameWindow;
let answer: ReturnType<typeof vi.fn<Answer>>;
let bridge: Bridge;
const ports: MessagePort[] = [];
const strays: string[] = [];

beforeEach(() => {
  target = new EventTarget();
  frame = new FrameWindow();
  answer = vi.fn<Answer>(async () => ["bob@onechat.localhost"]);
  bridge = new Bridge(
    target,
    () => frame,
    ORIGIN,
    LAUNCH,
    answer,
    () => {},
    (origin) => strays.push(origin),
  );
});

afterEach(() => {
  bridge.close();
  for (const port of ports.splice(0)) port.close();
});

function greet(data: unknown, source: unknown = frame, origin = ORIGIN): void {
  target.dispatchEvent(Object.assign(new Event("message"), { source, origin, data }));
}

/** Shakes hands as the shim does; the page's end of the port and what it heard. */
function connect(): { port: MessagePort; heard: Record<string, any>[]; answers: (count: number) => Promise<any[]> } {
  greet({ oc: 1, type: "connect", id: "n-1" });
  const { port } = frame.posted.at(-1)!;
  ports.push(port);
  const heard: Record<string, any>[] = [];
  // The first message is the launch data: a test of its own has it.
  let launched = false;
  port.onmessage = (event) => (launched ? heard.push(event.data) : (launched = true));
  const answers = async (count: number) => {
    await vi.waitFor(() => expect(heard).toHaveLength(count));
    return heard;
  };
  return { port, heard, answers };
}

describe("the handshake", () => {
  test("is answered to the frame's window and origin, with its id and one port", () => {
    greet({ oc: 1, type: "connect", id: "n-1" });
    const [reply] = frame.posted;
    expect(reply!.data).toEqual({ oc: 1, type: "port", id: "n-1" });
    expect(reply!.targetOrigin).toBe(ORIGIN);
    expect(reply!.port).toBeInstanceOf(MessagePort);
    expect(bridge.connected).toBe(true);
    ports.push(reply!.port);
  });

  test.each([
    ["another window", { oc: 1, type: "connect", id: "x" }, new FrameWindow(), ORIGIN],
    ["no window", { oc: 1, type: "connect", id: "x" }, null, ORIGIN],
    ["another origin", { oc: 1, type: "connect", id: "x" }, undefined, "http://host.evil"],
    ["an opaque origin", { oc: 1, type: "connect", id: "x" }, undefined, "null"],
    ["another language", { type: "connect", id: "x" }, undefined, ORIGIN],
    ["another type", { oc: 1, type: "port", id: "x" }, undefined, ORIGIN],
    ["no id", { oc: 1, type: "connect" }, undefined, ORIGIN],
    ["an id that is no text", { oc: 1, type: "connect", id: {} }, undefined, ORIGIN],
    ["an endless id", { oc: 1, type: "connect", id: "x".repeat(129) }, undefined, ORIGIN],
    ["text", "connect", undefined, ORIGIN],
    ["nothing", null, undefined, ORIGIN],
  ])("from %s is ignored", (_, data, source, origin) => {
    greet(data, source === undefined ? frame : source, origin);
    expect(frame.posted).toEqual([]);
    expect(bridge.connected).toBe(false);
  });

  test("a second one replaces the port and drops what waited at the first", async () => {
    let signal: AbortSignal | undefined;
    answer.mockImplementationOnce((_, given) => {
      signal = given;
      return new Promise(() => {});
    });
    const first = connect();
    first.port.postMessage({ id: 1, call: "user.selectContacts", args: {} });
    await vi.waitFor(() => expect(signal).toBeDefined());
    const second = connect();
    expect(signal!.aborted).toBe(true);
    second.port.postMessage({ id: 1, call: "user.selectContacts", args: {} });
    expect(await second.answers(1)).toEqual([{ id: 1, ok: true, value: ["bob@onechat.localhost"] }]);
    expect(first.heard).toEqual([]);
  });

  test("after close() nothing is answered", () => {
    bridge.close();
    greet({ oc: 1, type: "connect", id: "n-1" });
    expect(frame.posted).toEqual([]);
  });
});

/** The first message at the port of a page that connects now. */
function firstMessage(): Promise<unknown> {
  greet({ oc: 1, type: "connect", id: "n-1" });
  const { port } = frame.posted.at(-1)!;
  ports.push(port);
  return new Promise((resolve) => (port.onmessage = (event) => resolve(event.data)));
}

describe("launch data", () => {
  test("go over the port before anything else", async () => {
    const first = firstMessage();
    bridge.tell({ event: "reload" });
    expect(await first).toEqual({ event: "launch", data: LAUNCH });
  });

  test("are those of the latest session for a page that connects again", async () => {
    connect();
    const data = { ...LAUNCH, sessionId: "s-2" };
    bridge.tell({ event: "launch", data });
    expect(await firstMessage()).toEqual({ event: "launch", data });
  });
});

describe("a frame that left its app's origin", () => {
  test.each([["http://evil.example"], ["null"]])("is told by any message from %s", (origin) => {
    strays.length = 0;
    greet("hello", frame, origin);
    expect(strays).toEqual([origin]);
    expect(frame.posted).toEqual([]);
  });

  test("is not another frame", () => {
    strays.length = 0;
    greet({ oc: 1, type: "connect", id: "x" }, new FrameWindow(), "http://evil.example");
    expect(strays).toEqual([]);
  });
});

describe("calls", () => {
  test("are checked and answered with their id", async () => {
    const { port, answers } = connect();
    port.postMessage({ id: 7, call: "user.selectContacts", args: { maxNumberOfSelection: 2 } });
    expect(await answers(1)).toEqual([{ id: 7, ok: true, value: ["bob@onechat.localhost"] }]);
    expect(answer.mock.calls[0]![0]).toEqual({ call: "user.selectContacts", max: 2 });
  });

  test("are done one after the other", async () => {
    const order: string[] = [];
    const finish: (() => void)[] = [];
    answer.mockImplementation((call) => {
      order.push(`start ${(call as { max: number }).max}`);
      return new Promise((resolve) => finish.push(() => resolve(null)));
    });
    const { port, answers } = connect();
    port.postMessage({ id: 1, call: "user.selectContacts", args: { maxNumberOfSelection: 1 } });
    port.postMessage({ id: 2, call: "user.selectContacts", args: { maxNumberOfSelection: 2 } });
    await vi.waitFor(() => expect(finish).toHaveLength(1));
    finish[0]!();
    await vi.waitFor(() => expect(finish).toHaveLength(2));
    finish[1]!();
    expect((await answers(2)).map(({ id }) => id)).toEqual([1, 2]);
    expect(order).toEqual(["start 1", "start 2"]);
  });

  test("that fail carry code, message and hint, and hold up none after them", async () => {
    answer.mockRejectedValueOnce(new Refusal("cancelled", "Closed.", "Nothing was sent."));
    const { port, answers } = connect();
    port.postMessage({ id: 1, call: "user.selectContacts" });
    port.postMessage({ id: 2, call: "user.selectContacts" });
    const [first, second] = await answers(2);
    expect(first).toEqual({
      id: 1,
      ok: false,
      error: { code: "cancelled", message: "Closed.", hint: "Nothing was sent." },
    });
    expect(second).toMatchObject({ id: 2, ok: true });
  });

  test("that are unknown get bad_argument", async () => {
    const { port, answers } = connect();
    port.postMessage({ id: 1, call: "user.deleteEverything" });
    port.postMessage({ id: 2 });
    const heard = await answers(2);
    expect(heard.map(({ error }) => error.code)).toEqual(["bad_argument", "bad_argument"]);
    expect(answer).not.toHaveBeenCalled();
  });

  test("without a number to answer to are ignored", async () => {
    const { port, heard, answers } = connect();
    for (const junk of [null, 1, "x", [], {}, { id: "1", call: "user.selectContacts" }, { id: NaN }])
      port.postMessage(junk);
    port.postMessage({ id: 1, call: "user.selectContacts" });
    await answers(1);
    expect(heard).toHaveLength(1);
    expect(answer).toHaveBeenCalledTimes(1);
  });

  test("beyond 32 that wait are refused", async () => {
    answer.mockImplementation(() => new Promise(() => {}));
    const { port, answers } = connect();
    for (let id = 1; id <= 33; id++) port.postMessage({ id, call: "user.selectContacts" });
    expect(await answers(1)).toMatchObject([{ id: 33, ok: false, error: { code: "refused" } }]);
  });
});

describe("a call ends", () => {
  const call = { id: 1, call: "message.single.relay", args: { recipient: ["bob@d"], textMessage: "hi" } };
  /** Answers when the test says so; tells what the bridge gave it. */
  const given: { signal: AbortSignal; commit: () => boolean; finish: (value: unknown) => void }[] = [];

  beforeEach(() => {
    given.length = 0;
    answer.mockImplementation((_, signal, commit) => new Promise((finish) => given.push({ signal, commit, finish })));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => vi.useRealTimers());

  const asked = async (count: number) => {
    while (given.length < count) await soon();
    return given[count - 1]!;
  };
  const heard = async (answers: any[], count: number) => {
    while (answers.length < count) await soon();
    return answers;
  };

  test("with its time, before the page's own time is up", async () => {
    const page = connect();
    page.port.postMessage(call);
    const { signal, commit } = await asked(1);
    vi.advanceTimersByTime(ANSWER_SECONDS * 1000);
    expect(await heard(page.heard, 1)).toMatchObject([{ id: 1, ok: false, error: { code: "timeout" } }]);
    expect(signal.aborted).toBe(true);
    expect(commit()).toBe(false);
  });

  test("with its time while it waits for its turn", async () => {
    const page = connect();
    page.port.postMessage(call);
    page.port.postMessage({ ...call, id: 2 });
    const { finish } = await asked(1);
    vi.advanceTimersByTime(ANSWER_SECONDS * 1000);
    expect((await heard(page.heard, 2)).map(({ error }) => error.code)).toEqual(["timeout", "timeout"]);
    finish(null);
    page.port.postMessage({ ...call, id: 3 });
    await asked(2);
    expect(given).toHaveLength(2);
  });

  test("with its time though its timer is late", async () => {
    const page = connect();
    page.port.postMessage(call);
    const { commit } = await asked(1);
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + ANSWER_SECONDS * 1000);
    expect(commit()).toBe(false);
    expect(await heard(page.heard, 1)).toMatchObject([{ error: { code: "timeout" } }]);
    vi.restoreAllMocks();
  });

  test("truthfully if it is being done when its time is up", async () => {
    const page = connect();
    page.port.postMessage(call);
    const { signal, commit, finish } = await asked(1);
    vi.advanceTimersByTime(ANSWER_SECONDS * 1000 - 1);
    expect(commit()).toBe(true);
    vi.advanceTimersByTime(SEND_SECONDS * 1000);
    bridge.cancel();
    expect(signal.aborted).toBe(false);
    finish(null);
    expect(await heard(page.heard, 1)).toEqual([{ id: 1, ok: true, value: null }]);
  });

  test("when the person leaves, and so do those behind it", async () => {
    answer.mockImplementation(
      (_, signal) =>
        new Promise((_, reject) => {
          const cancelled = () => reject(new Refusal("cancelled", "Left."));
          if (signal.aborted) cancelled();
          else signal.addEventListener("abort", cancelled);
        }),
    );
    const page = connect();
    for (const id of [1, 2, 3]) page.port.postMessage({ ...call, id });
    while (answer.mock.calls.length < 1) await soon();
    await soon();
    bridge.cancel();
    expect((await heard(page.heard, 3)).map(({ error }) => error.code)).toEqual(Array(3).fill("cancelled"));
  });

  test.each([
    ["connects again", () => greet({ oc: 1, type: "connect", id: "n-2" })],
    ["was dropped", () => bridge.drop()],
    ["was closed", () => bridge.close()],
  ])("with its page, which %s: nothing is sent any more", async (_, leave) => {
    const page = connect();
    page.port.postMessage(call);
    const { signal, commit } = await asked(1);
    leave();
    expect(signal.aborted).toBe(true);
    expect(commit()).toBe(false);
    expect(page.heard).toEqual([]);
  });
});

test("a page that was dropped is told nothing, and may connect again", () => {
  connect();
  bridge.drop();
  expect(bridge.tell({ event: "reload" })).toBe(false);
  connect();
  expect(bridge.connected).toBe(true);
});

test("events reach the connected page and none other", async () => {
  expect(bridge.tell({ event: "reload" })).toBe(false);
  const { answers } = connect();
  expect(bridge.tell({ event: "reload" })).toBe(true);
  expect(await answers(1)).toEqual([{ event: "reload" }]);
});

test("launch data is read from a URL's fragment, whatever letters it has", () => {
  const data = { v: 1, vCard: { jid: "zoë@onechat.localhost", userName: "Zoë 雪 🌊?>" } };
  const bytes = String.fromCharCode(...new TextEncoder().encode(JSON.stringify(data)));
  const encoded = btoa(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  expect(readLaunch(`http://zoe.onechat.localhost:5000/#oc=${encoded}`)).toEqual(data);
});
