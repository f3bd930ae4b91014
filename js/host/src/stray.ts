/**
 * Where a frame has gone when it left the mini apps' origins.
 *
 * No page can ask where a frame of another origin is. The host page's report-only policy lists the mini apps' origins
 * as its frame sources, so the browser reports every other one. A report does not say which frame it is about: the
 * next frame that loads without connecting takes it.
 */

import { webAddress } from "./text.js";

/** Sandboxed apps are at names below this page's own; its policy lists them all. */
const LISTED = `.${location.hostname}`;
/** Reports kept: a frame that reloads in a loop must not fill the memory. */
const REPORTS_MAX = 20;

// Newest first.
let reports: { origin: string; at: number }[] = [];

document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
  if (effectiveDirective !== "frame-src") return;
  const address = webAddress(blockedURI);
  const origin = address ? new URL(address).origin : "null";
  reports = [{ origin, at: performance.now() }, ...reports].slice(0, REPORTS_MAX);
});

/** Takes the origin of the latest report since `since` (`performance.now()`) for the frame of the app at `own`. */
export function takeStray(own: string, since: number): string | undefined {
  const report = reports.find(({ at }) => at >= since);
  reports = reports.filter((other) => other !== report && other.at >= since);
  if (report?.origin !== own) return report?.origin;
  // A redirect is reported by the address that it began at. An app that this page's policy does not list is no stray.
  return new URL(own).hostname.endsWith(LISTED) ? "null" : undefined;
}
