import { around, focused, hostOf } from "./focus.js";

/** Milliseconds between looks at which frame has the focus: less than between two keys of a fast typist. */
const LOOK = 50;
const EVENTS = ["blur", "focus", "keydown", "pointerdown", "pointermove", "pointerover"] as const;
/** Milliseconds in a frame after which the person may have gone to another one unseen. */
const PAUSE = 500;
/** Milliseconds within which a frame that takes the focus twice is a thief. */
const AGAIN = 2_000;
/** Chromium matches `:active` on a frame of the same process while the pointer presses inside it; others don't. */
const PRESS_SHOWS = /Chrome\//.test(navigator.userAgent);

/**
 * Gives the focus back when a mini app's frame takes it uninvited. The frame hears of it by the event `keyboard-taken`.
 *
 * A script in a frame can focus its fields at any time, and would then read what the person types elsewhere. A frame may
 * keep the focus if the person pressed or tabbed into it, or if nobody types: the app in front may focus a field of its
 * own after it was opened.
 */
export class Keyboard {
  /** The frame that the person is in. */
  frame: HTMLIFrameElement | undefined;
  /** When the person last pressed a key on this page, by `performance.now()`. */
  lastKey = -Infinity;
  /** The app around `frame`: it may put another frame in its place. */
  #app: Element | undefined;
  /** The last element of this page that had the focus. */
  #element: HTMLElement | undefined;
  #typing = false;
  /** When the person last did something here, or went into a frame. */
  #busy = -Infinity;
  /** The frames that took the focus, and when. */
  #thieves = new WeakMap<HTMLIFrameElement, number>();
  /** The element at which Tab was pressed just now. */
  #tabbed: EventTarget | undefined;
  /** Whether this browser tells when the pointer is over a frame: it has done so. */
  #showsOver = false;
  /** The frame that the pointer moved over since the last key, and one that must be moved over once more. */
  #over: HTMLIFrameElement | undefined;
  #left: HTMLIFrameElement | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  start(): void {
    for (const type of EVENTS) addEventListener(type, this, true);
    this.#timer = setInterval(this.#look, LOOK);
  }

  stop(): void {
    for (const type of EVENTS) removeEventListener(type, this, true);
    clearInterval(this.#timer);
  }

  /** Puts the person into `frame`. */
  enter(frame: HTMLIFrameElement): void {
    [this.frame, this.#app] = [frame, hostOf(frame)];
    frame.focus({ preventScroll: true });
  }

  handleEvent(event: Event): void {
    const target = event.composedPath()[0] as HTMLElement;
    switch (event.type) {
      case "keydown":
        this.#typing = true;
        this.lastKey = this.#busy = performance.now();
        this.#tabbed = (event as KeyboardEvent).key === "Tab" ? target : undefined;
        // The browser moves the focus right after this event, if at all.
        setTimeout(() => (this.#tabbed = undefined));
        this.#rest();
        break;
      case "pointerdown":
        this.#typing = false;
        this.#busy = performance.now();
        this.#return(target, true);
        break;
      case "pointermove":
        this.#return(target, false);
        break;
      case "pointerover":
        this.#over = target instanceof HTMLIFrameElement ? target : undefined;
        this.#showsOver ||= this.#over !== undefined;
        break;
      case "blur":
        if (target instanceof Element) this.#element = target as HTMLElement;
        this.#enter();
        // The focus can't be given back before the frame's own focus() has ended. Firefox names the frame only then.
        setTimeout(this.#look);
        break;
      case "focus":
        setTimeout(this.#look);
    }
  }

  /** From now on a resting pointer is no sign that the person went into the frame below it. */
  #rest(): void {
    if (this.#over && !PRESS_SHOWS) {
      this.#left = this.#over;
      this.#left.style.pointerEvents = "none"; // so that this page sees the pointer's next move
    }
    this.#over = undefined;
  }

  /** The pointer moved or pressed on `target`: where it lies over the frame, it leads into that again. */
  #return(target: Element, pressed: boolean): void {
    const left = this.#left;
    this.#left = undefined;
    if (!left) return;
    left.style.removeProperty("pointer-events");
    if (!target.contains(left)) return;
    this.#over = left;
    if (pressed) this.enter(left);
  }

  #look = (): void => {
    const frame = focused();
    if (!(frame instanceof HTMLIFrameElement)) this.#here(frame);
    else if (!this.#enter()) this.#giveBack(frame);
  };

  /** Whether the frame that has the focus may keep it; true if none has it. */
  #enter(): boolean {
    const frame = focused();
    if (!(frame instanceof HTMLIFrameElement) || frame === this.frame) return true;
    if (!this.#mayEnter(frame)) return false;
    [this.frame, this.#app, this.#busy] = [frame, hostOf(frame), performance.now()];
    if (this.#over !== frame) this.#over = undefined;
    return true;
  }

  /** The focus is on this page, at `element`. */
  #here(element: HTMLElement | undefined): void {
    if (element && element === this.#element && !this.frame) return;
    [this.frame, this.#app] = [undefined, undefined];
    if (!element || element === document.body) return; // what had it may have gone for a moment
    [this.#element, this.#busy] = [element, performance.now()];
    this.#rest();
  }

  #mayEnter(frame: HTMLIFrameElement): boolean {
    if (frame.inert || !frame.checkVisibility()) return false;
    if (this.#tabbed && this.#tabbed === this.#element) return true;
    if (navigator.userActivation?.isActive !== false) {
      if (frame.matches(":active") || this.#over === frame) return true;
    }
    const app = hostOf(frame);
    if (this.frame) {
      // From frame to frame. A driven browser may show no pointer over frames: then a pause has to do, once.
      const paused = performance.now() - this.#busy > PAUSE && !this.#thieves.has(frame);
      return this.#app === app || (paused && !this.#showsOver);
    }
    if (around(this.#element, "oc-sheet")) return false;
    return hostOf(this.#element) === app || !(this.#typing || isField(this.#element));
  }

  /** Gives the focus back to where it was before `frame` took it. */
  leave(frame: HTMLIFrameElement): void {
    if (focused() !== frame) return;
    const back = this.frame?.isConnected && this.frame !== frame ? this.frame : this.#element;
    frame.blur();
    window.focus();
    back?.focus({ preventScroll: true });
  }

  #giveBack(frame: HTMLIFrameElement): void {
    this.leave(frame);
    // Once may be a press that a driven Chromium did not show; twice is a theft.
    const now = performance.now();
    const again = now - (this.#thieves.get(frame) ?? -Infinity) < AGAIN;
    this.#thieves.set(frame, now);
    const shown = !PRESS_SHOWS || this.#showsOver;
    if (again || shown || frame.inert || !frame.checkVisibility()) frame.dispatchEvent(new Event("keyboard-taken"));
  }
}

export const keyboard = new Keyboard();

const isField = (element: HTMLElement | undefined) =>
  element?.matches("input, textarea, select, [contenteditable]") ?? false;
