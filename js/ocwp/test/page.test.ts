import { describe, expect, test, vi } from "vitest";
import { Layout } from "../src/ui/layout.js";
import { Memory } from "../src/model/memory.js";
import { BOX, readOptions } from "../src/model/options.js";
import { StatusLine, type Status } from "../src/model/status.js";
import type * as documented from "../ocwp.js";
import type * as ours from "../src/index.js";

const containerElement = document.createElement("div");
const READY: Status = "XMPP_CONNECTION_CONNECTED_READY";

describe("options", () => {
  test("have the documented defaults", () => {
    expect(readOptions({ containerElement })).toMatchObject({
      confPath: "config/",
      localePath: "locale/",
      locale: "enGB",
      box: {
        marginLeft: 5,
        marginRight: 5,
        maxHeight: 600,
        maxWidth: 600,
        minHeight: 100,
        minWidth: 250,
        paddingTop: 80,
        outerPaddingLeft: 350,
        outerPaddingRight: 0,
      },
    });
  });

  test("are taken in both spellings, as numbers and as text", () => {
    const { box } = readOptions({
      containerElement,
      chatbox: { minWidth: "300px", marginLeft: 1 },
      chatBox: { marginLeft: 2 },
    });
    expect(box).toEqual({ ...BOX, minWidth: 300, marginLeft: 2 });
  });

  test.each(["../x", "a/b", "", "%2e%2e"])("a locale is no path: %j", (name) => {
    expect(() => readOptions({ containerElement, locale: { default: name } })).toThrow("locale.default");
  });
});

describe("the layout", () => {
  const layout = (...jids: string[]) => {
    const layout = new Layout(
      () => new Memory("me@d", undefined, undefined),
      () => {},
    );
    jids.forEach((jid) => layout.open(jid));
    return layout;
  };
  const wide = () => 250;

  test("opens what fits, the rest are tabs", () => {
    const three = layout("a", "b", "c");
    expect(three.arrange(780, wide, BOX)).toMatchObject({ open: ["a", "b", "c"], tabs: [] });
    expect(three.arrange(779, wide, BOX)).toMatchObject({ open: ["b", "c"], tabs: ["a"] });
    expect(three.arrange(10, wide, BOX)).toMatchObject({ open: ["c"], tabs: ["a", "b"] });
  });

  test("gives way to the box used last, in the order of opening", () => {
    const three = layout("a", "b", "c");
    three.use("a");
    expect(three.arrange(700, wide, BOX)).toMatchObject({ open: ["a", "c"], tabs: ["b"], last: "a" });
  });

  test("keeps minimised boxes as tabs, and forgets closed ones", () => {
    const two = layout("a", "b");
    two.minimise("b");
    expect(two.arrange(2000, wide, BOX)).toMatchObject({ open: ["a"], tabs: ["b"] });
    two.close("a");
    expect(two.arrange(2000, wide, BOX)).toMatchObject({ open: [], tabs: ["b"] });
  });
});

describe("the status", () => {
  test("is told once, to everybody, whatever one of them does", () => {
    const line = new StatusLine();
    const heard: string[] = [];
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    line.subscribe(() => {
      throw new Error("the site's");
    });
    line.subscribe((status) => heard.push(status));
    line.set(READY);
    line.set(READY);
    expect(heard).toEqual([READY]);
    expect(error).toHaveBeenCalledOnce();
    error.mockRestore();
  });

  test("that a callback has changed is not told to the others any more", () => {
    const line = new StatusLine();
    const heard: string[] = [];
    line.subscribe((status) => status === "XMPP_CONNECTION_DISCONNECTED" && line.set("XMPP_CONNECTION_CONNECTING"));
    line.subscribe((status) => heard.push(status));
    line.set("XMPP_CONNECTION_DISCONNECTED");
    expect(heard).toEqual(["XMPP_CONNECTION_CONNECTING"]);
  });
});

test("storage that is blocked or spoilt does no harm", () => {
  const broken = {
    getItem: () => "{",
    setItem: () => {
      throw new Error("full");
    },
    removeItem: () => {},
  };
  const memory = new Memory("me@d", broken, broken);
  memory.save();
  memory.forget();
  expect(memory.kept).toMatchObject({ read: {}, sizes: {}, declined: {}, muted: {}, notify: false });
});

test("the typings are those of the code", () => {
  const typed = (code: typeof ours): typeof documented => code;
  expect(typed).toBeTypeOf("function");
});
