import { vi } from "vitest";

/** The files of a site, by path, in place of the network; and what jsdom lacks of a browser. */
export const files: Record<string, object> = {};

vi.stubGlobal("fetch", async (url: URL) => {
  const file = files[url.pathname];
  return { ok: file !== undefined, status: file ? 200 : 404, json: async () => file };
});
vi.stubGlobal(
  "ResizeObserver",
  class {
    observe() {}
    disconnect() {}
  },
);
vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener() {}, removeEventListener() {} }));
vi.stubGlobal("__VERSION__", 10203);
vi.stubGlobal("__BUILD_DATE__", 20260131);
