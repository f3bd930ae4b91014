/**
 * What Lit takes for the global object: it notes its versions there, and the page is not ours to write on.
 * build.mjs puts it in place of `globalThis`.
 */
export const pluginGlobals = {
  ShadowRoot: window.ShadowRoot,
  trustedTypes: (window as { trustedTypes?: unknown }).trustedTypes,
};
