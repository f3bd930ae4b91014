import { svg, type SVGTemplateResult } from "lit";
import * as shapes from "../../../common/icons.js";

/** The plugin's icons. */
const draw = (shape: SVGTemplateResult, size = 20) => shapes.draw(shape, size);

export const chats = draw(shapes.chats, 22);
export const people = draw(shapes.people);
export const newGroup = draw(
  svg`<circle cx="9" cy="8.5" r="3.5"/><path d="M2.5 19.5c.7-3.5 3.2-5.5 6.5-5.5s5.8 2 6.5 5.5M19 6v6M16 9h6"/>`,
);
export const bell = draw(shapes.bell);
export const bellOff = draw(svg`<path d="M6 16.5V11a6 6 0 0 1 9-5.2M18 11v5.5l1.5 1.5h-15M10 20.5h4M4 4l16 16"/>`);
export const back = draw(shapes.back);
export const close = draw(shapes.close, 18);
export const signOut = draw(
  svg`<path d="M10 4.5H6a1.5 1.5 0 0 0-1.5 1.5v12A1.5 1.5 0 0 0 6 19.5h4M15 8l4 4-4 4M19 12H9.5"/>`,
);
export const minimise = draw(svg`<path d="M5 18h14"/>`, 18);
export const down = draw(svg`<path d="m6 9.5 6 6 6-6"/>`, 18);
export const send = draw(shapes.send);
export const search = draw(shapes.search, 18);
export const smile = draw(
  svg`<circle cx="12" cy="12" r="8.5"/><path d="M8.5 14c.8 1.3 2 2 3.5 2s2.7-.7 3.5-2M9 9.5v.5M15 9.5v.5"/>`,
);
export const file = draw(
  svg`<path d="m19 11-7.3 7.3a4.2 4.2 0 0 1-6-6l7.8-7.8a2.8 2.8 0 0 1 4 4l-7.7 7.7a1.4 1.4 0 0 1-2-2l7-7"/>`,
);
export const picture = draw(
  svg`<rect x="3.5" y="5" width="17" height="14" rx="3"/><circle cx="9" cy="10" r="1.6"/><path d="m4 17 5-4 3.5 2.5 3-2.5 5 4"/>`,
);
export const pencil = draw(svg`<path d="M5 19h3.5L19 8.5 15.5 5 5 15.5z"/>`, 18);
export const clock = draw(svg`<circle cx="12" cy="12" r="8"/><path d="M12 7.5V12l3 2"/>`, 14);
export const tick = draw(shapes.tick, 14);
export const ticks = draw(svg`<path d="m2.5 12.5 4.2 4.2 8.8-9M10.5 15.7l1 1 9.5-9.7"/>`, 16);
export const warning = draw(shapes.warning, 14);
