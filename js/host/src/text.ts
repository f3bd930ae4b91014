export { initials, pieces, shade, webAddress, type Piece } from "../../common/text.js";

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

export const timeOf = (at: string) => clock.format(new Date(at));

/** As a phone's status bar has it: without am or pm. */
export function clockOf(at: Date): string {
  const parts = clock.formatToParts(at).filter(({ type }) => type !== "dayPeriod");
  return parts
    .map(({ value }) => value)
    .join("")
    .trim();
}

/** Today, Yesterday, a weekday within the week, else a date. */
export function dayOf(at: string, now = new Date()): string {
  const then = new Date(at);
  const days = Math.round((midnight(now) - midnight(then)) / 86_400_000);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  return days < 7 ? weekday.format(then) : date.format(then);
}

/** For a list of threads: the time if today, else the day. */
export function whenOf(at: string, now = new Date()): string {
  const day = dayOf(at, now);
  return day === "Today" ? timeOf(at) : day;
}

const midnight = (at: Date) => new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();

/** Where a mini app comes from, for people: host, port and path. Letters beyond ASCII show in their coded form. */
export function siteOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url ? `${url.host}${url.pathname.replace(/\/$/, "")}` : address;
}
