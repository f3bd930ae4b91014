import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { asker, askerLine } from "./asker.js";
import * as icons from "./icons.js";
import { asRefusal } from "./model.js";
import "./oc-avatar.js";
import "./oc-sheet.js";
import { base, rows } from "./styles.js";
import type { App, User } from "./types.js";

/** How many contacts are shown at once: some ten screens of a phone. */
const SHOWN = 100;

/**
 * The contacts selector.
 *
 * Where one contact at most can be picked, another pick takes the first one's place.
 *
 * @fires {CustomEvent<string[] | undefined>} answer - The JIDs that were picked; undefined if cancelled.
 */
@customElement("oc-picker")
export class Picker extends LitElement {
  @property() heading = "Select contacts";
  @property() done = "Done";
  /** The mini app that asks, if it isn't the person. */
  @property({ attribute: false }) app: App | undefined;
  /** How many may be picked; -1: any number. */
  @property({ type: Number }) max = -1;
  /** The first `limit` contacts that a search finds. */
  @property({ attribute: false }) find!: (search: string, limit: number) => Promise<User[]>;
  @state() private shown: User[] | undefined;
  @state() private fault = "";
  @state() private picked: ReadonlySet<string> = new Set();
  @state() private query = "";

  static override styles = [
    base,
    rows,
    asker,
    css`
      .asker {
        padding: 0 20px 12px;
      }
      .search {
        display: flex;
        align-items: center;
        gap: 8px;
        margin: 0 16px 8px;
        padding: 0 12px;
        border-radius: 12px;
        background: var(--sunken);
        box-shadow: inset 0 0 0 1px var(--line);
        color: var(--ink-2);
      }
      .search:focus-within {
        box-shadow: inset 0 0 0 2px var(--accent);
      }
      input {
        flex: 1;
        min-width: 0;
        height: 44px;
        border: 0;
        background: none;
        color: var(--ink);
      }
      input:focus-visible {
        outline: none; /* the box around it shows the focus */
      }
      ul {
        overflow-y: auto;
        min-height: 120px;
        overscroll-behavior: contain;
      }
      .box {
        display: grid;
        place-items: center;
        width: 24px;
        height: 24px;
        border-radius: 50%;
        box-shadow: inset 0 0 0 2px color-mix(in srgb, var(--ink-2) 60%, transparent);
        color: transparent;
        flex: none;
      }
      [aria-checked="true"] .box {
        background: var(--accent);
        box-shadow: none;
        color: var(--accent-ink);
      }
      .count {
        padding: 8px 20px;
        font-size: 13.5px;
        color: var(--ink-2);
        border-top: 1px solid var(--line);
      }
      .full {
        color: var(--accent);
        font-weight: 600;
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#search("");
  }

  override render() {
    const { shown } = this;
    return html`
      <oc-sheet
        heading=${this.heading}
        ?modal=${!this.app}
        data-testid="picker"
        @cancel=${() => this.#answer(undefined)}
      >
        ${this.app ? askerLine(this.app, "will see who you pick") : nothing}
        <label class="search">
          ${icons.search}<span class="unseen">Search contacts</span>
          <input
            type="search"
            placeholder="Search"
            autocomplete="off"
            autofocus
            data-testid="picker-search"
            .value=${this.query}
            @keydown=${this.#arrow}
            @input=${(event: InputEvent) => this.#search((event.target as HTMLInputElement).value)}
          />
        </label>
        <ul aria-label="Contacts" @keydown=${this.#arrow}>
          ${shown?.slice(0, SHOWN).map((user) => this.#row(user))} ${this.#end()}
        </ul>
        <p class="count ${this.#full ? "full" : ""}" role="status" data-testid="picker-count">${this.#count()}</p>
        <button slot="foot" class="button" data-testid="picker-cancel" @click=${() => this.#answer(undefined)}>
          Cancel
        </button>
        <button
          slot="foot"
          class="button main"
          data-testid="picker-done"
          ?disabled=${this.picked.size === 0}
          @click=${() => this.#answer([...this.picked])}
        >
          ${this.done}
        </button>
      </oc-sheet>
    `;
  }

  /** What stands below the contacts. */
  #end() {
    const { shown, fault } = this;
    if (fault) return html`<li class="empty" role="alert">${fault}</li>`;
    if (!shown) return html`<li class="empty">Loading…</li>`;
    if (shown.length === 0) return html`<li class="empty">Nobody here has that name.</li>`;
    if (shown.length <= SHOWN) return nothing;
    return html`<li class="empty" data-testid="picker-more">There are more contacts. Search for them.</li>`;
  }

  #row(user: User) {
    const checked = this.picked.has(user.jid);
    return html`<li>
      <button
        class="row"
        role="checkbox"
        aria-checked=${checked ? "true" : "false"}
        aria-disabled=${!checked && this.#full && this.max > 1 ? "true" : "false"}
        data-testid="picker-item"
        data-jid=${user.jid}
        @click=${() => this.#toggle(user.jid)}
      >
        <oc-avatar .name=${user.name} .src=${user.avatar}></oc-avatar>
        <span class="words">
          <span class="name ellipsis" dir="auto">${user.name}</span>
          <span class="more">${user.jid}</span>
        </span>
        <span class="box">${icons.tick}</span>
      </button>
    </li>`;
  }

  get #full(): boolean {
    return this.max > 0 && this.picked.size >= this.max;
  }

  #count(): string {
    if (this.max < 0) return `${this.picked.size} selected`;
    return `${this.picked.size} of ${this.max} selected${this.#full && this.max > 1 ? ": that is all" : ""}`;
  }

  /** Shows what `query` finds, unless the person has typed on meanwhile. */
  async #search(query: string): Promise<void> {
    this.query = query;
    try {
      const shown = await this.find(query, SHOWN + 1);
      if (query === this.query) [this.shown, this.fault] = [shown, ""];
    } catch (error) {
      const { message, hint } = asRefusal(error);
      if (query === this.query) [this.shown, this.fault] = [[], `${message} ${hint}`];
    }
  }

  #toggle(jid: string): void {
    const picked = new Set(this.picked);
    if (picked.delete(jid)) this.picked = picked;
    else if (this.max === 1) this.picked = new Set([jid]);
    else if (!this.#full) this.picked = picked.add(jid);
  }

  /** Down from the search to the first contact, and up and down among them. */
  #arrow = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...this.renderRoot.querySelectorAll<HTMLElement>(".row")];
    all[all.indexOf(event.target as HTMLElement) + step]?.focus();
  };

  #answer(jids: string[] | undefined): void {
    this.dispatchEvent(new CustomEvent("answer", { detail: jids }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "oc-picker": Picker;
  }
}
