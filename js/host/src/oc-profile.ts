import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { Watch, type PhoneModel } from "./model.js";
import "./oc-avatar.js";
import { CAPABILITIES, type Capability, type Permit } from "./permissions.js";
import { plainName } from "./reveal.js";
import { base } from "./styles.js";
import type { App, DeviceInfo } from "./types.js";

/**
 * Who the phone's user is, what pages are told of the device, and what they may use.
 *
 * @fires {CustomEvent<undefined>} relaunch - Launch the running app again.
 * @fires {CustomEvent<Permit>} permit - Allow the app these capabilities, or no longer.
 */
@customElement("oc-profile")
export class Profile extends LitElement {
  @property({ attribute: false }) phone!: PhoneModel;
  @property({ attribute: false }) device!: DeviceInfo;
  @property({ attribute: false }) running: App | undefined;
  /** What the person allowed the running app. */
  @property({ attribute: false }) allowed: readonly Capability[] = [];
  protected watch = new Watch(this, () => this.phone.world);

  static override styles = [
    base,
    css`
      :host {
        display: block;
        overflow-y: auto;
        padding: 24px 16px;
      }
      .who {
        display: grid;
        justify-items: center;
        gap: 4px;
        margin-bottom: 24px;
        text-align: center;
      }
      oc-avatar {
        --size: 88px;
        margin-bottom: 8px;
      }
      h2 {
        font-size: 22px;
        letter-spacing: -0.02em;
      }
      .who p {
        color: var(--ink-2);
        overflow-wrap: anywhere;
      }
      .role {
        padding: 2px 10px;
        border-radius: 12px;
        font-size: 13px;
        font-weight: 600;
        background: var(--accent-soft);
        color: var(--accent) !important;
      }
      section {
        margin-bottom: 16px;
        padding: 14px 16px;
        border-radius: 16px;
        background: var(--sunken);
        box-shadow: inset 0 0 0 1px var(--line);
      }
      h3 {
        margin-bottom: 6px;
        font-size: 13px;
        color: var(--ink-2);
      }
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 6px 16px;
      }
      dt {
        color: var(--ink-2);
      }
      dd {
        text-align: end;
        overflow-wrap: anywhere;
      }
      section p {
        margin-bottom: 12px;
        font-size: 14px;
        color: var(--ink-2);
      }
      .choices {
        display: grid;
      }
      .choices label {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 12px;
        min-height: 44px;
      }
      input {
        width: 22px;
        height: 22px;
        margin: 0;
        accent-color: var(--accent);
      }
      section .button {
        width: 100%;
      }
    `,
  ];

  override render() {
    const { phone, device, running } = this;
    const user = phone.user;
    const name = user?.name ?? phone.jid;
    return html`
      <div class="who">
        <oc-avatar .name=${name} .src=${user?.avatar ?? ""}></oc-avatar>
        <h2 data-testid="profile-name">${name}</h2>
        <p data-testid="profile-jid">${phone.jid}</p>
        ${user?.admin ? html`<p class="role">Administrator</p>` : nothing}
      </div>
      <section>
        <h3>Session</h3>
        <p>
          ${
            running
              ? `${running.name} is running. A new session reaches it without a reload.`
              : "Each mini app gets its session when it is opened. None is running."
          }
        </p>
        <button
          class="button main"
          data-testid="profile-relaunch"
          ?disabled=${!running}
          @click=${() => this.dispatchEvent(new CustomEvent("relaunch"))}
        >
          New session
        </button>
      </section>
      ${running ? this.#permissions(running) : nothing}
      <section>
        <h3>What pages are told of the device</h3>
        <dl>
          <dt>Device</dt>
          <dd>${device.device}</dd>
          <dt>System</dt>
          <dd>${device.os}</dd>
          <dt>Screen</dt>
          <dd>${device.screenWidth} × ${device.screenHeight}</dd>
        </dl>
      </section>
    `;
  }

  #permissions(app: App) {
    return html`<section>
      <h3>What ${plainName(app.name)} may use</h3>
      <p>It is opened again after a change. The browser may ask you as well.</p>
      <div class="choices">
        ${CAPABILITIES.map(
          ({ id, label }) =>
            html`<label>
              ${label}
              <input
                type="checkbox"
                data-testid="permit-${id}"
                .checked=${this.allowed.includes(id)}
                @change=${(event: Event) => this.#permit(id, (event.target as HTMLInputElement).checked)}
              />
            </label>`,
        )}
      </div>
    </section>`;
  }

  #permit(capability: Capability, allowed: boolean): void {
    this.dispatchEvent(new CustomEvent<Permit>("permit", { detail: { capabilities: [capability], allowed } }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "oc-profile": Profile;
  }
}
