import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";

/** An icon: 24 × 24 units on `size` pixels, one stroke, in the colour of the text around. */
export const draw = (shape: SVGTemplateResult, size: number): TemplateResult => html`
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

/** The shapes that both the host page and the chat plugin show. */
export const chats = svg`<path d="M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4.5 4v-4A2.5 2.5 0 0 1 4 13.5z"/>`;
export const people = svg`<circle cx="9" cy="8.5" r="3.5"/><path d="M2.5 19.5c.7-3.5 3.2-5.5 6.5-5.5s5.8 2 6.5 5.5M15.5 5.3a3.5 3.5 0 0 1 0 6.4M17.5 14.4c2.2.7 3.6 2.5 4 5.1"/>`;
export const bell = svg`<path d="M6 16.5V11a6 6 0 1 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4"/>`;
export const back = svg`<path d="M14.5 5.5 8 12l6.5 6.5"/>`;
export const close = svg`<path d="m6 6 12 12M18 6 6 18"/>`;
export const send = svg`<path d="M4.5 12 4 4.5 20.5 12 4 19.5zM4.5 12H12"/>`;
export const search = svg`<circle cx="11" cy="11" r="6"/><path d="m15.5 15.5 4.5 4.5"/>`;
export const tick = svg`<path d="m5.5 12.5 4.2 4.2 9-9.4"/>`;
export const warning = svg`<path d="M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.1"/>`;
