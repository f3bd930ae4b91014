import { bare } from "./jids.js";
import type { Link } from "./link.js";
import { NS, child, children, x } from "./xml.js";

/** Whose messages and presence the server keeps away (XEP-0191), where it can. */
export class Blocked {
  /** Whether the server can. */
  possible = false;
  #jids = new Set<string>();

  constructor(
    private readonly link: Link,
    private readonly changed: () => void,
  ) {}

  async load(): Promise<void> {
    this.clear();
    const answer = await this.link.iq("get", undefined, x("blocklist", { xmlns: NS.blocking }));
    this.possible = true;
    this.#add(child(answer, "blocklist", NS.blocking));
    this.changed();
  }

  clear(): void {
    this.possible = false;
    this.#jids.clear();
  }

  has(jid: string): boolean {
    return this.#jids.has(jid);
  }

  async set(jid: string, blocked: boolean): Promise<void> {
    const item = x("item", { jid });
    await this.link.iq("set", undefined, x(blocked ? "block" : "unblock", { xmlns: NS.blocking }, item));
    if (blocked) this.#jids.add(jid);
    else this.#jids.delete(jid);
    this.changed();
  }

  /** Takes a change by another client of the person's, which only the server may send; true if it was one. */
  pushed(iq: Element): boolean {
    const [block, unblock] = [child(iq, "block", NS.blocking), child(iq, "unblock", NS.blocking)];
    if (!block && !unblock) return false;
    this.#add(block);
    for (const item of children(unblock, "item")) this.#jids.delete(bare(item.getAttribute("jid") ?? ""));
    if (unblock && children(unblock, "item").length === 0) this.#jids.clear(); // everybody
    this.changed();
    return true;
  }

  #add(list: Element | undefined): void {
    for (const item of children(list, "item")) this.#jids.add(bare(item.getAttribute("jid") ?? ""));
  }
}
