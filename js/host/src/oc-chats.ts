import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import * as icons from "./icons.js";
import { Watch, type PhoneModel } from "./model.js";
import "./oc-avatar.js";
import { base, rows } from "./styles.js";
import { whenOf } from "./text.js";
import type { Invitation, Refusal, Thread } from "./types.js";

/**
 * The list of threads.
 *
 * @fires {CustomEvent<string>} open - Open the thread with this ID.
 * @fires {CustomEvent<undefined>} new-chat - Choose a contact for a new chat.
 * @fires {CustomEvent<undefined>} new-group - Choose contacts for a new group.
 */
@customElement("oc-chats")
export class Chats extends LitElement {
  @property({ attribute: false }) phone!: PhoneModel;
  /** Why the last answer to an invitation did not work, if so. */
  @state() private refused = "";
  protected watch = new Watch(this, () => this.phone);

  static override styles = [
    base,
    rows,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 0;
      }
      header {
        display: flex;
        align-items: center;
        padding: 6px 8px 6px 16px;
        flex: none;
      }
      h2 {
        flex: 1;
        font-size: 24px;
        letter-spacing: -0.02em;
      }
      ul {
        overflow-y: auto;
        flex: 1;
      }
      .asked {
        flex: 0 1 auto;
        max-height: 50%;
        border-bottom: 1px solid var(--line);
      }
      .asked li {
        display: flex;
        gap: 12px;
        padding: 8px 16px 12px;
      }
      .asked p {
        margin-bottom: 8px;
      }
      .refused {
        padding: 8px 16px;
        color: var(--fault);
      }
      .row {
        position: relative;
      }
      li + li .row::before {
        content: "";
        position: absolute;
        inset: 0 16px auto 72px; /* from where the words begin */
        border-top: 1px solid var(--line);
      }
      time {
        font-size: 12.5px;
        color: var(--ink-2);
      }
      .unread .more,
      .unread time {
        color: var(--ink);
        font-weight: 500;
      }
      .badge {
        min-width: 20px;
        padding: 0 6px;
        border-radius: 10px;
        font: 700 12px/20px system-ui, sans-serif;
        text-align: center;
        background: var(--badge);
        color: var(--surface);
      }
    `,
  ];

  override render() {
    const { phone } = this;
    return html`
      <header>
        <h2>Chats</h2>
        ${this.#begin("new-group", "New group", icons.people)} ${this.#begin("new-chat", "New chat", icons.pencil)}
      </header>
      ${
        phone.invitations.length
          ? html`<ul class="asked">${repeat(
              phone.invitations,
              ({ group }) => group, // a row that moves takes its buttons along
              (one) => this.#asked(one),
            )}</ul>`
          : nothing
      }
      ${this.refused ? html`<p class="refused" role="alert">${this.refused}</p>` : nothing}
      ${
        phone.threads.length
          ? html`<ul>
            ${phone.threads.map((thread) => html`<li>${this.#row(thread)}</li>`)}
          </ul>`
          : this.#empty()
      }
    `;
  }

  #begin(what: string, label: string, icon: unknown) {
    return html`<button
      class="icon"
      aria-label=${label}
      title=${label}
      data-testid=${what}
      @click=${() => this.#fire(what)}
    >
      ${icon}
    </button>`;
  }

  #asked(invitation: Invitation) {
    const answer = (accept: boolean) => () => void this.#answer(invitation, accept);
    return html`<li data-testid="invitation" data-group=${invitation.group}>
      <oc-avatar kind="group" .name=${invitation.name} .src=${""}></oc-avatar>
      <div class="words">
        <p><bdi>${invitation.by.name}</bdi> invites you to <bdi>${invitation.name}</bdi></p>
        <button class="button main" @click=${answer(true)}>Accept</button>
        <button class="button" @click=${answer(false)}>Decline</button>
      </div>
    </li>`;
  }

  async #answer(invitation: Invitation, accept: boolean): Promise<void> {
    this.refused = "";
    try {
      await this.phone.answer(invitation, accept);
      if (accept) this.#fire("open", invitation.group);
    } catch (error) {
      const { message, hint } = error as Refusal;
      this.refused = `${message} ${hint}`;
    }
  }

  #row(thread: Thread) {
    const { last, unread } = thread;
    const kind = thread.kind === "direct" ? "person" : thread.kind;
    return html`<button
      class="row ${unread ? "unread" : ""}"
      data-testid="thread"
      data-thread=${thread.id}
      data-kind=${thread.kind}
      @click=${() => this.#fire("open", thread.id)}
    >
      <oc-avatar kind=${kind} .name=${thread.title} .src=${thread.avatar}></oc-avatar>
      <span class="words">
        <span class="line">
          <span class="name ellipsis" dir="auto">${thread.title}</span>
          ${last ? html`<time datetime=${last.at}>${whenOf(last.at)}</time>` : nothing}
        </span>
        <span class="line">
          <span class="more ellipsis" dir="auto">${last ? this.#preview(thread) : ""}</span>
          ${
            unread
              ? html`<span class="badge" data-testid="unread"
                >${unread > 99 ? "99+" : unread}<span class="unseen"> unread</span></span
              >`
              : nothing
          }
        </span>
      </span>
    </button>`;
  }

  #preview({ kind, last }: Thread): string {
    const mine = last!.from.jid === this.phone.jid;
    const who = mine ? "You: " : kind === "direct" ? "" : `${last!.from.name}: `;
    return who + last!.text;
  }

  #empty() {
    const { fault, loaded } = this.phone;
    if (fault) return html`<div class="empty" role="alert">${fault.message} ${fault.hint}</div>`;
    if (!loaded) return html`<div class="empty" role="status">Loading…</div>`;
    return html`<div class="empty">
      ${icons.chats}
      <h3>No messages yet</h3>
      <p>Begin a chat, or let a mini app send one.</p>
      <button class="button main" @click=${() => this.#fire("new-chat")}>New chat</button>
    </div>`;
  }

  #fire(type: string, detail?: string): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "oc-chats": Chats;
  }
}
