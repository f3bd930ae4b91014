import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import * as icons from "./icons.js";
import { base } from "./styles.js";
import { initials, shade } from "./text.js";

/** How many colours there are for avatars without a picture; the styles below have one each. */
const SHADES = 6;

/** A round picture of a person, or of a group, or of alerts; a square one of an app. Always beside its name. */
@customElement("oc-avatar")
export class Avatar extends LitElement {
  @property() name = "";
  @property() src = "";
  @property({ reflect: true }) kind: "person" | "group" | "alert" | "app" = "person";
  @state() private broken = "";

  static override styles = [
    base,
    css`
      :host {
        --size: 44px;
        display: block;
        width: var(--size);
        height: var(--size);
        flex: none;
      }
      div {
        width: 100%;
        height: 100%;
        display: grid;
        place-items: center;
        overflow: hidden;
        border-radius: 50%;
        font: 600 calc(var(--size) * 0.36) / 1 system-ui, sans-serif;
        color: #fff;
        background: hsl(var(--hue) 45% 31%);
      }
      :host([kind="app"]) div {
        border-radius: 26%;
      }
      :host([kind="group"]) div {
        border-radius: 36%;
        background: var(--accent-soft);
        color: var(--accent);
      }
      :host([kind="alert"]) div {
        background: var(--alert);
        color: var(--alert-ink);
        box-shadow: inset 0 0 0 1px var(--alert-edge);
      }
      img {
        width: 100%;
        height: 100%;
        object-fit: cover;
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
        --hue: 95;
      }
    `,
  ];

  override render() {
    const picture = this.kind !== "alert" && this.src && this.src !== this.broken;
    return html`<div class="s${shade(this.name, SHADES)}" aria-hidden="true">
      ${
        picture
          ? html`<img src=${this.src} alt="" referrerpolicy="no-referrer" @error=${() => (this.broken = this.src)} />`
          : this.#stand()
      }
    </div>`;
  }

  #stand() {
    if (this.kind === "group") return icons.people;
    if (this.kind === "alert") return icons.bell;
    return this.name ? initials(this.name) : nothing;
  }
}
