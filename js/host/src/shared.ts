import type { Api } from "./api.js";
import { EventStream, type Event, type Live } from "./events.js";

/** What the tab that leads tells the others, and what a new tab asks. */
type Told = { event: Event; id: string } | { live: Live } | "who";

/**
 * One stream of events for all tabs of a browser, which opens six connections to a host at most.
 *
 * The tab that holds a lock leads: it has the stream and passes it on. Whichever tab is looked at takes the lead, since
 * browsers slow down the timers of tabs that are hidden. Where locks or channels are blocked, each tab has its own stream.
 */
export class SharedStream {
  #channel: BroadcastChannel | undefined;
  #stream: EventStream | undefined;
  #live: Live = "connecting";
  #lastId = "";
  #stopped = false;
  /** Ends the wait for the lead. */
  #turn = new AbortController();
  /** Whether this tab is to lead at once. */
  #wanted = false;

  /** `name`: of the lock; tabs with another one have nothing in common. */
  constructor(
    private readonly api: Pick<Api, "events">,
    private readonly name: string,
    private readonly onEvent: (event: Event) => void,
    private readonly onLive: (live: Live) => void,
  ) {}

  async run(): Promise<void> {
    try {
      this.#channel = new BroadcastChannel(this.name);
      this.#channel.onmessage = ({ data }) => this.#hear(data as Told);
      this.#tell("who");
      document.addEventListener("visibilitychange", this.#seen);
      await this.#take(isVisible());
    } catch {
      await this.#lead();
    }
  }

  stop(): void {
    document.removeEventListener("visibilitychange", this.#seen);
    this.#stopped = true;
    this.#turn.abort();
    this.#stream?.stop();
    this.#channel?.close();
  }

  #seen = () => {
    if (!isVisible() || this.#stream) return;
    this.#wanted = true;
    this.#turn.abort();
  };

  /** Leads when no other tab does, or at once; waits for the next turn when another tab has taken the lead. */
  async #take(atOnce: boolean): Promise<void> {
    while (!this.#stopped) {
      this.#turn = new AbortController();
      const options = atOnce ? { steal: true } : { signal: this.#turn.signal };
      try {
        return await navigator.locks.request(this.name, options, this.#lead);
      } catch (error) {
        this.#stream?.stop();
        this.#stream = undefined;
        if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
        [atOnce, this.#wanted] = [this.#wanted, false];
      }
    }
  }

  #lead = async (): Promise<void> => {
    const onEvent = (event: Event, id: string) => {
      this.#tell({ event, id });
      this.#hear({ event, id });
    };
    const onLive = (live: Live) => {
      if (live === "connecting" && this.#live === "open") return; // it was another tab's until now
      this.#tell({ live });
      this.#hear({ live });
    };
    this.#stream = new EventStream(this.api, onEvent, onLive, this.#lastId);
    await this.#stream.run();
  };

  #hear(told: Told): void {
    if (told === "who") {
      if (this.#stream) this.#tell({ live: this.#live });
    } else if ("live" in told) {
      this.#live = told.live;
      this.onLive(told.live);
    } else {
      this.#lastId = told.id;
      this.onEvent(told.event);
    }
  }

  #tell(told: Told): void {
    this.#channel?.postMessage(told);
  }
}

const isVisible = () => document.visibilityState === "visible";
