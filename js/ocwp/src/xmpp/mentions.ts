import { bare } from "./jids.js";
import { NS, children, x } from "./xml.js";

/** A person whom a text names as `@name`. */
export interface Named {
  jid: string;
  name: string;
}

/** People that the text being written may mean: the word with `@` before the caret, and who fits it. */
export function suggestions(before: string, people: Named[]): { start: number; people: Named[] } | undefined {
  const [, space, word] = /(^|\s)@(\S*)$/.exec(before) ?? [];
  if (word === undefined) return undefined;
  const fits = ({ name, jid }: Named) => [name, ...name.split(/\s+/), jid].some((one) => begins(one, word));
  return { start: before.length - word.length - 1, people: space === undefined ? [] : people.filter(fits) };
}

/** What tells clients that `body` mentions people (XEP-0372), from the code point `offset` on. */
export function mentionElements(body: string, people: Named[], offset = 0): Element[] {
  return mentioned(body, people).map(({ jid, start, end }) =>
    x("reference", {
      xmlns: NS.reference,
      type: "mention",
      uri: `xmpp:${jid}`,
      begin: String(offset + [...body.slice(0, start)].length),
      end: String(offset + [...body.slice(0, end)].length),
    }),
  );
}

/** Whom `message` mentions, by bare JID. */
export const readMentions = (message: Element): string[] =>
  children(message, "reference", NS.reference)
    .filter((reference) => reference.getAttribute("type") === "mention")
    .map((reference) => bare((reference.getAttribute("uri") ?? "").replace(/^xmpp:|\?.*$/g, "")));

/** Where `@name` stands in `text`; of names that begin alike the longest counts. */
function mentioned(text: string, people: Named[]): { jid: string; start: number; end: number }[] {
  const byLength = people.filter(({ name }) => name).sort((a, b) => b.name.length - a.name.length);
  return [...text.matchAll(/(?<![\p{L}\p{N}])@/gu)].flatMap(({ index }) => {
    const rest = text.slice(index + 1);
    const person = byLength.find(({ name }) => begins(rest, name) && !/^[\p{L}\p{N}]/u.test(rest.slice(name.length)));
    return person ? { jid: person.jid, start: index, end: index + 1 + person.name.length } : [];
  });
}

const begins = (text: string, start: string) => text.toLowerCase().startsWith(start.toLowerCase());
