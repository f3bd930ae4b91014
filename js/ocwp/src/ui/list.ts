import { LitElement, css, html, nothing, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { isEscape } from "../../../common/keys.js";
import "./avatar.js";
import { stateWord } from "./box.js";
import type { Chat } from "../model/chat.js";
import { fileName, isPicture } from "../xmpp/files.js";
import * as icons from "./icons.js";
import { asJid } from "../xmpp/jids.js";
import "./new-group.js";
import "./sign-in.js";
import { base, panel } from "./styles.js";
import { Watch, define, type Ui } from "./ui.js";

/**
 * The list of chats and contacts.
 *
 * @fires {CustomEvent<string>} open - Open the chat with this JID.
 * @fires {CustomEvent<undefined>} hide - Hide the list.
 */
export class ChatList extends LitElement {
  @property({ attribute: false }) ui!: Ui;
  @state() private sought = "";
  @state() private grouping = false;
  @query("input") private search!: HTMLInputElement | null;
  protected watch = new Watch(this, () => this.ui);

  static override styles = [
    base,
    panel,
    css`
      header {
        height: 48px;
        padding-inline: 14px 6px;
      }
      h2 {
        flex: 1;
        font-size: 16px;
        font-weight: 700;
      }
      h3 {
        padding: 12px 12px 2px;
        font-size: 12.5px;
        font-weight: 600;
        color: var(--ink-2);
      }
      .search {
        position: relative;
        flex: none;
        padding: 6px 10px 8px;
      }
      .search svg {
        position: absolute;
        inset-block: 6px 8px;
        inset-inline-start: 20px;
        margin-block: auto;
        color: var(--ink-2);
      }
      .search .field {
        padding-inline-start: 36px;
        unicode-bidi: plaintext; /* not dir, which would move the padding too */
        background: var(--sunken);
      }
      .people {
        flex: 1;
        min-height: 0;
        overflow-y: auto;
        overscroll-behavior: contain;
        padding-block-end: 8px;
      }
      .empty {
        padding: 28px 24px;
        text-align: center;
      }
      .request {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        padding: 10px 12px;
        border-block-end: 1px solid var(--line);
      }
      .request p {
        flex: 1 0 100%;
      }
    `,
  ];

  override render() {
    const { ui } = this;
    const { say } = ui.language;
    const { client, notifier } = ui;
    const state = stateWord(ui);
    const { signIn } = ui.options;
    const bell = say(notifier.on ? "notNotify" : "notify");
    return html`<section dir=${ui.language.direction} aria-label=${say("chats")} @keydown=${this.#key}>
      <header>
        <h2>${say("chats")}</h2>
        ${
          client.me && notifier.possible
            ? html`<button class="icon" aria-label=${bell} title=${bell} @click=${() => notifier.toggle()}>
              ${notifier.on ? icons.bell : icons.bellOff}
            </button>`
            : nothing
        }
        ${
          client.me && client.config.features.groups
            ? html`<button
              class="icon"
              aria-label=${say("newGroup")}
              title=${say("newGroup")}
              aria-expanded=${this.grouping}
              @click=${() => (this.grouping = !this.grouping)}
            >
              ${icons.newGroup}
            </button>`
            : nothing
        }
        ${
          client.me && ui.options.signIn
            ? html`<button class="icon turns" aria-label=${say("signOut")} title=${say("signOut")} @click=${ui.logout}>
              ${icons.signOut}
            </button>`
            : nothing
        }
        <button class="icon" aria-label=${say("hide")} title=${say("hide")} @click=${this.#hide}>${icons.down}</button>
      </header>
      ${state ? html`<p class=${client.me ? "fault" : "empty quiet"} role="status">${say(state)}</p>` : nothing}
      ${
        !client.me || (signIn && state === "authFailed")
          ? signIn
            ? html`<ocwp-sign-in .ui=${ui}></ocwp-sign-in>`
            : nothing
          : this.grouping
            ? html`<ocwp-new-group .ui=${ui} @done=${this.#grouped}></ocwp-new-group>`
            : html`${this.#search()}
              <div class="people">${this.sought.trim() ? this.#found() : this.#all()}</div>`
      }
    </section>`;
  }

  override focus(): void {
    const form = this.renderRoot.querySelector<HTMLElement>("ocwp-sign-in");
    (this.search ?? form ?? this.renderRoot.querySelector<HTMLElement>("button"))?.focus();
  }

  #search() {
    const word = this.ui.language.say("search");
    return html`<div class="search">
      ${icons.search}
      <input
        class="field"
        type="search"
        placeholder=${word}
        aria-label=${word}
        .value=${this.sought}
        @input=${this.#seek}
      />
    </div>`;
  }

  #all() {
    const { client, language } = this.ui;
    const chats = [...client.chats.values()]
      .filter((chat) => chat.lastAt > 0 || chat.kind === "group")
      .sort((a, b) => b.lastAt - a.lastAt);
    const others = this.#contacts().filter((jid) => !chats.some((chat) => chat.jid === jid));
    return html`
      ${[...client.people.requests].map((jid) => this.#request(jid))}
      ${[...client.rooms.invitations].map(([room, by]) => this.#invitation(room, by))}
      ${
        chats.length + others.length === 0 && client.status.now === "XMPP_CONNECTION_CONNECTED_READY"
          ? html`<p class="empty quiet">${language.say("noChats")}</p>`
          : nothing
      }
      <ul>
        ${repeat(
          chats,
          (chat) => chat.jid,
          (chat) => html`<li>${this.#chat(chat)}</li>`,
        )}
      </ul>
      ${
        others.length > 0
          ? html`<h3>${language.say("contacts")}</h3>
            <ul>
              ${repeat(
                others,
                (jid) => jid,
                (jid) => html`<li>${this.#contact(jid)}</li>`,
              )}
            </ul>`
          : nothing
      }
    `;
  }

  /** Chats, contacts and whom the server has found, if the name or address has every word that is sought. */
  #found() {
    const { client, language } = this.ui;
    const fits = language.matcher(this.sought);
    const groups = [...client.chats.values()].filter((chat) => chat.kind !== "direct" && fits(this.#name(chat)));
    const direct = [...client.chats.values()].filter(({ kind }) => kind === "direct").map(({ jid }) => jid);
    const others = [...direct, ...client.people.found.keys()].sort(this.#byName);
    const people = [...new Set([...this.#contacts(), ...others])].filter(
      (jid) => jid !== client.me && fits(client.people.nameOf(jid), jid),
    );
    const stranger = asJid(this.sought, client.config.domain);
    const write =
      stranger && stranger !== client.me && client.kindOf(stranger) === "direct" && !people.includes(stranger);
    return html`
      <ul>
        ${groups.map((chat) => html`<li>${this.#chat(chat)}</li>`)}
        ${people.map((jid) => html`<li>${this.#contact(jid)}</li>`)}
        ${
          write
            ? html`<li>
              <button class="row" @click=${() => this.#open(stranger)}>
                <ocwp-avatar .name=${stranger}></ocwp-avatar>
                <span class="words ellipsis">${language.say("writeTo", { name: stranger })}</span>
              </button>
            </li>`
            : nothing
        }
      </ul>
      ${
        groups.length + people.length === 0 && !write
          ? html`<p class="empty quiet">${language.say("noMatch")}</p>`
          : nothing
      }
    `;
  }

  #chat(chat: Chat): TemplateResult {
    const { client, language } = this.ui;
    const last = chat.timeline.messages.at(-1);
    const name = this.#name(chat);
    const presence = chat.kind === "direct" ? client.people.presenceOf(chat.jid) : "";
    const others = last && (chat.kind === "group" || last.nick) ? client.senderOf(chat, last) : "";
    const author = last?.mine ? language.say("you") : others;
    const text = last?.retracted ? language.say("retracted") : last?.file ? this.#file(last.file) : last?.text;
    return html`<button class="row" data-jid=${chat.jid} @click=${() => this.#open(chat.jid)}>
      <ocwp-avatar kind=${chat.kind} .name=${name} .src=${client.people.avatarOf(chat.jid)} presence=${presence}></ocwp-avatar>
      <span class="words">
        <span class="line">
          <span class="name ellipsis" dir="auto">${name}</span>
          ${client.muted(chat) ? html`<span class="quiet" title=${language.say("muted")}>${icons.bellOff}<span class="unseen">${language.say("muted")}</span></span>` : nothing}
          ${last ? html`<span class="quiet">${language.when(last.at)}</span>` : nothing}
        </span>
        <span class="line">
          <span class="quiet ellipsis" dir="auto">${author ? `${language.isolate(author)}: ${text}` : text}</span>
          ${unread(this.ui, chat.unread)}
        </span>
      </span>
    </button>`;
  }

  #file = (address: string): string => (isPicture(address) ? this.ui.language.say("picture") : fileName(address));

  #contact(jid: string): TemplateResult {
    const { people } = this.ui.client;
    const name = people.nameOf(jid);
    const presence = people.presenceOf(jid);
    return html`<button class="row" data-jid=${jid} @click=${() => this.#open(jid)}>
      <ocwp-avatar .name=${name} .src=${people.avatarOf(jid)} presence=${presence}></ocwp-avatar>
      <span class="words">
        <span class="name ellipsis" dir="auto">${name}</span>
        <span class="quiet">${this.ui.language.say(presence)}</span>
      </span>
    </button>`;
  }

  #request(jid: string): TemplateResult {
    const { people } = this.ui.client;
    const { say } = this.ui.language;
    return html`<div class="request">
      <p>${say("wantsToAdd", { name: people.nameOf(jid) })}</p>
      <button class="button main" @click=${() => people.add(jid)}>${say("accept")}</button>
      <button class="button" @click=${() => people.decline(jid)}>${say("decline")}</button>
    </div>`;
  }

  #invitation(room: string, by: string): TemplateResult {
    const { people, rooms } = this.ui.client;
    const { say } = this.ui.language;
    const accept = () =>
      rooms.accept(room).then(
        () => this.#open(room),
        () => {},
      ); // gone meanwhile
    return html`<div class="request" data-room=${room}>
      <p>${say("invitesYou", { name: people.nameOf(by) })}</p>
      <button class="button main" @click=${accept}>${say("accept")}</button>
      <button class="button" @click=${() => rooms.decline(room)}>${say("decline")}</button>
    </div>`;
  }

  /** Those who are there first, each by name. */
  #contacts(): string[] {
    const { people } = this.ui.client;
    const away = (jid: string) => (people.presenceOf(jid) === "offline" ? 1 : 0);
    return [...people.contacts.keys()].sort((a, b) => away(a) - away(b) || this.#byName(a, b));
  }

  #byName = (a: string, b: string): number => {
    const { client, language } = this.ui;
    return language.compare(client.people.nameOf(a), client.people.nameOf(b));
  };

  #name(chat: Chat): string {
    if (chat.kind === "alert") return this.ui.language.say("alerts");
    return this.ui.client.nameOf(chat) || this.ui.language.say("groupNameDefault");
  }

  #seek = (event: Event): void => {
    this.sought = (event.target as HTMLInputElement).value;
    this.ui.client.people.seek(this.sought);
  };

  #open(jid: string): void {
    this.sought = "";
    this.dispatchEvent(new CustomEvent("open", { detail: jid }));
  }

  #grouped = (event: CustomEvent<string | undefined>): void => {
    this.grouping = false;
    if (event.detail) this.#open(event.detail);
  };

  #hide = () => this.dispatchEvent(new CustomEvent("hide"));

  #key = (event: KeyboardEvent): void => {
    if (!isEscape(event)) return;
    if (this.grouping) this.grouping = false;
    else if (this.sought) this.sought = "";
    else this.#hide();
  };
}

/** A badge with how many messages are unread, in words for screen readers. */
export const unread = ({ language }: Ui, count: number) =>
  count > 0
    ? html`<span class="badge" aria-hidden="true">${language.number(count)}</span
        ><span class="unseen">${language.count("unread", count)}</span>`
    : nothing;

define("ocwp-list", ChatList);

declare global {
  interface HTMLElementTagNameMap {
    "ocwp-list": ChatList;
  }
}
