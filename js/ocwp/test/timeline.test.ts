import { describe, expect, test } from "vitest";
import type { Incoming } from "../src/xmpp/stanzas.js";
import { Timeline } from "../src/model/timeline.js";

const message = (given: Partial<Incoming>): Incoming => ({
  chat: "bob@d",
  kind: "direct",
  mine: false,
  from: "bob@d",
  author: undefined,
  nick: undefined,
  id: "1",
  archive: undefined,
  hints: [],
  at: 1000,
  live: true,
  text: "hi",
  file: undefined,
  reply: undefined,
  reacts: undefined,
  mentionsMe: false,
  corrects: undefined,
  retracts: undefined,
  state: undefined,
  received: undefined,
  displayed: undefined,
  wantsReceipt: false,
  markable: true,
  invite: undefined,
  changed: false,
  error: undefined,
  ...given,
});
const ids = (timeline: Timeline) => timeline.messages.map(({ id }) => id);

describe("a timeline", () => {
  test("has each message once, by whichever way it comes", () => {
    const timeline = new Timeline();
    timeline.add(message({ id: "a", hints: ["1"] }));
    expect(timeline.add(message({ id: "a", archive: "1" }), "older")).toBeUndefined();
    expect(timeline.add(message({ id: "a", archive: "1" }), "newer")).toBeUndefined();
    expect(timeline.add(message({ id: "a", hints: ["1"] }))).toBeUndefined();
    expect(timeline.messages).toHaveLength(1);
    expect(timeline.add(message({ id: "a", from: "carol@d" }))).toBeDefined();
  });

  test.each(["same", ""])("has two messages of one sender with the ID %j as two", (id) => {
    for (const hints of [[], ["1"], ["2"]]) {
      const timeline = new Timeline();
      for (const text of ["hi", "hi", "other"]) expect(timeline.add(message({ id, text, hints }))).toBeDefined();
      const copies = ["hi", "hi", "other"].map((text, at) => message({ id, text, archive: `${at + 1}` }));
      for (const copy of copies) expect(timeline.add(copy, "newer")).toBeUndefined();
      expect(timeline.messages.map(({ archive, text }) => `${archive} ${text}`)).toEqual(["1 hi", "2 hi", "3 other"]);
    }
  });

  test("takes no older message for a live one with the same text", () => {
    const timeline = new Timeline();
    timeline.add(message({ id: "", hints: ["9"] }));
    expect(timeline.add(message({ id: "", archive: "1", at: 500 }), "older")).toBeDefined();
    expect(timeline.messages.map(({ archive }) => archive)).toEqual(["1", undefined]);
  });

  test("replaces a corrected text, shows a retraction, and lets nobody else do either", () => {
    const timeline = new Timeline();
    timeline.add(message({ id: "a" }));
    expect(timeline.add(message({ id: "b", corrects: "a", text: "better" }))).toBeUndefined();
    expect(timeline.messages).toMatchObject([{ id: "a", text: "better", edited: true, retracted: false }]);
    timeline.retract(message({ from: "eve@d", retracts: "a" }));
    expect(timeline.messages[0]!.retracted).toBe(false);
    timeline.retract(message({ retracts: "a" }));
    expect(timeline.messages).toMatchObject([{ text: "", retracted: true }]);
    expect(timeline.add(message({ id: "c", corrects: "unknown" }))).toBeDefined();
  });

  test("has the last correction though pages are read from their end", () => {
    const timeline = new Timeline();
    const page = [
      message({ id: "a", archive: "1" }),
      message({ id: "b", archive: "2", corrects: "a", text: "better" }),
      message({ id: "c", archive: "3", corrects: "a", text: "best" }),
    ];
    for (const one of page.reverse()) timeline.add(one, "older");
    expect(timeline.messages).toMatchObject([{ id: "a", text: "best", edited: true }]);
  });

  test("keeps the archive's order among messages of one second", () => {
    const timeline = new Timeline();
    const page = (from: number) =>
      [0, 1, 2].map((one) => message({ id: `${from + one}`, archive: `${from + one}`, at: 1000, live: false }));
    for (const one of page(4).reverse()) timeline.add(one, "older");
    for (const one of page(1).reverse()) timeline.add(one, "older");
    for (const one of page(7)) timeline.add(one, "newer");
    expect(ids(timeline)).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    expect(timeline.first).toBe("1");
  });

  test("lets no missed message stand before what was here, though its time is a whole second", () => {
    const timeline = new Timeline();
    timeline.add(message({ id: "a", archive: "1", at: 1700 }));
    timeline.add(message({ id: "b", archive: "2", at: 1000, live: false }), "newer");
    expect(ids(timeline)).toEqual(["a", "b"]);
  });

  test("keeps its own finer time where the archive's whole second says the same", () => {
    const timeline = new Timeline();
    const [a, b] = ["a", "b"].map((id, at) => timeline.add(message({ id, at: 5200 + 600 * at })));
    for (const id of ["a", "b"]) timeline.add(message({ id, archive: id, at: 5000 }), "newer");
    expect([a!.at, b!.at]).toEqual([5200, 5800]);
  });

  test("shows what comes live at the end, though this machine's clock is slow", () => {
    const timeline = new Timeline();
    timeline.add(message({ id: "a", archive: "1", at: 90_000 }), "older");
    timeline.advance(timeline.addOwn("mine", "me@d", "x", undefined, 50), "sent");
    timeline.add(message({ id: "b", at: 60 }));
    expect(ids(timeline)).toEqual(["a", "mine", "b"]);
  });

  test("shows what one writes after what is there, and corrects a clock that is off", () => {
    const timeline = new Timeline();
    timeline.add(message({ id: "a", at: 90_000 }), "older");
    const own = timeline.addOwn("mine", "me@d", "x", undefined, 50);
    expect(ids(timeline)).toEqual(["a", "mine"]);
    timeline.add(message({ id: "mine", mine: true, from: "me@d", archive: "9", at: 60_000, live: false }), "older");
    expect(own).toMatchObject({ delivery: "sent", at: 60_000 });
    expect(ids(timeline)).toEqual(["mine", "a"]);
  });

  test("has one's own messages to a group where the group has them", () => {
    const timeline = new Timeline();
    const group = (given: Partial<Incoming>) => message({ kind: "group", from: "g@muc.d/x", ...given });
    for (const id of ["mine 1", "mine 2"]) timeline.addOwn(id, "me@d", id, undefined, 1000);
    timeline.add(group({ id: "theirs", at: 2000 }));
    for (const id of ["mine 1", "mine 2"]) timeline.add(group({ id, mine: true, at: 2000 }));
    timeline.add(group({ id: "theirs too", at: 2000 }));
    expect(ids(timeline)).toEqual(["theirs", "mine 1", "mine 2", "theirs too"]);
  });

  test("keeps an answer after what it answers, though the archive stamps that late", () => {
    const timeline = new Timeline();
    const own = timeline.addOwn("mine", "alice@d", "hello", undefined, 1000);
    timeline.advance(own, "sent");
    timeline.add(message({ id: "answer", at: 1500 }));
    timeline.add(message({ id: "mine", mine: true, archive: "1", at: 5000 }), "newer");
    timeline.add(message({ id: "phone", mine: true, archive: "2", at: 5000 }), "newer");
    expect(ids(timeline)).toEqual(["mine", "phone", "answer"]);
  });

  test("has one's own messages after what came before the server took them", () => {
    const timeline = new Timeline();
    const own = timeline.addOwn("mine", "me@d", "x", undefined, 1000);
    timeline.add(message({ id: "crossing", at: 2000 }));
    expect(ids(timeline)).toEqual(["crossing", "mine"]);
    timeline.advance(own, "sent");
    timeline.add(message({ id: "answer", at: 1500 }));
    expect(ids(timeline)).toEqual(["crossing", "mine", "answer"]);
  });

  test("has a message that was unsent at a reload where the archive has it", () => {
    const timeline = new Timeline();
    timeline.addOwn("mine", "me@d", "x", undefined, 1300);
    timeline.add(message({ id: "mine", mine: true, from: "me@d", archive: "2", at: 2000 }), "older");
    timeline.add(message({ id: "theirs", archive: "1", at: 2000 }), "older");
    expect(ids(timeline)).toEqual(["theirs", "mine"]);
  });

  test("only lets delivery go forward", () => {
    const timeline = new Timeline();
    const own = timeline.addOwn("1", "me@d", "x", undefined);
    expect([timeline.advance(own, "delivered"), timeline.advance(own, "sent")]).toEqual([true, false]);
    expect(own.delivery).toBe("delivered");
  });

  test("takes what came before a read message as read, and notes who read in a group", () => {
    const timeline = new Timeline();
    const [a, b, c] = ["a", "b", "c"].map((id, at) => timeline.addOwn(id, "me@d", id, undefined, at + 1));
    for (const one of [a!, b!]) timeline.advance(one, "sent");
    timeline.readUpTo("b", undefined);
    timeline.readUpTo("b", "bob");
    expect([a!.delivery, b!.delivery, c!.delivery]).toEqual(["read", "read", "sending"]);
    expect([...a!.readers]).toEqual(["bob"]);
  });
});
