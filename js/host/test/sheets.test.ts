import { expect, test, vi } from "vitest";
import { Questions, type Question } from "../src/sheets.js";

const question = (title: string): Question => ({ kind: "pick", title, done: "Done", max: 1 });

test("questions are asked one at a time, in order", async () => {
  const changed = vi.fn();
  const questions = new Questions(changed);
  const first = questions.ask(question("first"));
  const second = questions.ask(question("second"));
  expect(questions.current!.question).toMatchObject({ title: "first" });
  questions.current!.answer(["a@d"]);
  expect(await first).toEqual(["a@d"]);
  expect(questions.current!.question).toMatchObject({ title: "second" });
  questions.current!.answer(undefined);
  expect(await second).toBeUndefined();
  expect(questions.current).toBeUndefined();
  expect(changed).toHaveBeenCalledTimes(4);
});

test("a question whose asker has gone is taken back, asked already or not", async () => {
  const questions = new Questions(() => {});
  const [first, second] = [new AbortController(), new AbortController()];
  const answers = [questions.ask(question("1"), first.signal), questions.ask(question("2"), second.signal)];
  second.abort();
  first.abort();
  expect(await Promise.all(answers)).toEqual([undefined, undefined]);
  expect(questions.current).toBeUndefined();
  expect(await questions.ask(question("3"), first.signal)).toBeUndefined();
});

test("another user's phone has no old questions", async () => {
  const questions = new Questions(() => {});
  const answers = [questions.ask(question("1")), questions.ask(question("2"))];
  questions.clear();
  expect(await Promise.all(answers)).toEqual([undefined, undefined]);
});
