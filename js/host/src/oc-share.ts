import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import "./oc-avatar.js";
import "./oc-more.js";
import "./oc-sheet.js";
import { asker, askerLine } from "./asker.js";
import type { PhoneModel } from "./model.js";
import { plainName, reveal } from "./reveal.js";
import { base } from "./styles.js";
import type { App, Relay } from "./types.js";

/**
 * Shows who would get what, before a relay is sent.
 *
 * @fires {CustomEvent<true | undefined>} answer - True after sending; undefined if cancelled.
 */
@customElement("oc-share")
export class Share extends LitElement {
  @property({ attribute: false }) phone!: PhoneModel;
  @property({ attribute: false }) app!: App;
  @property({ attribute: false }) relay!: Relay;
  @property({ attribute: false }) send!: () => Promise<void>;
  @state() private busy = false;

  static override styles = [
    base,
    asker,
    css`
      oc-sheet {
        --sheet-top: 12px;
      }
      .body {
        display: flex;
        flex-direction: column;
        min-height: 0;
        padding: 0 20px 14px;
      }
      .label {
        display: flex;
        flex: none;
        justify-content: space-between;
        gap: 12px;
        margin: 12px 0 6px;
        font-size: 13px;
        color: var(--ink-2);
      }
      .to {
        flex: 1 1 150px;
        min-height: 64px;
        max-height: max-content;
        border-radius: 14px;
        background: var(--sunken);
        box-shadow: inset 0 0 0 1px var(--line);
      }
      .what {
        flex: 1 1 190px;
        min-height: 64px;
        max-height: max-content;
        border-radius: 16px 16px 4px;
        background: var(--mine);
        color: var(--mine-ink);
      }
      li {
        display: flex;
        align-items: center;
        gap: 10px;
        padding: 6px 12px;
        font-size: 14px;
        line-height: 1.3;
      }
      li span {
        min-width: 0;
        overflow-wrap: anywhere;
      }
      li strong {
        display: block;
      }
      .more {
        font-size: 13px;
        color: var(--ink-2);
      }
      oc-avatar {
        --size: 32px;
      }
      blockquote {
        margin: 0;
        padding: 12px 14px;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        unicode-bidi: plaintext;
      }
      mark {
        padding: 0 6px;
        border-radius: 6px;
        font-size: 12px;
        white-space: nowrap;
        unicode-bidi: isolate;
        background: var(--alert);
        color: var(--alert-ink);
        box-shadow: inset 0 0 0 1px var(--alert-edge);
      }
      .note {
        margin-top: 8px;
        font-size: 13px;
        color: var(--ink-2);
      }
    `,
  ];

  override render() {
    const { relay, phone } = this;
    const people = relay.kind === "group" ? [] : relay.kind === "single" ? relay.recipient : relay.invitees;
    const count = people.length === 1 ? "1 person" : `${people.length} people`;
    const to = { single: `To ${count}`, group: "To a group", "new-group": `To a new group with ${count}` }[relay.kind];
    const text = reveal(relay.textMessage);
    const marks = text.some((piece) => typeof piece !== "string");
    return html`
      <oc-sheet heading="Send this message?" data-testid="share" @cancel=${() => this.#cancel()}>
        <div class="body">
          ${askerLine(this.app, `wants to send it as ${plainName(phone.nameOf(phone.jid))}`)}
          <p class="label" data-testid="share-count">${to}</p>
          <oc-more class="to" label="Recipients">
            <ul aria-label="Recipients" data-testid="share-recipients">
              ${relay.kind === "group" ? this.#group(relay.groupJid) : people.map((jid) => this.#person(jid))}
            </ul>
          </oc-more>
          <p class="label"><span>Message</span><span>${length(relay.textMessage)}</span></p>
          <oc-more class="what" label="Message">
            <blockquote data-testid="share-text">${text.map((piece) =>
              typeof piece === "string" ? piece : html`<mark title=${piece.title}>${piece.mark}</mark>`,
            )}</blockquote>
          </oc-more>
          ${
            marks
              ? html`<p class="note" data-testid="share-note">Marks like these stand for what can't be seen.</p>`
              : nothing
          }
        </div>
        <button slot="foot" class="button" data-testid="share-cancel" ?disabled=${this.busy} @click=${this.#cancel}>
          Cancel
        </button>
        <button slot="foot" class="button main" data-testid="share-send" ?disabled=${this.busy} @click=${this.#send}>
          ${this.busy ? "Sending…" : "Send"}
        </button>
      </oc-sheet>
    `;
  }

  #person(jid: string) {
    const { phone } = this;
    const name = phone.nameOf(jid);
    return this.#row("person", jid, name, name === jid ? "" : jid, phone.world.user(jid)?.avatar);
  }

  #group(jid: string) {
    const { phone } = this;
    const members = phone.groups.find((group) => group.jid === jid)?.members ?? [];
    const others = members.filter((member) => member !== phone.jid);
    return [
      this.#row("group", jid, phone.nameOf(jid), `${jid} · ${members.length} members, with you`),
      ...others.map((member) => this.#person(member)),
    ];
  }

  #row(kind: string, jid: string, name: string, more: string, avatar = "") {
    const shown = plainName(name);
    return html`<li data-jid=${jid}>
      <oc-avatar kind=${kind} .name=${shown} .src=${avatar}></oc-avatar>
      <span><strong><bdi>${shown}</bdi></strong>${more ? html`<span class="more">${more}</span>` : nothing}</span>
    </li>`;
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

/** How long a message is, for those that don't fit: short ones say nothing. */
function length(text: string): string {
  const count = [...text].length;
  return count > 200 ? `${count.toLocaleString("en")} characters` : "";
}

declare global {
  interface HTMLElementTagNameMap {
    "oc-share": Share;
  }
}
