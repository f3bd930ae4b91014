import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { Watch, type PhoneModel } from "./model.js";
import "./oc-avatar.js";
import { base } from "./styles.js";
import type { App, DeviceInfo } from "./types.js";

/** Who the phone's user is and what pages are told of the device. Fires `relaunch`. */
@customElement("oc-profile")
export class Profile extends LitElement {
  @property({ attribute: false }) phone!: PhoneModel;
  @property({ attribute: false }) device!: DeviceInfo;
  @property({ attribute: false }) running: App | undefined;
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
}
