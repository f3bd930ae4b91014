import type { ChatElement, InitOptions } from "../../ocwp.d.ts";
import type { Plugin } from "../ocwp.js";
import { define } from "./ui.js";

/** Defines `<ocwp-chat>`: the chat stands in it while it is on the page. */
export function defineElement(plugin: Plugin, init: (options: InitOptions) => Promise<void>): void {
  class Element extends HTMLElement implements ChatElement {
    credentials: InitOptions["credentials"];
    chatBox: InitOptions["chatBox"];

    connectedCallback(): void {
      // Frameworks set the properties right after they have put the element in.
      queueMicrotask(() => {
        if (this.isConnected && !plugin.standsIn(this)) init(this.#options()).catch(() => {}); // init has said why
      });
    }

    disconnectedCallback(): void {
      if (plugin.standsIn(this)) plugin.destroy();
    }

    #options(): InitOptions {
      const text = (name: string) => this.getAttribute(name) ?? undefined;
      return {
        containerElement: this,
        confPath: text("conf-path"),
        locale: { path: text("locale-path"), default: text("locale") },
        theme: text("theme") as InitOptions["theme"],
        signIn: this.hasAttribute("sign-in"),
        title: this.hasAttribute("unread-in-title"),
        credentials: this.credentials,
        chatBox: this.chatBox,
      };
    }
  }
  define("ocwp-chat", Element);
}
