import { NS, child, children, textOf, x } from "./xml.js";

/** What people can choose from; any other emoji that comes in is shown too. */
export const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

/** Emoji that one sender may put on one message: more are not shown. */
const MOST = 6;

/** One emoji: with modifiers, joined ones, flags and keycaps, but no text. */
const SYMBOL = /^(?=.*[\p{Extended_Pictographic}\p{RI}\u20e3])[\p{Emoji}\p{M}\p{RI}\u200d\u{e0020}-\u{e007f}]{1,16}$/u;

/** All of a sender's reactions to the message `id` (XEP-0444). */
export interface Reacted {
  id: string;
  emoji: string[];
}

export function readReactions(message: Element): Reacted | undefined {
  const reactions = child(message, "reactions", NS.reactions);
  const id = reactions?.getAttribute("id");
  if (!id) return undefined;
  const emoji = children(reactions, "reaction").map((reaction) => textOf(reaction).trim());
  return { id, emoji: [...new Set(emoji)].filter((one) => SYMBOL.test(one)).slice(0, MOST) };
}

export const reactionsElement = ({ id, emoji }: Reacted): Element =>
  x("reactions", { xmlns: NS.reactions, id }, ...emoji.map((one) => x("reaction", {}, one)));

/** The reactions in one chat, by message and sender; they may come before their message. */
export class Reactions {
  #bySender = new Map<string, Map<string, { emoji: string[]; at: number }>>();

  take({ id, emoji }: Reacted, sender: string, at: number): void {
    const senders = this.#bySender.get(id) ?? new Map<string, { emoji: string[]; at: number }>();
    this.#bySender.set(id, senders);
    if (at >= (senders.get(sender)?.at ?? 0)) senders.set(sender, { emoji, at });
  }

  /** Who has put what on a message that has these IDs. */
  on(ids: (string | undefined)[]): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const id of new Set(ids)) {
      for (const [sender, { emoji }] of this.#bySender.get(id ?? "") ?? []) {
        for (const one of emoji) found.set(one, [...(found.get(one) ?? []), sender]);
      }
    }
    return found;
  }

  clear(): void {
    this.#bySender.clear();
  }
}
