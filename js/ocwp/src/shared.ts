import { Plugin } from "./ocwp.js";

declare global {
  interface Window {
    [COPIES]?: Plugin;
  }
}

// Not a name of the page's. Copies of the script share one chat, else their elements would stand on top of each other.
const COPIES = Symbol.for("ocwp");

export const plugin = (window[COPIES] ??= new Plugin());
