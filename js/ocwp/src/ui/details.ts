import { LitElement, css, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import "./avatar.js";
import type { Chat } from "../model/chat.js";
import { FileError, avatarFrom } from "../xmpp/files.js";
import * as icons from "./icons.js";
import { asJid } from "../xmpp/jids.js";
import { base } from "./styles.js";
import { Watch, define, type Ui } from "./ui.js";

/**
 * Who a chat is with; a group's members, name and picture.
 *
 * @fires {CustomEvent<undefined>} done - Go back to the messages.
 */
export class Details extends LitElement {
  @property({ attribute: false }) ui!: Ui;
  @property({ attribute: false }) chat!: Chat;
  @state() private fault = "";
  @state() private leaving = false;
  @query("input[type=file]") private file!: HTMLInputElement;
  protected watch = new Watch(this, () => this.ui);

  static override styles = [
    base,
    css`
      :host {
        display: block;
        overflow-y: auto;
        background: var(--surface);
      }
      .block {
        padding: 10px 12px;
        border-block-end: 1px solid var(--line);
      }
      form,
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      form .field {
        flex: 1;
        min-width: 90px;
      }
      h3 {
        padding: 10px 12px 2px;
        font-weight: 600;
      }
      .row {
        min-height: 44px;
      }
    `,
  ];

  override render() {
    const { ui, chat } = this;
    const { say } = ui.language;
    return html`<div dir=${ui.language.direction}>
      ${this.fault ? html`<p class="fault" role="alert">${this.fault}</p>` : nothing}
      <div class="block actions">
        <button class="button" autofocus @click=${() => this.dispatchEvent(new CustomEvent("done"))}>${say("back")}</button>
        ${chat.kind === "direct" ? this.#person() : nothing}
      </div>
      ${chat.kind === "group" ? this.#group() : nothing}
    </div>`;
  }

  override firstUpdated(): void {
    this.renderRoot.querySelector<HTMLElement>("[autofocus]")?.focus();
    if (this.chat.room?.joined) this.ui.client.rooms.look(this.chat);
  }

  #person() {
    const { people } = this.ui.client;
    const { say } = this.ui.language;
    const { jid } = this.chat;
    return html`<p class="quiet"><bdi>${jid}</bdi></p>
      ${
        people.contacts.has(jid)
          ? nothing
          : html`<button class="button" @click=${() => this.#try(() => people.add(jid))}>${say("add")}</button>`
      }
      <div class="block actions">${this.#mute()} ${this.#block()}</div>`;
  }

  #mute() {
    const { client, language } = this.ui;
    const muted = client.muted(this.chat);
    return html`<button class="button" @click=${() => client.mute(this.chat, !muted)}>
      ${language.say(muted ? "unmute" : "mute")}
    </button>`;
  }

  #block() {
    const { client, language } = this.ui;
    const { jid } = this.chat;
    if (!client.blocked.possible) return nothing;
    const blocked = client.blocked.has(jid);
    const set = () => this.#try(() => client.blocked.set(jid, !blocked));
    return html`<button class="button ${blocked ? "" : "grave"}" @click=${set}>
      ${language.say(blocked ? "unblock" : "block")}
    </button>`;
  }

  #group() {
    const { client, language } = this.ui;
    const { say } = language;
    const room = this.chat.room!;
    const rules = ["owner", "admin"].includes(room.affiliation);
    const here = new Set([...room.occupants.values()].map(({ jid }) => jid));
    // Those who are here first, each by name.
    const members = [...room.members]
      .map(([jid, affiliation]) => ({ jid, affiliation, name: client.people.nameOf(jid), there: here.has(jid) }))
      .sort((a, b) => Number(b.there) - Number(a.there) || language.compare(a.name, b.name));
    const people = client.people.known.filter((jid) => !room.members.has(jid));
    return html`
      ${
        rules
          ? html`<div class="block">
            <form @submit=${this.#rename}>
              <input class="field" name="name" maxlength="100" aria-label=${say("groupName")} .value=${room.name} />
              <button class="button">${say("rename")}</button>
              ${
                client.config.features.avatars
                  ? html`<button type="button" class="button" @click=${() => this.file.click()}>${say("changePicture")}</button>
                    <input type="file" accept="image/*" hidden @change=${this.#picture} />`
                  : nothing
              }
            </form>
          </div>`
          : nothing
      }
      <div class="block">
        <form @submit=${this.#invite}>
          <input class="field" name="jid" list="people" autocomplete="off" placeholder=${say("inviteWho")} aria-label=${say("inviteWho")} @input=${this.#seek} />
          <datalist id="people">
            ${people.map((jid) => html`<option value=${jid}>${client.people.nameOf(jid)}</option>`)}
          </datalist>
          <button class="button">${say("invite")}</button>
        </form>
      </div>
      <div class="block actions">
        ${this.leaving ? nothing : this.#mute()}
        ${
          this.leaving
            ? html`<p role="alert">${say("leaveSure")}</p>
              <button class="button grave" @click=${this.#leave}>${say("leave")}</button>
              <button class="button" @click=${() => (this.leaving = false)}>${say("cancel")}</button>`
            : html`<button class="button grave" @click=${() => (this.leaving = true)}>${say("leave")}</button>`
        }
      </div>
      <h3>${language.count("members", members.length)}</h3>
      <ul>
        ${members.map(
          ({ jid, affiliation, name, there }) => html`<li class="row">
            <ocwp-avatar .name=${name} .src=${client.people.avatarOf(jid)} presence=${there ? "online" : "offline"}></ocwp-avatar>
            <span class="words">
              <span class="name ellipsis" dir="auto">${name}${jid === client.me ? ` (${say("you")})` : ""}</span>
              <span class="quiet">${affiliation === "owner" ? say("owner") : affiliation === "admin" ? say("admin") : ""}</span>
              <span class="unseen">${say(there ? "online" : "offline")}</span>
            </span>
            ${rules && affiliation === "member" ? this.#rule(jid, name) : nothing}
          </li>`,
        )}
      </ul>
    `;
  }

  /** What owners, and admins too, can do with a member. */
  #rule(jid: string, name: string) {
    const { client, language } = this.ui;
    const set = (affiliation: "admin" | "none") => () =>
      this.#try(() => client.rooms.affiliate(this.chat, jid, affiliation));
    const remove = language.say("removeMember", { name });
    return html`${
      this.chat.room!.affiliation === "owner"
        ? html`<button class="button" @click=${set("admin")}>${language.say("makeAdmin")}</button>`
        : nothing
    }
      <button class="icon" aria-label=${remove} title=${remove} @click=${set("none")}>${icons.close}</button>`;
  }

  #rename = (event: SubmitEvent): void => {
    event.preventDefault();
    const name = new FormData(event.target as HTMLFormElement).get("name")?.toString().trim();
    if (name) void this.#try(() => this.ui.client.rooms.rename(this.chat, name));
  };

  #picture = (): void => {
    const file = this.file.files?.[0];
    this.file.value = "";
    if (!file) return;
    void this.#try(async () => {
      await this.ui.client.rooms.setAvatar(this.chat, await avatarFrom(file));
    });
  };

  #seek = (event: Event): void => this.ui.client.people.seek((event.target as HTMLInputElement).value);

  #invite = (event: SubmitEvent): void => {
    event.preventDefault();
    const target = event.target as HTMLFormElement;
    const written = new FormData(target).get("jid")?.toString().trim() ?? "";
    const { client } = this.ui;
    const named = client.people.known.find((jid) => client.people.nameOf(jid) === written);
    const jid = named ?? asJid(written, client.config.domain);
    if (!jid) return;
    void this.#try(() => client.rooms.invite(this.chat, jid)).then(() => target.reset());
  };

  #leave = (): void => {
    const { client, layout } = this.ui;
    layout.close(this.chat.jid);
    void client.rooms.leave(this.chat);
  };

  async #try(action: () => Promise<unknown>): Promise<void> {
    this.fault = "";
    try {
      await action();
    } catch (error) {
      this.fault = this.ui.language.say(error instanceof FileError ? error.word : "refused");
    }
    this.requestUpdate();
  }
}

define("ocwp-details", Details);

declare global {
  interface HTMLElementTagNameMap {
    "ocwp-details": Details;
  }
}
