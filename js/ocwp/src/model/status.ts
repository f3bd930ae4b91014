import type { ConnectionStatus as Status } from "../../ocwp.d.ts";

export type { Status };
export type StatusCallback = (status: Status) => void;

/** The current status and those who want to know of changes. */
export class StatusLine {
  #now: Status = "XMPP_CONNECTION_IDLE";
  #callbacks = new Set<StatusCallback>();
  #own = new Set<StatusCallback>(); // the plugin's, which a page can't unsubscribe

  get now(): Status {
    return this.#now;
  }

  /** Tells every subscriber, if the status is another than before. */
  set(status: Status): void {
    if (status === this.#now) return;
    this.#now = status;
    for (const callback of [...this.#own]) callback(status);
    for (const callback of [...this.#callbacks]) {
      // A callback may have set a newer status, by a login or logout: then the rest hear of that one alone.
      if (this.#now !== status) return;
      try {
        callback(status);
      } catch (error) {
        console.error("ocwp: a connection status callback failed.", error);
      }
    }
  }

  subscribe(callback: StatusCallback): void {
    if (typeof callback !== "function") throw new TypeError("ocwp.subscribeConnectionStatus needs a function.");
    this.#callbacks.add(callback);
  }

  /** Drops one subscription, or all of them. */
  unsubscribe(callback?: StatusCallback): void {
    if (callback) this.#callbacks.delete(callback);
    else this.#callbacks.clear();
  }

  subscribeInternally(callback: StatusCallback): void {
    this.#own.add(callback);
  }

  unsubscribeInternally(callback: StatusCallback): void {
    this.#own.delete(callback);
  }
}
