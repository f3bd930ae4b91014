import type { Config } from "../model/config.js";
import type { Link } from "./link.js";
import { NS, child, children, textOf, x } from "./xml.js";

/** Sides in pixels that a picture is scaled down to before it is sent, and of a group's picture. */
const PICTURE_SIDE = 1600;
const AVATAR_SIDE = 128;
/** Milliseconds until a picture of the site counts as missing: its group waits for it. */
const LOAD_MS = 10_000;

export class FileError extends Error {
  override name = "FileError";
  constructor(
    readonly word: "tooLarge" | "badPicture" | "refused",
    readonly size = 0,
    reason = `the file can't be sent (${word})`,
  ) {
    super(`ocwp: ${reason}.`);
  }
}

interface Service {
  jid: string;
  maxBytes: number;
}

/** Sending files by HTTP upload (XEP-0363), where the server has it. */
export class Files {
  #service: Service | undefined;

  constructor(
    private readonly link: Link,
    private readonly config: Config,
  ) {}

  get available(): boolean {
    return this.#service !== undefined;
  }

  /** Whether the picture at `address` is on a host of the site's. Any other would learn who reads it, and when. */
  trusts(address: string): boolean {
    const { pictures, service } = this.config;
    return [...pictures, new URL(service).hostname, this.#service?.jid].includes(new URL(address).hostname);
  }

  /** Takes the service `jid`, which has answered disco#info with `query`, unless there is one already. */
  offer(jid: string, query: Element): void {
    const limit = [...query.querySelectorAll('field[var="max-file-size"] > value')].map(textOf)[0];
    this.#service ??= { jid, maxBytes: Number(limit) || Infinity };
  }

  /** Uploads a file, resolves with its address. Pictures are made smaller. Rejects with `FileError`. */
  async upload(file: File): Promise<string> {
    const service = this.#service;
    if (!service) throw new FileError("refused");
    const blob = await shrink(file, PICTURE_SIDE);
    if (blob.size > service.maxBytes) throw new FileError("tooLarge", Math.floor(service.maxBytes / 1024 / 1024));
    const type = blob.type || "application/octet-stream";
    const [, name = "", given = ""] = /^(.*?)(\.\w{1,10})?$/s.exec(file.name)!;
    const ending = blob === file ? given : `.${type.split("/")[1]!.replace("jpeg", "jpg")}`;
    const filename = `${name.replace(/[^\p{L}\p{N}_-]+/gu, "-").replace(/^-+|-+$/g, "") || "file"}${ending}`;
    const request = x("request", { xmlns: NS.upload, filename, size: String(blob.size), "content-type": type });
    const slot = child(await this.link.iq("get", service.jid, request), "slot");
    const put = child(slot, "put");
    const headers: Record<string, string> = { "Content-Type": type };
    for (const header of children(put, "header")) {
      const name = header.getAttribute("name") ?? "";
      if (/^(authorization|cookie|expires)$/i.test(name)) headers[name] = textOf(header).replace(/[\r\n]/g, "");
    }
    const address = put?.getAttribute("url") ?? "";
    const answer = await fetch(address, { method: "PUT", body: blob, headers, credentials: "omit" }).catch(
      () => undefined,
    );
    if (!answer?.ok) throw new FileError("refused");
    return child(slot, "get")?.getAttribute("url") ?? "";
  }
}

export const isPicture = (address: string): boolean => /\.(png|jpe?g|gif|webp|avif)$/i.test(new URL(address).pathname);

/** The name of the file at `address`, as people read it. */
export function fileName(address: string): string {
  const { hostname, pathname } = new URL(address);
  const name = pathname.split("/").at(-1)!;
  try {
    return decodeURIComponent(name) || hostname;
  } catch {
    return name;
  }
}

/** A picture for a group, square and small, as a data: URL. `source` is a file, an address or base64 text. */
export async function avatarFrom(source: Blob | string): Promise<string> {
  const blob = typeof source === "string" ? await load(source) : source;
  const picture = await decode(blob);
  const side = Math.min(picture.width, picture.height);
  const canvas = draw(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, AVATAR_SIDE);
  return canvas.toDataURL("image/png");
}

async function load(source: string): Promise<Blob> {
  const base64 = /^(?:data:image\/[\w+.-]+;base64,)?([A-Za-z0-9+/\s]{64,}=*)$/.exec(source)?.[1];
  if (base64) return new Blob([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))]);
  const url = new URL(source, document.baseURI);
  const answer = await fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout(LOAD_MS) }).catch(
    () => undefined,
  );
  if (!answer?.ok) {
    throw new FileError("refused", 0, `${url} ${answer ? `answers ${answer.status}` : "can't be loaded"}`);
  }
  return answer.blob();
}

/** A picture smaller if it is large, which also takes off where it was taken; animations and other files as they are. */
async function shrink(file: File, side: number): Promise<Blob> {
  if (!/^image\/(png|jpeg|webp|avif)$/.test(file.type)) return file;
  const picture = await decode(file);
  const canvas = draw(picture, 0, 0, picture.width, picture.height, side);
  const type = file.type === "image/png" ? "image/png" : "image/jpeg";
  // 0.85: where a photograph shows no difference yet
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new FileError("badPicture"))), type, 0.85);
  });
}

async function decode(blob: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(blob);
  } catch {
    throw new FileError("badPicture", 0, "no picture that this browser can draw, such as PNG, JPEG or WebP");
  }
}

function draw(picture: ImageBitmap, left: number, top: number, width: number, height: number, side: number) {
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.getContext("2d")!.drawImage(picture, left, top, width, height, 0, 0, canvas.width, canvas.height);
  return canvas;
}
