import type { Client } from "./client.js";
import { asJid, domainOf, isUuid, localOf } from "../xmpp/jids.js";

/** The members that a site names for a group, as JIDs, without its creator. */
export function readMembers(members: unknown, { config, me }: Client): string[] {
  const given: unknown = typeof members === "string" ? [members] : (members ?? []);
  if (!Array.isArray(given)) throw new TypeError("ocwp.chat.group.create: members must be an array of JIDs.");
  const jids = given.map((member) => {
    const jid = typeof member === "string" ? asJid(member, config.domain) : undefined;
    if (!jid) throw new TypeError(`ocwp.chat.group.create: a member is not a JID such as user@${config.domain}.`);
    return jid;
  });
  const others = [...new Set(jids)].filter((jid) => jid !== me);
  if (others.length === 0) {
    throw new TypeError("ocwp.chat.group.create: members must have at least one person other than the creator.");
  }
  return others;
}

/** The UUID that names a group; a group's whole JID is taken, too. */
export function groupId(given: string, groups: string): string {
  const id = given.includes("@") && domainOf(given) === groups ? localOf(given) : given.toLowerCase();
  if (!isUuid(id)) throw new TypeError("ocwp.chat.group.create: chatJid must be a UUID.");
  return id;
}
