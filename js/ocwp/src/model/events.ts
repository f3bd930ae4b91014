import type { Events } from "../../ocwp.d.ts";

type Handlers = { [Name in keyof Events]?: Set<(detail: Events[Name]) => void> };

/** What the page's handlers are told. */
export class Announcer {
  #handlers: Handlers = {};

  /** Calls `handler` at each event of that name, until the returned function is called. */
  on<Name extends keyof Events>(name: Name, handler: (detail: Events[Name]) => void): () => void {
    if (!EVENTS.includes(name)) throw new TypeError(`ocwp.on: there is no event "${name}", only ${EVENTS.join(", ")}.`);
    if (typeof handler !== "function") throw new TypeError("ocwp.on needs a function.");
    const handlers: Set<(detail: Events[Name]) => void> = (this.#handlers[name] ??= new Set() as never);
    handlers.add(handler);
    return () => void handlers.delete(handler);
  }

  tell<Name extends keyof Events>(name: Name, detail: Events[Name]): void {
    for (const handler of [...(this.#handlers[name] ?? [])]) {
      try {
        handler(detail);
      } catch (error) {
        console.error(`ocwp: a handler of "${name}" failed.`, error);
      }
    }
  }
}

const EVENTS: (keyof Events)[] = ["message", "unread", "open", "close", "status", "error"];
