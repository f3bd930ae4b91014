import { css } from "lit";
import { common } from "../../common/styles.js";

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
export const base = [
  common,
  css`
    :host {
      font: 400 15px/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
      color: var(--ink);
    }

    a {
      color: inherit;
    }

    :focus-visible {
      outline-offset: 2px;
    }

    .icon {
      width: 44px;
      height: 44px;
      border-radius: 12px;
    }

    .button {
      display: inline-flex;
      align-items: center;
      justify-content: center;
      gap: 8px;
      min-height: 44px;
      padding: 0 18px;
      border-radius: 12px;
      text-decoration: none;
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
  `,
];

/** Rows of a list. */
export const rows = css`
  .row {
    gap: 12px;
    min-height: 64px;
    padding: 8px 16px;
  }

  .row:hover {
    background: color-mix(in srgb, var(--ink) 4%, transparent);
  }

  .row:focus-visible {
    outline-offset: -2px;
  }

  .row .more {
    display: block;
    font-size: 13.5px;
    color: var(--ink-2);
  }
`;
