import { bare } from "./jids.js";
import type { Link } from "./link.js";
import { NS, child, children, down, form, x } from "./xml.js";

const OPTIONS = {
  "pubsub#persist_items": "true",
  "pubsub#max_items": "max",
  "pubsub#send_last_published_item": "never",
  "pubsub#access_model": "whitelist",
};

/** Private nodes of the person's own account (XEP-0163, XEP-0223). */
export class Pep {
  constructor(private readonly link: Link) {}

  /** The items of a node by ID. Rejects with `Refused` if there is no such node. */
  async items(node: string): Promise<[string, Element][]> {
    const query = x("pubsub", { xmlns: NS.pubsub }, x("items", { node }));
    return itemsIn(down(await this.link.iq("get", undefined, query), "pubsub", "items"));
  }

  async publish(node: string, id: string, payload: Element): Promise<void> {
    const options = form("http://jabber.org/protocol/pubsub#publish-options", OPTIONS);
    const publish = x("publish", { node }, x("item", { id }, payload));
    await this.link.iq("set", undefined, x("pubsub", { xmlns: NS.pubsub }, publish, x("publish-options", {}, options)));
  }

  async retract(node: string, id: string): Promise<void> {
    const retract = x("retract", { node, notify: "true" }, x("item", { id }));
    await this.link.iq("set", undefined, x("pubsub", { xmlns: NS.pubsub }, retract));
  }
}

export interface PepEvent {
  node: string;
  items: [string, Element][];
  retracted: string[];
}

/** What another client of `me` has published or retracted, if `message` tells of that. */
export function pepEvent(message: Element, me: string): PepEvent | undefined {
  const items = down(child(message, "event", NS.pubsubEvent), "items");
  if (!items || bare(message.getAttribute("from") ?? me) !== me) return undefined;
  const retracted = children(items, "retract").map((item) => item.getAttribute("id") ?? "");
  return { node: items.getAttribute("node") ?? "", items: itemsIn(items), retracted };
}

const itemsIn = (items: Element | undefined): [string, Element][] =>
  children(items, "item").flatMap((item) =>
    item.firstElementChild ? [[item.getAttribute("id") ?? "", item.firstElementChild]] : [],
  );
