import { LitElement, html, nothing, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import { isEscape } from "../../../common/keys.js";
import { pieces, type Piece } from "../../../common/text.js";
import type { Chat } from "../model/chat.js";
import { fileName, isPicture } from "../xmpp/files.js";
import { bare } from "../xmpp/jids.js";
import * as icons from "./icons.js";
import { EMOJI } from "../xmpp/reactions.js";
import { shortened, type Reply } from "../xmpp/replies.js";
import { base } from "./styles.js";
import { threadStyles } from "./thread-styles.js";
import type { Message } from "../model/timeline.js";
import { Watch, define, type Ui } from "./ui.js";

/** Pixels from the end within which the view follows new messages, and from the start within which it loads older. */
const NEAR = 60;
/** Milliseconds within which messages of one sender stand together. */
const TOGETHER = 5 * 60_000;

/**
 * The messages of a chat. Asks for older ones when it is scrolled to its start.
 *
 * @fires {CustomEvent<undefined>} write - The person answers or edits a message: focus the composer.
 */
export class Thread extends LitElement {
  @property({ attribute: false }) ui!: Ui;
  @property({ attribute: false }) chat!: Chat;
  /** Words that all messages shown have; empty: all messages. */
  @property() sought = "";
  @state() private below = false;
  @state() private menu: Message | undefined;
  @query(".list") private list!: HTMLElement;
  protected watch = new Watch(
    this,
    () => this.ui,
    (jid) => this.#names(jid),
  );
  /** Whether the next update goes to the end: at first, after sending, and where the end is in view already. */
  #following = true;
  #fromEnd = 0;
  #first: Message | undefined;
  #last: Message | undefined;
  #observer = new ResizeObserver(() => this.#resized());
  #stuck = true;
  #shown = new Set<string>(); // addresses of pictures that the person has asked for

  static override styles = [base, threadStyles];

  override render() {
    const { ui, chat } = this;
    const { say } = ui.language;
    const start = chat.loading
      ? say("loading")
      : chat.complete && chat.timeline.messages.length > 0
        ? say("beginning")
        : undefined;
    return html`<div
        class="list"
        dir=${ui.language.direction}
        role="log"
        tabindex="0"
        aria-label=${say("messages", { name: ui.client.nameOf(chat) || say("groupNameDefault") })}
        @scroll=${this.#scrolled}
      >
        ${start ? html`<p class="note quiet" role="status">${start}</p>` : nothing}
        ${
          this.sought && !chat.complete && !chat.loading
            ? html`<button class="button note" @click=${() => ui.client.older(chat)}>${say("searchOlder")}</button>`
            : nothing
        }
        ${this.#messages()}
      </div>
      ${this.#typing()}
      ${this.below ? html`<button class="below" @click=${() => this.follow()}>${say("newer")}</button>` : nothing}`;
  }

  /** Goes to the end, and stays there. */
  follow(): void {
    this.#following = true;
    this.requestUpdate();
  }

  #messages() {
    const { language } = this.ui;
    const fits = language.matcher(this.sought);
    const messages = this.chat.timeline.messages.filter(({ text }) => fits(text));
    if (this.sought.trim() && messages.length === 0)
      return html`<p class="note quiet">${language.say("noneFound")}</p>`;
    let dayBefore = "";
    return repeat(
      messages,
      (message) => message,
      (message, index) => {
        const before = messages[index - 1];
        const day = language.day(message.at);
        const newDay = day !== dayBefore;
        dayBefore = day;
        const joined =
          !newDay &&
          before?.from === message.from &&
          before.nick === message.nick &&
          before.mine === message.mine &&
          message.at - before.at < TOGETHER;
        return guard(
          this.#shows(message, newDay && day, joined),
          () => html`${newDay ? html`<p class="note quiet">${day}</p>` : nothing} ${this.#message(message, joined)}`,
        );
      },
    );
  }

  /** Whether `jid` is this chat, or somebody whose name may stand in it: in a group who is or was there. */
  #names(jid: string): boolean {
    const { jid: here, room, timeline } = this.chat;
    const who = bare(jid); // of `host/app` the host
    if (!room || who === here) return who === here;
    const inside = [...room.occupants.values()].some(({ jid }) => jid === who);
    return inside || timeline.messages.some(({ author }) => author === who);
  }

  /** All that the row of `message` shows: of thousands of rows, those that stay the same cost next to nothing. */
  #shows(message: Message, ...more: unknown[]): unknown[] {
    const { client, language } = this.ui;
    const { text, at, delivery, readers, edited, retracted, mentionsMe, reply, file } = message;
    const plain = !reply && !file && this.menu !== message && client.changes.reactions(this.chat, message).size === 0;
    const by = [client.senderOf(this.chat, message), client.appPicture(this.chat, message)];
    const last = message === this.#last;
    const possible = client.changes.possible(this.chat, message);
    return [
      plain || {},
      language,
      text,
      at,
      delivery,
      readers.size,
      edited,
      retracted,
      mentionsMe,
      possible,
      last,
      ...by,
      ...more,
    ];
  }

  #message(message: Message, joined: boolean): TemplateResult {
    const { ui, chat } = this;
    const { say } = ui.language;
    const name = message.mine ? say("you") : ui.client.senderOf(chat, message);
    const named = (chat.kind === "group" || message.nick) && !message.mine && !joined;
    const picture = named && ui.client.appPicture(chat, message);
    return html`<div
      class="message ${message.mine ? "mine" : ""} ${joined ? "joined" : ""} ${message.mentionsMe ? "mention" : ""}"
      data-id=${message.id}>
      ${named ? html`<p class="from quiet">${picture ? html`<ocwp-avatar .name=${name} .src=${picture}></ocwp-avatar>` : nothing}<bdi>${name}</bdi></p>` : html`<span class="unseen">${name}: </span>`}
      <div class="line">
      <div class="bubble">
        ${message.reply && !message.retracted ? this.#quote(message.reply) : nothing}
        ${
          message.retracted
            ? html`<span class="text quiet">${say("retracted")}</span>`
            : message.file
              ? this.#file(message.file, name)
              : html`<span class="text">${pieces(message.text).map(piece)}</span>`
        }
        <div class="foot">
          <time datetime=${new Date(message.at).toISOString()} title=${ui.language.full(message.at)}
            >${ui.language.time(message.at)}</time
          >
          ${message.edited && !message.retracted ? html`<span>${say("edited")}</span>` : nothing}
          ${message.mine ? this.#delivery(message) : nothing}
        </div>
      </div>
      ${
        ui.client.changes.possible(chat, message)
          ? html`<button
            class="icon more"
            tabindex=${message === this.#last ? 0 : -1}
            aria-label=${say("more")}
            title=${say("more")}
            aria-expanded=${this.menu === message}
            @click=${() => (this.menu = this.menu === message ? undefined : message)}
            @keydown=${this.#arrows}
          >
            …
          </button>`
          : nothing
      }
      </div>
      ${this.#reactions(message)} ${this.menu === message ? this.#menu(message) : nothing}
      ${
        message.delivery === "failed"
          ? html`<p class="failed">
            ${icons.warning} ${say("failed")}.
            <button @click=${() => ui.client.again(chat, message)}>${say("again")}</button>
          </p>`
          : nothing
      }
    </div>`;
  }

  #menu(message: Message): TemplateResult {
    const { ui, chat } = this;
    const { say } = ui.language;
    const { changes } = ui.client;
    const then = (act: () => void) => () => {
      this.menu = undefined;
      act();
    };
    const write = (act: () => void) =>
      then(() => (act(), ui.client.changed(), this.dispatchEvent(new CustomEvent("write"))));
    const answer = () => ([chat.answering, chat.editing] = [message, undefined]);
    const edit = () => {
      [chat.answering, chat.editing] = [undefined, message];
      ui.client.keepDraft(chat, message.text);
    };
    const text = (word: "reply" | "edit" | "delete", act: () => void, kind = "") =>
      html`<button class="button ${kind}" @click=${act}>${say(word)}</button>`;
    return html`<div class="menu" role="group" aria-label=${say("more")} @keydown=${this.#escape}>
      ${EMOJI.map(
        (emoji) => html`<button
          class="icon emoji"
          aria-label=${say("react", { emoji })}
          @click=${then(() => changes.react(chat, message, emoji))}
        >
          ${emoji}
        </button>`,
      )}
      ${text("reply", write(answer))}
      ${message.mine && !message.file ? text("edit", write(edit)) : nothing}
      ${
        message.mine
          ? text(
              "delete",
              then(() => changes.retract(chat, message)),
              "grave",
            )
          : nothing
      }
    </div>`;
  }

  #reactions(message: Message): TemplateResult | typeof nothing {
    const { ui, chat } = this;
    const reactions = [...ui.client.changes.reactions(chat, message)];
    if (reactions.length === 0 || message.retracted) return nothing;
    const who = (sender: string) =>
      sender === ""
        ? ui.language.say("you")
        : chat.room
          ? ui.client.occupantName(chat, sender)
          : ui.client.people.nameOf(sender);
    return html`<div class="reactions">
      ${reactions.map(([emoji, senders]) => {
        const names = senders.map(who).join(", ");
        return html`<button
          class="button"
          title=${names}
          aria-label="${emoji} ${names}"
          aria-pressed=${senders.includes("")}
          ?disabled=${!ui.client.changes.possible(chat, message)}
          @click=${() => ui.client.changes.react(chat, message, emoji)}
        >
          <span class="emoji">${emoji}</span> ${ui.language.number(senders.length)}
        </button>`;
      })}
    </div>`;
  }

  #quote({ id, quote }: Reply): TemplateResult {
    const { ui, chat } = this;
    const answered = chat.timeline.find(id);
    const name = answered && (answered.mine ? ui.language.say("you") : ui.client.senderOf(chat, answered));
    return html`<blockquote class="quote">
      ${name ? html`<strong><bdi>${name}</bdi></strong>` : nothing}
      <p class="ellipsis" dir="auto">${answered ? shortened(answered.text) : quote}</p>
    </blockquote>`;
  }

  #escape = (event: KeyboardEvent): void => {
    if (!isEscape(event)) return;
    event.stopPropagation();
    const button = this.renderRoot.querySelector<HTMLElement>('.more[aria-expanded="true"]');
    this.menu = undefined;
    button?.focus();
  };

  /** From message to message: one of their buttons is a stop of the Tab key, the arrows lead to the others. */
  #arrows = (event: KeyboardEvent): void => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (this.menu) this.#escape(event);
    if (!step) return;
    event.preventDefault();
    const buttons = [...this.renderRoot.querySelectorAll<HTMLElement>(".more")];
    buttons[buttons.indexOf(event.currentTarget as HTMLElement) + step]?.focus();
  };

  /** A picture, or a link by its name. From a foreign host a link that shows the host, and a picture after a click. */
  #file(url: string, name: string): TemplateResult {
    const [trusted, picture] = [this.ui.client.files.trusts(url), isPicture(url)];
    if (!picture && trusted) {
      return html`<a class="file" href=${url} target="_blank" rel="noopener noreferrer nofollow"
        >${icons.file}<bdi>${fileName(url)}</bdi></a
      >`;
    }
    const loaded = () => this.#resized();
    if (!trusted && !this.#shown.has(url)) {
      const show = () => {
        this.#shown.add(url);
        this.requestUpdate();
      };
      return html`<span class="text">${pieces(url).map(piece)}</span>
        ${picture ? html`<button class="button" @click=${show}>${this.ui.language.say("showPicture")}</button>` : nothing}`;
    }
    return html`<a class="image" href=${url} target="_blank" rel="noopener noreferrer"
      ><img src=${url} alt=${this.ui.language.say("pictureFrom", { name })} referrerpolicy="no-referrer" @load=${loaded}
    /></a>`;
  }

  #delivery({ delivery, readers }: Message): TemplateResult {
    const { language } = this.ui;
    const word = readers.size > 0 ? language.count("readBy", readers.size) : language.say(delivery);
    const read = delivery === "read" || readers.size > 0;
    const icon = {
      sending: icons.clock,
      sent: icons.tick,
      delivered: icons.ticks,
      read: icons.ticks,
      failed: icons.warning,
    };
    return html`<span class="delivery" data-delivery=${read ? "read" : delivery} title=${word}>
      ${read && delivery !== "read" ? icons.ticks : icon[delivery]}<span class="unseen">${word}</span>
      ${read ? html`<span aria-hidden="true">${word}</span>` : nothing}
    </span>`;
  }

  #typing(): TemplateResult | typeof nothing {
    const { ui, chat } = this;
    const [who] = chat.typing;
    if (!who) return nothing;
    const name = chat.kind === "group" ? ui.client.occupantName(chat, who) : ui.client.people.nameOf(who);
    return html`<p class="typing quiet ellipsis" role="status">${ui.language.say("typing", { name })}</p>`;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("focus", this.#look);
    document.addEventListener("visibilitychange", this.#look);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("focus", this.#look);
    document.removeEventListener("visibilitychange", this.#look);
    this.#observer.disconnect();
  }

  override firstUpdated(): void {
    this.#observer.observe(this.list);
    if (this.chat.timeline.messages.length < 20) void this.ui.client.older(this.chat);
  }

  override willUpdate(): void {
    if (!this.list) return;
    this.#fromEnd = this.list.scrollHeight - this.list.scrollTop;
    // Measured, not heard: the event of a scroll comes after an update that was under way.
    this.#following ||= this.#atEnd();
    const last = this.chat.timeline.messages.at(-1);
    if (last !== this.#last && last?.mine && last.delivery === "sending") this.#following = true;
    else if (last !== this.#last && this.#last && !this.#following) this.below = true;
    this.#last = last;
    if (this.#following) this.below = false;
  }

  override updated(): void {
    // At the end: follow. Elsewhere: stay at the same message, which moves only if older ones came in above.
    const first = this.chat.timeline.messages[0];
    if (this.#following) this.list.scrollTop = this.list.scrollHeight;
    else if (first !== this.#first) this.list.scrollTop = this.list.scrollHeight - this.#fromEnd;
    this.#first = first;
    this.#following = false;
    this.#stuck = this.#atEnd();
    this.#look();
  }

  #atEnd(): boolean {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR;
  }

  #scrolled = (): void => {
    if (this.list.scrollTop < NEAR && this.chat.timeline.messages.length > 0) void this.ui.client.older(this.chat);
    this.#stuck = this.#atEnd();
    if (this.#stuck) this.below = false;
    this.#look();
  };

  /** The box has grown or shrunk, or a picture has come: what was at the end stays there. */
  #resized(): void {
    if (this.#stuck) this.list.scrollTop = this.list.scrollHeight;
  }

  /** Tells the client that the messages are seen, if somebody can be looking. */
  #look = (): void => {
    if (this.list && this.chat.unread > 0 && document.hasFocus() && !document.hidden && this.#atEnd()) {
      this.ui.client.seen(this.chat);
    }
  };
}

const piece = (part: Piece) =>
  typeof part === "string"
    ? part
    : html`<a href=${part.href} target="_blank" rel="noopener noreferrer nofollow">${part.text}</a>`;

define("ocwp-thread", Thread);

declare global {
  interface HTMLElementTagNameMap {
    "ocwp-thread": Thread;
  }
}
