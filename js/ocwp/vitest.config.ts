import { defineConfig } from "vitest/config";

const strophe = new URL("../node_modules/strophe.js/src/", import.meta.url).pathname;

export default defineConfig({
  resolve: { alias: [{ find: /^strophe\//, replacement: strophe }] },
  test: { include: ["test/*.test.ts"], environment: "jsdom" },
});
