import { css } from "lit";

/** What every element of the host page and of the chat plugin starts from; each adds its own sizes. */
export const common = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
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

  svg {
    display: block;
    flex: none;
  }

  :focus {
    outline: none;
  }

  :focus-visible {
    outline: 2px solid var(--accent);
  }

  .icon {
    display: inline-grid;
    place-items: center;
    flex: none;
    color: var(--ink-2);
  }

  .icon:hover:not(:disabled) {
    background: color-mix(in srgb, var(--ink) 8%, transparent);
    color: var(--ink);
  }

  .button {
    font-weight: 600;
    background: color-mix(in srgb, var(--ink) 8%, transparent);
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

  /* A row of a list: avatar, two lines, something at the end. */
  .row {
    display: flex;
    align-items: center;
    width: 100%;
    text-align: start;
  }

  .row .words {
    flex: 1;
    min-width: 0;
  }

  .row .name {
    display: block;
    font-weight: 600;
  }

  /* Two things on one line of it, of which the first gives way. */
  .line {
    display: flex;
    align-items: baseline;
    gap: 8px;
  }

  .line > :first-child {
    flex: 1;
    min-width: 0;
  }

  .ellipsis {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    text-align: -webkit-match-parent; /* as Chromium calls what follows */
    text-align: match-parent; /* the text's own direction says which end is cut, the page's where it stands */
  }

  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
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
