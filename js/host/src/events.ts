import { Restarted, type Api } from "./api.js";
import type { Message } from "./types.js";

export type Event =
  | { type: "message"; jid: string; thread: string; message: Message }
  | { type: "threads" }
  | { type: "read"; jid: string; thread: string }
  | { type: "state" }
  | { type: "session"; jid: string; appId: string | null }
  | { type: "reload" };

/** Whether events flow. `stale`: never again without a new page, since the sandbox's token is another one now. */
export type Live = "connecting" | "open" | "reconnecting" | "stale";

/** Milliseconds before the first new attempt, and at most: a restarted sandbox is up in about a second. */
const FIRST_DELAY = 300;
const LONGEST_DELAY = 5_000;
/** Milliseconds of silence after which a stream counts as dead; the sandbox sends a comment every 15 s. */
const SILENCE = 40_000;

export interface Raw {
  id: string | undefined;
  event: string;
  data: string;
}

/** Takes a server-sent stream in pieces of any size and gives its events (HTML, section 9.2.6). */
export class EventParser {
  #rest = "";
  #id: string | undefined;
  #event = "";
  #data: string[] = [];

  push(chunk: string): Raw[] {
    const text = this.#rest + chunk;
    // A CR at the very end may be the first half of a CRLF: keep it for the next piece.
    const end = text.endsWith("\r") ? text.length - 1 : text.length;
    const lines = text.slice(0, end).split(/\r\n|\n|\r/);
    this.#rest = lines.pop()! + text.slice(end);
    return lines.flatMap((line) => this.#line(line) ?? []);
  }

  #line(line: string): Raw | undefined {
    if (line === "") return this.#flush();
    const colon = line.indexOf(":");
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return undefined;
  }

  #flush(): Raw | undefined {
    const raw = { id: this.#id, event: this.#event || "message", data: this.#data.join("\n") };
    const empty = this.#data.length === 0;
    this.#event = "";
    this.#data = [];
    return empty ? undefined : raw;
  }
}

/**
 * One stream of events, opened again whenever it ends, from after `lastId`.
 *
 * It is read by fetch() since EventSource can't send the token's header.
 */
export class EventStream {
  #stop = new AbortController();

  constructor(
    private readonly api: Pick<Api, "events">,
    private readonly onEvent: (event: Event, id: string) => void,
    private readonly onLive: (live: Live) => void,
    private lastId = "",
  ) {}

  async run(): Promise<void> {
    let delay = FIRST_DELAY;
    this.onLive("connecting");
    while (!this.#stop.signal.aborted) {
      try {
        await this.#read(() => (delay = FIRST_DELAY));
      } catch (error) {
        if (error instanceof Restarted) return this.onLive("stale");
      }
      if (this.#stop.signal.aborted) return;
      this.onLive("reconnecting");
      await this.#pause(delay);
      delay = Math.min(delay * 2, LONGEST_DELAY);
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  #pause(delay: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#stop.signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }

  async #read(onOpen: () => void): Promise<void> {
    const attempt = new AbortController();
    const abort = () => attempt.abort();
    this.#stop.signal.addEventListener("abort", abort);
    let watchdog = setTimeout(abort, SILENCE);
    try {
      const response = await this.api.events(this.lastId, attempt.signal);
      onOpen();
      this.onLive("open");
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      const parser = new EventParser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(abort, SILENCE);
        for (const raw of parser.push(value)) this.#emit(raw);
      }
    } finally {
      clearTimeout(watchdog);
      this.#stop.signal.removeEventListener("abort", abort);
      attempt.abort();
    }
  }

  #emit({ id, event, data }: Raw): void {
    if (id !== undefined) this.lastId = id;
    try {
      this.onEvent({ ...JSON.parse(data), type: event } as Event, this.lastId);
    } catch (error) {
      console.error(`The host page could not handle the event "${event}".`, error);
    }
  }
}
