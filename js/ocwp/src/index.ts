import { init } from "./core.js";
import { defineElement } from "./ui/element.js";
import { Root } from "./ui/root.js";
import { plugin } from "./shared.js";

/** The functions of core.ts, with our interface. */
export * from "./core.js";

plugin.draw ??= (ui) => Root.in(ui);
defineElement(plugin, init);
