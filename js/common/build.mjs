// What both builds need of esbuild.
import { readFileSync } from "node:fs";

/** What esbuild leaves alone: the indents of templates, and the rest of the white space of style sheets in them. */
export const templates = {
  name: "templates",
  setup(build) {
    build.onLoad({ filter: /\/js\/(common|host\/src|ocwp\/src)\/.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8")
        .replace(/^ +/gm, "")
        .replace(/css`[^`]*`/g, (sheet) =>
          sheet
            .replace(/\/\*.*?\*\//gs, "")
            .replace(/\s+/g, " ")
            .replace(/ ?([{};,]) ?/g, "$1")
            .replaceAll(": ", ":")
            .replaceAll(";}", "}"),
        ),
      loader: "ts",
    }));
  },
};
