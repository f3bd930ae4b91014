import { LitElement, css, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { stateWord, widthOf } from "./box.js";
import { PHONE_WIDTH, type Arrangement } from "./layout.js";
import * as icons from "./icons.js";
import { unread } from "./list.js";
import { base, palette } from "./styles.js";
import { Watch, define, place, type Ui } from "./ui.js";

/** Pixels of the list; where the left padding is narrower, it has its place among the boxes. */
const LIST_WIDTH = 330;
const LIST_LEAST = 200;
/** Pixels of height below which a container is an empty element, and the chat stands on the whole page. */
const CONTAINER_LEAST = 200;

/**
 * The plugin on the page: the list at the start, the boxes along the bottom, nothing in between.
 *
 * It fills its container. A container without a height of its own, or the body, stands for the whole window.
 */
export class Root extends LitElement {
  @property({ attribute: false }) ui!: Ui;
  @state() private listed: boolean | undefined;
  @state() private width = 0;
  @state() private height = 0;
  @state() private said = "";
  protected watch = new Watch(this, () => this.ui);
  #observer = new ResizeObserver(() => this.#measure());
  #dark = matchMedia("(prefers-color-scheme: dark)");

  static override styles = [
    css`
      :host {
        all: initial; /* what a site says about its text ends here */
      }
    `,
    palette,
    base,
    css`
      :host {
        position: relative;
        display: block;
        width: 100%;
        height: 100%;
        pointer-events: none;
      }
      :host([data-place="page"]) {
        position: fixed;
        inset: 0;
        z-index: var(--ocwp-z-index, 1000);
        height: auto;
      }
      :host([data-place="over"]) {
        position: absolute;
        inset: 0;
        height: auto;
      }
      .all {
        position: absolute;
        inset: 0;
        overflow: hidden;
      }
      .dock {
        position: absolute;
        inset: 0;
        display: flex;
        align-items: flex-end;
        justify-content: flex-end;
      }
      .tabs {
        display: flex;
        flex: 0 1 auto;
        min-width: 60px;
        padding-block-start: 8px; /* room for the shadow, which scrolling would cut */
        overflow-x: auto;
        scrollbar-width: none;
      }
      .tab {
        display: flex;
        align-items: center;
        flex: 0 0 auto;
        width: 150px;
        height: 40px;
        padding-inline: 10px 2px;
        pointer-events: auto;
        border-radius: var(--radius) var(--radius) 0 0;
        background: var(--surface);
        box-shadow: var(--shadow);
      }
      .tab .name {
        display: flex;
        align-items: center;
        gap: 6px;
        flex: 1;
        min-width: 0;
        height: 40px;
        font-weight: 600;
        text-align: start;
      }
      ocwp-list {
        position: absolute;
        inset-block-end: 0;
        inset-inline-start: 0;
      }
      .launcher {
        position: absolute;
        inset-block-end: 0;
        inset-inline-start: 0;
        display: flex;
        align-items: center;
        gap: 8px;
        height: 44px;
        padding-inline: 14px;
        pointer-events: auto;
        border-radius: var(--radius) var(--radius) 0 0;
        font-weight: 600;
        background: var(--accent);
        color: var(--accent-ink);
        box-shadow: var(--shadow);
      }
      .phone ocwp-list,
      .phone ocwp-box {
        position: absolute;
        inset: 0;
      }
    `,
  ];

  /** Puts the interface into the site's container. */
  static in(ui: Ui): Root {
    const root = document.createElement("ocwp-root") as Root;
    root.ui = ui;
    ui.options.container!.append(root);
    return root;
  }

  override render() {
    const { ui, phone } = this;
    if (!ui.client.me && !this.listed) return this.#launcher();
    const { open, tabs } = this.arrangement;
    return html`<div class="all ${phone ? "phone" : ""}" dir=${ui.language.direction} lang=${ui.language.tag}>
      ${
        this.shown
          ? html`<ocwp-list
            .ui=${ui}
            @open=${(event: CustomEvent<string>) => this.open(event.detail)}
            @hide=${() => this.#list(false)}
          ></ocwp-list>`
          : nothing
      }
      <div class="dock">
        ${tabs.length > 0 && !phone ? html`<div class="tabs" role="group">${tabs.map((jid) => this.#tab(jid))}</div>` : nothing}
        ${repeat(
          open,
          (jid) => jid,
          (jid) => html`<ocwp-box
            .ui=${ui}
            .chat=${ui.client.chat(jid)}
            .room=${this.room}
            ?phone=${phone}
            data-jid=${jid}
            @left=${() => this.#left(jid)}
          ></ocwp-box>`,
        )}
      </div>
      ${this.shown || (phone && open.length > 0) ? nothing : this.#launcher()}
      <div class="unseen" role="status" aria-live="polite">${this.said}</div>
    </div>`;
  }

  /** Opens a chat and takes the focus there. */
  open(jid: string): void {
    this.ui.layout.open(jid);
    this.requestUpdate(); // at once: the focus goes there
    void this.updateComplete.then(async () => {
      const box = [...this.renderRoot.querySelectorAll("ocwp-box")].find((other) => other.chat.jid === jid);
      await box?.updateComplete;
      box?.focus();
    });
  }

  announce(text: string): void {
    this.said = text;
  }

  get phone(): boolean {
    return this.width > 0 && this.width < PHONE_WIDTH;
  }

  /** Whether the list is open: at first as it was left, or where the site keeps room free for it. */
  get shown(): boolean {
    const { client, options } = this.ui;
    if (this.phone) return this.listed === true && this.arrangement.open.length === 0;
    const reserved = options.reserved && options.box.outerPaddingLeft >= LIST_LEAST;
    return this.listed ?? client.memory.kept.listed ?? reserved;
  }

  /** Pixels of height that chats may take. */
  get room(): number {
    return Math.max(0, this.height - this.ui.options.box.paddingTop);
  }

  get arrangement(): Arrangement {
    const { ui } = this;
    const { box } = ui.options;
    if (this.phone) {
      const { last } = ui.layout.arrange(0, () => 0, box);
      const open = last !== undefined && ui.layout.boxes.some(({ jid, minimised }) => jid === last && !minimised);
      return { open: open ? [last] : [], tabs: [], last };
    }
    return ui.layout.arrange(this.width - this.#start() - box.outerPaddingRight, (jid) => widthOf(ui, jid), box);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observer.observe(this);
    this.#dark.addEventListener("change", this.#theme);
    this.#settle();
    this.#theme();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer.disconnect();
    this.#dark.removeEventListener("change", this.#theme);
  }

  override updated(): void {
    const { box } = this.ui.options;
    const dock = this.renderRoot.querySelector<HTMLElement>(".dock");
    place(dock, {
      "padding-inline-start": this.phone ? "0" : `${this.#start()}px`,
      "padding-inline-end": this.phone ? "0" : `${box.outerPaddingRight}px`,
    });
    const margins = { "margin-inline": `${box.marginLeft}px ${box.marginRight}px` };
    for (const part of this.renderRoot.querySelectorAll<HTMLElement>(".tab, ocwp-box")) {
      place(part, this.phone ? { "margin-inline": "0" } : margins);
    }
    place(this.renderRoot.querySelector<HTMLElement>("ocwp-list"), this.#listPlace());
    place(this.renderRoot.querySelector<HTMLElement>(".launcher"), { "margin-inline-start": `${box.marginLeft}px` });
  }

  /** The focus goes where its box went: to the tab, or else to the list. */
  async #left(jid: string): Promise<void> {
    this.requestUpdate();
    await this.updateComplete;
    const tab = this.renderRoot.querySelector<HTMLElement>(`.tab[data-jid="${CSS.escape(jid)}"] .name`);
    (tab ?? this.renderRoot.querySelector<HTMLElement>("ocwp-list, .launcher"))?.focus();
  }

  #tab(jid: string) {
    const { ui } = this;
    const chat = ui.client.chat(jid);
    const name =
      chat.kind === "alert" ? ui.language.say("alerts") : ui.client.nameOf(chat) || ui.language.say("groupNameDefault");
    return html`<div class="tab" data-jid=${jid}>
      <button class="name" @click=${() => this.open(jid)}>
        <span class="ellipsis" dir="auto">${name}</span>${unread(ui, chat.unread)}
      </button>
      <button class="icon" aria-label="${ui.language.say("close")} ${name}" @click=${() => ui.layout.close(jid)}>${icons.close}</button>
    </div>`;
  }

  #launcher() {
    const { ui } = this;
    const state = ui.client.me ? stateWord(ui) : ui.options.signIn ? "signIn" : undefined;
    return html`<button class="launcher" dir=${ui.language.direction} @click=${() => this.#list(true)}>
      ${icons.chats}<span>${ui.language.say(state ?? "chats")}</span>${unread(ui, ui.client.unread)}
    </button>`;
  }

  async #list(shown: boolean): Promise<void> {
    this.listed = shown;
    if (!this.phone) {
      this.ui.client.memory.kept.listed = shown;
      this.ui.client.memory.save();
    }
    await this.updateComplete;
    if (shown) this.renderRoot.querySelector("ocwp-list")?.focus();
    else this.renderRoot.querySelector<HTMLElement>(".launcher")?.focus();
  }

  /** Where the boxes may begin: after the site's own bar, and after ours where that is wider. */
  #start(): number {
    const { outerPaddingLeft, marginLeft, marginRight } = this.ui.options.box;
    const ours = outerPaddingLeft >= LIST_LEAST ? 0 : this.shown ? LIST_WIDTH : 120;
    return Math.max(outerPaddingLeft, ours + marginLeft + marginRight);
  }

  #listPlace(): Record<string, string> {
    const { outerPaddingLeft, marginLeft, marginRight, maxHeight } = this.ui.options.box;
    if (this.phone) return { width: "100%", height: "100%", "margin-inline-start": "0" };
    const inPadding = outerPaddingLeft >= LIST_LEAST ? outerPaddingLeft - marginLeft - marginRight : LIST_WIDTH;
    return {
      width: `${Math.min(LIST_WIDTH, inPadding)}px`,
      height: `${Math.min(maxHeight, this.room)}px`,
      "margin-inline-start": `${marginLeft}px`,
    };
  }

  #settle(): void {
    const container = this.parentElement!;
    const positioned = getComputedStyle(container).position !== "static";
    // Measured without us: our own height would make any container look tall.
    this.hidden = true;
    const small = container === document.body || container.clientHeight < CONTAINER_LEAST;
    this.hidden = false;
    this.dataset["place"] = small ? "page" : positioned ? "over" : "in";
  }

  #measure(): void {
    this.width = this.offsetWidth;
    this.height = this.offsetHeight;
  }

  #theme = (): void => {
    const { theme } = this.ui.options;
    this.dataset["theme"] = theme === "auto" ? (this.#dark.matches ? "dark" : "light") : theme;
  };
}

define("ocwp-root", Root);

declare global {
  interface HTMLElementTagNameMap {
    "ocwp-root": Root;
  }
}
