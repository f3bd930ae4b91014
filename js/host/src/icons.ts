import { html, svg, type SVGTemplateResult } from "lit";
import * as shapes from "../../common/icons.js";

/** The page's own icons. */
const draw = (shape: SVGTemplateResult, size = 22) => shapes.draw(shape, size);

export const chats = draw(shapes.chats);
export const apps = draw(
  svg`<rect x="4" y="4" width="6.5" height="6.5" rx="2"/><rect x="13.5" y="4" width="6.5" height="6.5" rx="2"/><rect x="4" y="13.5" width="6.5" height="6.5" rx="2"/><circle cx="16.75" cy="16.75" r="3.25"/>`,
);
export const person = draw(svg`<circle cx="12" cy="8" r="4"/><path d="M4.5 20c.8-3.8 3.7-6 7.5-6s6.7 2.2 7.5 6"/>`);
export const people = draw(shapes.people);
export const back = draw(shapes.back);
export const close = draw(shapes.close);
export const reload = draw(svg`<path d="M19 12a7 7 0 1 1-2.2-5.1L19 9M19 4.5V9h-4.5"/>`);
export const plus = draw(svg`<path d="M12 5v14M5 12h14"/>`);
export const pencil = draw(
  svg`<path d="M12.5 5H7a3 3 0 0 0-3 3v9a3 3 0 0 0 3 3h9a3 3 0 0 0 3-3v-5.5M10 14l.6-3 8-8L21 5.4l-8 8z"/>`,
);
export const megaphone = draw(svg`<path d="M4 10v4l3 .4 1.2 5.1h2.6L9.8 14.7 18 18V6l-8.5 3.3zM21 10.5v3"/>`, 18);
export const bell = draw(shapes.bell);
export const send = draw(shapes.send);
export const search = draw(shapes.search, 20);
export const tick = draw(shapes.tick, 18);
export const sun = draw(
  svg`<circle cx="12" cy="12" r="4"/><path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4"/>`,
  20,
);
export const moon = draw(svg`<path d="M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z"/>`, 20);
export const auto = draw(svg`<circle cx="12" cy="12" r="8"/><path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor"/>`, 20);
export const chevron = draw(svg`<path d="m8 10 4 4 4-4"/>`, 16);
export const portal = draw(
  svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>`,
  20,
);
export const warning = draw(shapes.warning, 20);

/** Reception and battery, for the status bar. */
export const reception = html`
  <svg width="46" height="12" viewBox="0 0 46 12" fill="currentColor" aria-hidden="true">
    <rect x="0" y="8" width="3" height="4" rx="1" /><rect x="4.5" y="5.5" width="3" height="6.5" rx="1" />
    <rect x="9" y="3" width="3" height="9" rx="1" /><rect x="13.5" y="0" width="3" height="12" rx="1" />
    <rect x="22.5" y=".5" width="19" height="11" rx="3.5" fill="none" stroke="currentColor" opacity=".5" />
    <rect x="24" y="2" width="14" height="8" rx="2" /><rect x="43" y="4" width="1.5" height="4" rx=".75" opacity=".6" />
  </svg>
`;

/** The sandbox's mark: two chats that overlap. */
export const mark = html`
  <svg width="30" height="30" viewBox="0 0 32 32" aria-hidden="true">
    <path d="M5 4h15a4 4 0 0 1 4 4v7a4 4 0 0 1-4 4h-7l-6 5v-5.2A4 4 0 0 1 1 15V8a4 4 0 0 1 4-4z" fill="var(--accent)" />
    <path
      d="M15 12h12a4 4 0 0 1 4 4v6a4 4 0 0 1-2.5 3.7V30l-5-4H15a4 4 0 0 1-4-4v-6a4 4 0 0 1 4-4z"
      fill="var(--badge)"
      stroke="var(--surface)"
      stroke-width="2"
    />
  </svg>
`;
