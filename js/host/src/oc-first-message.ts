import { LitElement, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import "./oc-sheet.js";
import { MESSAGE_MAX_BYTES, messageFault } from "./limits.js";
import type { PhoneModel } from "./model.js";
import { base } from "./styles.js";

/**
 * Asks for the message that a new group begins with.
 *
 * @fires {CustomEvent<string | undefined>} answer - The text; undefined if cancelled.
 */
@customElement("oc-first-message")
export class FirstMessage extends LitElement {
  @property({ attribute: false }) phone!: PhoneModel;
  @property({ attribute: false }) members: string[] = [];
  @state() private text = "";

  static override styles = [
    base,
    css`
      .body {
        display: grid;
        gap: 12px;
        padding: 0 20px 16px;
      }
      p {
        color: var(--ink-2);
      }
      textarea {
        width: 100%;
        padding: 12px;
        border: 0;
        border-radius: 12px;
        background: var(--sunken);
        box-shadow: inset 0 0 0 1px var(--line);
        resize: none;
      }
      textarea:focus-visible {
        outline: none;
        box-shadow: inset 0 0 0 2px var(--accent);
      }
    `,
  ];

  override render() {
    const names = this.members.map((jid) => this.phone.nameOf(jid));
    return html`
      <oc-sheet heading="New group" modal data-testid="first-message" @cancel=${() => this.#answer(undefined)}>
        <div class="body">
          <p>With ${new Intl.ListFormat("en").format(names)}. A group begins with its first message.</p>
          <textarea
            rows="3"
            autofocus
            aria-label="First message"
            placeholder="First message"
            maxlength=${MESSAGE_MAX_BYTES}
            data-testid="first-message-text"
            .value=${this.text}
            @input=${(event: InputEvent) => (this.text = (event.target as HTMLTextAreaElement).value)}
          ></textarea>
        </div>
        <button slot="foot" class="button" @click=${() => this.#answer(undefined)}>Cancel</button>
        <button
          slot="foot"
          class="button main"
          data-testid="first-message-send"
          ?disabled=${messageFault(this.text) !== undefined}
          @click=${() => this.#answer(this.text)}
        >
          Create
        </button>
      </oc-sheet>
    `;
  }

  #answer(text: string | undefined): void {
    this.dispatchEvent(new CustomEvent("answer", { detail: text }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "oc-first-message": FirstMessage;
  }
}
