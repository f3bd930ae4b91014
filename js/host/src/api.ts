import {
  Refusal,
  type DeviceInfo,
  type Group,
  type Invitation,
  type Launch,
  type Message,
  type Relay,
  type State,
  type Thread,
  type User,
} from "./types.js";
import { SEND_SECONDS } from "./limits.js";

const UNSURE = "It may have been done: look before you try again.";

/** How many messages are asked for at once: some three screens of a phone. */
export const PAGE = 50;
/** How many users one request names, at most: as many as the sandbox answers. */
const NAMED_MAX = 200;

/** The host page's own calls, `/phones/*` of docs/protocol.md. Every failure is a `Refusal`. */
export class Api {
  constructor(
    private readonly token: string,
    private readonly fetcher: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  /** Tells the runs of the sandbox apart. */
  get run(): string {
    return this.token;
  }

  /** What the page begins with; `users` (local parts or JIDs) are among its users wherever they stand in the order. */
  state = (users: readonly string[]): Promise<State> => this.#call("GET", `state?${named("user", users)}`);

  /** Those of `jids` that are users. */
  async users(jids: readonly string[]): Promise<User[]> {
    const found: User[] = [];
    for (let at = 0; at < jids.length; at += NAMED_MAX) {
      const some: User[] = await this.#call("GET", `users?${named("jid", jids.slice(at, at + NAMED_MAX))}`);
      found.push(...some);
    }
    return found;
  }

  threads = (jid: string): Promise<Thread[]> => this.#call("GET", path(jid, "threads"));

  /** The first `limit` contacts by name, of those that `search` finds. */
  contacts = (jid: string, search: string, limit: number): Promise<User[]> =>
    this.#call("GET", `${path(jid, "contacts")}?${new URLSearchParams({ search, limit: String(limit) })}`);

  groups = (jid: string): Promise<Group[]> => this.#call("GET", path(jid, "groups"));

  invitations = (jid: string): Promise<Invitation[]> => this.#call("GET", path(jid, "invitations"));

  answer = (jid: string, group: string, accept: boolean): Promise<void> =>
    this.#call("POST", path(jid, "invitations"), { group, accept });

  messages(jid: string, thread: string, before?: number): Promise<Message[]> {
    const query = new URLSearchParams({ thread, limit: String(PAGE) });
    if (before !== undefined) query.set("before", String(before));
    return this.#call("GET", `${path(jid, "messages")}?${query}`);
  }

  send = (jid: string, thread: string, text: string): Promise<Message> =>
    this.#call("POST", path(jid, "messages"), { thread, text });

  read = (jid: string, thread: string): Promise<void> => this.#call("POST", path(jid, "read"), { thread });

  /** `phone`: which of the user's phones on this page it is, from 1. */
  launch = (jid: string, appId: string, device: DeviceInfo, phone: number): Promise<Launch> =>
    this.#call("POST", path(jid, "launch"), { appId, device, phone });

  /** `relay` with its JIDs as the sandbox writes them. Fails as `relay` would, and sends nothing. */
  async checkRelay(jid: string, { kind, ...body }: Relay): Promise<Relay> {
    const signal = AbortSignal.timeout(SEND_SECONDS * 1000);
    const checked = await this.#call<object>("POST", path(jid, "relay/check"), body, signal);
    return { kind, ...checked, textMessage: body.textMessage } as Relay;
  }

  /** Sends `relay` as the user; the value is the bridge call's: null, or the group's JID. */
  async relay(jid: string, { kind: _, ...body }: Relay): Promise<string | null> {
    const signal = AbortSignal.timeout(SEND_SECONDS * 1000);
    return (await this.#call<{ value: string | null }>("POST", path(jid, "relay"), body, signal)).value;
  }

  /** The open stream of events, from after `lastId` where the sandbox still has them. */
  async events(lastId: string, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (lastId) headers["Last-Event-ID"] = lastId;
    return this.#request("GET", "events", headers, { signal, cache: "no-store" });
  }

  async #call<T>(method: string, where: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const init: RequestInit = body === undefined ? {} : { body: JSON.stringify(body) };
    if (signal) init.signal = signal;
    const headers: Record<string, string> = body === undefined ? {} : { "Content-Type": "application/json" };
    const response = await this.#request(method, where, headers, init);
    if (response.status === 204) return undefined as T;
    try {
      return (await response.json()) as T;
    } catch {
      throw new Refusal("unreachable", "The sandbox's answer was cut off.", method === "GET" ? "Try again." : UNSURE);
    }
  }

  async #request(method: string, where: string, headers: Record<string, string>, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await this.fetcher(`/phones/${where}`, {
        ...init,
        method,
        headers: { ...headers, "X-Sandbox-Token": this.token },
      });
    } catch {
      const hint = init.signal?.aborted ? UNSURE : "See whether it is still running.";
      throw new Refusal("unreachable", "The sandbox doesn't answer.", hint);
    }
    if (response.ok) return response;
    throw await refusal(response);
  }
}

/** The token is another one after each start of the sandbox: only a new page has it. */
export class Restarted extends Refusal {
  constructor() {
    super("refused", "The sandbox was started again.", "Reload this page.");
  }
}

async function refusal(response: Response): Promise<Refusal> {
  if (response.status === 401) return new Restarted();
  const told = await response.json().catch(() => null);
  const { message, hint } = (told?.error ?? {}) as { message?: unknown; hint?: unknown };
  const code = response.status >= 500 ? "unreachable" : "refused";
  return new Refusal(
    code,
    typeof message === "string" ? message : `The sandbox answered ${response.status}.`,
    typeof hint === "string" ? hint : "",
  );
}

const named = (name: string, values: readonly string[]) => new URLSearchParams(values.map((value) => [name, value]));

const path = (jid: string, call: string) => `${encodeURIComponent(jid)}/${call}`;
