import { LitElement, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";
import { isTab, type Place, type Tab } from "./address.js";
import { DEVICES, deviceInfo, deviceOf } from "./devices.js";
import * as icons from "./icons.js";
import { Watch, asRefusal, type PhoneModel, type World } from "./model.js";
import "./oc-app.js";
import "./oc-apps.js";
import "./oc-avatar.js";
import "./oc-chats.js";
import "./oc-first-message.js";
import "./oc-picker.js";
import "./oc-profile.js";
import "./oc-thread.js";
import { phoneStyles } from "./phone-styles.js";
import { Permissions, type Permit } from "./permissions.js";
import { storageOf, type PhoneSetup } from "./settings.js";
import { Questions } from "./sheets.js";
import { base, palette } from "./styles.js";
import { clockOf } from "./text.js";
import type { App, Message } from "./types.js";

/** Milliseconds that a banner stays: long enough to read two lines. */
const BANNER_STAYS = 5_000;
/** Milliseconds between looks at the clock: it is never wrong by more. */
const CLOCK = 10_000;
/** Pixels of casing around the glass. */
const BEZEL = 11;

const PERMISSIONS = new Permissions(storageOf("localStorage"));

/** What remains of the page for one phone, in CSS pixels; `bare`: all of it, without a casing. */
export interface Room {
  width: number;
  height: number;
  bare: boolean;
}

/**
 * One simulated device with its user.
 *
 * @fires {CustomEvent<Partial<PhoneSetup>>} setup - Changes to the phone's setup.
 * @fires {CustomEvent<number>} unread - The number of unread messages.
 * @fires {CustomEvent<undefined>} remove - Take this phone off the page.
 */
@customElement("oc-phone")
export class Phone extends LitElement {
  @property({ attribute: false }) world!: World;
  @property({ attribute: false }) setup!: PhoneSetup;
  @property({ attribute: false }) room!: Room;
  /** The JID of the user, as the page made it out from the setup. */
  @property() jid = "";
  /** Which of this user's phones it is, from 1. */
  @property({ type: Number }) number = 1;
  @property({ type: Boolean }) removable = false;
  /** Whether the person can see this phone: on a narrow page, one at a time. */
  @property({ type: Boolean }) shown = true;
  @state() private phone!: PhoneModel;
  /** The mini app that is open at the start if the setup names nothing. */
  @property() first = "";
  @state() private tab: Tab = "chats";
  @state() private app: App | undefined;
  @state() private front = false;
  @state() private news: Message | undefined;
  @state() private notice = "";
  @state() private now = new Date();
  protected watchPhone = new Watch(this, () => this.phone);
  protected watchWorld = new Watch(this, () => this.world);
  #questions = new Questions(() => this.requestUpdate());
  #clock: ReturnType<typeof setInterval> | undefined;
  #counted = 0;
  #banner: ReturnType<typeof setTimeout> | undefined;

  static override styles = [base, palette, phoneStyles];

  override connectedCallback(): void {
    super.connectedCallback();
    this.#clock = setInterval(() => (this.now = new Date()), CLOCK);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#clock);
    clearTimeout(this.#banner);
    this.#questions.clear();
    this.world.release(this.phone);
  }

  override willUpdate(): void {
    if (this.phone?.jid !== this.jid) this.#become(this.jid);
    const running = this.app && this.world.apps.find(({ appId }) => appId === this.app!.appId);
    if (this.app && !running && this.world.ready) this.#end(); // suspended or removed
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", `Phone of ${this.#name}`);
    this.#count(this.phone.unread);
    this.#tell();
    this.phone.attend(this.shown && this.tab === "chats" && !this.front);
    this.#measure();
  }

  /** Another user takes this phone: nothing of the one before stays. */
  #become(jid: string): void {
    this.#questions.clear();
    const start = this.phone === undefined;
    if (this.phone) this.world.release(this.phone);
    this.phone = this.world.open(jid);
    this.phone.onNews = (message) => this.#show(message, "");
    [this.tab, this.app, this.front, this.news, this.notice] = ["chats", undefined, false, undefined, ""];
    if (start) this.#go(this.setup.open || this.first);
  }

  #go(place: Place): void {
    if (isTab(place)) this.tab = place;
    else if (this.world.apps.some(({ appId }) => appId === place)) {
      this.tab = "apps";
      this.openApp(place);
    } else if (/[@.]/.test(place)) void this.phone.open(place);
  }

  get #place(): Place {
    if (this.app && this.front) return this.app.appId;
    return this.tab === "chats" ? (this.phone.thread ?? "chats") : this.tab;
  }

  /** Tells the page what is open, for its address. */
  #tell(): void {
    const open = this.#place;
    if (open !== this.setup.open) void this.updateComplete.then(() => this.#change({ open }));
  }

  #count(unread: number): void {
    if (unread !== this.#counted) this.dispatchEvent(new CustomEvent("unread", { detail: unread }));
    this.#counted = unread;
  }

  #measure(): void {
    const { width, height, radius } = this.#device;
    const [outerWidth, outerHeight] = [width + 2 * BEZEL, height + 2 * BEZEL];
    const scale = Math.min(1, this.room.height / outerHeight, this.room.width / outerWidth);
    const measures = { "outer-width": outerWidth, "outer-height": outerHeight, bezel: BEZEL, radius };
    for (const [name, value] of Object.entries(measures)) this.style.setProperty(`--${name}`, `${value}px`);
    this.style.setProperty("--scale", String(Math.max(scale, 0.3))); // smaller than that, nothing can be read
  }

  get #name(): string {
    return this.phone.user?.name ?? this.jid;
  }

  get #device() {
    return deviceOf(this.setup.device);
  }

  get #deviceInfo() {
    const { width, height, bare } = this.room;
    return bare ? deviceInfo(this.#device, width, height) : deviceInfo(this.#device);
  }

  override render() {
    const { theme } = this.setup;
    const asked = this.#questions.current;
    const { bare } = this.room;
    return html`
      ${this.#setup()}
      <div class="room ${bare ? "bare" : ""}">
        <div class="device ${bare ? "" : this.#device.cutout}">
          <div class="screen" data-theme=${theme} data-testid="screen">
            ${
              bare
                ? nothing
                : html`<div class="status" aria-hidden="true"><span>${clockOf(this.now)}</span>${icons.reception}</div>`
            }
            <div class="view" ?inert=${asked !== undefined}>${this.#view()} ${this.#running()}</div>
            ${this.#tabs(asked !== undefined)}
            <div class="toasts ${this.front ? "low" : ""}" role="status" aria-live="polite">${this.#toast()}</div>
            <div class="notices" role="status" aria-live="polite">
              ${this.notice ? html`<p class="notice" data-testid="notice">${this.notice}</p>` : nothing}
            </div>
            ${asked ? this.#sheet() : nothing}
          </div>
        </div>
      </div>
    `;
  }

  #setup() {
    const { setup, phone, world } = this;
    const dark = setup.theme === "dark";
    const name = this.#name;
    return html`<div class="setup">
      <oc-avatar .name=${name} .src=${phone.user?.avatar ?? ""}></oc-avatar>
      <label class="choice user">
        <span class="unseen">User</span>
        <select data-testid="user" @change=${this.#choose}>
          ${world.users.map(
            (user) => html`<option value=${user.jid} ?selected=${user.jid === phone.jid}>${user.name}</option>`,
          )}
          ${world.more ? html`<option value="">Search all users…</option>` : nothing}
        </select>
        ${icons.chevron}
      </label>
      <label class="choice make">
        <span class="unseen">Device</span>
        <select data-testid="device" @change=${(event: Event) => this.#change({ device: value(event) })}>
          ${DEVICES.map(
            ({ id, name, width, height }) =>
              html`<option value=${id} title="${width} × ${height}" ?selected=${id === setup.device}>${name}</option>`,
          )}
        </select>
        ${icons.chevron}
      </label>
      <button
        class="icon"
        aria-label="Dark"
        aria-pressed=${dark ? "true" : "false"}
        title=${dark ? "Dark: make this phone light" : "Light: make this phone dark"}
        data-testid="phone-theme"
        @click=${() => this.#change({ theme: dark ? "light" : "dark" })}
      >
        ${dark ? icons.moon : icons.sun}
      </button>
      ${
        this.removable
          ? html`<button
            class="icon"
            aria-label="Remove this phone"
            title="Remove this phone"
            data-testid="remove-phone"
            @click=${() => this.dispatchEvent(new CustomEvent("remove"))}
          >
            ${icons.close}
          </button>`
          : nothing
      }
    </div>`;
  }

  #view() {
    const { phone } = this;
    const covered = this.app !== undefined && this.front;
    if (this.tab === "apps") {
      const running = this.app?.appId ?? "";
      return html`<oc-apps
        ?inert=${covered}
        .phone=${phone}
        running=${running}
        @open=${(event: CustomEvent<string>) => this.openApp(event.detail)}
      ></oc-apps>`;
    }
    if (this.tab === "profile") {
      return html`<oc-profile
        ?inert=${covered}
        .phone=${phone}
        .device=${this.#deviceInfo}
        .running=${this.app}
        .allowed=${this.app ? PERMISSIONS.of(phone.jid, this.app.appId) : []}
        @permit=${(event: CustomEvent<Permit>) => this.#permit(event.detail)}
        @relaunch=${() => this.renderRoot.querySelector("oc-app")?.renew()}
      ></oc-profile>`;
    }
    if (phone.thread) {
      // Another thread, another element: a draft stays with its thread.
      return keyed(
        phone.thread,
        html`<oc-thread ?inert=${covered} .phone=${phone} @back=${this.#closeThread}></oc-thread>`,
      );
    }
    return html`<oc-chats
      ?inert=${covered}
      .phone=${phone}
      @open=${(event: CustomEvent<string>) => phone.open(event.detail)}
      @new-chat=${this.#newChat}
      @new-group=${this.#newGroup}
    ></oc-chats>`;
  }

  #running() {
    if (!this.app) return nothing;
    return html`<oc-app
      class=${this.front ? "" : "away"}
      .phone=${this.phone}
      .app=${this.app}
      .device=${this.#deviceInfo}
      .number=${this.number}
      .allowed=${PERMISSIONS.of(this.phone.jid, this.app.appId)}
      ?front=${this.front && this.shown}
      @back=${() => this.#leave(false)}
      @close=${() => this.#leave(true)}
      @notice=${(event: CustomEvent<string>) => this.#show(undefined, event.detail)}
      @permit=${(event: CustomEvent<Permit>) => this.#permit(event.detail)}
    ></oc-app>`;
  }

  #tabs(inert: boolean) {
    // A running app and an open thread have the whole screen.
    if (this.front || (this.tab === "chats" && this.phone.thread)) return nothing;
    const tab = (id: Tab, label: string, icon: unknown, badge: unknown = nothing) => html`
      <button
        data-testid="tab-${id}"
        aria-current=${this.tab === id ? "page" : nothing}
        @click=${() => (this.tab = id)}
      >
        ${icon}<span>${label}</span>${badge}
      </button>
    `;
    const { unread } = this.phone;
    const badge = unread
      ? html`<span class="badge" data-testid="unread-all"
          >${unread > 99 ? "99+" : unread}<span class="unseen"> unread</span></span
        >`
      : nothing;
    return html`<nav aria-label="Parts of ${this.#name}'s phone" ?inert=${inert}>
      ${tab("chats", "Chats", icons.chats, badge)} ${tab("apps", "Mini apps", icons.apps)}
      ${tab("profile", "Profile", icons.person)}
    </nav>`;
  }

  #toast() {
    const { news } = this;
    if (!news) return nothing;
    const person = news.from.jid.includes("@");
    const where = news.kind === "group" ? ` · ${this.phone.nameOf(news.thread)}` : "";
    return html`<button
      class="toast"
      data-testid="toast"
      data-thread=${news.thread}
      @click=${() => this.#openThread(news.thread)}
    >
      <oc-avatar
        kind=${person ? "person" : "alert"}
        .name=${news.from.name}
        .src=${this.world.user(news.from.jid)?.avatar ?? ""}
      ></oc-avatar>
      <span class="words">
        <strong class="ellipsis" dir="auto">${news.from.name}${where}</strong>
        <span class="ellipsis" dir="auto">${news.text}</span>
      </span>
    </button>`;
  }

  #sheet() {
    const { question, answer } = this.#questions.current!;
    const answered = (event: CustomEvent) => answer(event.detail);
    if (question.kind === "pick") {
      return html`<oc-picker
        heading=${question.title}
        done=${question.done}
        .max=${question.max}
        .find=${this.phone.contacts}
        @answer=${answered}
      ></oc-picker>`;
    }
    if (question.kind === "share" || question.kind === "permit") return nothing; // a mini app's: `oc-app` asks it
    return html`<oc-first-message
      .phone=${this.phone}
      .members=${question.members}
      @answer=${answered}
    ></oc-first-message>`;
  }

  /** Opens the app, or returns to it if it runs; another one that runs is ended. */
  openApp(appId: string): void {
    if (this.app?.appId !== appId) {
      this.#end();
      this.app = this.world.apps.find((app) => app.appId === appId);
    }
    this.front = this.app !== undefined;
  }

  #end(): void {
    [this.app, this.front] = [undefined, false];
  }

  #leave(end: boolean): void {
    const appId = this.app?.appId ?? "";
    if (end) this.#end();
    this.front = false;
    void this.#focus(`[data-app="${CSS.escape(appId)}"]`);
  }

  #closeThread = () => {
    const thread = this.phone.thread ?? "";
    this.phone.close();
    void this.#focus(`[data-thread="${CSS.escape(thread)}"]`);
  };

  /** Gives the focus to what the person came from, once that is back on the screen. */
  async #focus(selector: string): Promise<void> {
    await this.updateComplete;
    const view = this.renderRoot.querySelector<LitElement>(".view > :not(oc-app)");
    await view?.updateComplete;
    view?.renderRoot.querySelector<HTMLElement>(selector)?.focus({ preventScroll: true });
  }

  #openThread(thread: string): void {
    [this.tab, this.front, this.news] = ["chats", false, undefined];
    void this.phone.open(thread);
  }

  /** A frame that is there keeps what it was opened with, so the app is opened anew. */
  async #permit(permit: Permit): Promise<void> {
    PERMISSIONS.set(this.phone.jid, this.app!.appId, permit);
    this.requestUpdate();
    await this.updateComplete;
    await this.renderRoot.querySelector("oc-app")?.start();
  }

  #choose = async (event: Event) => {
    const select = event.target as HTMLSelectElement;
    let user: string | undefined = select.value;
    if (!user) {
      select.value = this.jid;
      const question = { kind: "pick", title: "Whose phone is this?", done: "Choose", max: 1 } as const;
      [user] = (await this.#questions.ask<string[]>(question)) ?? [];
      if (!user) return;
      await this.world.offer(user);
    }
    this.#change({ user });
  };

  #newChat = async () => {
    const picked = await this.#questions.ask<string[]>({ kind: "pick", title: "New chat", done: "Open chat", max: 1 });
    if (picked?.[0]) this.#openThread(picked[0]);
  };

  #newGroup = async () => {
    const { phone } = this;
    const invitees = await this.#questions.ask<string[]>({ kind: "pick", title: "New group", done: "Next", max: -1 });
    if (!invitees?.length) return;
    const textMessage = await this.#questions.ask<string>({ kind: "first-message", members: invitees });
    if (!textMessage) return;
    try {
      const group = await this.world.api.relay(phone.jid, { kind: "new-group", invitees, textMessage });
      phone.refresh();
      if (group && phone === this.phone) this.#openThread(group);
    } catch (error) {
      const { message, hint } = asRefusal(error);
      this.#show(undefined, `No group was made: ${message} ${hint}`);
    }
  };

  #show(news: Message | undefined, notice: string): void {
    if (news) this.news = news;
    else this.notice = notice;
    clearTimeout(this.#banner);
    this.#banner = setTimeout(() => ([this.news, this.notice] = [undefined, ""]), BANNER_STAYS);
  }

  #change(change: Partial<PhoneSetup>): void {
    this.dispatchEvent(new CustomEvent("setup", { detail: change }));
  }
}

const value = (event: Event) => (event.target as HTMLSelectElement).value;

declare global {
  interface HTMLElementTagNameMap {
    "oc-phone": Phone;
  }
}
