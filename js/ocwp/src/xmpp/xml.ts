/** Namespaces that the plugin speaks, by the name of what they are for. */
export const NS = {
  archive: "urn:xmpp:mam:2",
  blocking: "urn:xmpp:blocking",
  bookmarks: "urn:xmpp:bookmarks:1",
  caps: "http://jabber.org/protocol/caps",
  carbons: "urn:xmpp:carbons:2",
  chatStates: "http://jabber.org/protocol/chatstates",
  client: "jabber:client",
  conference: "jabber:x:conference",
  correct: "urn:xmpp:message-correct:0",
  data: "jabber:x:data",
  delay: "urn:xmpp:delay",
  discoInfo: "http://jabber.org/protocol/disco#info",
  discoItems: "http://jabber.org/protocol/disco#items",
  fallback: "urn:xmpp:fallback:0",
  forward: "urn:xmpp:forward:0",
  hints: "urn:xmpp:hints",
  markers: "urn:xmpp:chat-markers:0",
  mds: "urn:xmpp:mds:displayed:0",
  muc: "http://jabber.org/protocol/muc",
  mucAdmin: "http://jabber.org/protocol/muc#admin",
  mucOwner: "http://jabber.org/protocol/muc#owner",
  mucUser: "http://jabber.org/protocol/muc#user",
  nick: "http://jabber.org/protocol/nick",
  oob: "jabber:x:oob",
  ping: "urn:xmpp:ping",
  pubsub: "http://jabber.org/protocol/pubsub",
  pubsubEvent: "http://jabber.org/protocol/pubsub#event",
  reactions: "urn:xmpp:reactions:0",
  receipts: "urn:xmpp:receipts",
  reference: "urn:xmpp:reference:0",
  reply: "urn:xmpp:reply:0",
  retract: "urn:xmpp:message-retract:1",
  retractOld: "urn:xmpp:message-retract:0",
  roster: "jabber:iq:roster",
  rsm: "http://jabber.org/protocol/rsm",
  search: "jabber:iq:search",
  sid: "urn:xmpp:sid:0",
  sm: "urn:xmpp:sm:3",
  time: "urn:xmpp:time",
  upload: "urn:xmpp:http:upload:0",
  vcard: "vcard-temp",
  vcardUpdate: "vcard-temp:x:update",
} as const;

type Child = Element | string | undefined | false;

const maker = document.implementation.createDocument(null, null, null);
// XML 1.0 has no place for these, not even escaped; one of them would end the whole stream.
const NOT_XML = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** An element; what is undefined or false, among attributes too, is left out. Text is escaped when it is sent. */
export function x(name: string, attrs: Record<string, string | undefined> = {}, ...children: Child[]): Element {
  const element = maker.createElement(name);
  for (const [key, value] of Object.entries(attrs)) {
    if (value !== undefined) element.setAttribute(key, clean(value));
  }
  for (const child of children) {
    if (child) element.append(typeof child === "string" ? clean(child) : child);
  }
  return element;
}

/** `text` with U+FFFD for every character that XML can't carry. */
export const clean = (text: string): string => text.replace(NOT_XML, "\ufffd");

/** The children of `element` with this name and namespace. */
export const children = (element: Element | undefined, name: string, ns?: string): Element[] =>
  [...(element?.children ?? [])].filter(
    (child) => child.localName === name && (ns === undefined || child.namespaceURI === ns),
  );

/** The first such child. */
export const child = (element: Element | undefined, name: string, ns?: string): Element | undefined =>
  children(element, name, ns)[0];

/** The first element along a path of names. */
export const down = (element: Element | undefined, ...names: string[]): Element | undefined =>
  names.reduce<Element | undefined>((at, name) => child(at, name), element);

export const textOf = (element: Element | undefined): string => element?.textContent ?? "";

/** A submitted form (XEP-0004). */
export const form = (type: string, fields: Record<string, string | undefined>): Element =>
  x(
    "x",
    { xmlns: NS.data, type: "submit" },
    field("FORM_TYPE", type),
    ...Object.entries(fields).map(([name, value]) => value !== undefined && field(name, value)),
  );

const field = (name: string, value: string) => x("field", { var: name }, x("value", {}, value));
