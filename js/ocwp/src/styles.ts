import { css } from "lit";

/**
 * The palette: each colour is the site's `--ocwp-…` if it has set one. The light one stands on the plugin's outermost
 * element, all others inherit.
 */
export const palette = css`
  :host {
    --surface: var(--ocwp-surface, #ffffff);
    --sunken: var(--ocwp-sunken, #f0f3f4);
    --line: var(--ocwp-line, #dce3e6);
    --ink: var(--ocwp-ink, #14212b);
    --ink-2: var(--ocwp-ink-2, #52626e);
    --accent: var(--ocwp-accent, #0b6b62);
    --accent-ink: var(--ocwp-accent-ink, #ffffff);
    --mine: var(--ocwp-mine, #cdebe4);
    --mine-ink: var(--ocwp-mine-ink, #0d2f2b);
    --theirs: var(--ocwp-theirs, #ffffff);
    --badge: var(--ocwp-badge, #c8391d);
    --badge-ink: var(--ocwp-badge-ink, #ffffff);
    --fault: var(--ocwp-fault, #b3261e);
    --there: var(--ocwp-online, #1f8a4c);
    --away: var(--ocwp-away, #b87503);
    --radius: var(--ocwp-radius, 12px);
    --shadow: 0 0 0 1px rgb(13 27 36 / 9%), 0 6px 24px rgb(13 27 36 / 18%);
    color-scheme: light;
  }

  :host([data-theme="dark"]) {
    --surface: var(--ocwp-dark-surface, #151c22);
    --sunken: var(--ocwp-dark-sunken, #0e1418);
    --line: var(--ocwp-dark-line, #29343c);
    --ink: var(--ocwp-dark-ink, #e8eef1);
    --ink-2: var(--ocwp-dark-ink-2, #9badb8);
    --accent: var(--ocwp-dark-accent, #5ccfbd);
    --accent-ink: var(--ocwp-dark-accent-ink, #04241f);
    --mine: var(--ocwp-dark-mine, #17524a);
    --mine-ink: var(--ocwp-dark-mine-ink, #e2f6f2);
    --theirs: var(--ocwp-dark-theirs, #212b33);
    --badge: var(--ocwp-dark-badge, #f0674b);
    --badge-ink: var(--ocwp-dark-badge-ink, #2a0a02);
    --fault: var(--ocwp-dark-fault, #ff9d92);
    --there: var(--ocwp-dark-online, #58c98a);
    --away: var(--ocwp-dark-away, #f0b429);
    --shadow: 0 0 0 1px rgb(255 255 255 / 10%), 0 6px 24px rgb(0 0 0 / 50%);
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
    font: 400 14px/1.4 var(--ocwp-font, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif);
    color: var(--ink);
  }

  [hidden] {
    display: none !important;
  }

  h2,
  h3,
  p,
  ul {
    margin: 0;
    padding: 0;
    font-size: inherit;
    font-weight: inherit;
  }

  ul {
    list-style: none;
  }

  button,
  input,
  textarea {
    margin: 0;
    font: inherit;
    color: inherit;
  }

  button {
    padding: 0;
    border: 0;
    background: none;
    cursor: pointer;
    -webkit-tap-highlight-color: transparent;
  }

  button:disabled {
    cursor: default;
    opacity: 0.5;
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
    outline-offset: -2px;
  }

  .icon {
    display: inline-grid;
    place-items: center;
    flex: none;
    width: 32px;
    height: 32px;
    border-radius: 8px;
    color: var(--ink-2);
  }

  .icon:hover:not(:disabled),
  .icon[aria-pressed="true"],
  .icon[aria-expanded="true"] {
    background: color-mix(in srgb, var(--ink) 9%, transparent);
    color: var(--ink);
  }

  [dir="rtl"] .turns {
    transform: scaleX(-1);
  }

  .button {
    min-height: 36px;
    padding: 0 14px;
    border-radius: 9px;
    font-weight: 600;
    background: color-mix(in srgb, var(--ink) 9%, transparent);
  }

  .button.main {
    background: var(--accent);
    color: var(--accent-ink);
  }

  .button.grave {
    color: var(--fault);
  }

  .field {
    width: 100%;
    min-width: 0;
    height: 36px;
    padding: 0 12px;
    border: 1px solid color-mix(in srgb, var(--ink-2) 55%, transparent);
    border-radius: 9px;
    background: var(--surface);
  }

  ::placeholder {
    color: var(--ink-2);
    opacity: 1;
  }

  .ellipsis {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .quiet {
    color: var(--ink-2);
    font-size: 12.5px;
  }

  .fault {
    padding: 6px 12px;
    font-size: 13px;
    color: var(--fault);
    background: color-mix(in srgb, var(--fault) 12%, var(--surface));
  }

  .badge {
    flex: none;
    min-width: 20px;
    padding: 0 6px;
    border-radius: 10px;
    font-size: 12px;
    font-weight: 700;
    line-height: 20px;
    text-align: center;
    background: var(--badge);
    color: var(--badge-ink);
  }

  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  .row {
    display: flex;
    align-items: center;
    gap: 10px;
    width: 100%;
    min-height: 52px;
    padding: 6px 12px;
    text-align: start;
  }

  button.row:hover,
  label.row:hover {
    background: color-mix(in srgb, var(--ink) 5%, transparent);
  }

  .row .words {
    flex: 1;
    min-width: 0;
  }

  .row .name {
    display: block;
    font-weight: 600;
  }

  /* Fingers need more than pointers do; and below 16 px iOS zooms into a field. */
  @media (pointer: coarse) {
    .icon {
      width: 44px;
      height: 44px;
    }
    .field,
    .button {
      min-height: 44px;
      font-size: 16px;
    }
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
