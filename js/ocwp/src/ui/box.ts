import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { isEscape } from "../../../common/keys.js";
import "./avatar.js";
import type { Chat } from "../model/chat.js";
import "./composer.js";
import type { Composer } from "./composer.js";
import "./details.js";
import * as icons from "./icons.js";
import { base, panel } from "./styles.js";
import "./thread.js";
import type { Thread } from "./thread.js";
import { Watch, define, place, type Ui } from "./ui.js";

/** Pixels that one press of an arrow key resizes a box by. */
const STEP = 20;
/** A box that nobody has resized grows with its messages up to this many times its width, the form of a phone. */
const GROWTH = 1.6;

/**
 * One open chat.
 *
 * @fires {CustomEvent<undefined>} left - The person has minimised or closed the box.
 */
export class ChatBox extends LitElement {
  @property({ attribute: false }) ui!: Ui;
  @property({ attribute: false }) chat!: Chat;
  /** Pixels of height that the container leaves. */
  @property({ type: Number }) room = 0;
  @property({ type: Boolean, reflect: true }) phone = false;
  @state() private details = false;
  @state() private sought: string | undefined;
  @query("ocwp-thread") private thread!: Thread;
  @query("ocwp-composer") private composer!: Composer | null;
  protected watch = new Watch(this, () => this.ui);

  static override styles = [
    base,
    panel,
    css`
      :host {
        position: relative;
        flex: 0 1 auto;
      }
      :host([phone]) section {
        border-radius: 0;
      }
      header {
        height: 44px;
        padding-inline: 4px;
        background: var(--surface);
        border-block-end: 1px solid var(--line);
      }
      .who {
        display: flex;
        align-items: center;
        gap: 8px;
        flex: 1;
        min-width: 0;
        height: 40px;
        padding-inline: 4px;
        border-radius: 8px;
        text-align: start;
      }
      .who ocwp-avatar {
        --size: 30px;
      }
      .words {
        min-width: 0;
      }
      h2 {
        font-weight: 600;
        line-height: 18px;
      }
      .sub {
        font-size: 12px;
        line-height: 14px;
      }
      ocwp-thread {
        flex: 1 1 auto;
      }
      ocwp-details {
        flex: 1 1 auto;
        min-height: 0;
      }
      .sought {
        flex: none;
        width: auto;
        margin: 6px 8px;
      }
      .readonly {
        padding: 10px 12px;
        text-align: center;
        border-block-start: 1px solid var(--line);
      }
      .resize {
        position: absolute;
        z-index: 1;
        inset-block-start: 0;
        inset-inline-start: 0;
        width: 14px;
        height: 14px;
        cursor: nwse-resize;
        touch-action: none;
        border-start-start-radius: var(--radius);
      }
      [dir="rtl"] .resize {
        cursor: nesw-resize;
      }
      :host([phone]) .resize {
        display: none;
      }
    `,
  ];

  override render() {
    const { ui, chat } = this;
    const { say } = ui.language;
    const name = this.chatName;
    const direct = chat.kind === "direct";
    const presence = direct ? ui.client.people.presenceOf(chat.jid) : "";
    const who = html`<ocwp-avatar
        kind=${chat.kind}
        .name=${name}
        .src=${ui.client.people.avatarOf(chat.jid)}
        presence=${presence}
      ></ocwp-avatar>
      <span class="words">
        <h2 class="ellipsis" dir="auto">${name}</h2>
        <p class="sub quiet ellipsis">${this.#sub(presence)}</p>
      </span>`;
    return html`<section dir=${ui.language.direction} aria-label=${name} @keydown=${this.#key} @focusin=${this.#focused}>
      <header>
        ${
          this.phone
            ? html`<button class="icon turns" aria-label=${say("back")} title=${say("back")} @click=${this.#close}>
              ${icons.back}
            </button>`
            : nothing
        }
        ${
          chat.kind === "alert"
            ? html`<div class="who" tabindex="-1">${who}</div>`
            : html`<button
              class="who"
              aria-expanded=${this.details}
              aria-label=${say("details", { name })}
              @click=${() => (this.details = !this.details)}
            >
              ${who}
            </button>`
        }
        <button
          class="icon"
          aria-label=${say("searchChat")}
          title=${say("searchChat")}
          aria-expanded=${this.sought !== undefined}
          @click=${this.#search}
        >
          ${icons.search}
        </button>
        ${
          this.phone
            ? nothing
            : html`<button class="icon" aria-label=${say("minimise")} title=${say("minimise")} @click=${this.#minimise}>
                ${icons.minimise}
              </button>
              <button class="icon" aria-label=${say("close")} title=${say("close")} @click=${this.#close}>
                ${icons.close}
              </button>`
        }
      </header>
      ${this.#state()}
      ${
        this.sought === undefined
          ? nothing
          : html`<input
            class="field sought"
            type="search"
            placeholder=${say("searchChat")}
            aria-label=${say("searchChat")}
            @input=${(event: Event) => (this.sought = (event.target as HTMLInputElement).value)}
          />`
      }
      ${
        this.details
          ? html`<ocwp-details .ui=${ui} .chat=${chat} @done=${this.#detailsDone}></ocwp-details>`
          : html`<ocwp-thread .ui=${ui} .chat=${chat} .sought=${this.sought ?? ""} @write=${() => this.composer?.focus()}></ocwp-thread>`
      }
      ${
        chat.kind === "alert"
          ? html`<p class="readonly quiet">${say("readOnly")}</p>`
          : ui.client.blocked.has(chat.jid)
            ? html`<p class="readonly quiet">${say("isBlocked", { name })}</p>`
            : this.details
              ? nothing
              : html`<ocwp-composer
              .ui=${ui}
              .chat=${chat}
              .name=${name}
              @sent=${() => this.thread.follow()}
            ></ocwp-composer>`
      }
      <div
        class="resize"
        role="slider"
        tabindex="0"
        aria-label=${say("resize", { name })}
        aria-valuenow=${Math.round(this.width)}
        aria-valuemin=${ui.options.box.minWidth}
        aria-valuemax=${ui.options.box.maxWidth}
        aria-valuetext=${`${Math.round(this.width)} × ${Math.round(this.offsetHeight)}`}
        @pointerdown=${this.#grab}
        @keydown=${this.#arrows}
      ></div>
    </section>`;
  }

  override focus(): void {
    if (this.composer) this.composer.focus();
    else this.renderRoot.querySelector<HTMLElement>(".who")?.focus();
  }

  get chatName(): string {
    const { ui, chat } = this;
    if (chat.kind === "alert") return ui.language.say("alerts");
    return ui.client.nameOf(chat) || ui.language.say("groupNameDefault");
  }

  get width(): number {
    return widthOf(this.ui, this.chat.jid);
  }

  override updated(): void {
    const { box } = this.ui.options;
    if (this.phone) return place(this, { width: "100%", height: "100%", "min-height": "0", "max-height": "none" });
    const kept = this.ui.client.memory.kept.sizes[this.chat.jid];
    const most = Math.min(box.maxHeight, this.room);
    const auto = Math.min(most, Math.max(box.minHeight, this.width * GROWTH));
    place(this, {
      width: `${this.width}px`,
      height: kept ? `${clamp(kept[1], box.minHeight, most)}px` : undefined,
      "min-height": `${Math.min(box.minHeight, most)}px`,
      "max-height": `${kept ? most : auto}px`,
    });
  }

  #sub(presence: string): string {
    const { ui, chat } = this;
    if (chat.kind === "group")
      return ui.language.count("members", chat.room!.members.size || chat.room!.occupants.size);
    return chat.kind === "alert" ? chat.jid : ui.language.say((presence || "offline") as "offline");
  }

  /** What keeps messages from going out, if anything does. */
  #state() {
    const { client, language } = this.ui;
    const word = this.chat.room?.gone ? "groupGone" : stateWord(this.ui);
    return word && client.me ? html`<p class="fault" role="status">${language.say(word)}</p>` : nothing;
  }

  #search = async (): Promise<void> => {
    this.sought = this.sought === undefined ? "" : undefined;
    this.details = false;
    await this.updateComplete;
    if (this.sought === undefined) this.focus();
    else this.renderRoot.querySelector<HTMLElement>(".sought")?.focus();
  };

  #minimise = (): void => {
    this.ui.layout.minimise(this.chat.jid);
    this.dispatchEvent(new CustomEvent("left"));
  };

  #close = (): void => {
    this.ui.layout.close(this.chat.jid);
    this.dispatchEvent(new CustomEvent("left"));
  };

  #focused = (): void => {
    if (!this.phone) this.ui.layout.use(this.chat.jid);
  };

  #detailsDone = async (): Promise<void> => {
    this.details = false;
    await this.updateComplete;
    this.focus();
  };

  #key = (event: KeyboardEvent): void => {
    if (!isEscape(event) || event.defaultPrevented) return;
    event.stopPropagation();
    if (this.sought !== undefined) void this.#search();
    else if (this.details) void this.#detailsDone();
    else if (this.phone) this.#close();
    else this.#minimise();
  };

  #grab = (event: PointerEvent): void => {
    const handle = event.currentTarget as HTMLElement;
    const { width, height } = this.getBoundingClientRect();
    const turned = this.ui.language.direction === "rtl" ? -1 : 1;
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.onpointermove = (move) =>
      this.#resize(width + turned * (event.clientX - move.clientX), height + event.clientY - move.clientY);
    handle.onpointerup = handle.onpointercancel = () => {
      handle.onpointermove = handle.onpointerup = handle.onpointercancel = null;
      this.ui.client.memory.save();
    };
  };

  #arrows = (event: KeyboardEvent): void => {
    const turned = this.ui.language.direction === "rtl" ? -1 : 1;
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [turned, 0],
      ArrowRight: [-turned, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const { width, height } = this.getBoundingClientRect();
    this.#resize(width + step[0] * STEP, height + step[1] * STEP);
    this.ui.client.memory.save();
  };

  #resize(width: number, height: number): void {
    const { box } = this.ui.options;
    this.ui.client.memory.kept.sizes[this.chat.jid] = [
      clamp(width, box.minWidth, box.maxWidth),
      clamp(height, box.minHeight, Math.min(box.maxHeight, this.room)),
    ];
    this.requestUpdate(); // at once: the next key's step starts from the new size
    this.ui.client.changed();
  }
}

/** The width that the box of `jid` has, or would have. */
export function widthOf(ui: Ui, jid: string): number {
  const { minWidth, maxWidth } = ui.options.box;
  return clamp(ui.client.memory.kept.sizes[jid]?.[0] ?? minWidth, minWidth, maxWidth);
}

/** The word for the connection's state, unless all is well. */
export function stateWord({ client }: Ui) {
  switch (client.status.now) {
    case "XMPP_CONNECTION_CONNECTED_READY":
      return undefined;
    case "XMPP_CONNECTION_AUTHFAIL":
      return "authFailed";
    case "XMPP_CONNECTION_CONNFAIL":
      return "unreachable";
    case "XMPP_CONNECTION_ERROR":
      return "error";
    case "XMPP_CONNECTION_DISCONNECTED":
      return "reconnecting";
    case "XMPP_CONNECTION_IDLE":
      return "notSignedIn";
    default:
      return client.known ? "reconnecting" : "connecting";
  }
}

const clamp = (value: number, least: number, most: number) => Math.max(Math.min(value, most), Math.min(least, most));

define("ocwp-box", ChatBox);

declare global {
  interface HTMLElementTagNameMap {
    "ocwp-box": ChatBox;
  }
}
