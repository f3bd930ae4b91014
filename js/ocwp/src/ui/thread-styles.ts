import { css } from "lit";

/** The styles of `ocwp-thread`. */
export const threadStyles = css`
  :host {
    position: relative;
    display: flex;
    flex-direction: column;
    min-height: 0;
    background: var(--sunken);
  }
  .list {
    flex: 1 1 auto;
    min-height: 0;
    overflow-y: auto;
    overscroll-behavior: contain;
    overflow-anchor: none; /* we keep the place ourselves when older messages come in above */
    display: flex;
    flex-direction: column;
    padding: 6px 10px 8px;
  }
  .list > :first-child {
    margin-block-start: auto;
  }
  .note {
    align-self: center;
    margin: 8px 0 4px;
    text-align: center;
  }
  .message {
    display: flex;
    flex-direction: column;
    align-items: flex-start;
    align-self: flex-start;
    max-width: 85%;
    margin-block-start: 8px;
  }
  .mine {
    align-items: flex-end;
    align-self: flex-end;
  }
  .joined {
    margin-block-start: 2px;
  }
  .from {
    display: flex;
    align-items: center;
    gap: 6px;
    margin: 0 10px 1px;
    font-weight: 600;
  }
  .from ocwp-avatar {
    --size: 20px;
  }
  .bubble {
    min-width: 0;
    max-width: 100%;
    padding: 6px 10px;
    border-radius: 5px 14px 14px;
    background: var(--theirs);
    box-shadow: 0 1px 1px rgb(0 0 0 / 8%);
    overflow-wrap: anywhere;
  }
  [dir="rtl"] .bubble,
  .mine .bubble {
    border-radius: 14px 5px 14px 14px;
  }
  [dir="rtl"] .mine .bubble {
    border-radius: 5px 14px 14px;
  }
  .mine .bubble {
    background: var(--mine);
    color: var(--mine-ink);
  }
  .line {
    display: flex;
    align-items: center;
    gap: 2px;
    max-width: 100%;
  }
  .mine .line {
    flex-direction: row-reverse;
  }
  /* Text, and not by opacity: a layer and a drawing for each of thousands of rows made scrolling stutter. */
  .more {
    flex: none;
    font-weight: 700;
    color: transparent;
  }
  .message:hover .more,
  .more:focus-visible,
  .more[aria-expanded="true"] {
    color: var(--ink-2);
  }
  @media (pointer: coarse) {
    .more {
      color: var(--ink-2);
    }
  }
  .menu,
  .reactions {
    display: flex;
    flex-wrap: wrap;
    gap: 4px;
    margin-block-start: 4px;
  }
  .mine .menu,
  .mine .reactions {
    justify-content: flex-end;
  }
  .menu .emoji {
    width: 28px;
  }
  .menu .button {
    min-height: 32px;
    padding-inline: 10px;
  }
  .emoji {
    font: 18px/1 "Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji", sans-serif;
  }
  .reactions .button {
    min-height: 26px;
    padding-inline: 8px;
    border-radius: 13px;
    font-size: 13px;
  }
  .reactions .emoji {
    font-size: 14px;
  }
  .reactions [aria-pressed="true"] {
    box-shadow: inset 0 0 0 1.5px var(--accent);
  }
  .quote {
    margin-block-end: 3px;
    padding-inline-start: 8px;
    border-inline-start: 3px solid var(--accent);
    color: color-mix(in srgb, currentColor 80%, transparent);
    font-size: 13px;
  }
  .mention .bubble {
    box-shadow: inset 3px 0 var(--accent);
  }
  [dir="rtl"] .mention .bubble {
    box-shadow: inset -3px 0 var(--accent);
  }
  .text {
    white-space: pre-wrap;
    unicode-bidi: plaintext;
  }
  a {
    color: inherit;
  }
  .file {
    display: flex;
    align-items: center;
    gap: 6px;
  }
  .image img {
    display: block;
    max-width: 100%;
    max-height: 220px;
    border-radius: 8px;
  }
  .foot {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: flex-end;
    gap: 4px;
    margin-block-start: 1px;
    font-size: 11.5px;
    line-height: 14px;
    white-space: nowrap;
    color: color-mix(in srgb, currentColor 78%, transparent);
  }
  .delivery {
    display: inline-flex;
    align-items: center;
    gap: 3px;
  }
  .failed {
    display: flex;
    align-items: center;
    gap: 5px;
    font-size: 12.5px;
    color: var(--fault);
  }
  .failed button {
    text-decoration: underline;
  }
  .typing {
    min-height: 18px;
    padding: 0 12px 2px;
  }
  .below {
    position: absolute;
    inset-block-end: 8px;
    inset-inline: 0;
    width: fit-content;
    margin-inline: auto;
    min-height: 30px;
    padding: 0 14px;
    border-radius: 15px;
    font-size: 13px;
    background: var(--accent);
    color: var(--accent-ink);
    box-shadow: var(--shadow);
  }
`;
