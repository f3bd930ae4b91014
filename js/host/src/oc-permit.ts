import { LitElement, css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import "./oc-sheet.js";
import { asker, askerLine } from "./asker.js";
import { CAPABILITIES, type Capability } from "./permissions.js";
import { base } from "./styles.js";
import type { App } from "./types.js";

/**
 * Asks whether a mini app may use `capabilities`.
 *
 * @fires {CustomEvent<true | undefined>} answer - True to allow them; undefined for "not now".
 */
@customElement("oc-permit")
export class PermitSheet extends LitElement {
  @property({ attribute: false }) app!: App;
  @property({ attribute: false }) capabilities: readonly Capability[] = [];

  static override styles = [
    base,
    asker,
    css`
      .body {
        display: grid;
        gap: 14px;
        padding: 0 20px 18px;
      }
      .note {
        font-size: 13px;
        color: var(--ink-2);
      }
    `,
  ];

  override render() {
    const what = CAPABILITIES.filter(({ id }) => this.capabilities.includes(id)).map(({ what }) => what);
    return html`
      <oc-sheet heading="Allow this?" data-testid="permit" @cancel=${() => this.#answer(undefined)}>
        <div class="body">
          ${askerLine(this.app, `wants to use ${new Intl.ListFormat("en").format(what)}`)}
          <p class="note">If you allow it, the app is opened again. You can change this in your profile.</p>
        </div>
        <button slot="foot" class="button" data-testid="permit-not-now" @click=${() => this.#answer(undefined)}>
          Not now
        </button>
        <button slot="foot" class="button main" data-testid="permit-allow" @click=${() => this.#answer(true)}>
          Allow
        </button>
      </oc-sheet>
    `;
  }

  #answer(value: true | undefined): void {
    this.dispatchEvent(new CustomEvent("answer", { detail: value }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "oc-permit": PermitSheet;
  }
}
