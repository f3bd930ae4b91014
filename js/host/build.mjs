// Bundles the host page into the Python package: host.js, the one file that its template loads.
import { build } from "esbuild";
import { templates } from "../common/build.mjs";

const outdir = new URL("../../miniapp/sandbox/static/build/", import.meta.url).pathname;

await build({
  entryPoints: { host: new URL("src/main.ts", import.meta.url).pathname },
  outdir,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2020",
  // For debugging, `//# sourceMappingURL` left out: browsers ask for nothing, and the wheel leaves *.map behind.
  sourcemap: "external",
  legalComments: "eof", // Lit's licence travels with its code
  logLevel: "warning",
  plugins: [templates],
});
