import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import * as icons from "./icons.js";
import { Watch, type PhoneModel } from "./model.js";
import "./oc-avatar.js";
import { plainName } from "./reveal.js";
import { base, rows } from "./styles.js";
import { siteOf } from "./text.js";

/**
 * The list of mini apps.
 *
 * @fires {CustomEvent<string>} open - Open the app with this app ID.
 */
@customElement("oc-apps")
export class Apps extends LitElement {
  @property({ attribute: false }) phone!: PhoneModel;
  /** The app that runs in the background, if one does. */
  @property() running = "";
  protected watch = new Watch(this, () => this.phone.world);

  static override styles = [
    base,
    rows,
    css`
      :host {
        display: block;
        overflow-y: auto;
      }
      h2 {
        padding: 12px 16px;
        font-size: 24px;
        line-height: 32px;
        letter-spacing: -0.02em;
      }
      .more {
        overflow-wrap: anywhere; /* whole: the end of a host says whose it is */
      }
      .running {
        padding: 3px 10px;
        border-radius: 12px;
        font-size: 12.5px;
        font-weight: 600;
        background: var(--accent-soft);
        color: var(--accent);
      }
    `,
  ];

  override render() {
    const { apps, ready } = this.phone.world;
    return html`
      <h2>Mini apps</h2>
      ${
        apps.length
          ? html`<ul>
            ${apps.map(
              (app) => html`<li>
                <button
                  class="row"
                  data-testid="app"
                  data-app=${app.appId}
                  @click=${() => this.dispatchEvent(new CustomEvent("open", { detail: app.appId }))}
                >
                  <oc-avatar kind="app" .name=${app.name} .src=${app.icon}></oc-avatar>
                  <span class="words">
                    <span class="name ellipsis" dir="auto">${plainName(app.name)}</span>
                    <span class="more">${siteOf(app.url)}</span>
                  </span>
                  ${app.appId === this.running ? html`<span class="running">Running</span>` : nothing}
                </button>
              </li>`,
            )}
          </ul>`
          : html`<div class="empty">
            ${icons.apps}
            <h3>${ready ? "No mini apps yet" : "Loading…"}</h3>
            ${
              ready
                ? html`<p><code>miniapp dev</code> registers yours; the admin portal approves those that wait.</p>
                  <a class="button" href="/portal" target="_blank" rel="noopener">Open the portal</a>`
                : nothing
            }
          </div>`
      }
    `;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "oc-apps": Apps;
  }
}
