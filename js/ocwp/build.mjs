// Bundles the chat plugin into the Python package: ocwp.js (global `ocwp`), ocwp.mjs, and what a site copies with them.
import { cpSync, readFileSync } from "node:fs";
import { build } from "esbuild";
import { templates } from "../common/build.mjs";

const here = new URL(".", import.meta.url).pathname;
const out = new URL("../../miniapp/sandbox/static/build/ocwp/", import.meta.url).pathname;

// Strophe's own bundle writes seven globals onto the page, and its dist/types holds files of older versions.
const strophe = {
  name: "strophe",
  setup(build) {
    const sources = new URL("../node_modules/strophe.js/src/", import.meta.url).pathname;
    build.onResolve({ filter: /^strophe\// }, ({ path, ...rest }) =>
      build.resolve(`./${path.slice("strophe/".length)}`, { kind: rest.kind, resolveDir: sources }),
    );
  },
};

const shared = {
  outdir: out,
  bundle: true,
  minify: true,
  target: "es2022",
  legalComments: "eof", // Lit's and Strophe's licences travel with their code
  logLevel: "warning",
  define: { ...release(), globalThis: "pluginGlobals", litPropertyMetadata: "pluginGlobals.litPropertyMetadata" },
  inject: [`${here}src/ui/globals.ts`, `${here}src/xmpp/parser.ts`],
  plugins: [strophe, templates],
};

// With the interface, and without it for sites that draw their own.
for (const [name, entry] of [
  ["ocwp", "index.ts"],
  ["ocwp-core", "core.ts"],
]) {
  const entryPoints = { [name]: `${here}src/${entry}` };
  await build({ ...shared, entryPoints, format: "iife", globalName: "ocwp" });
  await build({ ...shared, entryPoints, format: "esm", outExtension: { ".js": ".mjs" } });
}
for (const part of ["config", "locale", "ocwp.d.ts"]) cpSync(`${here}${part}`, `${out}${part}`, { recursive: true });

/** Integers, as OneChat's page has them: 1.2.3 is 10203, and a day is 20180619. */
function release() {
  const [major, minor, patch] = JSON.parse(readFileSync(`${here}package.json`, "utf8"))
    .version.split(".")
    .map(Number);
  const epoch = process.env.SOURCE_DATE_EPOCH;
  const day = epoch ? new Date(Number(epoch) * 1000) : new Date();
  return {
    __VERSION__: String(major * 10_000 + minor * 100 + patch),
    __BUILD_DATE__: day.toISOString().slice(0, 10).replaceAll("-", ""),
  };
}
