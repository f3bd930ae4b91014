import { describe, expect, test } from "vitest";
import { mentionElements, readMentions, suggestions } from "../src/xmpp/mentions.js";
import { parse } from "./server.js";

const people = [
  { jid: "bob@d", name: "Bob" },
  { jid: "bobby@d", name: "Bobby Tan" },
  { jid: "li@d", name: "李" },
];
const jids = (found: ReturnType<typeof suggestions>) => found?.people.map(({ jid }) => jid);

describe("a mention", () => {
  test("is found by any word of the name while it is written", () => {
    expect(suggestions("Hi @bo", people)).toMatchObject({ start: 3 });
    expect(jids(suggestions("Hi @bo", people))).toEqual(["bob@d", "bobby@d"]);
    expect(jids(suggestions("@ta", people))).toEqual(["bobby@d"]);
    expect(jids(suggestions("@", people))).toHaveLength(3);
    expect(suggestions("mail bob@d", people)).toBeUndefined();
    expect(suggestions("@bob was here", people)).toBeUndefined();
  });

  test("is told with its place in code points, and read", () => {
    const body = "👋 @Bobby Tan, @bob and @李! Not @Bobs or a@bob";
    const elements = mentionElements(body, people, 5);
    expect(
      elements.map((element) => {
        const [begin, end] = ["begin", "end"].map((name) => Number(element.getAttribute(name)) - 5);
        return [...body].slice(begin, end).join("");
      }),
    ).toEqual(["@Bobby Tan", "@bob", "@李"]);
    const xml = elements.map((element) => new XMLSerializer().serializeToString(element)).join("");
    expect(readMentions(parse(`<message>${xml}</message>`))).toEqual(["bobby@d", "bob@d", "li@d"]);
  });
});
