import { LitElement, css, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { isEnter } from "../../../common/keys.js";
import "./avatar.js";
import { asJid } from "../xmpp/jids.js";
import { base } from "./styles.js";
import { Watch, define, type Ui } from "./ui.js";

/**
 * A form for a new group.
 *
 * @fires {CustomEvent<string | undefined>} done - The new group's JID; undefined if cancelled.
 */
export class NewGroup extends LitElement {
  @property({ attribute: false }) ui!: Ui;
  @state() private chosen = new Set<string>();
  @state() private sought = "";
  @state() private fault = "";
  @state() private busy = false;
  protected watch = new Watch(this, () => this.ui);

  static override styles = [
    base,
    css`
      :host {
        display: flex;
        flex: 1;
        min-height: 0;
      }
      form {
        display: flex;
        flex-direction: column;
        flex: 1;
        min-width: 0;
      }
      .fields {
        display: grid;
        gap: 8px;
        padding: 4px 12px 8px;
      }
      fieldset {
        flex: 1;
        min-height: 0;
        min-width: 0;
        margin: 0;
        padding: 0;
        border: 0;
        overflow-y: auto;
      }
      input[type="checkbox"] {
        width: 18px;
        height: 18px;
        accent-color: var(--accent);
      }
      footer {
        display: flex;
        gap: 8px;
        padding: 10px 12px;
        border-block-start: 1px solid var(--line);
      }
    `,
  ];

  override render() {
    const { client, language } = this.ui;
    const { say } = language;
    const fits = language.matcher(this.sought);
    const { contacts, known } = client.people;
    const people = [...new Set([...(this.sought ? known : contacts.keys()), ...this.chosen])]
      .map((jid) => ({ jid, name: client.people.nameOf(jid) }))
      .filter(({ jid, name }) => jid !== client.me && (this.chosen.has(jid) || fits(name, jid)))
      .sort((a, b) => language.compare(a.name, b.name));
    return html`<form dir=${language.direction} aria-label=${say("newGroup")} @submit=${this.#submit}>
      <div class="fields">
        <input class="field" name="name" maxlength="100" placeholder=${say("groupName")} aria-label=${say("groupName")} />
        <input
          class="field"
          name="other"
          autocomplete="off"
          placeholder=${say("inviteWho")}
          aria-label=${say("inviteWho")}
          @input=${this.#seek}
          @keydown=${this.#add}
        />
      </div>
      ${this.fault ? html`<p class="fault" role="alert">${this.fault}</p>` : nothing}
      <fieldset>
        <legend class="unseen">${say("groupMembers")}</legend>
        ${people.map(
          ({ jid, name }) => html`<label class="row">
            <input type="checkbox" .checked=${this.chosen.has(jid)} @change=${() => this.#toggle(jid)} />
            <ocwp-avatar .name=${name} .src=${client.people.avatarOf(jid)}></ocwp-avatar>
            <span class="words ellipsis" dir="auto">${name}</span>
          </label>`,
        )}
      </fieldset>
      <footer>
        <button class="button main" ?disabled=${this.busy || this.chosen.size === 0}>${say("create")}</button>
        <button type="button" class="button" @click=${() => this.#done()}>${say("cancel")}</button>
      </footer>
    </form>`;
  }

  override firstUpdated(): void {
    this.renderRoot.querySelector("input")?.focus();
  }

  #seek = (event: Event): void => {
    this.sought = (event.target as HTMLInputElement).value.trim();
    this.ui.client.people.seek(this.sought);
  };

  #toggle(jid: string): void {
    if (!this.chosen.delete(jid)) this.chosen.add(jid);
    this.requestUpdate();
  }

  /** Enter takes an address into the list of members. */
  #add = (event: KeyboardEvent): void => {
    if (!isEnter(event)) return;
    event.preventDefault();
    const input = event.target as HTMLInputElement;
    const { client } = this.ui;
    const written = input.value.trim();
    const named = client.people.known.find((jid) => client.people.nameOf(jid) === written);
    const jid = named ?? asJid(written, client.config.domain);
    if (!jid || jid === client.me) return;
    this.chosen.add(jid);
    input.value = this.sought = "";
  };

  #submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { client, language } = this.ui;
    const name = new FormData(event.target as HTMLFormElement).get("name")?.toString().trim();
    this.busy = true;
    try {
      const chat = await client.rooms.create(undefined, [...this.chosen], name || language.say("groupNameDefault"));
      this.#done(chat.jid);
    } catch {
      this.fault = language.say("refused");
    }
    this.busy = false;
  };

  #done(jid?: string): void {
    this.dispatchEvent(new CustomEvent("done", { detail: jid }));
  }
}

define("ocwp-new-group", NewGroup);

declare global {
  interface HTMLElementTagNameMap {
    "ocwp-new-group": NewGroup;
  }
}
