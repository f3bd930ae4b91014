import english from "../../locale/enGB.json";
import type { Words } from "../ui/i18n.js";

/** What `{confPath}config.json` says. */
export interface Config {
  /** The server's WebSocket (`wss:`), or BOSH (`https:`). */
  service: string;
  domain: string;
  /** The domain of groups. */
  groups: string;
  /** Names of hosts whose pictures are loaded without a click, besides the server's own. */
  pictures: string[];
  features: Record<Feature, boolean>;
}

export type Feature = "groups" | "uploads" | "typing" | "receipts" | "notifications" | "avatars" | "emoji";

const FEATURES: Feature[] = ["groups", "uploads", "typing", "receipts", "notifications", "avatars", "emoji"];

/** Something the site's owner has to mend; the message says what. */
export class SetupError extends Error {
  override name = "SetupError";
}

export async function loadConfig(path: string): Promise<Config> {
  const url = new URL(`${path}config.json`, document.baseURI);
  const { service, domain, groups, pictures, features } = await load(url);
  if (typeof domain !== "string" || !domain) throw new SetupError(`ocwp: ${url} names no "domain".`);
  return {
    service: serviceAddress(service, url),
    domain: domain.toLowerCase(),
    groups: typeof groups === "string" && groups ? groups.toLowerCase() : `muc.${domain.toLowerCase()}`,
    pictures: Array.isArray(pictures) ? pictures.map((host) => String(host).toLowerCase()) : [],
    features: Object.fromEntries(
      FEATURES.map((name) => [name, (features as Record<string, unknown> | undefined)?.[name] !== false]),
    ) as Record<Feature, boolean>,
  };
}

/** The strings of `{path}{name}.json`; what is missing there is English, also where the whole file is. */
export async function loadWords(path: string, name: string): Promise<Words> {
  const words = await load(new URL(`${path}${name}.json`, document.baseURI)).catch((error: Error) => {
    console.warn(`${error.message} The chat is in English.`);
    return {};
  });
  const known = Object.entries(words).filter(([key, value]) => key in english && typeof value === "string");
  return { ...english, ...Object.fromEntries(known) } as Words;
}

/** Credentials travel on it, so it is encrypted, unless it stays on this machine. */
export function serviceAddress(service: unknown, base: URL): string {
  if (typeof service !== "string" || !service) throw new SetupError(`ocwp: ${base} names no "service".`);
  const url = new URL(service, base);
  const local = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (["wss:", "https:"].includes(url.protocol) || (["ws:", "http:"].includes(url.protocol) && local)) return url.href;
  throw new SetupError(`ocwp: "service" in ${base} must be a wss: or https: address.`);
}

async function load(url: URL): Promise<Record<string, unknown>> {
  let answer: Response;
  try {
    answer = await fetch(url, { credentials: "same-origin" });
  } catch {
    throw new SetupError(`ocwp: ${url} can't be loaded. On another origin it needs CORS, and your CSP's connect-src.`);
  }
  if (!answer.ok) throw new SetupError(`ocwp: ${url} answers ${answer.status}. Is confPath or locale.path right?`);
  try {
    const data: unknown = await answer.json();
    if (data && typeof data === "object" && !Array.isArray(data)) return data as Record<string, unknown>;
  } catch {
    // the same to us as JSON of another form
  }
  throw new SetupError(`ocwp: ${url} is not a JSON object.`);
}
