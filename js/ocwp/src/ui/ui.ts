import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Client } from "../model/client.js";
import type { Layout } from "./layout.js";
import type { Notifier } from "../model/notifier.js";
import type { Options } from "../model/options.js";
import type { Language } from "./i18n.js";

/** What every element of the plugin works with. */
export interface Ui {
  client: Client;
  layout: Layout;
  language: Language;
  options: Options;
  notifier: Notifier;
  /** Speaks to screen readers. */
  announce(text: string): void;
  login(usr: string, pw: string): void;
  logout(): void;
}

/** Renders its element again after the client's state has changed, and `shows` it: once for all changes of a frame. */
export class Watch implements ReactiveController {
  #stop: (() => void) | undefined;
  #frame = 0;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly ui: () => Ui,
    private readonly shows: (jid: string) => boolean = () => true,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.#stop = this.ui().client.listen((only) => {
      if (only === undefined || this.shows(only)) this.#frame ||= requestAnimationFrame(this.#update);
    });
  }

  hostDisconnected(): void {
    this.#stop?.();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  #update = (): void => {
    this.#frame = 0;
    this.host.requestUpdate();
  };
}

/** Defines an element, unless the script is on the page twice. */
export function define(name: string, element: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, element);
}

/** Sets style properties by script, which a strict CSP allows where it forbids the style attribute. */
export function place(element: HTMLElement | null | undefined, styles: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(styles)) {
    if (value === undefined) element?.style.removeProperty(name);
    else element?.style.setProperty(name, value);
  }
}
