import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";
import { Bridge, readLaunch } from "./bridge.js";
import type { Call } from "./calls.js";
import * as icons from "./icons.js";
import { keyboard } from "./keyboard.js";
import { asRefusal, type PhoneModel } from "./model.js";
import "./oc-permit.js";
import "./oc-picker.js";
import "./oc-share.js";
import type { Capability, Permit } from "./permissions.js";
import { plainName } from "./reveal.js";
import { Questions, type Asked } from "./sheets.js";
import { takeStray } from "./stray.js";
import { base } from "./styles.js";
import { siteOf, webAddress } from "./text.js";
import { Refusal, type App, type DeviceInfo, type Launch, type Relay } from "./types.js";

/** Milliseconds for a connected page to begin its reload; a page that is broken just now never does. */
const RELOAD_PATIENCE = 1_500;
/** Milliseconds from a page's load until it must have connected; the shim does so while the page loads. */
const CONNECT_PATIENCE = 2_000;
/** Milliseconds for a page that is there to answer a ping; a message takes a few. */
const ANSWER_PATIENCE = 500;
/** Cancels in a row after which an app may ask nothing for a while. */
const CANCELS_MAX = 3;
/** Milliseconds without a key after which a frame that took the keyboard is shown again. */
const PAUSE = 1_500;
/** Milliseconds for a frame to finish the key that it got before it is removed: else Playwright waits for that key. */
const LAST_KEY = 20;
/** Thefts of the keyboard after which it is shown only if the person says so. */
const THEFTS_MAX = 3;
/** Milliseconds of that while: time to see what goes on and to leave. */
const QUIET = 60_000;

// Scripts, storage and cookies as in a container's web view; its windows, for payments and logins, are ordinary ones.
// Never the top of the page: no allow-top-navigation.
const SANDBOX =
  "allow-scripts allow-forms allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-downloads allow-modals";

/**
 * One running mini app: title bar, frame, and the bridge between them and the phone.
 *
 * @fires {CustomEvent<undefined>} back - Leave the app running.
 * @fires {CustomEvent<undefined>} close - End the app.
 * @fires {CustomEvent<string>} notice - A text for the person.
 * @fires {CustomEvent<Permit>} permit - The app may use these capabilities.
 */
@customElement("oc-app")
export class RunningApp extends LitElement {
  @property({ attribute: false }) phone!: PhoneModel;
  @property({ attribute: false }) app!: App;
  @property({ attribute: false }) device!: DeviceInfo;
  /** Which of the user's phones this is, from 1: each has cookies and storage of its own. */
  @property({ type: Number }) number = 1;
  /** What the person allowed this app. A frame has it from its start on: after a change, `start()`. */
  @property({ attribute: false }) allowed: readonly Capability[] = [];
  /** Whether the person sees the app. Its questions wait until then. */
  @property({ type: Boolean }) front = false;
  @state() private launched: Launch | undefined;
  @state() private loading = true;
  @state() private fault: Refusal | undefined;
  @state() private ended = false;
  @state() private renewing = false;
  /** The page that is there has no bridge: the app is down, shows an error, or leaves the shim out. */
  @state() private alone = false;
  /** The origin of the page that is there, if it is not the app's. */
  @state() private stray: string | undefined;
  /** The person cancelled again and again: the app's questions are refused. */
  @state() private quiet = false;
  /** The frame took the keyboard: it is not drawn, so that its fields can't have the focus. */
  @state() private barred = false;
  #thefts = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #stopping: ReturnType<typeof setTimeout> | undefined;
  /** What the page that is there has asked for. */
  #wanted = new Set<Capability>();
  #questions = new Questions(() => this.requestUpdate());
  #cancels = 0;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #bridge: Bridge | undefined;
  #launches = 0;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #wait: ReturnType<typeof setTimeout> | undefined;
  #loadedAt = 0;
  #connectedAt = 0;
  #strayTold = false;

  static override styles = [
    base,
    css`
      :host {
        display: flex;
        flex-direction: column;
        background: var(--surface);
      }
      header {
        display: flex;
        align-items: center;
        height: 48px;
        padding: 0 2px;
        border-bottom: 1px solid var(--line);
        flex: none;
      }
      .title {
        flex: 1;
        min-width: 0;
        text-align: center;
        padding-left: 44px; /* as wide as the one button more on the right: the title stays in the middle */
      }
      h2 {
        font-size: 15.5px;
        line-height: 1.25;
      }
      .site {
        direction: rtl; /* cut at its start: the end of a host says whose it is */
        font-size: 12px;
        line-height: 1.25;
        color: var(--ink-2);
      }
      .frame {
        position: relative;
        flex: 1;
        min-height: 0;
        display: flex;
        flex-direction: column;
      }
      iframe {
        flex: 1;
        width: 100%;
        min-height: 0;
        border: 0;
        display: block;
        /* The phone's theme: in Chromium it becomes prefers-color-scheme inside the frame, whatever its origin. */
        color-scheme: inherit;
      }
      .wait {
        position: absolute;
        inset: 0;
        display: grid;
        place-content: center;
        justify-items: center;
        gap: 16px;
        background: var(--surface);
        color: var(--ink-2);
      }
      .wait oc-avatar {
        --size: 64px;
        animation: breathe 1.2s ease-in-out infinite alternate;
      }
      @keyframes breathe {
        to {
          opacity: 0.45;
        }
      }
      .ended {
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 8px 8px 8px 16px;
        background: var(--alert);
        color: var(--alert-ink);
        border-bottom: 1px solid var(--alert-edge);
        font-size: 14px;
      }
      .stray {
        font-weight: 600;
        color: var(--fault);
      }
      .alone {
        padding: 8px 16px;
        background: var(--sunken);
        border-bottom: 1px solid var(--line);
        font-size: 13.5px;
        color: var(--ink-2);
      }
      .ended p {
        flex: 1;
        overflow-wrap: anywhere;
      }
      .ended .button {
        padding: 0 12px;
        white-space: nowrap;
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    this.phone.onSession = (appId) => (this.ended ||= appId === null || appId === this.app.appId);
    this.phone.onReload = () => this.reload();
    void this.start();
  }

  override willUpdate(): void {
    const launch = this.#bridge?.launch;
    // The frame has another size now, and the page is told so.
    if (launch && !isSame(launch.device, this.device)) {
      this.#bridge!.tell({ event: "launch", data: { ...launch, device: this.device } });
    }
  }

  override firstUpdated(): void {
    // Not at the page's start, where nobody has opened the app.
    if (navigator.userActivation?.hasBeenActive === false) return;
    this.renderRoot.querySelector<HTMLElement>("header button")?.focus({ preventScroll: true });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.phone.onSession = this.phone.onReload = () => {};
    clearTimeout(this.#patience);
    clearTimeout(this.#wait);
    clearTimeout(this.#quiet);
    clearTimeout(this.#pause);
    clearTimeout(this.#stopping);
    this.#bridge?.close();
  }

  override render() {
    const { app } = this;
    const asked = this.front ? this.#questions.current : undefined;
    return html`
      <header>
        <button class="icon" aria-label="Back to OneChat" data-testid="app-back" @click=${this.#back}>
          ${icons.back}
        </button>
        <div class="title">
          <h2 class="ellipsis ${this.stray ? "stray" : ""}" data-testid="app-title">
            ${this.stray ?? plainName(app.name)}
          </h2>
          ${
            this.stray
              ? nothing
              : html`<p class="site ellipsis" data-testid="app-site"><bdi dir="ltr">${siteOf(app.url)}</bdi></p>`
          }
        </div>
        <button class="icon" aria-label="Reload" data-testid="app-reload" @click=${() => this.reload()}>
          ${icons.reload}
        </button>
        <button class="icon" aria-label="Close ${app.name}" data-testid="app-close" @click=${() => this.#fire("close")}>
          ${icons.close}
        </button>
      </header>
      ${
        this.ended
          ? html`<div class="ended" role="alert" data-testid="session-ended">
            <p>This session has ended.</p>
            <button class="button" data-testid="new-session" ?disabled=${this.renewing} @click=${() => this.renew()}>
              New session
            </button>
          </div>`
          : nothing
      }
      ${this.stray ? this.#strayed(this.stray) : this.alone ? this.#unconnected() : nothing}
      ${
        this.quiet
          ? html`<div class="ended" role="status" data-testid="asking-stopped">
            <p>You cancelled ${CANCELS_MAX} times. ${plainName(app.name)} can ask nothing for a minute.</p>
            <button class="button" data-testid="allow-asking" @click=${() => this.#setQuiet(false)}>Let it ask</button>
          </div>`
          : nothing
      }
      <div class="frame">
        ${this.fault ? this.#failed(this.fault) : this.#frame(asked !== undefined)}
        ${asked ? keyed(asked, this.#sheet(asked)) : nothing}
      </div>
    `;
  }

  #sheet({ question, answer }: Asked) {
    const answered = (event: CustomEvent) => answer(event.detail);
    if (question.kind === "pick") {
      return html`<oc-picker
        heading=${question.title}
        done=${question.done}
        .app=${this.app}
        .max=${question.max}
        .find=${this.phone.contacts}
        @answer=${answered}
      ></oc-picker>`;
    }
    if (question.kind === "permit") {
      return html`<oc-permit .app=${this.app} .capabilities=${question.capabilities} @answer=${answered}></oc-permit>`;
    }
    if (question.kind !== "share") return nothing;
    return html`<oc-share
      .phone=${this.phone}
      .app=${this.app}
      .relay=${question.relay}
      .send=${question.send}
      @answer=${answered}
    ></oc-share>`;
  }

  #frame(covered: boolean) {
    const { app, launched, loading } = this;
    // A new element for each launch: another fragment alone would not load the page again.
    const frame = keyed(
      launched,
      html`<iframe
        title=${app.name}
        src=${launched?.url ?? "about:blank"}
        sandbox=${SANDBOX}
        allow=${["clipboard-write", ...this.allowed].join("; ")}
        referrerpolicy="no-referrer"
        data-testid="app-frame"
        ?inert=${covered}
        ?hidden=${this.barred}
        @keyboard-taken=${this.#keyboardTaken}
        @load=${this.#loaded}
      ></iframe>`,
    );
    return html`${launched ? frame : nothing}
    ${
      this.barred
        ? html`<div class="empty" role="status" data-testid="keyboard-taken">
            ${icons.warning}
            <h3>${plainName(app.name)} tried to take the keyboard</h3>
            <p>You were typing somewhere else. What you type stays there.</p>
            <button class="button" data-testid="app-resume" @click=${this.#resume}>Go on with it</button>
          </div>`
        : nothing
    }
    ${
      loading
        ? html`<div class="wait" role="status">
          <oc-avatar kind="app" .name=${app.name} .src=${app.icon}></oc-avatar>
          <p>Opening ${app.name}…</p>
        </div>`
        : nothing
    }`;
  }

  #strayed(origin: string) {
    return html`<div class="ended" role="alert" data-testid="stray">
      <p>
        This page is from <strong>${origin}</strong>, not from ${this.app.name}. OneChat does not answer it.
      </p>
      <button class="button" data-testid="app-return" @click=${() => this.start()}>Reopen</button>
    </div>`;
  }

  #unconnected() {
    return html`<p class="alone" role="status" data-testid="no-bridge">
      This page has not connected to OneChat. Does ${plainName(this.app.name)} run? Does its page have the shim? Does its
      ONECHAT_CONTAINER_ORIGINS name ${location.origin}?
    </p>`;
  }

  #failed(fault: Refusal) {
    return html`<div class="empty" role="alert">
      ${icons.warning}
      <h3>${plainName(this.app.name)} ${this.#thefts ? "was stopped" : "could not be opened"}</h3>
      <p>${fault.message} ${fault.hint}</p>
      <button class="button" @click=${() => this.start()}>Try again</button>
    </div>`;
  }

  /** Opens the app anew, with a session of its own. */
  async start(): Promise<void> {
    [this.loading, this.fault, this.alone, this.stray] = [true, undefined, false, undefined];
    [this.barred, this.#thefts] = [false, 0];
    try {
      const launched = await this.#launch();
      if (!launched) return;
      this.#bridge?.close();
      this.#bridge = new Bridge(
        window,
        () => this.#window,
        launched.origin,
        readLaunch(launched.url),
        this.#answer,
        this.#connected,
        this.#left,
      );
      this.launched = launched;
      this.#loadedAt = performance.now();
      this.ended = false;
    } catch (error) {
      [this.fault, this.loading] = [asRefusal(error), false];
    }
  }

  /** Gives the running page a new session; a page without a bridge is opened anew. */
  async renew(): Promise<void> {
    if (!this.#bridge?.connected) return this.start();
    this.renewing = true;
    try {
      const launched = await this.#launch();
      if (!launched) return;
      if (!this.#bridge.tell({ event: "launch", data: readLaunch(launched.url) })) return this.start();
      this.ended = false;
      this.#fire("notice", `${this.app.name} has a new session.`);
    } catch (error) {
      this.#fire("notice", `No new session: ${asRefusal(error).message}`);
    } finally {
      this.renewing = false;
    }
  }

  /** Asks the page to load itself again; opens it anew if it can't. */
  reload(): void {
    this.#bridge?.cancel();
    if (!this.#bridge?.tell({ event: "reload" })) return void this.start();
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.start(), RELOAD_PATIENCE);
  }

  /** The launch, or undefined if nobody wants it any more. */
  async #launch(): Promise<Launch | undefined> {
    const launch = ++this.#launches;
    const launched = await this.phone.world.api.launch(this.phone.jid, this.app.appId, this.device, this.number);
    return this.isConnected && launch === this.#launches ? checked(launched) : undefined;
  }

  get #window(): Window | null {
    return this.renderRoot.querySelector("iframe")?.contentWindow ?? null;
  }

  /** Leaves the app running. What it asks now is cancelled; what it asks later waits for the person's return. */
  #back = () => {
    if (this.#questions.current) this.#cancelled();
    this.#bridge?.cancel();
    this.#fire("back");
  };

  #loaded = () => {
    this.loading = false;
    clearTimeout(this.#patience);
    clearTimeout(this.#wait);
    const before = this.#loadedAt;
    this.#loadedAt = performance.now();
    if (this.#connectedAt > before) return;
    // Either another page is there, or the same one that has written itself anew, whose port still answers.
    this.#bridge?.tell({ event: "ping" });
    this.#wait = setTimeout(() => {
      this.#bridge?.cancel(); // the page that asked is gone
      this.#wait = setTimeout(() => {
        this.#bridge?.drop();
        this.alone = true;
      }, CONNECT_PATIENCE - ANSWER_PATIENCE);
    }, ANSWER_PATIENCE);
    const elsewhere = this.launched && takeStray(this.launched.origin, before);
    if (elsewhere) this.#left(elsewhere);
    else if (!this.#strayTold) this.stray = undefined;
    this.#strayTold = false;
  };

  /** The frame shows a page of another origin: say so, and forget the page that was there. */
  #left = (origin: string) => {
    this.#bridge?.drop();
    [this.stray, this.loading, this.#strayTold] = [origin === "null" ? "an unknown address" : origin, false, true];
  };

  #connected = () => {
    this.#connectedAt = performance.now();
    this.#wanted.clear();
    clearTimeout(this.#patience);
    clearTimeout(this.#wait);
    [this.alone, this.stray] = [false, undefined];
  };

  #answer = async (call: Call, signal: AbortSignal, commit: () => boolean): Promise<unknown> => {
    if (this.quiet) {
      const message = `The person cancelled ${CANCELS_MAX} times in a row: no questions for a minute.`;
      throw new Refusal("refused", message, "Ask again when the person does something that needs an answer.");
    }
    signal.addEventListener("abort", () => {
      const name = plainName(this.app.name);
      if (signal.reason instanceof Refusal) this.#fire("notice", `${name} got no answer in time. Nothing was sent.`);
    });
    if (call.call === "user.selectContacts") {
      const title = call.max === 1 ? "Select a contact" : "Select contacts";
      const picked = await this.#questions.ask<string[]>({ kind: "pick", title, done: "Done", max: call.max }, signal);
      if (picked && commit()) this.#cancels = 0;
      else if (!signal.aborted) this.#cancelled();
      return signal.aborted ? [] : (picked ?? []);
    }
    if (call.call === "permit") return this.#permit(call.capabilities, signal, commit);
    if (signal.aborted) throw cancelled();
    const { api } = this.phone.world;
    const relay = await api.checkRelay(this.phone.jid, call.relay);
    await this.#meet(relay);
    let outcome: { value: string | null } | { error: unknown } | undefined;
    const send = async () => {
      if (!commit()) return;
      this.#cancels = 0;
      try {
        outcome = { value: await api.relay(this.phone.jid, relay) };
      } catch (error) {
        outcome = { error };
      }
    };
    await this.#questions.ask<boolean>({ kind: "share", relay, send }, signal);
    if (!outcome) {
      if (!signal.aborted) this.#cancelled();
      throw cancelled();
    }
    if ("error" in outcome) {
      const error = asRefusal(outcome.error);
      this.#fire("notice", `Not sent: ${error.message}`);
      throw error;
    }
    this.phone.refresh();
    return outcome.value;
  };

  /** Asks whether the app may use what its page was refused: once for each page and capability. */
  async #permit(refused: Capability[], signal: AbortSignal, commit: () => boolean): Promise<void> {
    const capabilities = refused.filter((id) => !this.allowed.includes(id) && !this.#wanted.has(id));
    if (capabilities.length === 0) return;
    for (const id of capabilities) this.#wanted.add(id);
    const allowed = await this.#questions.ask<true>({ kind: "permit", capabilities }, signal);
    if (allowed && commit()) {
      this.#cancels = 0;
      this.dispatchEvent(new CustomEvent<Permit>("permit", { detail: { capabilities, allowed } }));
    } else if (!signal.aborted) this.#cancelled();
  }

  /** Gets the names of everybody who would get `relay`, before the person is asked. */
  async #meet(relay: Relay): Promise<void> {
    const { phone } = this;
    if (relay.kind === "group") await phone.lookAtGroups();
    const group = relay.kind === "group" && phone.groups.find(({ jid }) => jid === relay.groupJid);
    const people = relay.kind === "single" ? relay.recipient : relay.kind === "new-group" ? relay.invitees : [];
    await phone.world.know(group ? group.members : people);
  }

  /** Counts one more cancel in a row; after a few, the app may ask nothing for a while. */
  #cancelled(): void {
    this.#cancels += 1;
    if (this.#cancels >= CANCELS_MAX) this.#setQuiet(true);
  }

  #setQuiet(quiet: boolean): void {
    [this.quiet, this.#cancels] = [quiet, 0];
    clearTimeout(this.#quiet);
    if (quiet) this.#quiet = setTimeout(() => this.#setQuiet(false), QUIET);
  }

  /** Hides the frame until the person stops typing. One that goes on while it can't be seen is stopped. */
  #keyboardTaken = () => {
    const name = plainName(this.app.name);
    this.#thefts += 1;
    if (this.barred || !this.front) {
      clearTimeout(this.#pause);
      this.#stopping ??= setTimeout(this.#stop, LAST_KEY);
      return;
    }
    this.barred = true;
    this.#fire("notice", `${name} tried to take the keyboard.`);
    if (this.#thefts < THEFTS_MAX) this.#pause = setTimeout(this.#paused, PAUSE);
  };

  #stop = () => {
    this.#stopping = undefined;
    const frame = this.renderRoot.querySelector("iframe");
    if (frame) keyboard.leave(frame);
    this.#bridge?.close();
    [this.launched, this.loading, this.barred] = [undefined, false, false];
    this.fault = new Refusal("refused", "It took the keyboard again and again while you typed elsewhere.");
    this.#fire("notice", `${plainName(this.app.name)} was stopped: it took the keyboard.`);
  };

  #paused = () => {
    const wait = keyboard.lastKey + PAUSE - performance.now();
    if (wait > 0) this.#pause = setTimeout(this.#paused, wait);
    else this.barred = false;
  };

  /** The person wants the app that took the keyboard. */
  #resume = async () => {
    clearTimeout(this.#pause);
    [this.barred, this.#thefts] = [false, 0];
    await this.updateComplete;
    const frame = this.renderRoot.querySelector("iframe");
    if (frame) keyboard.enter(frame);
  };

  #fire(type: "back" | "close" | "notice", detail?: string): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const isSame = (one: DeviceInfo, other: DeviceInfo) =>
  one.device === other.device && one.screenWidth === other.screenWidth && one.screenHeight === other.screenHeight;

const cancelled = () => new Refusal("cancelled", "The person closed the share sheet.", "Nothing was sent.");

/** A frame at the host page's own origin could reach out of its sandbox, and anything but http(s) is no mini app. */
function checked(launched: Launch): Launch {
  const address = webAddress(launched.url);
  const origin = address && new URL(address).origin;
  if (origin && origin === launched.origin && origin !== location.origin) return launched;
  throw new Refusal("refused", "Its URL is not one that a phone may open.", "Correct it in the admin portal.");
}

declare global {
  interface HTMLElementTagNameMap {
    "oc-app": RunningApp;
  }
}
