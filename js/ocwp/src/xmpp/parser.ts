/**
 * Takes the place of the browser's `DOMParser` in the bundle, for Strophe, which parses what the server says.
 *
 * A page may require trusted types: the policy `ocwp` is for XML alone, which never becomes a part of the page's document.
 */
const policy = (window as { trustedTypes?: Factory }).trustedTypes?.createPolicy("ocwp", { createHTML: (xml) => xml });

interface Factory {
  createPolicy(name: string, rules: { createHTML(text: string): string }): { createHTML(text: string): string };
}

class XMLParser {
  parseFromString(xml: string): Document {
    return new window.DOMParser().parseFromString(policy ? policy.createHTML(xml) : xml, "text/xml");
  }
}

export { XMLParser as DOMParser };
