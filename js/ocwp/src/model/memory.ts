import type { Reply } from "../xmpp/replies.js";

/** What the browser keeps for one person: nothing secret, and all of it a convenience. */
interface Kept {
  /** By chat: the time up to which it was read. */
  read: Record<string, number>;
  /** By chat: width and height of its box. */
  sizes: Record<string, [number, number]>;
  /** By group: when an invitation to it was declined, or it was left. */
  declined: Record<string, number>;
  /** By chat: whether it is quiet. */
  muted: Record<string, boolean>;
  notify: boolean;
  /** Whether the list of chats was open last, where it had room beside the chats. */
  listed?: boolean;
}

/** What one tab keeps over a reload. */
interface KeptInTab {
  drafts: Record<string, string>;
  /** The open boxes, the one used last at the end. */
  boxes: { jid: string; minimised: boolean }[];
  /** Messages that the server doesn't have yet, oldest first. */
  unsent: Unsent[];
}

export interface Unsent {
  chat: string;
  id: string;
  text: string;
  file?: string | undefined;
  reply?: Reply | undefined;
  at: number;
  failed: boolean;
}

type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export class Memory {
  readonly kept: Kept;
  readonly tab: KeptInTab;
  readonly key: string;

  constructor(
    jid: string,
    private readonly local: Store | undefined = storage("localStorage"),
    private readonly session: Store | undefined = storage("sessionStorage"),
  ) {
    this.key = `ocwp:${jid}`;
    this.kept = { read: {}, sizes: {}, declined: {}, muted: {}, notify: false, ...parse(local, this.key) };
    this.tab = { drafts: {}, boxes: [], unsent: [], ...parse(session, this.key) };
  }

  save(): void {
    this.merge();
    write(this.local, this.key, this.kept);
    write(this.session, this.key, this.tab);
  }

  /** Merges what other tabs have saved: the later time counts. */
  merge(): void {
    const theirs: Partial<Kept> = parse(this.local, this.key);
    for (const name of ["read", "declined"] as const) {
      for (const [jid, at] of Object.entries(theirs[name] ?? {})) {
        this.kept[name][jid] = Math.max(this.kept[name][jid] ?? 0, at);
      }
    }
  }

  /** On logout: the next person at this screen finds no drafts. */
  forget(): void {
    try {
      this.session?.removeItem(this.key);
    } catch {
      // blocked: then nothing is there either
    }
  }
}

function parse(store: Store | undefined, key: string): object {
  try {
    const value: unknown = JSON.parse(store?.getItem(key) ?? "{}");
    return value && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}

function write(store: Store | undefined, key: string, value: object): void {
  try {
    store?.setItem(key, JSON.stringify(value));
  } catch {
    // Full or blocked: the chat works without it.
  }
}

function storage(name: "localStorage" | "sessionStorage"): Store | undefined {
  try {
    return window[name]; // throws in frames whose storage is blocked
  } catch {
    return undefined;
  }
}
