import type english from "../../locale/enGB.json";

/** Every string that people see; the keys are those of locale/enGB.json. */
export type Words = Record<keyof typeof english, string>;

/** Hebrew, Arabic and the scripts beside them. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** Strings, numbers and dates of one locale. */
export class Language {
  readonly tag: string;
  readonly direction: "ltr" | "rtl";
  #words: Words;
  // Each when it is first needed: together they take 25 ms.
  #plural = once(() => new Intl.PluralRules(this.tag));
  #clock = once(() => new Intl.DateTimeFormat(this.tag, { hour: "numeric", minute: "2-digit" }));
  #weekday = once(() => new Intl.DateTimeFormat(this.tag, { weekday: "long" }));
  #date = once(() => new Intl.DateTimeFormat(this.tag, { day: "numeric", month: "short", year: "numeric" }));
  #full = once(() => new Intl.DateTimeFormat(this.tag, { dateStyle: "full", timeStyle: "short" }));
  #number = once(() => new Intl.NumberFormat(this.tag));
  #order = once(() => new Intl.Collator(this.tag));

  /** `name` is that of the file: `enGB` is the language tag `en-GB`. */
  constructor(name: string, words: Words) {
    this.#words = words;
    this.tag = languageTag(name);
    this.direction = words.direction === "rtl" ? "rtl" : "ltr";
  }

  /** The string `key`, with `{name}` filled in from `values`. */
  say = (key: keyof Words, values: Record<string, string | number> = {}): string =>
    this.#words[key].replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      return typeof value === "number"
        ? this.#number().format(value)
        : value === undefined
          ? whole
          : this.isolate(value);
    });

  /** `text` for the middle of other text, whose order it must not change: in a Unicode isolate where it could. */
  isolate(text: string): string {
    return this.direction === "rtl" || RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
  }

  /** The string for one or for several things: `key` is the stem of `keyOne` and `keyMany`. */
  count = (key: "members" | "unread" | "readBy", count: number): string =>
    this.say(this.#plural().select(count) === "one" ? `${key}One` : `${key}Many`, { count });

  /** For sorting names. */
  compare = (a: string, b: string): number => this.#order().compare(a, b);

  /** Makes a test of whether texts have every word of `sought`. */
  matcher(sought: string): (...texts: string[]) => boolean {
    const fold = (text: string) => text.toLocaleLowerCase(this.tag);
    const words = fold(sought).split(/\s+/).filter(Boolean);
    return (...texts) => words.every((word) => fold(texts.join(" ")).includes(word));
  }

  number = (value: number): string => this.#number().format(value);

  time = (at: number): string => this.#clock().format(at);

  full = (at: number): string => this.#full().format(at);

  /** Today, Yesterday, a weekday within the week, else a date. */
  day(at: number, now = Date.now()): string {
    const days = Math.round((midnight(now) - midnight(at)) / 86_400_000);
    if (days <= 0) return this.say("today");
    if (days === 1) return this.say("yesterday");
    return (days < 7 ? this.#weekday : this.#date)().format(at);
  }

  /** For lists: the time if today, else the day. */
  when = (at: number): string => (midnight(at) === midnight(Date.now()) ? this.time(at) : this.day(at));
}

export function languageTag(name: string): string {
  const tag = name.replace("_", "-").replace(/^([a-z]{2,3})([A-Z]{2})$/, "$1-$2");
  try {
    return Intl.getCanonicalLocales(tag)[0]!;
  } catch {
    return "en-GB"; // the site's own name for its file: its words are used, our dates are English
  }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const midnight = (at: number) => new Date(at).setHours(0, 0, 0, 0);
