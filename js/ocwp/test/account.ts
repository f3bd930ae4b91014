import { vi } from "vitest";
import { Client } from "../src/model/client.js";
import { StatusLine } from "../src/model/status.js";

const features = {
  groups: true,
  uploads: false,
  typing: true,
  receipts: true,
  notifications: false,
  avatars: true,
  emoji: false,
};

export const newClient = (): Client =>
  new Client({ service: "wss://d/ws", domain: "d", groups: "muc.d", pictures: [], features }, new StatusLine());

export async function login(client: Client): Promise<void> {
  client.start("me@d", () => ({ usr: "me@d", pw: "pw" }));
  await ready(client);
}

/** Waits until the client is ready, and nothing more is under way in the background. */
export async function ready(client: Client): Promise<void> {
  await vi.waitUntil(() => client.status.now === "XMPP_CONNECTION_CONNECTED_READY", { interval: 5 });
  await settled();
}

/** Waits until what was sent has been answered and taken in: all of it runs in microtasks. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

export const texts = (client: Client, jid: string): string[] =>
  client.chats.get(jid)?.timeline.messages.map(({ text }) => text) ?? [];
