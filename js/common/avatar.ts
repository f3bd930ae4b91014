import { LitElement, css, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { bell, draw, people } from "./icons.js";
import { initials, shade } from "./text.js";

/** How many colours there are for avatars without a picture; the styles below have one each. */
const SHADES = 6;
const GROUP = draw(people, 24);
const ALERT = draw(bell, 24);

/** A round picture, else initials on a colour that goes with the name; for a group or alerts an icon. */
export abstract class BaseAvatar extends LitElement {
  @property() name = "";
  @property() src = "";
  @property({ reflect: true }) kind = "";
  @state() private broken = "";

  static base = css`
    :host {
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
      line-height: 1;
      color: #fff;
      background: hsl(var(--hue) 45% 31%);
    }
    :host([kind="group"]) .disc {
      border-radius: 35%;
    }
    .disc svg {
      width: 54%;
      height: 54%;
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
      --hue: 110;
    }
  `;

  override render(): unknown {
    const picture = this.kind !== "alert" && this.src && this.src !== this.broken;
    return html`<div class="disc s${shade(this.name, SHADES)}" aria-hidden="true">
      ${
        picture
          ? html`<img src=${this.src} alt="" referrerpolicy="no-referrer" @error=${() => (this.broken = this.src)} />`
          : this.#stand()
      }
    </div>`;
  }

  #stand() {
    if (this.kind === "group") return GROUP;
    if (this.kind === "alert") return ALERT;
    return this.name ? initials(this.name) : nothing;
  }
}
