import Connection from "strophe/connection";
import { LOG_LEVELS, Status as Strophe } from "strophe/constants";
import log from "strophe/log";
import { MemoryStorageBackend } from "strophe/stream-management/storage";
import { bare, domainOf, localOf, uuid } from "./jids.js";
import type { Credentials } from "../model/options.js";
import type { Status, StatusLine } from "../model/status.js";
import { NS, child, x } from "./xml.js";

// It would write to the site's console, passwords in stanzas included.
log.setLogLevel(LOG_LEVELS.FATAL);

/** Milliseconds until an attempt counts as failed: a server that answers does so within a few round trips. */
const CONNECT_MS = 15_000;
/** Milliseconds until an IQ counts as lost. */
const IQ_MS = 20_000;
/** Milliseconds of silence after which the server is asked whether it is there, and those it has to answer. */
const SILENCE_MS = 25_000;
const ANSWER_MS = 8_000;
/** Milliseconds before the second attempt to reconnect; each waits twice as long as the one before, up to a minute. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

/** The server refused an IQ, or it got no answer; `condition` is XMPP's name of the reason. */
export class Refused extends Error {
  override name = "Refused";
  constructor(readonly condition: string) {
    super(`ocwp: the chat server refused: ${condition}.`);
  }
}

/** Whether a request failed because the connection was lost, so that it can work on the next one. */
export const isLost = (error: unknown): boolean =>
  error instanceof Refused && ["not-connected", "timeout"].includes(error.condition);

export interface Hooks {
  /** Every stanza but answers to IQs. */
  stanza(stanza: Element): void;
  /** A session stands: a new one, or the one before, resumed with nothing lost. */
  connected(resumed: boolean): Promise<void>;
  /** The server has confirmed stanzas. */
  acknowledged(): void;
}

interface Waiting {
  resolve(answer: Element): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

/**
 * The connection to the server: made again whenever it is lost, until `stop`.
 *
 * Within the server's time for it the session is resumed (XEP-0198): what was under way in either direction arrives.
 */
export class Link {
  #conn: Connection | undefined;
  #credentials: (() => Promise<Credentials> | Credentials) | undefined;
  #attempt = 0; // callbacks of an earlier connection are none of ours
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #heard = 0;
  #storage = new MemoryStorageBackend(); // not sessionStorage: a duplicated tab would resume the other's session
  #resource = `ocwp.${uuid().slice(0, 8)}`;
  #waiting = new Map<string, Waiting>();
  #live = false;
  #ready = false;

  constructor(
    private readonly service: string,
    private readonly domain: string,
    private readonly status: StatusLine,
    private readonly hooks: Hooks,
  ) {}

  /** Whether stanzas can be sent now. */
  get live(): boolean {
    return this.#live;
  }

  /** Connect, and stay so. Called again: at once, with these credentials. */
  start(credentials: () => Promise<Credentials> | Credentials): void {
    const first = !this.#credentials;
    this.#credentials = credentials;
    this.#failures = 0;
    if (first) {
      addEventListener("online", this.#now);
      addEventListener("offline", this.#cut);
      addEventListener("pagehide", this.#hidden);
      addEventListener("pageshow", this.#shown);
      document.addEventListener("visibilitychange", this.#look);
    }
    void this.#connect();
  }

  /** End the session for good. */
  stop(): void {
    this.#credentials = undefined;
    removeEventListener("online", this.#now);
    removeEventListener("offline", this.#cut);
    removeEventListener("pagehide", this.#hidden);
    removeEventListener("pageshow", this.#shown);
    document.removeEventListener("visibilitychange", this.#look);
    this.#end();
    this.#storage = new MemoryStorageBackend();
    this.#rejectAll();
  }

  send(stanza: Element): void {
    if (this.#live) this.#conn!.send(stanza);
  }

  /** Sends an IQ, resolves with its answer. Rejects with `Refused`. */
  iq(type: "get" | "set", to: string | undefined, payload: Element): Promise<Element> {
    if (!this.#live) return Promise.reject(new Refused("not-connected"));
    const id = uuid();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#answer(id, undefined), IQ_MS);
      this.#waiting.set(id, { resolve, reject, timer });
      this.send(x("iq", { xmlns: NS.client, type, to, id }, payload));
    });
  }

  /** IDs of the sent stanzas that the server has not confirmed. */
  unconfirmed(): Set<string> {
    const sm = this.#conn?.sm;
    if (!sm?.enabled) return new Set();
    return new Set(sm.state.unacked.map(({ stanza }: { stanza: string }) => /\sid="([^"]*)"/.exec(stanza)?.[1] ?? ""));
  }

  async #connect(): Promise<void> {
    const credentials = this.#credentials;
    if (!credentials) return;
    this.#end();
    const attempt = this.#attempt;
    this.status.set("XMPP_CONNECTION_CONNECTING");
    let given: Credentials;
    try {
      given = await credentials();
    } catch (error) {
      console.error("ocwp: credentials() failed.", error);
      if (attempt === this.#attempt) this.#failed("XMPP_CONNECTION_CONNFAIL");
      return;
    }
    if (attempt !== this.#attempt) return;
    const conn = new Connection(this.service, {
      enableStreamManagement: true,
      streamManagement: { storage: this.#storage, maxUnacked: 1 },
    });
    this.#conn = conn;
    conn.xmlInput = () => (this.#heard = Date.now());
    this.#timer = setTimeout(() => this.#failed("XMPP_CONNECTION_CONNFAIL"), CONNECT_MS);
    const user = bare(given.usr.includes("@") ? given.usr : `${given.usr}@${this.domain}`);
    const jid = `${localOf(user)}@${domainOf(user)}/${this.#resource}`;
    conn.connect(jid, given.pw, (status, condition, element) => {
      if (attempt === this.#attempt) this.#changed(conn, status, condition, element);
    });
  }

  #changed(conn: Connection, status: number, condition: string | null, element?: Element): void {
    switch (status) {
      case Strophe.CONNECTED:
        this.#established(conn);
        break;
      case Strophe.AUTHFAIL: {
        const passing = condition === "temporary-auth-failure" || (element && child(element, "temporary-auth-failure"));
        this.#failed(passing ? "XMPP_CONNECTION_CONNFAIL" : "XMPP_CONNECTION_AUTHFAIL");
        break;
      }
      case Strophe.ERROR:
        // A stream error, such as the server's shutdown, ends the connection; anything else is ours.
        if (!condition) this.#failed("XMPP_CONNECTION_ERROR");
        break;
      case Strophe.CONNFAIL:
      case Strophe.CONNTIMEOUT:
      case Strophe.DISCONNECTED:
        this.#lost();
    }
  }

  #established(conn: Connection): void {
    clearTimeout(this.#timer);
    const attempt = this.#attempt;
    const resumed = conn.hasResumed();
    this.#live = true;
    this.#watch = setInterval(this.#look, ANSWER_MS);
    if (!resumed) {
      this.#rejectAll(); // their answers went to the session before
      dropSalvaged(conn);
    }
    // Now, in this very turn: on a resumed stream the missed stanzas follow at once.
    conn.addHandler(this.#stanza, null!, null!, null!, null!, null!);
    this.status.set("XMPP_CONNECTION_CONNECTED");
    if (attempt !== this.#attempt) return;
    this.hooks.connected(resumed).then(
      () => {
        if (attempt !== this.#attempt) return;
        this.#ready = true;
        this.#failures = 0; // not at login: a server that fails after it must not be asked at full speed
        this.status.set("XMPP_CONNECTION_CONNECTED_READY");
      },
      (error: unknown) => {
        if (attempt !== this.#attempt) return;
        console.error("ocwp: the session could not be set up.", error);
        this.#failed("XMPP_CONNECTION_CONNFAIL");
      },
    );
  }

  #stanza = (stanza: Element): boolean => {
    try {
      if (stanza.namespaceURI === NS.sm) {
        queueMicrotask(this.hooks.acknowledged); // once Strophe has counted
      } else if (stanza.localName === "iq" && ["result", "error"].includes(stanza.getAttribute("type") ?? "")) {
        this.#answer(stanza.getAttribute("id") ?? "", stanza);
      } else {
        this.hooks.stanza(stanza);
      }
    } catch (error) {
      console.error("ocwp: a stanza could not be read.", error);
    }
    return true;
  };

  #answer(id: string, answer: Element | undefined): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (answer?.getAttribute("type") === "result") waiting.resolve(answer);
    else waiting.reject(new Refused(answer ? conditionOf(answer) : "timeout"));
  }

  #rejectAll(): void {
    for (const id of [...this.#waiting.keys()]) this.#answer(id, undefined);
  }

  /** A session that never became ready is a failed attempt: sites may log in again when one is disconnected. */
  #lost(): void {
    this.#failed(this.#ready ? "XMPP_CONNECTION_DISCONNECTED" : "XMPP_CONNECTION_CONNFAIL");
  }

  /** This connection is over; unless the credentials are wrong, try another. */
  #failed(status: Status): void {
    this.#drop();
    const attempt = this.#attempt;
    this.status.set(status);
    if (attempt !== this.#attempt) return; // a status callback has logged in anew, or out
    if (!this.#credentials || status === "XMPP_CONNECTION_AUTHFAIL" || status === "XMPP_CONNECTION_ERROR") return;
    const wait = this.#failures ? Math.min(FIRST_WAIT_MS * 2 ** (this.#failures - 1), LONGEST_WAIT_MS) : 0;
    this.#failures++;
    // Spread out: a server that comes back is not met by all its users in one instant.
    this.#timer = setTimeout(() => void this.#connect(), wait * (0.75 + Math.random() / 2));
  }

  /** Give the connection up where it stands; the session can still be resumed. */
  #drop(): void {
    const conn = this.#conn;
    this.#forget();
    conn?._doDisconnect(); // Strophe's public way would end the session, too
  }

  /** Close the session in order, unless another connection is to resume it. */
  #end(): void {
    if (this.#credentials) this.#drop();
    else this.#close();
  }

  #close(): void {
    const [conn, live] = [this.#conn, this.#live];
    this.#forget();
    if (live) conn?.disconnect();
    else conn?._doDisconnect();
  }

  #forget(): void {
    this.#attempt++;
    this.#live = this.#ready = false;
    this.#conn = undefined;
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#timer = this.#watch = undefined;
  }

  #now = (): void => {
    this.#failures = 0;
    if (this.#credentials && !this.#conn && this.status.now !== "XMPP_CONNECTION_AUTHFAIL") void this.#connect();
  };

  /** The page goes: others see at once that the person is offline. */
  #hidden = (): void => {
    this.#close();
    this.#storage = new MemoryStorageBackend();
    this.#rejectAll();
  };

  /** It comes back from the back/forward cache. */
  #shown = (event: PageTransitionEvent): void => {
    if (event.persisted) this.#now();
  };

  #cut = (): void => {
    if (this.#live) this.#lost();
  };

  /** A connection can be dead without a sign of it: after some silence, ask. */
  #look = (): void => {
    if (!document.hidden && !this.#conn) this.#now();
    if (!this.#live || Date.now() - this.#heard < (document.hidden ? SILENCE_MS : SILENCE_MS / 2)) return;
    const attempt = this.#attempt;
    const asked = Date.now();
    this.iq("get", this.domain, x("ping", { xmlns: NS.ping })).catch(() => {}); // any answer will do
    setTimeout(() => {
      if (attempt === this.#attempt && this.#heard < asked) this.#lost();
    }, ANSWER_MS);
  };
}

/**
 * Strophe would send again, blindly, what the lost session left unconfirmed. The server may have it all the same: the
 * client looks into the archive first.
 */
function dropSalvaged(conn: Connection): void {
  if (conn.sm) Object.assign(conn.sm, { _pendingResend: [] });
}

const conditionOf = (stanza: Element): string =>
  child(stanza, "error")?.firstElementChild?.localName ?? "undefined-condition";
