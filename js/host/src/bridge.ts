import { checkCall, type Call } from "./calls.js";
import { ANSWER_SECONDS } from "./limits.js";
import { Refusal, isObject, type LaunchData } from "./types.js";

/** Calls that may wait for the person at once: more than any page means to make. */
const QUEUE_MAX = 32;
/** Length of a handshake's `id`, at most: a random one needs far less. */
const ID_MAX = 128;

/**
 * Does what a checked call asks for. `signal` is aborted when the call ends before it is answered: its time is up (the
 * reason is a `Refusal`), the person left, or the page went away. `commit` must be called before something irrevocable is done. It is false if the
 * call has ended; after it nothing ends the call but its answer.
 */
export type Answer = (call: Call, signal: AbortSignal, commit: () => boolean) => Promise<unknown>;

/** Ends a call before its answer, with what the page is told or as a cancel. */
type End = (refusal?: Refusal) => void;

export type PageEvent = { event: "launch"; data: LaunchData } | { event: "reload" } | { event: "ping" };

/**
 * The host page's end of the bridge to one mini app's frame; docs/protocol.md has the language.
 *
 * It listens to `target` (the window), answers only to the window that `frame` gives and only while that is at
 * `origin`, and says nothing to others. A page that connects gets a port, and `launch` over it before anything else.
 * Calls are done one after the other. When the page connects again (after a reload) or `close` is called, those still
 * waiting are dropped. `onConnect` is called when a page connects, and when it answers a ping. `onStray` hears the
 * origin of a frame that has gone elsewhere.
 */
export class Bridge {
  #port: MessagePort | undefined;
  #dropped = new AbortController();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #open = new Set<End>();

  constructor(
    private readonly target: EventTarget,
    private readonly frame: () => unknown,
    private readonly origin: string,
    public launch: LaunchData,
    private readonly answer: Answer,
    private readonly onConnect: () => void = () => {},
    private readonly onStray: (origin: string) => void = () => {},
  ) {
    target.addEventListener("message", this.#greet);
  }

  get connected(): boolean {
    return this.#port !== undefined;
  }

  /** Posts `event` to the page; false if no page is connected. */
  tell(event: PageEvent): boolean {
    if (event.event === "launch") this.launch = event.data;
    this.#port?.postMessage(event);
    return this.connected;
  }

  close(): void {
    this.target.removeEventListener("message", this.#greet);
    this.drop();
  }

  /** Ends the calls that wait, as if the person had cancelled each. What is being sent is sent. */
  cancel(): void {
    for (const end of [...this.#open]) end();
  }

  /** Forgets the page that connected, and its calls: it is not there any more. */
  drop(): void {
    this.#dropped.abort();
    this.cancel();
    this.#dropped = new AbortController();
    this.#port?.close();
    this.#port = undefined;
    this.#last = Promise.resolve();
    this.#waiting = 0;
  }

  #greet = (event: Event): void => {
    const { source, origin, data } = event as MessageEvent;
    if (!source || source !== this.frame()) return;
    if (origin !== this.origin) return this.onStray(origin);
    if (!isObject(data) || data["oc"] !== 1 || data["type"] !== "connect") return;
    const id = data["id"];
    if (typeof id !== "string" || id === "" || id.length > ID_MAX) return;
    this.drop();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = (message) => this.#hear(port1, message.data);
    // Chromium tells when the page is gone; elsewhere its successor's load does.
    port1.addEventListener("close", () => port1 === this.#port && this.drop());
    (source as Window).postMessage({ oc: 1, type: "port", id }, { targetOrigin: origin, transfer: [port2] });
    port1.postMessage({ event: "launch", data: this.launch });
    this.onConnect();
  };

  #hear(port: MessagePort, data: unknown): void {
    if (isObject(data) && data["event"] === "pong" && port === this.#port) return this.onConnect();
    // Without a number there is nothing that an answer could be matched with.
    if (!isObject(data) || typeof data["id"] !== "number" || !Number.isFinite(data["id"])) return;
    const id = data["id"];
    const dropped = this.#dropped.signal;
    let answered = false;
    const post = (answer: object) => {
      if (!answered && !dropped.aborted) port.postMessage({ id, ...answer });
      answered = true;
    };
    let call: Call;
    try {
      call = checkCall(data["call"], data["args"]);
      if (this.#waiting >= QUEUE_MAX) throw new Refusal("refused", "Too many calls are waiting.", "Wait for answers.");
    } catch (error) {
      post(failure(error));
      return;
    }
    const ended = new AbortController();
    const close = () => {
      clearTimeout(timer);
      return this.#open.delete(end);
    };
    const end: End = (refusal) => {
      close();
      if (refusal) post(failure(refusal));
      ended.abort(refusal);
    };
    const expires = performance.now() + ANSWER_SECONDS * 1000;
    const timer = setTimeout(() => end(expired()), ANSWER_SECONDS * 1000);
    const commit = () => {
      // A timer may be late, in a tab that was put to sleep.
      if (performance.now() >= expires && this.#open.has(end)) end(expired());
      return close();
    };
    this.#open.add(end);
    this.#waiting += 1;
    this.#last = this.#last.then(async () => {
      if (dropped.aborted) return;
      try {
        const value = answered ? undefined : await this.answer(call, ended.signal, commit);
        post({ ok: true, value });
      } catch (error) {
        post(failure(error));
      }
      close();
      if (!dropped.aborted) this.#waiting -= 1;
    });
  }
}

const expired = () => new Refusal("timeout", "The person did not answer in time.", "Nothing was sent. Ask again.");

function failure(error: unknown): object {
  if (error instanceof Refusal) {
    return { ok: false, error: { code: error.code, message: error.message, hint: error.hint } };
  }
  console.error(error);
  const message = "The host page failed at this call.";
  return { ok: false, error: { code: "refused", message, hint: "The browser's console has the reason." } };
}

/** The launch data in the fragment of `url`, as docs/protocol.md writes it. */
export function readLaunch(url: string): LaunchData {
  const data = new URL(url).hash.replace(/^#oc=/, "").replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as LaunchData;
}
