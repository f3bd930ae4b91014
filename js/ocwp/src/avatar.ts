import { LitElement, css, html } from "lit";
import { property, state } from "lit/decorators.js";
import { initials, shade } from "../../common/text.js";
import * as icons from "./icons.js";
import type { Presence } from "./people.js";
import type { Kind } from "./stanzas.js";
import { base } from "./styles.js";
import { define } from "./ui.js";

/** How many colours there are for avatars without a picture; the styles below have one each. */
const SHADES = 6;

/** A round picture of a person, with a dot for presence, or of a group. Always beside its name. */
export class Avatar extends LitElement {
  @property() name = "";
  @property() src = "";
  @property({ reflect: true }) kind: Kind = "direct";
  @property() presence: Presence | "" = "";
  @state() private broken = "";

  static override styles = [
    base,
    css`
      :host {
        --size: 36px;
        position: relative;
        display: block;
        flex: none;
        width: var(--size);
        height: var(--size);
      }
      .disc {
        display: grid;
        place-items: center;
        width: 100%;
        height: 100%;
        overflow: hidden;
        border-radius: 50%;
        font-size: calc(var(--size) * 0.36);
        font-weight: 600;
        color: #fff;
        background: hsl(var(--hue) 42% 36%);
      }
      :host([kind="group"]) .disc {
        border-radius: 34%;
      }
      img {
        width: 100%;
        height: 100%;
        object-fit: cover;
      }
      .dot {
        position: absolute;
        inset-block-end: -1px;
        inset-inline-end: -1px;
        width: 11px;
        height: 11px;
        border: 2px solid var(--surface);
        border-radius: 50%;
        background: var(--there);
      }
      .away {
        background: var(--away);
      }
      .busy {
        background: var(--fault);
      }
      .s0 {
        --hue: 175;
      }
      .s1 {
        --hue: 210;
      }
      .s2 {
        --hue: 262;
      }
      .s3 {
        --hue: 325;
      }
      .s4 {
        --hue: 15;
      }
      .s5 {
        --hue: 130;
      }
    `,
  ];

  override render() {
    const picture = this.src && this.src !== this.broken;
    const there = this.presence && this.presence !== "offline";
    return html`<div class="disc s${shade(this.name, SHADES)}" aria-hidden="true">
        ${
          picture
            ? html`<img src=${this.src} alt="" referrerpolicy="no-referrer" @error=${() => (this.broken = this.src)} />`
            : this.kind === "group"
              ? icons.people
              : this.kind === "alert"
                ? icons.bell
                : initials(this.name)
        }
      </div>
      ${there ? html`<span class="dot ${this.presence}" aria-hidden="true"></span>` : ""}`;
  }
}

define("ocwp-avatar", Avatar);
