import { LitElement, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { writeAddress } from "./address.js";
import { Api } from "./api.js";
import * as icons from "./icons.js";
import { keyboard } from "./keyboard.js";
import { Watch, World } from "./model.js";
import "./oc-avatar.js";
import "./oc-phone.js";
import type { Room } from "./oc-phone.js";
import {
  PHONES_MAX,
  newPhone,
  readSetup,
  storageOf,
  writeSetup,
  type PageTheme,
  type PhoneSetup,
  type Theme,
} from "./settings.js";
import { base } from "./styles.js";

/** Below it one phone at a time fills the page, without a casing. The styles say it too. */
const NARROW = "(max-width: 640px)";
const THEMES: Record<PageTheme, { next: PageTheme; label: string }> = {
  system: { next: "light", label: "as the system" },
  light: { next: "dark", label: "light" },
  dark: { next: "system", label: "dark" },
};
/** Pixels that a phone's row of choices, the gap below it and the page's edge take from the height. */
const AROUND = 48 + 12 + 24 + 28;

/** The host page: up to four phones side by side. */
@customElement("oc-host")
export class Host extends LitElement {
  @state() private setup = readSetup(storageOf("localStorage"), location.search, system());
  @state() private current = 0;
  @state() private room: Room = { width: innerWidth, height: innerHeight, bare: matchMedia(NARROW).matches };
  #world = new World(new Api(meta("sandbox-token")), () => this.setup.phones.map(({ user }) => user));
  protected watch = new Watch(this, () => this.#world);
  #sizes = new ResizeObserver(() => this.#measure());
  // A phone keeps its element, so its running app, when one before it is removed.
  #keys: object[] = this.setup.phones.map(() => ({}));
  #unread = new WeakMap<object, number>();

  static override styles = [
    base,
    css`
      :host {
        display: flex;
        flex-direction: column;
        height: 100vh;
        height: 100dvh;
      }
      .bar {
        display: flex;
        align-items: center;
        gap: 4px;
        height: 60px;
        padding: 0 12px 0 20px;
        background: var(--surface);
        border-bottom: 1px solid var(--line);
        flex: none;
      }
      h1 {
        margin-left: 10px;
        font-size: 17px;
        font-weight: 700;
        letter-spacing: -0.02em;
        white-space: nowrap;
      }
      h1 span {
        font-weight: 400;
        color: var(--ink-2);
      }
      .live {
        display: flex;
        align-items: center;
        gap: 8px;
        margin-left: 14px;
        padding: 4px 12px;
        border-radius: 14px;
        font-size: 13px;
        color: var(--ink-2);
        background: var(--sunken);
        white-space: nowrap;
      }
      .live::before {
        content: "";
        width: 8px;
        height: 8px;
        border-radius: 50%;
        background: #1e9e6a;
      }
      .live[data-live="connecting"]::before,
      .live[data-live="reconnecting"]::before {
        background: #d99a1c;
        animation: pulse 0.9s ease-in-out infinite alternate;
      }
      .live[data-live="stale"]::before {
        background: var(--badge);
      }
      @keyframes pulse {
        to {
          opacity: 0.25;
        }
      }
      .fill {
        flex: 1;
      }
      .bar .button {
        background: none;
        font-weight: 500;
        padding: 0 14px;
      }
      .bar .button:hover:not(:disabled) {
        background: color-mix(in srgb, var(--ink) 8%, transparent);
      }
      .fault {
        display: flex;
        align-items: center;
        justify-content: center;
        gap: 16px;
        padding: 6px 20px;
        background: var(--fault-soft);
        color: var(--fault);
        flex: none;
      }
      main {
        flex: 1;
        min-height: 0;
        overflow: auto;
        display: flex;
        gap: 44px;
        padding: 24px 32px 28px;
        scroll-padding: 32px;
      }
      /* Centred while they fit; from the first phone on when they don't. */
      main > :first-child {
        margin-left: auto;
      }
      main > :last-child {
        margin-right: auto;
      }
      .switch {
        display: none;
      }
      @media (max-width: 640px) {
        .bar {
          height: 54px;
          padding: 0 4px 0 12px;
          gap: 0;
        }
        h1 {
          position: absolute;
          clip-path: inset(50%);
        }
        .bar .button span,
        .live:not([data-live="reconnecting"], [data-live="stale"]) {
          display: none;
        }
        .live {
          margin: 0;
          font-size: 0;
          gap: 0;
          padding: 6px;
        }
        .bar .button {
          width: 44px;
          padding: 0;
        }
        .switch {
          display: flex;
          flex: 1;
          justify-content: center;
        }
        .switch button {
          display: grid;
          place-items: center;
          position: relative;
          width: 48px;
          height: 48px;
          border-radius: 50%;
        }
        .switch oc-avatar {
          --size: 34px;
          opacity: 0.6;
        }
        .switch [aria-pressed="true"] oc-avatar {
          opacity: 1;
          border-radius: 50%;
          box-shadow:
            0 0 0 2px var(--surface),
            0 0 0 4px var(--accent);
        }
        .dot {
          position: absolute;
          top: 5px;
          right: 5px;
          width: 11px;
          height: 11px;
          border-radius: 50%;
          background: var(--badge);
          box-shadow: 0 0 0 2px var(--surface);
        }
        .fill {
          display: none;
        }
        main {
          padding: 0;
          gap: 0;
          overflow: hidden;
        }
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    keyboard.start();
    void this.#world.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sizes.disconnect();
    keyboard.stop();
    this.#world.stop();
  }

  override firstUpdated(): void {
    this.#sizes.observe(this.renderRoot.querySelector("main")!);
  }

  override willUpdate(): void {
    const { theme } = this.setup;
    if (this.#world.live === "stale") reloadOnce();
    document.documentElement.dataset["theme"] = theme === "system" ? system() : theme;
    this.current = Math.min(this.current, this.setup.phones.length - 1);
  }

  override render() {
    const { fault, ready } = this.#world;
    return html`
      ${this.#bar()} ${this.#fault()}
      <main>${ready ? this.#phones() : fault ? nothing : html`<p class="empty" role="status">Loading…</p>`}</main>
    `;
  }

  #fault() {
    const { fault, live } = this.#world;
    if (live === "stale") {
      return html`<div class="fault" role="alert">
        <p>The sandbox was started again.</p>
        <button class="button" @click=${() => location.reload()}>Reload this page</button>
      </div>`;
    }
    if (!fault) return nothing;
    return html`<div class="fault" role="alert">
      <p>${fault.message} ${fault.hint}</p>
      <button class="button" @click=${() => this.#world.look()}>Try again</button>
    </div>`;
  }

  #bar() {
    const { theme, phones } = this.setup;
    const { label, next } = THEMES[theme];
    const full = phones.length >= PHONES_MAX;
    const icon = { system: icons.auto, light: icons.sun, dark: icons.moon }[theme];
    return html`<header class="bar">
      ${icons.mark}
      <h1>OneChat <span>sandbox</span></h1>
      ${this.#live()}
      <nav class="switch" aria-label="Phones">${this.#world.ready ? this.#switches() : nothing}</nav>
      <span class="fill"></span>
      <button
        class="button"
        data-testid="add-phone"
        aria-label="Add phone"
        title=${full ? `${PHONES_MAX} phones are the most` : "Add phone"}
        ?disabled=${full}
        @click=${this.#add}
      >
        ${icons.plus}<span>Add phone</span>
      </button>
      <a class="button" href="/portal" target="onechat-portal" aria-label="Admin portal" title="Admin portal">
        ${icons.portal}<span>Admin portal</span>
      </a>
      <button
        class="icon"
        data-testid="theme"
        aria-label="Theme of this page: ${label}"
        title="Theme of this page: ${label}"
        @click=${() => this.#keep({ ...this.setup, theme: next })}
      >
        ${icon}
      </button>
    </header>`;
  }

  #live() {
    const { live } = this.#world;
    const words = { connecting: "Connecting…", open: "Live", reconnecting: "Reconnecting…", stale: "Started again" };
    return html`<p class="live" role="status" data-testid="live" data-live=${live}>${words[live]}</p>`;
  }

  #switches() {
    return this.#jids().map((jid, index) => {
      const user = this.#world.user(jid);
      const unread = this.#unread.get(this.#keys[index]!);
      return html`<button
        aria-label="${user?.name ?? jid}${unread ? ", unread messages" : ""}"
        aria-pressed=${index === this.current ? "true" : "false"}
        data-testid="switch-${index}"
        @click=${() => (this.current = index)}
      >
        <oc-avatar .name=${user?.name ?? jid} .src=${user?.avatar ?? ""}></oc-avatar>
        ${unread ? html`<span class="dot"></span>` : nothing}
      </button>`;
    });
  }

  #phones() {
    const { phones } = this.setup;
    const jids = this.#jids();
    if (!jids[0]) return html`<p class="empty">There are no users. Add one in the admin portal.</p>`;
    return repeat(
      phones,
      (_, index) => this.#keys[index],
      (phone, index) => {
        const shown = !this.room.bare || index === this.current;
        return html`<oc-phone
          data-testid="phone-${index}"
          jid=${jids[index]!}
          .number=${jids.slice(0, index + 1).filter((jid) => jid === jids[index]).length}
          .world=${this.#world}
          .setup=${phone}
          .room=${this.room}
          first=${meta("sandbox-app")}
          ?hidden=${!shown}
          ?shown=${shown}
          ?removable=${phones.length > 1}
          @setup=${(event: CustomEvent<Partial<PhoneSetup>>) => this.#change(index, event.detail)}
          @unread=${(event: CustomEvent<number>) => this.#count(index, event.detail)}
          @remove=${() => this.#remove(index)}
        ></oc-phone>`;
      },
    );
  }

  /** The user of each phone: the one that is set up, else one who has no phone yet, else the first. */
  #jids(): string[] {
    const { users } = this.#world;
    const named = this.setup.phones.map(
      ({ user }) => users.find(({ jid }) => jid === user || local(jid) === user)?.jid,
    );
    const free = users.map(({ jid }) => jid).filter((jid) => !named.includes(jid));
    return named.map((jid) => jid ?? free.shift() ?? users[0]?.jid ?? "");
  }

  #add = () => {
    this.#keys.push({});
    const jids = this.#jids();
    const free = this.#world.users.find(({ jid, admin }) => !jids.includes(jid) && !admin);
    this.#keep({ ...this.setup, phones: [...this.setup.phones, newPhone(system(), free?.jid)] });
    this.current = this.setup.phones.length - 1;
  };

  #count(index: number, unread: number): void {
    this.#unread.set(this.#keys[index]!, unread);
    this.requestUpdate();
  }

  #remove(index: number): void {
    this.#keys.splice(index, 1);
    this.#keep({ ...this.setup, phones: this.setup.phones.filter((_, other) => other !== index) });
  }

  #change(index: number, change: Partial<PhoneSetup>): void {
    const phones = this.setup.phones.map((phone, other) => (other === index ? { ...phone, ...change } : phone));
    this.#keep({ ...this.setup, phones });
  }

  #keep(setup: typeof this.setup): void {
    this.setup = setup;
    writeSetup(storageOf("localStorage"), setup);
    if (!this.#world.ready) return;
    const jids = this.#jids();
    const address = writeAddress(setup.phones.map(({ open }, index) => ({ user: this.#short(jids[index]!), open })));
    if (address !== location.search) history.replaceState(history.state, "", address);
  }

  /** The user as the address names them: by the local part on this domain, else by the JID. */
  #short(jid: string): string {
    return jid.endsWith(`@${this.#world.domain}`) ? local(jid) : jid;
  }

  #measure(): void {
    const bare = matchMedia(NARROW).matches;
    const main = this.renderRoot.querySelector("main");
    const height = main?.clientHeight ?? innerHeight;
    this.room = bare
      ? { width: innerWidth, height: height - 48, bare }
      : { width: innerWidth - 64, height: height - AROUND, bare };
  }
}

const local = (jid: string) => jid.slice(0, jid.indexOf("@"));

function system(): Theme {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** A page from before the sandbox's start has no use; but one that becomes stale again at once waits for a person. */
function reloadOnce(): void {
  const key = "onechat-host-page-reloaded";
  const storage = storageOf("sessionStorage");
  const kept = storage.getItem(key);
  storage.setItem(key, String(Date.now()));
  // Where storage is blocked, the page goes by when it was loaded itself.
  const last = kept ?? (storage.getItem(key) === null ? performance.timeOrigin : 0);
  if (Date.now() - Number(last) < 10_000) return; // longer than a page takes to load and hear that it is stale
  location.reload();
}

function meta(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";
}

declare global {
  interface HTMLElementTagNameMap {
    "oc-host": Host;
  }
}
