import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { isEnter, isEscape } from "../../../common/keys.js";
import type { Chat } from "../model/chat.js";
import "./avatar.js";
import { emoji } from "./emoji.js";
import { FileError } from "../xmpp/files.js";
import * as icons from "./icons.js";
import { MESSAGE_MAX_BYTES, bytesOf } from "../model/limits.js";
import { suggestions } from "../xmpp/mentions.js";
import { shortened } from "../xmpp/replies.js";
import { base } from "./styles.js";
import { Watch, define, place, type Ui } from "./ui.js";

/** People who are offered at once for a mention. */
const SUGGESTED = 6;
/** Milliseconds without a key after which one no longer counts as typing. */
const PAUSE_MS = 5_000;

/**
 * The form to write a message.
 *
 * @fires {CustomEvent<undefined>} sent - A message was sent.
 */
export class Composer extends LitElement {
  @property({ attribute: false }) ui!: Ui;
  @property({ attribute: false }) chat!: Chat;
  @property() name = "";
  @state() private picking = false;
  /** The people who may be meant by the @word at the caret, and which of them Enter takes. */
  @state() private mention: ReturnType<typeof suggestions>;
  @state() private chosen = 0;
  @state() private fault = "";
  @state() private uploading = false;
  @query("textarea") private input!: HTMLTextAreaElement;
  @query("input[type=file]") private file!: HTMLInputElement;
  protected watch = new Watch(this, () => this.ui);
  #pause: ReturnType<typeof setTimeout> | undefined;

  static override styles = [
    base,
    css`
      :host {
        flex: none;
        display: block;
        background: var(--surface);
        border-block-start: 1px solid var(--line);
      }
      form {
        display: flex;
        align-items: flex-end;
        padding: 4px;
      }
      textarea {
        flex: 1;
        min-width: 0;
        height: 32px;
        max-height: 110px;
        padding: 6px 10px;
        border: 1px solid color-mix(in srgb, var(--ink-2) 55%, transparent);
        border-radius: 16px;
        background: var(--surface);
        resize: none;
        line-height: 18px;
        unicode-bidi: plaintext;
      }
      .people {
        max-height: 160px;
        overflow-y: auto;
        border-block-end: 1px solid var(--line);
      }
      .people .row {
        min-height: 36px;
        padding-block: 2px;
      }
      .people ocwp-avatar {
        --size: 26px;
      }
      .people [aria-selected="true"] {
        background: color-mix(in srgb, var(--ink) 8%, transparent);
      }
      .context {
        display: flex;
        align-items: center;
        gap: 6px;
        padding: 4px 4px 0 12px;
      }
      .context .words {
        flex: 1;
        min-width: 0;
      }
      .context .ellipsis {
        display: block;
      }
      .send {
        color: var(--accent);
      }
      .emoji {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(34px, 1fr));
        max-height: 150px;
        padding: 4px;
        overflow-y: auto;
        border-block-end: 1px solid var(--line);
      }
      .emoji button {
        height: 34px;
        border-radius: 8px;
        font: 20px/1 "Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji", sans-serif;
      }
      .emoji button:hover {
        background: color-mix(in srgb, var(--ink) 8%, transparent);
      }
      @media (pointer: coarse) {
        textarea {
          height: 44px;
          padding: 12px 14px;
          border-radius: 22px;
          font-size: 16px;
        }
      }
    `,
  ];

  override render() {
    const { say } = this.ui.language;
    const { features } = this.ui.client.config;
    return html`
      ${this.fault ? html`<p class="fault" role="alert">${this.fault}</p>` : nothing}
      ${this.#context()} ${this.#people()} ${this.picking ? this.#emoji() : nothing}
      <form dir=${this.ui.language.direction} @submit=${this.#submit}>
        ${
          features.emoji
            ? html`<button
              type="button"
              class="icon"
              title=${say("emoji")}
              aria-label=${say("emoji")}
              aria-expanded=${this.picking}
              @click=${() => (this.picking = !this.picking)}
            >
              ${icons.smile}
            </button>`
            : nothing
        }
        <textarea
          rows="1"
          dir="auto"
          placeholder=${say("message")}
          aria-label=${say("messageTo", { name: this.name })}
          aria-autocomplete=${this.chat.room ? "list" : nothing}
          aria-controls=${this.mention?.people.length ? "people" : nothing}
          aria-activedescendant=${this.mention?.people.length ? `person-${this.chosen}` : nothing}
          .value=${this.chat.draft}
          @input=${this.#typed}
          @keydown=${this.#key}
          @blur=${() => this.ui.client.typing(this.chat, "active")}
        ></textarea>
        ${
          this.ui.client.files.available
            ? html`<button
                type="button"
                class="icon"
                title=${say("attach")}
                aria-label=${say("attach")}
                ?disabled=${this.uploading}
                @click=${() => this.file.click()}
              >
                ${icons.file}
              </button>
              <input type="file" hidden @change=${this.#chosen} />`
            : nothing
        }
        <button class="icon send turns" title=${say("send")} aria-label=${say("send")}>${icons.send}</button>
      </form>
    `;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("keydown", this.#escape);
  }

  override focus(): void {
    this.input?.focus({ preventScroll: true });
  }

  override updated(): void {
    place(this.input, { height: undefined });
    // Only if there is more than a line, so that the box opens at the height that the site has set.
    if (this.input.scrollHeight > this.input.clientHeight)
      place(this.input, { height: `${this.input.scrollHeight + 2}px` });
  }

  /** Which message is being answered or edited. */
  #context() {
    const { ui, chat } = this;
    const { say } = ui.language;
    const message = chat.editing ?? chat.answering;
    if (!message) return nothing;
    const name = message.mine ? say("you") : ui.client.senderOf(chat, message);
    return html`<div class="context" dir=${ui.language.direction}>
      <span class="words">
        <strong>${chat.editing ? say("editing") : say("replyTo", { name })}</strong>
        <span class="quiet ellipsis" dir="auto">${shortened(message.text)}</span>
      </span>
      <button type="button" class="icon" aria-label=${say("cancel")} title=${say("cancel")} @click=${this.#dismiss}>
        ${icons.close}
      </button>
    </div>`;
  }

  #dismiss = (): void => {
    const { ui, chat } = this;
    if (chat.editing) ui.client.keepDraft(chat, "");
    chat.answering = chat.editing = undefined;
    ui.client.changed();
    this.requestUpdate();
    this.focus();
  };

  #people() {
    const people = this.mention?.people ?? [];
    if (people.length === 0) return nothing;
    return html`<div class="people" role="listbox" id="people" aria-label=${this.ui.language.say("mention")}>
      ${people.map(
        ({ jid, name }, at) => html`<button
          type="button"
          class="row"
          role="option"
          tabindex="-1"
          id="person-${at}"
          aria-selected=${at === this.chosen}
          @pointerdown=${(event: Event) => event.preventDefault()}
          @click=${() => this.#take(name)}
        >
          <ocwp-avatar .name=${name} .src=${this.ui.client.people.avatarOf(jid)}></ocwp-avatar>
          <span class="words ellipsis" dir="auto">${name}</span>
        </button>`,
      )}
    </div>`;
  }

  #take(name: string): void {
    const end = this.input.selectionStart;
    this.input.setRangeText(`@${name} `, this.mention!.start, end, "end");
    this.#typed();
    this.focus();
  }

  #suggest(): void {
    const before = this.input.value.slice(0, this.input.selectionStart);
    const found = suggestions(before, this.ui.client.membersOf(this.chat));
    this.mention = found && { ...found, people: found.people.slice(0, SUGGESTED) };
    this.chosen = 0;
  }

  #emoji() {
    return html`<div class="emoji" role="group" aria-label=${this.ui.language.say("emoji")}>
      ${emoji.map((one) => html`<button type="button" @click=${() => this.#insert(one)}>${one}</button>`)}
    </div>`;
  }

  #insert(text: string): void {
    this.input.setRangeText(text, this.input.selectionStart, this.input.selectionEnd, "end");
    this.#typed();
    this.focus();
  }

  #typed = (): void => {
    this.ui.client.keepDraft(this.chat, this.input.value);
    this.fault = "";
    clearTimeout(this.#pause);
    this.ui.client.typing(this.chat, this.input.value ? "composing" : "active");
    this.#suggest();
    if (this.input.value) this.#pause = setTimeout(() => this.ui.client.typing(this.chat, "paused"), PAUSE_MS);
    this.requestUpdate();
  };

  #key = (event: KeyboardEvent): void => {
    const people = this.mention?.people ?? [];
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (people.length > 0 && step) {
      event.preventDefault();
      this.chosen = (this.chosen + step + people.length) % people.length;
      return;
    }
    if (people.length > 0 && (isEnter(event) || event.key === "Tab") && !event.shiftKey) {
      event.preventDefault();
      return this.#take(people[this.chosen]!.name);
    }
    if (!isEnter(event) || event.shiftKey) return;
    event.preventDefault();
    this.#send();
  };

  #escape = (event: KeyboardEvent): void => {
    if (!isEscape(event) || !(this.mention || this.picking || this.chat.editing || this.chat.answering)) return;
    event.stopPropagation();
    if (this.mention) this.mention = undefined;
    else if (this.picking) this.picking = false;
    else this.#dismiss();
    this.focus();
  };

  #submit = (event: Event): void => {
    event.preventDefault();
    this.#send();
    this.focus();
  };

  #send(): void {
    const text = this.input.value.trim();
    if (!text) return;
    if (bytesOf(text) > MESSAGE_MAX_BYTES) {
      this.fault = this.ui.language.say("tooLong");
      return;
    }
    clearTimeout(this.#pause);
    this.picking = false;
    this.mention = undefined;
    this.ui.client.keepDraft(this.chat, "");
    const { editing } = this.chat;
    if (editing) this.ui.client.changes.edit(this.chat, editing, text);
    else this.ui.client.send(this.chat, text);
    this.requestUpdate(); // at once: a second Enter finds the field empty
    this.dispatchEvent(new CustomEvent("sent"));
  }

  #chosen = async (): Promise<void> => {
    const file = this.file.files?.[0];
    this.file.value = "";
    if (!file) return;
    this.uploading = true;
    this.fault = "";
    try {
      const url = await this.ui.client.files.upload(file);
      this.ui.client.send(this.chat, url, url); // an address that is no picture's is shown as a link
      this.dispatchEvent(new CustomEvent("sent"));
    } catch (error) {
      const { word, size } = error instanceof FileError ? error : new FileError("refused");
      this.fault = this.ui.language.say(word, { size });
    }
    this.uploading = false;
  };
}

define("ocwp-composer", Composer);

declare global {
  interface HTMLElementTagNameMap {
    "ocwp-composer": Composer;
  }
}
