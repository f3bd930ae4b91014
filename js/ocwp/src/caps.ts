import { NS, x } from "./xml.js";

/** What this client understands, sorted; `+notify` asks the server to tell of changes by the person's other clients. */
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

/** SHA-1 of identity and features by XEP-0115; a test computes it. */
export const VERIFICATION = "/nlCXfr+4kiEEhDM462WLUDYtaY=";

export const caps = (): Element =>
  x("c", { xmlns: NS.caps, hash: "sha-1", node: "https://onechat.net/ocwp", ver: VERIFICATION });

/** The answer to disco#info (XEP-0030). */
export const discoInfo = (node: string | undefined): Element =>
  x(
    "query",
    { xmlns: NS.discoInfo, node },
    x("identity", { category: "client", type: "web", name: "ocwp" }),
    ...FEATURES.map((feature) => x("feature", { var: feature })),
  );
