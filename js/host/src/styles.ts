import { css } from "lit";

/** The page's own palette. A `data-theme` of light or dark on an element sets it for all below it. */
export const palette = css`
  [data-theme="light"] {
    --page: #e9edf0;
    --page-edge: #d3dae0;
    --surface: #ffffff;
    --sunken: #f3f6f7;
    --raised: #ffffff;
    --line: #dfe5e8;
    --ink: #14212b;
    --ink-2: #566774;
    --accent: #0b6b62;
    --accent-ink: #ffffff;
    --accent-soft: #dcf0ec;
    --mine: #cdebe4;
    --mine-ink: #0d2f2b;
    --theirs: #ffffff;
    --alert: #fff4dc;
    --alert-edge: #eed9a4;
    --alert-ink: #7a5200;
    --badge: #c8391d;
    --fault: #b3261e;
    --fault-soft: #fdecea;
    --shade: rgb(13 27 36 / 45%);
    --shadow: 0 1px 2px rgb(13 27 36 / 8%), 0 8px 24px rgb(13 27 36 / 12%);
    --chat: #eef2f3;
    color-scheme: light;
  }

  [data-theme="dark"] {
    --page: #0b1014;
    --page-edge: #232d35;
    --surface: #151c22;
    --sunken: #10161b;
    --raised: #1d262d;
    --line: #29343c;
    --ink: #e8eef1;
    --ink-2: #9badb8;
    --accent: #5ccfbd;
    --accent-ink: #04241f;
    --accent-soft: #16332f;
    --mine: #17524a;
    --mine-ink: #e2f6f2;
    --theirs: #212b33;
    --alert: #33280f;
    --alert-edge: #57451c;
    --alert-ink: #f2ca74;
    --badge: #f0674b;
    --fault: #ff9d92;
    --fault-soft: #3a1d1a;
    --shade: rgb(0 0 0 / 60%);
    --shadow: 0 1px 2px rgb(0 0 0 / 40%), 0 8px 24px rgb(0 0 0 / 45%);
    --chat: #0e1418;
    color-scheme: dark;
  }
`;

/** What every element of ours starts from. */
export const base = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  :host {
    font: 400 15px/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
    color: var(--ink);
  }

  [hidden] {
    display: none !important;
  }

  h1,
  h2,
  h3,
  p,
  ul,
  dl,
  dd {
    margin: 0;
    padding: 0;
  }

  ul {
    list-style: none;
  }

  button,
  input,
  select,
  textarea {
    font: inherit;
    color: inherit;
  }

  button {
    border: 0;
    background: none;
    padding: 0;
    cursor: pointer;
    -webkit-tap-highlight-color: transparent;
  }

  button:disabled {
    cursor: default;
    opacity: 0.5;
  }

  a {
    color: inherit;
  }

  svg {
    display: block;
    flex: none;
  }

  :focus {
    outline: none;
  }

  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }

  .icon {
    display: inline-grid;
    place-items: center;
    width: 44px;
    height: 44px;
    border-radius: 12px;
    color: var(--ink-2);
    flex: none;
  }

  .icon:hover:not(:disabled) {
    background: color-mix(in srgb, var(--ink) 8%, transparent);
    color: var(--ink);
  }

  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 8px;
    min-height: 44px;
    padding: 0 18px;
    border-radius: 12px;
    font-weight: 600;
    background: color-mix(in srgb, var(--ink) 8%, transparent);
    text-decoration: none;
  }

  .button:hover:not(:disabled) {
    background: color-mix(in srgb, var(--ink) 13%, transparent);
  }

  .button.main {
    background: var(--accent);
    color: var(--accent-ink);
  }

  .button.main:hover:not(:disabled) {
    background: color-mix(in srgb, var(--accent) 88%, var(--ink));
  }

  .ellipsis {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  .empty {
    display: grid;
    justify-items: center;
    gap: 10px;
    padding: 48px 28px;
    text-align: center;
    color: var(--ink-2);
    text-wrap: balance;
  }

  .empty h3 {
    font-size: 16px;
    color: var(--ink);
  }

  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
      scroll-behavior: auto !important;
    }
  }
`;

/** Rows of a list: avatar, two lines, something at the end. */
export const rows = css`
  .row {
    display: flex;
    align-items: center;
    gap: 12px;
    width: 100%;
    min-height: 64px;
    padding: 8px 16px;
    text-align: start;
  }

  .row:hover {
    background: color-mix(in srgb, var(--ink) 4%, transparent);
  }

  .row:focus-visible {
    outline-offset: -2px;
  }

  .row .words {
    flex: 1;
    min-width: 0;
  }

  .row .name {
    display: block;
    font-weight: 600;
  }

  .row .more {
    display: block;
    font-size: 13.5px;
    color: var(--ink-2);
  }
`;
