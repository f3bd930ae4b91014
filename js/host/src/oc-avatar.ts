import { css } from "lit";
import { customElement, property } from "lit/decorators.js";
import { BaseAvatar } from "../../common/avatar.js";
import { base } from "./styles.js";

/** The avatar of a person, of a group, or of alerts; that of an app is square. Always beside its name. */
@customElement("oc-avatar")
export class Avatar extends BaseAvatar {
  @property({ reflect: true }) override kind: "person" | "group" | "alert" | "app" = "person";

  static override styles = [
    base,
    BaseAvatar.base,
    css`
      :host {
        --size: 44px;
      }
      :host([kind="app"]) .disc {
        border-radius: 26%;
      }
      :host([kind="group"]) .disc {
        background: var(--accent-soft);
        color: var(--accent);
      }
      :host([kind="alert"]) .disc {
        background: var(--alert);
        color: var(--alert-ink);
        box-shadow: inset 0 0 0 1px var(--alert-edge);
      }
    `,
  ];
}

declare global {
  interface HTMLElementTagNameMap {
    "oc-avatar": Avatar;
  }
}
