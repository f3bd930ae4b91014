import { isObject } from "./types.js";

/** What a phone lets an app use only if its user has allowed it, by the name that a frame's `allow` has for it. */
export const CAPABILITIES = [
  { id: "camera", label: "Camera", what: "the camera" },
  { id: "microphone", label: "Microphone", what: "the microphone" },
  { id: "geolocation", label: "Location", what: "your location" },
  { id: "clipboard-read", label: "Reading the clipboard", what: "what is on the clipboard" },
] as const;

export type Capability = (typeof CAPABILITIES)[number]["id"];

/** The person allowed the running app capabilities, or took them back. */
export interface Permit {
  capabilities: Capability[];
  allowed: boolean;
}

const KEY = "onechat-host-page-permissions";

/** What each user allowed each app, kept in `storage`; where that is blocked, as long as the page is open. */
export class Permissions {
  #allowed: Record<string, unknown>;

  constructor(private readonly storage: Pick<Storage, "getItem" | "setItem">) {
    this.#allowed = read(storage);
  }

  of(jid: string, appId: string): Capability[] {
    const kept = this.#allowed[`${jid} ${appId}`];
    return CAPABILITIES.map(({ id }) => id).filter((id) => Array.isArray(kept) && kept.includes(id));
  }

  set(jid: string, appId: string, { capabilities, allowed }: Permit): void {
    const others = this.of(jid, appId).filter((id) => !capabilities.includes(id));
    this.#allowed = { ...this.#allowed, [`${jid} ${appId}`]: allowed ? [...others, ...capabilities] : others };
    try {
      this.storage.setItem(KEY, JSON.stringify(this.#allowed));
    } catch {
      // Storage is full: it holds until the page is loaded again.
    }
  }
}

function read(storage: Pick<Storage, "getItem">): Record<string, unknown> {
  try {
    const kept: unknown = JSON.parse(storage.getItem(KEY) ?? "{}");
    return isObject(kept) ? kept : {};
  } catch {
    return {};
  }
}
