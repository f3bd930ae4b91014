/** The element that has the focus, in whatever shadow root it is. */
export function focused(root: DocumentOrShadowRoot = document): HTMLElement | undefined {
  const element = root.activeElement as HTMLElement | null;
  return (element?.shadowRoot && focused(element.shadowRoot)) || element || undefined;
}

/** The shadow host around `element`; undefined at the top of the document. */
export function hostOf(element: Element | undefined): Element | undefined {
  const root = element?.getRootNode();
  return root instanceof ShadowRoot ? root.host : undefined;
}

/** The nearest element around `element` with the tag `name`, through shadow roots. */
export function around(element: Element | undefined, name: string): Element | undefined {
  if (!element) return undefined;
  return element.closest(name) ?? around(hostOf(element), name);
}
