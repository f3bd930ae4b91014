import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import "./oc-avatar.js";
import "./oc-sheet.js";
import type { PhoneModel } from "./model.js";
import { base } from "./styles.js";
import type { Relay } from "./types.js";

/** How many recipients are shown by name before the rest becomes a number: what fits without scrolling. */
const SHOWN = 6;

/** Shows who would get what, before a relay is sent. Fires `answer` with true or undefined (cancelled). */
@customElement("oc-share")
export class Share extends LitElement {
  @property({ attribute: false }) phone!: PhoneModel;
  @property({ attribute: false }) relay!: Relay;
  @property({ attribute: false }) send!: () => Promise<void>;
  @property() app = "";
  @state() private busy = false;

  static override styles = [
    base,
    css`
      .body {
        padding: 0 20px 16px;
        overflow-y: auto;
      }
      .label {
        margin: 10px 0 6px;
        font-size: 13px;
        color: var(--ink-2);
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
      }
      li {
        display: flex;
        align-items: center;
        gap: 8px;
        max-width: 100%;
        padding: 4px 12px 4px 4px;
        border-radius: 20px;
        background: var(--sunken);
        box-shadow: inset 0 0 0 1px var(--line);
        font-size: 14px;
        font-weight: 600;
      }
      li.rest {
        padding: 7px 12px;
      }
      oc-avatar {
        --size: 28px;
      }
      blockquote {
        margin: 0;
        padding: 12px 14px;
        border-radius: 16px 16px 4px;
        background: var(--mine);
        color: var(--mine-ink);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        max-height: 180px;
        overflow-y: auto;
      }
    `,
  ];

  override render() {
    const { relay } = this;
    return html`
      <oc-sheet heading="Send this message?" data-testid="share" @cancel=${() => this.#cancel()}>
        <div class="body">
          <p><strong>${this.app}</strong> wants to send it as you.</p>
          <p class="label">${relay.kind === "new-group" ? "To a new group with" : "To"}</p>
          <ul aria-label="Recipients" data-testid="share-recipients">
            ${this.#recipients()}
          </ul>
          <p class="label">Message</p>
          <blockquote data-testid="share-text">${relay.textMessage}</blockquote>
        </div>
        <button slot="foot" class="button" data-testid="share-cancel" ?disabled=${this.busy} @click=${this.#cancel}>
          Cancel
        </button>
        <button
          slot="foot"
          class="button main"
          autofocus
          data-testid="share-send"
          ?disabled=${this.busy}
          @click=${this.#send}
        >
          ${this.busy ? "Sending…" : "Send"}
        </button>
      </oc-sheet>
    `;
  }

  #recipients() {
    const { phone, relay } = this;
    if (relay.kind === "group") {
      const { groupJid } = relay;
      return html`<li data-jid=${groupJid}>
        <oc-avatar kind="group"></oc-avatar><span class="ellipsis">${phone.nameOf(groupJid)}</span>
      </li>`;
    }
    const jids = relay.kind === "single" ? relay.recipient : relay.invitees;
    // One over the limit is shown rather than counted: "1 more" takes as much room.
    const shown = jids.length > SHOWN + 1 ? jids.slice(0, SHOWN) : jids;
    return html`
      ${shown.map((jid) => {
        const name = phone.nameOf(jid);
        const avatar = phone.world.user(jid)?.avatar ?? "";
        return html`<li data-jid=${jid}>
          <oc-avatar .name=${name} .src=${avatar}></oc-avatar><span class="ellipsis">${name}</span>
        </li>`;
      })}
      ${jids.length > shown.length ? html`<li class="rest">and ${jids.length - shown.length} more</li>` : nothing}
    `;
  }

  #cancel = () => {
    if (!this.busy) this.#answer(undefined);
  };

  #send = async () => {
    this.busy = true;
    await this.send().catch(() => {});
    this.#answer(true);
  };

  #answer(value: true | undefined): void {
    this.dispatchEvent(new CustomEvent("answer", { detail: value }));
  }
}
