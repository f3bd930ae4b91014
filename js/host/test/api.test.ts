import { expect, test } from "vitest";
import { Api, Restarted } from "../src/api.js";

/** An `Api` whose sandbox answers `answer`, and what it was asked. */
function asking(answer: () => Response) {
  const asked: { url: string; init: RequestInit }[] = [];
  const fetcher = async (url: unknown, init?: RequestInit) => {
    asked.push({ url: String(url), init: init! });
    return answer();
  };
  return { api: new Api("secret", fetcher as typeof fetch), asked };
}

test("the token goes in a header, and never into a URL", async () => {
  const { api, asked } = asking(() => Response.json([]));
  await api.messages("a&b/c@d", "x y@d", 7);
  expect(asked[0]!.url).toBe("/phones/a%26b%2Fc%40d/messages?thread=x+y%40d&limit=50&before=7");
  expect(asked[0]!.init.headers).toMatchObject({ "X-Sandbox-Token": "secret" });
});

test("a relay is sent as the protocol has it", async () => {
  const { api, asked } = asking(() => Response.json({ value: "g@muc.d" }));
  expect(await api.relay("a@d", { kind: "new-group", invitees: ["b@d"], textMessage: "hi" })).toBe("g@muc.d");
  expect(asked[0]!.init.body).toBe('{"invitees":["b@d"],"textMessage":"hi"}');
});

test.each([
  [403, { error: { message: "No.", hint: "Ask." } }, { code: "refused", message: "No.", hint: "Ask." }],
  [503, { error: { message: "Busy.", hint: "" } }, { code: "unreachable", message: "Busy." }],
  [400, "nonsense", { code: "refused", message: "The sandbox answered 400." }],
  [400, { error: { message: {} } }, { code: "refused", message: "The sandbox answered 400." }],
])("a %i is an error with the sandbox's words, if it has any", async (status, body, expected) => {
  const { api } = asking(() => Response.json(body, { status }));
  await expect(api.state([])).rejects.toMatchObject(expected);
});

test("a 401 means that the sandbox was started again", async () => {
  const { api } = asking(() => new Response("", { status: 401 }));
  await expect(api.state([])).rejects.toBeInstanceOf(Restarted);
});

test("no answer, and half of one, are unreachable", async () => {
  const none = new Api("secret", () => Promise.reject(new TypeError("failed")));
  await expect(none.state([])).rejects.toMatchObject({ code: "unreachable" });
  const { api } = asking(() => new Response('{"domain":'));
  await expect(api.state([])).rejects.toMatchObject({ code: "unreachable" });
});
