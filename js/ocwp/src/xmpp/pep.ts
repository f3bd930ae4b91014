import { bare } from "./jids.js";
import { isLost, type Link } from "./link.js";
import { NS, child, children, down, form, x } from "./xml.js";

const PRIVATE = { "pubsub#persist_items": "true", "pubsub#access_model": "whitelist" };
const OPTIONS = { ...PRIVATE, "pubsub#max_items": "max", "pubsub#send_last_published_item": "never" };

/** Private nodes of the person's own account (XEP-0163, XEP-0223). */
export class Pep {
  constructor(private readonly link: Link) {}

  /** The items of a node by ID. Rejects with `Refused` if there is no such node. */
  async items(node: string): Promise<[string, Element][]> {
    const query = x("pubsub", { xmlns: NS.pubsub }, x("items", { node }));
    return itemsIn(down(await this.link.iq("get", undefined, query), "pubsub", "items"));
  }

  async publish(node: string, id: string, payload: Element): Promise<void> {
    try {
      await this.#publish(node, id, payload, OPTIONS);
    } catch (error) {
      if (isLost(error)) throw error;
      // ejabberd 23.01 takes these options when a node is made, but not when something is published.
      const create = x("create", { node });
      await this.#set(create, x("configure", {}, options("node_config", OPTIONS))).catch(() => {}); // it is there
      await this.#publish(node, id, payload, PRIVATE);
    }
  }

  async retract(node: string, id: string): Promise<void> {
    await this.#set(x("retract", { node, notify: "true" }, x("item", { id })));
  }

  #publish(node: string, id: string, payload: Element, fields: Record<string, string>): Promise<Element> {
    const publish = x("publish", { node }, x("item", { id }, payload.cloneNode(true) as Element));
    return this.#set(publish, x("publish-options", {}, options("publish-options", fields)));
  }

  #set(...content: Element[]): Promise<Element> {
    return this.link.iq("set", undefined, x("pubsub", { xmlns: NS.pubsub }, ...content));
  }
}

const options = (type: string, fields: Record<string, string>): Element => form(`${NS.pubsub}#${type}`, fields);

export interface PepEvent {
  node: string;
  items: [string, Element][];
  retracted: string[];
}

/** Reads an event of `me`'s own private nodes. Undefined for any other message. */
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
