import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";

/** 24 × 24, one stroke, in the colour of the text around, as on the host page. */
const draw = (shape: SVGTemplateResult, size = 20): TemplateResult => html`
  <svg
    width=${size}
    height=${size}
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="1.8"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >${shape}</svg>
`;

export const chats = draw(
  svg`<path d="M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4.5 4v-4A2.5 2.5 0 0 1 4 13.5z"/>`,
  22,
);
export const people = draw(
  svg`<circle cx="9" cy="8.5" r="3.5"/><path d="M2.5 19.5c.7-3.5 3.2-5.5 6.5-5.5s5.8 2 6.5 5.5M15.5 5.3a3.5 3.5 0 0 1 0 6.4M17.5 14.4c2.2.7 3.6 2.5 4 5.1"/>`,
);
export const newGroup = draw(
  svg`<circle cx="9" cy="8.5" r="3.5"/><path d="M2.5 19.5c.7-3.5 3.2-5.5 6.5-5.5s5.8 2 6.5 5.5M19 6v6M16 9h6"/>`,
);
export const bell = draw(svg`<path d="M6 16.5V11a6 6 0 1 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4"/>`);
export const bellOff = draw(svg`<path d="M6 16.5V11a6 6 0 0 1 9-5.2M18 11v5.5l1.5 1.5h-15M10 20.5h4M4 4l16 16"/>`);
export const back = draw(svg`<path d="M14.5 5.5 8 12l6.5 6.5"/>`);
export const close = draw(svg`<path d="m6 6 12 12M18 6 6 18"/>`, 18);
export const minimise = draw(svg`<path d="M5 18h14"/>`, 18);
export const down = draw(svg`<path d="m6 9.5 6 6 6-6"/>`, 18);
export const send = draw(svg`<path d="M4.5 12 4 4.5 20.5 12 4 19.5zM4.5 12H12"/>`);
export const search = draw(svg`<circle cx="11" cy="11" r="6"/><path d="m15.5 15.5 4.5 4.5"/>`, 18);
export const smile = draw(
  svg`<circle cx="12" cy="12" r="8.5"/><path d="M8.5 14c.8 1.3 2 2 3.5 2s2.7-.7 3.5-2M9 9.5v.5M15 9.5v.5"/>`,
);
export const picture = draw(
  svg`<rect x="3.5" y="5" width="17" height="14" rx="3"/><circle cx="9" cy="10" r="1.6"/><path d="m4 17 5-4 3.5 2.5 3-2.5 5 4"/>`,
);
export const pencil = draw(svg`<path d="M5 19h3.5L19 8.5 15.5 5 5 15.5z"/>`, 18);
export const clock = draw(svg`<circle cx="12" cy="12" r="8"/><path d="M12 7.5V12l3 2"/>`, 14);
export const tick = draw(svg`<path d="m5.5 12.5 4.2 4.2 9-9.4"/>`, 14);
export const ticks = draw(svg`<path d="m2.5 12.5 4.2 4.2 8.8-9M10.5 15.7l1 1 9.5-9.7"/>`, 16);
export const warning = draw(svg`<path d="M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.1"/>`, 14);
