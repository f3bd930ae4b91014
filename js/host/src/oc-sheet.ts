import { LitElement, css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { base } from "./styles.js";

const FOCUSABLE = "button:not(:disabled), input, textarea, select, a[href], [tabindex='0']";

/**
 * A dialog that rises inside its phone.
 *
 * It takes the focus to what its content marks with `autofocus`, keeps it, and gives it back when it goes; Escape and
 * a click beside it fire `cancel`. Slots: none (the content), `foot`.
 */
@customElement("oc-sheet")
export class Sheet extends LitElement {
  @property() heading = "";
  #before: HTMLElement | undefined;

  static override styles = [
    base,
    css`
      :host {
        position: absolute;
        inset: 0;
        z-index: 30;
        display: flex;
        flex-direction: column;
        justify-content: flex-end;
        background: var(--shade);
        animation: fade 0.18s ease-out;
      }
      section {
        display: flex;
        flex-direction: column;
        max-height: calc(100% - 56px);
        background: var(--surface);
        border-radius: 22px 22px 0 0;
        overflow: hidden;
        animation: rise 0.22s cubic-bezier(0.2, 0.8, 0.3, 1);
      }
      h2 {
        padding: 18px 20px 10px;
        font-size: 18px;
        letter-spacing: -0.01em;
      }
      .content {
        flex: 1;
        min-height: 0;
        display: flex;
        flex-direction: column;
      }
      footer {
        display: flex;
        gap: 10px;
        padding: 12px 16px calc(16px + var(--bottom, 0px));
        border-top: 1px solid var(--line);
      }
      ::slotted(.button) {
        flex: 1;
      }
      @keyframes fade {
        from {
          opacity: 0;
        }
      }
      @keyframes rise {
        from {
          transform: translateY(32px);
        }
      }
      @media (prefers-reduced-motion: reduce) {
        :host {
          animation: none;
        }
      }
    `,
  ];

  override render() {
    return html`
      <section role="dialog" aria-modal="true" aria-labelledby="heading" @click=${inside}>
        <h2 id="heading">${this.heading}</h2>
        <div class="content"><slot></slot></div>
        <footer><slot name="foot"></slot></footer>
      </section>
    `;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#before = focused(document);
    this.addEventListener("click", this.#cancel);
    this.addEventListener("keydown", this.#key);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.removeEventListener("click", this.#cancel);
    this.removeEventListener("keydown", this.#key);
    if (this.#before?.isConnected) this.#before.focus({ preventScroll: true });
  }

  override firstUpdated(): void {
    (this.querySelector<HTMLElement>("[autofocus]") ?? this.#stops()[0])?.focus({ preventScroll: true });
  }

  #cancel = () => this.dispatchEvent(new CustomEvent("cancel"));

  #key = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      this.#cancel();
    } else if (event.key === "Tab") {
      const stops = this.#stops();
      const at = stops.indexOf(focused(document) as HTMLElement);
      const next = event.shiftKey
        ? at <= 0
          ? stops.at(-1)
          : undefined
        : at === stops.length - 1
          ? stops[0]
          : undefined;
      if (next) {
        event.preventDefault();
        next.focus();
      }
    }
  };

  #stops(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((stop) => !stop.hidden);
  }
}

/** A click inside is none beside. */
const inside = (event: Event) => event.stopPropagation();

/** The element that has the focus, however deep in shadow roots. */
function focused(root: DocumentOrShadowRoot): HTMLElement | undefined {
  const element = root.activeElement as HTMLElement | null;
  return (element?.shadowRoot && focused(element.shadowRoot)) || element || undefined;
}
