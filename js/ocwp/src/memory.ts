/** What the browser keeps for one person: nothing secret, and all of it a convenience. */
interface Kept {
  /** By chat: the time up to which it was read. */
  read: Record<string, number>;
  /** By chat: width and height of its box. */
  sizes: Record<string, [number, number]>;
  notify: boolean;
  /** Whether the list of chats was open last, where it had room beside the chats. */
  listed?: boolean;
}

/** What one tab keeps over a reload. */
interface KeptInTab {
  drafts: Record<string, string>;
  /** The open boxes, the one used last at the end. */
  boxes: { jid: string; minimised: boolean }[];
}

type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export class Memory {
  readonly kept: Kept;
  readonly tab: KeptInTab;
  #key: string;

  constructor(
    jid: string,
    private readonly local: Store | undefined = storage("localStorage"),
    private readonly session: Store | undefined = storage("sessionStorage"),
  ) {
    this.#key = `ocwp:${jid}`;
    this.kept = { read: {}, sizes: {}, notify: false, ...parse(local, this.#key) };
    this.tab = { drafts: {}, boxes: [], ...parse(session, this.#key) };
  }

  save(): void {
    write(this.local, this.#key, this.kept);
    write(this.session, this.#key, this.tab);
  }

  /** On logout: the next person at this screen finds no drafts. */
  forget(): void {
    try {
      this.session?.removeItem(this.#key);
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
