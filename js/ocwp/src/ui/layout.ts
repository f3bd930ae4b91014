import type { Memory } from "../model/memory.js";
import type { Box } from "../model/options.js";

export interface OpenBox {
  jid: string;
  minimised: boolean;
}

/** Pixels of a tab, and of a container below which chats take all of it: wide phones upright are 430. */
export const TAB_WIDTH = 150;
export const PHONE_WIDTH = 600;

/** Which chats stand on the page, in the order they were opened, and which of them was used last. */
export class Layout {
  boxes: OpenBox[] = [];
  /** From the one used longest ago to the one used last. */
  #used: string[] = [];

  constructor(
    private readonly memory: () => Memory,
    private readonly changed: () => void,
    private readonly tell: (event: "open" | "close", jid: string) => void = () => {},
  ) {}

  restore(): void {
    this.boxes = this.memory().tab.boxes.map(({ jid, minimised }) => ({ jid, minimised: Boolean(minimised) }));
    this.#used = this.boxes.map(({ jid }) => jid);
    this.changed();
  }

  clear(): void {
    this.boxes = [];
    this.#used = [];
    this.changed();
  }

  has(jid: string): boolean {
    return this.boxes.some((box) => box.jid === jid);
  }

  open(jid: string): void {
    const box = this.boxes.find((other) => other.jid === jid);
    if (box) box.minimised = false;
    else this.boxes.push({ jid, minimised: false });
    this.use(jid);
    if (!box) this.tell("open", jid);
  }

  minimise(jid: string): void {
    for (const box of this.boxes) if (box.jid === jid) box.minimised = true;
    this.#save();
  }

  close(jid: string): void {
    if (!this.has(jid)) return;
    this.boxes = this.boxes.filter((box) => box.jid !== jid);
    this.#used = this.#used.filter((other) => other !== jid);
    this.#save();
    this.tell("close", jid);
  }

  use(jid: string): void {
    if (this.#used.at(-1) === jid && this.boxes.at(-1)) return this.#save();
    this.#used = [...this.#used.filter((other) => other !== jid), jid];
    this.#save();
  }

  /** What fits into `room` pixels, given each box's width: those used last are open, the rest are tabs. */
  arrange(room: number, width: (jid: string) => number, { marginLeft, marginRight }: Box): Arrangement {
    const margins = marginLeft + marginRight;
    const byUse = [...this.boxes].sort((a, b) => this.#used.indexOf(b.jid) - this.#used.indexOf(a.jid));
    const open = new Set<string>();
    let taken = 0;
    for (const { jid, minimised } of byUse) {
      if (minimised) continue;
      const needed = width(jid) + margins;
      const others = this.boxes.length - open.size - 1;
      // Tabs shrink and scroll: one of full width is all that needs a place.
      const tabs = others > 0 ? TAB_WIDTH + margins : 0;
      // The one used last is open in any case, as narrow as need be.
      if (open.size > 0 && taken + needed + tabs > room) break;
      open.add(jid);
      taken += needed;
    }
    const jids = this.boxes.map(({ jid }) => jid);
    return {
      open: jids.filter((jid) => open.has(jid)),
      tabs: jids.filter((jid) => !open.has(jid)),
      last: byUse[0]?.jid,
    };
  }

  #save(): void {
    this.memory().tab.boxes = this.#used.map((jid) => this.boxes.find((box) => box.jid === jid)!).filter(Boolean);
    this.memory().save();
    this.changed();
  }
}

export interface Arrangement {
  open: string[];
  tabs: string[];
  /** The box used last. */
  last: string | undefined;
}
