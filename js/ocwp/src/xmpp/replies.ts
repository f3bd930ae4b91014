import { NS, child, children, x } from "./xml.js";

/** Characters of the quoted message that a reply carries along. */
const QUOTE_MAX = 100;

/** Which message is answered (XEP-0461). */
export interface Reply {
  id: string;
  /** Its sender: a JID, in a group with the nickname. */
  to: string;
  /** Its text, shortened. */
  quote: string;
}

/** The reply in `message`, and its text without the quotation for clients that don't know replies (XEP-0428). */
export function readReply(message: Element, body: string): { reply: Reply | undefined; text: string } {
  const element = child(message, "reply", NS.reply);
  const id = element?.getAttribute("id");
  if (!id) return { reply: undefined, text: body };
  const fallback = children(message, "fallback", NS.fallback).find((one) => one.getAttribute("for") === NS.reply);
  const range = child(fallback, "body");
  const [start, end] = [Number(range?.getAttribute("start") ?? 0), Number(range?.getAttribute("end") ?? 0)];
  const characters = [...body]; // XEP-0426 counts code points
  const whole = range && start >= 0 && end >= start && end <= characters.length;
  const quote = whole ? characters.slice(start, end).join("").replace(/^> ?/gm, "").trim() : "";
  const text = whole ? characters.slice(0, start).join("") + characters.slice(end).join("") : body;
  return { reply: { id, to: element!.getAttribute("to") ?? "", quote }, text };
}

/** The body of a message that may be a reply, and what says that its beginning is a quotation. */
export function writeReply(reply: Reply | undefined, text: string): { body: string; elements: Element[] } {
  if (!reply) return { body: text, elements: [] };
  const quote = `${reply.quote.replace(/^/gm, "> ")}\n`;
  const range = x("body", { start: "0", end: String([...quote].length) });
  return {
    body: quote + text,
    elements: [
      x("reply", { xmlns: NS.reply, id: reply.id, to: reply.to }),
      x("fallback", { xmlns: NS.fallback, for: NS.reply }, range),
    ],
  };
}

/** The beginning of a text on one line, for a quotation. */
export function shortened(text: string): string {
  const characters = [...text.replace(/\s+/g, " ").trim()];
  return characters.length > QUOTE_MAX ? `${characters.slice(0, QUOTE_MAX - 1).join("")}…` : characters.join("");
}
