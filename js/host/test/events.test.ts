import { afterEach, describe, expect, test, vi } from "vitest";
import { Restarted } from "../src/api.js";
import { EventParser, EventStream, type Event, type Live } from "../src/events.js";
import { Refusal } from "../src/types.js";

const STREAM =
  ': hello\n\nid: 1\nevent: threads\ndata: {"jid":\ndata: "a@d"}\n\nid: 2\r\nevent: reload\r\ndata: {}\r\n\r\n';

describe("EventParser", () => {
  test("reads events whole, with comments, both line ends and data of several lines", () => {
    expect(new EventParser().push(STREAM)).toEqual([
      { id: "1", event: "threads", data: '{"jid":\n"a@d"}' },
      { id: "2", event: "reload", data: "{}" },
    ]);
  });

  test("reads the same events from pieces of any size", () => {
    const whole = new EventParser().push(STREAM);
    for (const size of [1, 2, 3, 7, 20]) {
      const parser = new EventParser();
      const found = [];
      for (let at = 0; at < STREAM.length; at += size) found.push(...parser.push(STREAM.slice(at, at + size)));
      // A CR that ends a piece may have an LF to come: its event follows with the next byte.
      found.push(...parser.push(":\n"));
      expect(found).toEqual(whole);
    }
  });
});

describe("EventStream", () => {
  afterEach(() => vi.useRealTimers());

  /** Answers that the sandbox gives in turn: the text of a stream, or an error. The last one repeats. */
  function stream(answers: (string | Error)[]) {
    const asked: string[] = [];
    const events: Event[] = [];
    const lives: Live[] = [];
    const api = {
      events: async (lastId: string) => {
        asked.push(lastId);
        const answer = answers[Math.min(asked.length, answers.length) - 1]!;
        if (answer instanceof Error) throw answer;
        return new Response(answer);
      },
    };
    const made = new EventStream(
      api,
      (event) => events.push(event),
      (live) => lives.push(live),
    );
    return { made, asked, events, lives };
  }

  test("comes back after each end, from after the last event", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { made, asked, events, lives } = stream([
      STREAM,
      new Refusal("unreachable", "gone"),
      "id: 3\ndata: {}\nevent: state\n\n",
    ]);
    const run = made.run();
    await vi.waitFor(() => expect(lives.at(-1)).toBe("reconnecting"));
    while (asked.length < 3) await vi.advanceTimersByTimeAsync(100);
    await vi.waitFor(() => expect(events).toHaveLength(3));
    made.stop();
    await vi.advanceTimersByTimeAsync(10_000);
    await run;
    expect(asked.slice(0, 3)).toEqual(["", "2", "2"]);
    expect(events).toEqual([{ type: "threads", jid: "a@d" }, { type: "reload" }, { type: "state" }]);
    expect(lives.slice(0, 3)).toEqual(["connecting", "open", "reconnecting"]);
  });

  test("gives up when the sandbox was started again, since its token is another one", async () => {
    const { made, asked, lives } = stream([new Restarted()]);
    await made.run();
    expect(asked).toHaveLength(1);
    expect(lives.at(-1)).toBe("stale");
  });

  test("survives an event that it can't read", async () => {
    const { made, events } = stream(["data: {nonsense\n\nevent: reload\ndata: {}\n\n"]);
    const complain = vi.spyOn(console, "error").mockImplementation(() => {});
    const run = made.run();
    await vi.waitFor(() => expect(events).toEqual([{ type: "reload" }]));
    made.stop();
    await run;
    expect(complain).toHaveBeenCalledOnce();
    complain.mockRestore();
  });
});
