/**
 * The sandbox's host page.
 *
 * Stable hooks for tests, as `data-testid` (shadow roots are open, so Playwright's locators see through them):
 *
 *     page      add-phone, theme, live (data-live: connecting, open, reconnecting, stale), switch-N (narrow pages)
 *     phone     phone-0 … phone-3; in each: user, device, phone-theme, remove-phone, screen,
 *               tab-chats, tab-apps, tab-profile, unread-all, toast (data-thread), notice
 *     chats     thread (data-thread, data-kind; in it: unread), new-chat, new-group
 *     thread    back, thread-title, messages, message (data-id), composer, send
 *     apps      app (data-app), app-title, app-frame, app-back, app-reload, app-close, session-ended, new-session,
 *               no-bridge, stray, app-return, app-site, asking-stopped, allow-asking, keyboard-taken, app-resume
 *     profile   profile-name, profile-jid, profile-relaunch, permit-{camera, microphone, geolocation, clipboard-read}
 *     picker    picker, picker-search, picker-item (data-jid), picker-count, picker-done, picker-cancel
 *     share     share, share-count, share-recipients, share-text, share-note, more, share-send, share-cancel
 *     permit    permit, permit-allow, permit-not-now;
 *               in it, in share and in an app's picker: asker (in it: app-site)
 *     group     first-message, first-message-text, first-message-send
 *
 * Playwright misses inside a frame that is scaled down: give the page room (1280 × 900 for the default device).
 */
import { css } from "lit";
import "./oc-host.js";
import { palette } from "./styles.js";

const page = css`
  html {
    background: var(--page);
  }
  body {
    margin: 0;
  }
`;

document.adoptedStyleSheets = [palette.styleSheet!, page.styleSheet!];
