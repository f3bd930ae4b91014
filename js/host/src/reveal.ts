/** A text as a person must see it before it is sent: nothing in it is invisible, reordered or pushed out of sight. */

/** A mark that stands for what can't be seen. */
export interface Mark {
  mark: string;
  title: string;
}

/** As many line breaks in a row are shown as they are; more become a mark. */
const BREAKS_MAX = 3;
/** As many spaces in a row are shown as they are: an indented list still looks like one. */
const SPACES_MAX = 20;

const NEW_LINE = /\r\n?|[\u0085\u2028\u2029\v\f]/g;
const SPACE = String.raw`[\p{Zs}\t\u2800]`;
const HIDDEN = String.raw`[\p{DI}\ufff9-\ufffb]`;
// Characters without a shape that belong to what is beside them: emoji sequences, flags, a variant of a character,
// joiners inside the scripts that need them.
const JOINED = [
  String.raw`\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{2,6}\u{e007f}`,
  String.raw`\p{ExtPict}[\ufe0f\p{EMod}]?(?:\u200d\p{ExtPict}[\ufe0f\p{EMod}]?)*`,
  String.raw`\p{Script=Han}[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]`,
  String.raw`[^\p{DI}\s][\ufe0e\ufe0f]`,
  String.raw`(?<=[^\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Common}\p{Script=Inherited}])[\u200c\u200d](?![\u200c\u200d])`,
].join("|");
const SCAN = new RegExp(
  [
    `(?<joined>${JOINED})`,
    String.raw`(?<lines>(?:(?:${SPACE}|${HIDDEN})*\n){${BREAKS_MAX + 1},})`,
    `(?<spaces>${SPACE}{${SPACES_MAX + 1},})`,
    String.raw`(?<hidden>(?<one>${HIDDEN})\k<one>*)`,
    String.raw`(?<=\p{M}{4})(?<accents>\p{M}+)`,
  ].join("|"),
  "gu",
);

/** `text` in pieces: what can be shown as it is, and marks for the rest. */
export function reveal(text: string): (string | Mark)[] {
  const given = text.replace(NEW_LINE, "\n");
  const pieces: (string | Mark)[] = [];
  let at = 0;
  for (const match of given.matchAll(SCAN)) {
    const found = marked(match);
    if (!found) continue;
    if (match.index > at) pieces.push(given.slice(at, match.index));
    pieces.push(...found);
    at = match.index + match[0].length;
  }
  if (at < given.length) pieces.push(given.slice(at));
  return pieces;
}

function marked({ groups }: RegExpMatchArray): (string | Mark)[] | undefined {
  const { lines, spaces, hidden, one, accents } = groups ?? {};
  if (lines) {
    const count = lines.split("\n").length - 2;
    return ["\n", { mark: `${count} blank lines`, title: "Blank lines that are sent with the message" }, "\n"];
  }
  if (spaces) {
    const count = [...spaces].length;
    return [" ", { mark: `${count} spaces`, title: "Spaces that are sent with the message" }, " "];
  }
  if (hidden) {
    const code = `U+${one!.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
    const count = hidden.length / one!.length;
    return [{ mark: count > 1 ? `${code} × ${count}` : code, title: "A character that can't be seen" }];
  }
  if (accents) return [{ mark: `+${[...accents].length} accents`, title: "Accents on one letter" }];
  return undefined;
}

/** A name on one line, whatever is in it: marks are written in brackets. */
export const plainName = (name: string): string =>
  reveal(name)
    .map((piece) => (typeof piece === "string" ? piece : `[${piece.mark}]`))
    .join("")
    .replace(/\s+/g, " ")
    .trim();
