import { bare, uuid } from "./jids.js";
import type { Link } from "./link.js";
import { NS, child, form, textOf, x } from "./xml.js";

export interface Page {
  results: Element[];
  /** The archive's IDs at both ends of the page. */
  first: string | undefined;
  last: string | undefined;
  /** No further page in the direction that was asked for. */
  complete: boolean;
}

export interface Query {
  /** A group's archive; without it the person's own. */
  room?: string;
  /** Only the chat with this JID. */
  peer?: string;
  /** The page that ends before this ID; empty: the last one. */
  before?: string;
  /** The page that starts after this ID. */
  after?: string;
  max: number;
}

/** Pages of message archives (XEP-0313). */
export class Archive {
  #open = new Map<string, { by: string; results: Element[] }>();

  constructor(
    private readonly link: Link,
    private readonly me: () => string,
  ) {}

  async page({ room, peer, before, after, max }: Query): Promise<Page> {
    const id = uuid();
    const open = { by: room ?? this.me(), results: [] as Element[] };
    this.#open.set(id, open);
    try {
      const answer = await this.link.iq(
        "set",
        room,
        x(
          "query",
          { xmlns: NS.archive, queryid: id },
          form(NS.archive, { with: peer }),
          x(
            "set",
            { xmlns: NS.rsm },
            x("max", {}, String(max)),
            before !== undefined && x("before", {}, before),
            after !== undefined && x("after", {}, after),
          ),
        ),
      );
      const fin = child(answer, "fin", NS.archive);
      const set = child(fin, "set", NS.rsm);
      return {
        results: open.results,
        first: textOf(child(set, "first")) || (open.results[0]?.getAttribute("id") ?? undefined),
        last: textOf(child(set, "last")) || (open.results.at(-1)?.getAttribute("id") ?? undefined),
        complete: fin?.getAttribute("complete") === "true",
      };
    } finally {
      this.#open.delete(id);
    }
  }

  /** Whether `stanza` was a result of a page; taken only from the archive that was asked. */
  take(stanza: Element): boolean {
    const result = child(stanza, "result", NS.archive);
    if (!result) return false;
    const open = this.#open.get(result.getAttribute("queryid") ?? "");
    if (open && bare(stanza.getAttribute("from") ?? this.me()) === open.by) open.results.push(result);
    return true;
  }
}
