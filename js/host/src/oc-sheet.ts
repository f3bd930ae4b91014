import { LitElement, css, html } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { around, focused } from "./focus.js";
import { keyboard } from "./keyboard.js";
import { base } from "./styles.js";

const FOCUSABLE = "button:not(:disabled), input, textarea, select, a[href], [tabindex='0']";
/** Milliseconds that a sheet is in sight before it can be confirmed: longer than a double click takes. */
const SETTLE = 500;

/**
 * A dialog that rises inside its phone.
 *
 * The button in `foot` with the class `main` confirms. It does nothing until the sheet has been in sight for half a
 * second, and then only for a press that began on it after that: what was meant for the page behind confirms nothing.
 *
 * The focus goes to what the content marks with `autofocus`, else to the sheet, and goes back at the end. A person who
 * types on another phone keeps it. A `modal` sheet keeps the focus.
 *
 * @slot - The content.
 * @slot foot - The buttons.
 * @fires {CustomEvent<undefined>} cancel - Escape, or a click beside the sheet.
 */
@customElement("oc-sheet")
export class Sheet extends LitElement {
  @property() heading = "";
  @property({ type: Boolean }) modal = false;
  @query("section") private dialog!: HTMLElement;
  @query("footer") private footer!: HTMLElement;
  #before: HTMLElement | undefined;
  #settled = false;
  /** Whether the press that is under way on the main button began after the sheet had settled. */
  #pressed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sight = new IntersectionObserver((entries) => this.#settle(entries.at(-1)!.isIntersecting), { threshold: 0.6 });

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
        max-height: calc(100% - var(--sheet-top, 56px));
        background: var(--surface);
        border-radius: 22px 22px 0 0;
        overflow: hidden;
        animation: rise 0.22s cubic-bezier(0.2, 0.8, 0.3, 1);
      }
      section:focus-visible {
        outline: none; /* the whole sheet: its rise shows where the focus is */
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
      ::slotted(.main) {
        transition: opacity 0.15s;
      }
      ::slotted(.main[aria-disabled="true"]) {
        opacity: 0.4;
        cursor: default;
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
      <section
        role="dialog"
        aria-modal=${this.modal ? "true" : "false"}
        aria-labelledby="heading"
        tabindex="-1"
        @click=${inside}
      >
        <h2 id="heading">${this.heading}</h2>
        <div class="content"><slot></slot></div>
        <footer><slot name="foot"></slot></footer>
      </section>
    `;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const before = focused();
    this.#before = before instanceof HTMLIFrameElement && before !== keyboard.frame ? undefined : before;
    this.addEventListener("click", this.#beside);
    this.addEventListener("keydown", this.#key);
    for (const type of ["pointerdown", "keydown", "keyup", "click"]) this.addEventListener(type, this.#guard, true);
    document.addEventListener("visibilitychange", this.#seen);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.#seen);
    this.#sight.disconnect();
    clearTimeout(this.#timer);
    const now = focused();
    const before = this.#before;
    if (now && now !== document.body) return; // the person has gone on to something else
    if (before instanceof HTMLIFrameElement) keyboard.enter(before);
    else if (before?.isConnected) before.focus({ preventScroll: true });
  }

  override firstUpdated(): void {
    this.#settle(false);
    this.#sight.observe(this.footer);
    const phone = around(this.#before, "oc-phone");
    if (phone && phone !== around(this, "oc-phone")) return;
    (this.querySelector<HTMLElement>("[autofocus]") ?? this.dialog).focus({ preventScroll: true });
  }

  #seen = () => {
    // Watch it from the start again: a page that comes back is new to the person.
    this.#sight.unobserve(this.footer);
    this.#settle(false);
    if (document.visibilityState === "visible") this.#sight.observe(this.footer);
  };

  #settle(inSight: boolean): void {
    clearTimeout(this.#timer);
    this.#settled = false;
    this.#main?.setAttribute("aria-disabled", "true");
    if (!inSight) return;
    this.#timer = setTimeout(() => {
      this.#settled = true;
      this.#main?.removeAttribute("aria-disabled");
    }, SETTLE);
  }

  get #main(): HTMLElement | null {
    return this.querySelector<HTMLElement>(":scope > .main");
  }

  /** Stops what would press the main button, unless it was meant for it. */
  #guard = (event: Event) => {
    const main = this.#main;
    if (!main || !event.composedPath().includes(main)) return;
    const key = event instanceof KeyboardEvent ? event.key : undefined;
    if (key && key !== "Enter" && key !== " ") return;
    let meant = this.#settled;
    if (event.type === "pointerdown") this.#pressed = meant;
    else if (event.type === "keydown") this.#pressed = meant &&= !(event as KeyboardEvent).repeat;
    else if (event.type === "keyup") meant &&= this.#pressed;
    // Without a pointer (`detail` 0) it comes from a key, which was looked at, or from a screen reader.
    else if ((event as MouseEvent).detail > 0) meant &&= this.#pressed;
    if (meant) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };

  #cancel = () => this.dispatchEvent(new CustomEvent("cancel"));

  /** A double click that was meant for the page behind does not cancel, either. */
  #beside = () => {
    if (this.#settled) this.#cancel();
  };

  #key = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      this.#cancel();
    } else if (event.key === "Tab" && this.modal) {
      const stops = [...this.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((stop) => !stop.hidden);
      const at = stops.indexOf(focused() as HTMLElement);
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
}

/** A click inside is none beside. */
const inside = (event: Event) => event.stopPropagation();

declare global {
  interface HTMLElementTagNameMap {
    "oc-sheet": Sheet;
  }
}
