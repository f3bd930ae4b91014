import { LitElement, css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { isEnter } from "../../common/keys.js";
import * as icons from "./icons.js";
import { MESSAGE_MAX_BYTES, messageFault } from "./limits.js";
import { Watch, asRefusal, type PhoneModel } from "./model.js";
import "./oc-avatar.js";
import { base } from "./styles.js";
import { dayOf, pieces, timeOf, type Piece } from "./text.js";
import type { Kind, Message } from "./types.js";

/** Pixels from the end within which the view follows new messages, and from the start within which it loads older. */
const NEAR = 80;
/** Milliseconds within which messages of one sender stand together. */
const TOGETHER = 5 * 60_000;

/**
 * The open thread: its messages and, but for alerts, a composer.
 *
 * @fires {CustomEvent<undefined>} back - Show the list of threads.
 */
@customElement("oc-thread")
export class ThreadView extends LitElement {
  @property({ attribute: false }) phone!: PhoneModel;
  @state() private draft = "";
  @state() private fault = "";
  @state() private sending = false;
  @query(".list") private list!: HTMLElement;
  @query("textarea") private input!: HTMLTextAreaElement | null;
  protected watch = new Watch(this, () => this.phone);
  /** Whether the next update goes to the end: at first, after sending, and where the end is in view already. */
  #following = true;
  #fromEnd = 0;
  #first: number | undefined;

  static override styles = [
    base,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 0;
        background: var(--chat);
      }
      header {
        display: flex;
        align-items: center;
        gap: 4px;
        height: 56px;
        padding-right: 12px;
        background: var(--surface);
        border-bottom: 1px solid var(--line);
        flex: none;
      }
      header oc-avatar {
        --size: 36px;
      }
      .words {
        min-width: 0;
        margin-left: 8px;
      }
      h2 {
        font-size: 16px;
        line-height: 1.25;
      }
      .sub {
        font-size: 12.5px;
        color: var(--ink-2);
      }
      .list {
        flex: 1;
        overflow-y: auto;
        overflow-anchor: none; /* we keep the place ourselves when older messages come in above */
        padding: 8px 12px 12px;
        display: flex;
        flex-direction: column;
      }
      .list > :first-child {
        margin-top: auto;
      }
      .day {
        align-self: center;
        margin: 12px 0 6px;
        padding: 3px 12px;
        border-radius: 12px;
        font-size: 12.5px;
        color: var(--ink-2);
        background: color-mix(in srgb, var(--ink) 6%, transparent);
      }
      .message {
        max-width: 82%;
        margin-top: 8px;
        align-self: flex-start;
      }
      .message.mine {
        align-self: flex-end;
      }
      .message.joined {
        margin-top: 2px;
      }
      .from {
        margin: 2px 0 2px 12px;
        font-size: 12.5px;
        font-weight: 600;
        color: var(--ink-2);
      }
      .bubble {
        padding: 8px 12px;
        border-radius: 6px 18px 18px 18px;
        background: var(--theirs);
        box-shadow: 0 1px 1px rgb(0 0 0 / 7%);
        overflow-wrap: anywhere;
      }
      .text {
        white-space: pre-wrap;
      }
      .mine .bubble {
        border-radius: 18px 6px 18px 18px;
        background: var(--mine);
        color: var(--mine-ink);
      }
      .joined .bubble {
        border-radius: 18px;
      }
      .bubble a {
        color: inherit;
        text-underline-offset: 2px;
      }
      time {
        float: right;
        margin: 6px 0 -3px 12px;
        font-size: 11px;
        opacity: 0.68;
      }
      .alert {
        align-self: stretch;
        max-width: none;
        width: 100%;
      }
      .alert .bubble {
        display: flow-root;
        border-radius: 14px;
        background: var(--alert);
        box-shadow: inset 0 0 0 1px var(--alert-edge);
      }
      .alert h3 {
        display: flex;
        align-items: center;
        gap: 6px;
        margin-bottom: 2px;
        font-size: 13px;
        color: var(--alert-ink);
      }
      form {
        display: flex;
        align-items: flex-end;
        gap: 8px;
        padding: 8px 8px calc(8px + var(--bottom, 0px)) 12px;
        background: var(--surface);
        border-top: 1px solid var(--line);
        flex: none;
      }
      textarea {
        flex: 1;
        min-width: 0;
        height: 44px;
        max-height: 120px;
        padding: 10px 14px;
        border: 0;
        border-radius: 22px;
        background: var(--sunken);
        box-shadow: inset 0 0 0 1px var(--line);
        resize: none;
        font-size: 16px; /* smaller, and iOS zooms in on focus */
        line-height: 24px;
      }
      textarea:focus-visible {
        outline: none;
        box-shadow: inset 0 0 0 2px var(--accent);
      }
      .send {
        display: grid;
        place-items: center;
        width: 44px;
        height: 44px;
        border-radius: 50%;
        background: var(--accent);
        color: var(--accent-ink);
        flex: none;
      }
      .send:disabled {
        background: color-mix(in srgb, var(--ink) 10%, transparent);
        color: var(--ink-2);
        opacity: 1;
      }
      .fault {
        padding: 8px 16px;
        background: var(--fault-soft);
        color: var(--fault);
        font-size: 14px;
      }
      .readonly {
        padding: 14px 20px calc(14px + var(--bottom, 0px));
        text-align: center;
        font-size: 13.5px;
        color: var(--ink-2);
        background: var(--surface);
        border-top: 1px solid var(--line);
      }
    `,
  ];

  override render() {
    const { phone } = this;
    const id = phone.thread ?? "";
    const thread = phone.threads.find((other) => other.id === id);
    const group = phone.groups.find((other) => other.jid === id);
    const kind: Kind = thread?.kind ?? (group ? "group" : id.includes("@") ? "direct" : "alert");
    const title = thread?.title || phone.nameOf(id);
    const avatar = thread?.avatar || phone.world.user(id)?.avatar || "";
    return html`
      <header>
        <button class="icon" aria-label="Back to chats" data-testid="back" @click=${this.#back}>${icons.back}</button>
        <oc-avatar kind=${kind === "direct" ? "person" : kind} .name=${title} .src=${avatar}></oc-avatar>
        <div class="words">
          <h2 class="ellipsis" dir="auto" data-testid="thread-title">${title}</h2>
          <p class="sub ellipsis">${group ? this.#members(group.members) : kind === "alert" ? "From mini apps" : id}</p>
        </div>
      </header>
      <div class="list" role="log" aria-label="Messages" tabindex="0" data-testid="messages" @scroll=${this.#scrolled}>
        ${
          phone.fault && !phone.messages.length
            ? html`<div class="empty">${phone.fault.message} ${phone.fault.hint}</div>`
            : nothing
        }
        ${this.#messages(kind)}
      </div>
      ${this.fault ? html`<p class="fault" role="alert">${this.fault}</p>` : nothing}
      ${kind === "alert" ? html`<p class="readonly">Nobody reads replies to alerts.</p>` : this.#composer(title)}
    `;
  }

  #composer(title: string) {
    return html`<form @submit=${this.#submit}>
      <textarea
        rows="1"
        placeholder="Message"
        aria-label="Message to ${title}"
        maxlength=${MESSAGE_MAX_BYTES}
        data-testid="composer"
        .value=${this.draft}
        @input=${this.#type}
        @keydown=${this.#key}
      ></textarea>
      <button
        class="send"
        aria-label="Send"
        data-testid="send"
        ?disabled=${this.sending || !this.draft.trim()}
      >
        ${icons.send}
      </button>
    </form>`;
  }

  #messages(kind: Kind) {
    const { messages, jid } = this.phone;
    return repeat(
      messages,
      (message) => message.id,
      (message, index) => {
        const before = messages[index - 1];
        const newDay = !before || dayOf(before.at) !== dayOf(message.at);
        const day = newDay ? html`<p class="day">${dayOf(message.at)}</p>` : nothing;
        // What a mini app's backend sent has no person's JID, in groups too.
        if (!message.from.jid.includes("@")) return html`${day}${alert(message)}`;
        const mine = message.from.jid === jid;
        const joined = !newDay && together(before, message);
        return html`${day}
          <div
            class="message ${mine ? "mine" : ""} ${joined ? "joined" : ""}"
            data-testid="message"
            data-id=${message.id}
          >
            ${kind === "group" && !mine && !joined ? html`<p class="from">${message.from.name}</p>` : nothing}
            <div class="bubble">
              ${mine ? html`<span class="unseen">You: </span>` : nothing}${body(message)}${stamp(message)}
            </div>
          </div>`;
      },
    );
  }

  #members(members: string[]): string {
    const names = members.filter((jid) => jid !== this.phone.jid).map((jid) => this.phone.nameOf(jid));
    return [...names, "You"].join(", ");
  }

  override firstUpdated(): void {
    // On a touch screen the keyboard would rise over what the person came to read.
    const start = matchMedia("(pointer: coarse)").matches ? this.list : (this.input ?? this.list);
    start.focus({ preventScroll: true });
  }

  override willUpdate(): void {
    if (!this.list) return;
    this.#fromEnd = this.list.scrollHeight - this.list.scrollTop;
    // Measured, not heard: the event of a scroll comes after an update that was under way.
    this.#following ||= this.#fromEnd - this.list.clientHeight < NEAR;
  }

  override updated(): void {
    // At the end: follow. Elsewhere: stay at the same message, which moves only if older ones came in above.
    const first = this.phone.messages[0]?.id;
    if (this.#following) this.list.scrollTop = this.list.scrollHeight;
    else if (first !== this.#first) this.list.scrollTop = this.list.scrollHeight - this.#fromEnd;
    this.#first = first;
    this.#following = false;
  }

  #scrolled = () => {
    if (this.list.scrollTop < NEAR && this.phone.messages.length > 0) void this.phone.older();
  };

  #back = () => this.dispatchEvent(new CustomEvent("back"));

  #type = (event: InputEvent) => {
    const input = event.target as HTMLTextAreaElement;
    this.draft = input.value;
    this.fault = "";
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
  };

  #key = (event: KeyboardEvent) => {
    if (!isEnter(event) || event.shiftKey) return;
    event.preventDefault();
    void this.#send();
  };

  #submit = (event: Event) => {
    event.preventDefault();
    void this.#send();
  };

  async #send(): Promise<void> {
    const text = this.draft.trim();
    if (this.sending || !text) return;
    const fault = messageFault(text);
    if (fault) {
      this.fault = `The message ${fault}.`;
      return;
    }
    this.sending = true;
    this.#following = true;
    try {
      await this.phone.send(text);
      this.draft = "";
      this.fault = "";
      this.input?.style.removeProperty("height");
    } catch (error) {
      const { message, hint } = asRefusal(error);
      this.fault = `Not sent: ${message} ${hint}`;
    }
    this.sending = false;
    this.input?.focus({ preventScroll: true });
  }
}

const together = (before: Message | undefined, message: Message): boolean =>
  before !== undefined &&
  before.from.jid === message.from.jid &&
  Date.parse(message.at) - Date.parse(before.at) < TOGETHER;

const stamp = ({ at }: Message): TemplateResult => html`<time datetime=${at}>${timeOf(at)}</time>`;

/** The text with its links; never as HTML. */
const body = ({ text }: Message) => html`<span class="text" data-testid="text">${pieces(text).map(piece)}</span>`;

const piece = (part: Piece) =>
  typeof part === "string"
    ? part
    : html`<a href=${part.href} target="_blank" rel="noopener noreferrer">${part.text}</a>`;

const alert = (message: Message): TemplateResult => html`
  <div class="message alert" data-testid="message" data-id=${message.id}>
    <div class="bubble">
      <h3>${icons.megaphone}${message.from.name}</h3>
      ${body(message)}${stamp(message)}
    </div>
  </div>
`;

declare global {
  interface HTMLElementTagNameMap {
    "oc-thread": ThreadView;
  }
}
