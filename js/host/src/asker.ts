import { css, html } from "lit";
import "./oc-avatar.js";
import { plainName } from "./reveal.js";
import { siteOf } from "./text.js";
import type { App } from "./types.js";

/** The styles of `askerLine`. */
export const asker = css`
  .asker {
    display: flex;
    flex: none;
    align-items: center;
    gap: 12px;
  }
  .asker oc-avatar {
    --size: 40px;
  }
  .asker .words {
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .asker p {
    line-height: 1.35;
  }
  .asker .site {
    font-size: 13px;
    color: var(--ink-2);
  }
`;

/** Says which mini app asks, by its name and by where it comes from: two apps may have one name. */
export const askerLine = (app: App, does: string) => {
  const name = plainName(app.name);
  return html`<div class="asker" data-testid="asker">
    <oc-avatar kind="app" .name=${name} .src=${app.icon}></oc-avatar>
    <div class="words">
      <p><strong><bdi>${name}</bdi></strong> ${does}.</p>
      <p class="site" data-testid="app-site">${siteOf(app.url)}</p>
    </div>
  </div>`;
};
