import js from "@eslint/js";
import { configs as lit } from "eslint-plugin-lit";
import { configs as wc } from "eslint-plugin-wc";
import { defineConfig } from "eslint/config";
import ts from "typescript-eslint";

// typescript-eslint needs the API of TypeScript 6, which is `typescript` in package.json; `tsc` is `typescript-7`.
export default defineConfig(
  js.configs.recommended,
  ts.configs.recommended,
  lit["flat/recommended"],
  wc["flat/recommended"],
  {
    settings: { wc: { elementBaseClasses: ["LitElement", "BaseAvatar"] } },
    // `{ kind: _, ...body }` leaves a property out.
    rules: { "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }] },
  },
  // Node's globals
  { files: ["**/*.mjs"], languageOptions: { globals: { process: "readonly", URL: "readonly" } } },
  // Tests compare answers of any shape.
  { files: ["**/test/**"], rules: { "@typescript-eslint/no-explicit-any": "off" } },
);
