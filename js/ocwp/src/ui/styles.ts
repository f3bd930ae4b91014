import { css } from "lit";
import { common } from "../../../common/styles.js";

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
export const base = [
  common,
  css`
    :host {
      font: 400 14px/1.4 var(--ocwp-font, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif);
      color: var(--ink);
    }

    h2,
    h3 {
      font-size: inherit;
      font-weight: inherit;
    }

    button,
    input,
    textarea {
      margin: 0;
    }

    :focus-visible {
      outline-offset: -2px;
    }

    .icon {
      width: 32px;
      height: 32px;
      border-radius: 8px;
    }

    .icon[aria-pressed="true"],
    .icon[aria-expanded="true"] {
      background: color-mix(in srgb, var(--ink) 8%, transparent);
      color: var(--ink);
    }

    [dir="rtl"] .turns {
      transform: scaleX(-1);
    }

    .button {
      min-height: 36px;
      padding: 0 14px;
      border-radius: 9px;
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

    .row {
      gap: 10px;
      min-height: 52px;
      padding: 6px 12px;
    }

    button.row:hover,
    label.row:hover {
      background: color-mix(in srgb, var(--ink) 5%, transparent);
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
  `,
];

/** What stands among the boxes along the bottom: a chat, or the list of them. */
export const panel = css`
  :host {
    display: flex;
    pointer-events: auto;
  }
  section {
    display: flex;
    flex-direction: column;
    flex: 1;
    min-width: 0;
    overflow: hidden;
    border-radius: var(--radius) var(--radius) 0 0;
    background: var(--surface);
    box-shadow: var(--shadow);
  }
  header {
    display: flex;
    align-items: center;
    flex: none;
    gap: 2px;
  }
`;
