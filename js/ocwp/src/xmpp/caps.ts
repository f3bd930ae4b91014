import { NS, x } from "./xml.js";

/** Features of this client, sorted. `+notify` subscribes to changes by the person's other clients. */
export const FEATURES = [
  NS.caps,
  NS.chatStates,
  NS.discoInfo,
  NS.conference,
  `${NS.bookmarks}+notify`,
  NS.markers,
  `${NS.mds}+notify`,
  NS.correct,
  NS.retract,
  NS.ping,
  NS.receipts,
].sort();

/** Verification string (XEP-0115): SHA-1 of identity and features. A test computes it. */
export const VERIFICATION = "/nlCXfr+4kiEEhDM462WLUDYtaY=";

export const caps = (): Element =>
  x("c", { xmlns: NS.caps, hash: "sha-1", node: "https://onechat.net/ocwp", ver: VERIFICATION });

/** Builds the answer to disco#info (XEP-0030). */
export const discoInfo = (node: string | undefined): Element =>
  x(
    "query",
    { xmlns: NS.discoInfo, node },
    x("identity", { category: "client", type: "web", name: "ocwp" }),
    ...FEATURES.map((feature) => x("feature", { var: feature })),
  );
