import { LitElement, css, html } from "lit";
import { property } from "lit/decorators.js";
import { base } from "./styles.js";
import { define, type Ui } from "./ui.js";

/** A form to sign in by, where the site wants one. */
export class SignIn extends LitElement {
  @property({ attribute: false }) ui!: Ui;

  static override styles = [
    base,
    css`
      form {
        display: grid;
        gap: 10px;
        padding: 8px 14px 16px;
      }
      label {
        display: grid;
        gap: 4px;
        font-weight: 600;
      }
      .button {
        justify-self: start;
      }
    `,
  ];

  override render() {
    const { say, direction } = this.ui.language;
    return html`<form dir=${direction} @submit=${this.#submit}>
      <label>
        ${say("userName")}
        <input class="field" name="usr" value=${this.ui.client.me} required autocomplete="username" autocapitalize="none" spellcheck="false" />
      </label>
      <label>
        ${say("password")}
        <input class="field" name="pw" type="password" required autocomplete="current-password" />
      </label>
      <button class="button main">${say("signIn")}</button>
    </form>`;
  }

  override focus(): void {
    void this.updateComplete.then(() => this.renderRoot.querySelector("input")?.focus());
  }

  #submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    this.ui.login(String(form.get("usr")), String(form.get("pw")));
  };
}

define("ocwp-sign-in", SignIn);

declare global {
  interface HTMLElementTagNameMap {
    "ocwp-sign-in": SignIn;
  }
}
