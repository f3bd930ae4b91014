import { css, html } from "lit";
import { property } from "lit/decorators.js";
import { BaseAvatar } from "../../../common/avatar.js";
import type { Presence } from "../model/people.js";
import type { Kind } from "../xmpp/stanzas.js";
import { base } from "./styles.js";
import { define } from "./ui.js";

/** The avatar of a person, with a dot for presence, of a group, or of alerts. Always beside its name. */
export class Avatar extends BaseAvatar {
  @property({ reflect: true }) override kind: Kind = "direct";
  @property() presence: Presence | "" = "";

  static override styles = [
    base,
    BaseAvatar.base,
    css`
      :host {
        --size: 36px;
        position: relative;
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
    `,
  ];

  override render() {
    const there = this.presence && this.presence !== "offline";
    return html`${super.render()}
    ${there ? html`<span class="dot ${this.presence}" aria-hidden="true"></span>` : ""}`;
  }
}

define("ocwp-avatar", Avatar);

declare global {
  interface HTMLElementTagNameMap {
    "ocwp-avatar": Avatar;
  }
}
