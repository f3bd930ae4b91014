import type { Capability } from "./permissions.js";
import type { Relay } from "./types.js";

/** A question that a phone asks its user, in a sheet over everything else on it. */
export type Question =
  | { kind: "pick"; title: string; done: string; max: number }
  | { kind: "share"; relay: Relay; send: () => Promise<void> }
  | { kind: "permit"; capabilities: Capability[] }
  | { kind: "first-message"; members: string[] };

export interface Asked {
  question: Question;
  answer: (value: unknown) => void;
}

/** One phone's questions: asked one at a time, in order; one whose asker has gone is taken back. */
export class Questions {
  #waiting: Asked[] = [];

  constructor(private readonly onChange: () => void) {}

  get current(): Asked | undefined {
    return this.#waiting[0];
  }

  /** The person's answer; undefined if they cancelled or `signal` was aborted. */
  ask<T>(question: Question, signal?: AbortSignal): Promise<T | undefined> {
    return new Promise((resolve) => {
      const asked: Asked = {
        question,
        answer: (value) => {
          signal?.removeEventListener("abort", cancel);
          this.#waiting = this.#waiting.filter((other) => other !== asked);
          resolve(value as T | undefined);
          this.onChange();
        },
      };
      const cancel = () => asked.answer(undefined);
      if (signal?.aborted) return resolve(undefined);
      signal?.addEventListener("abort", cancel);
      this.#waiting.push(asked);
      this.onChange();
    });
  }

  /** Takes every question back: the phone has another user. */
  clear(): void {
    for (const asked of [...this.#waiting]) asked.answer(undefined);
  }
}
