import { LitElement, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import * as icons from "./icons.js";
import { base } from "./styles.js";

/** Pixels from the end that count as the end: scrolled sizes are rounded. */
const NEAR = 4;

/** A box that scrolls, and says so: while there is more below, a button leads there. */
@customElement("oc-more")
export class More extends LitElement {
  @property() label = "";
  @state() private more = false;
  @query(".box") private box!: HTMLElement;
  #sizes = new ResizeObserver(() => this.#look());

  static override styles = [
    base,
    css`
      :host {
        position: relative;
        display: flex;
        flex-direction: column;
        min-height: 0;
      }
      .box {
        overflow-y: auto;
        overscroll-behavior: contain;
        border-radius: inherit;
      }
      .box:focus-visible {
        outline-offset: -2px;
      }
      button {
        position: absolute;
        right: 8px;
        bottom: 8px;
        display: inline-flex;
        align-items: center;
        gap: 4px;
        min-height: 32px;
        padding: 0 12px 0 8px;
        border-radius: 16px;
        font-size: 13px;
        font-weight: 600;
        background: var(--ink);
        color: var(--surface);
        box-shadow: var(--shadow);
      }
    `,
  ];

  override render() {
    return html`
      <div class="box" role="region" aria-label=${this.label} tabindex=${this.more ? 0 : nothing} @scroll=${this.#look}>
        <div class="inner"><slot></slot></div>
      </div>
      ${this.more ? html`<button data-testid="more" @click=${this.#page}>${icons.chevron}More below</button>` : nothing}
    `;
  }

  override firstUpdated(): void {
    this.#sizes.observe(this.box);
    this.#sizes.observe(this.box.firstElementChild!);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sizes.disconnect();
  }

  #look = () => {
    const { scrollHeight, scrollTop, clientHeight } = this.box;
    this.more = scrollHeight - scrollTop - clientHeight > NEAR;
  };

  #page = () => this.box.scrollBy({ top: this.box.clientHeight * 0.8 });
}

declare global {
  interface HTMLElementTagNameMap {
    "oc-more": More;
  }
}
