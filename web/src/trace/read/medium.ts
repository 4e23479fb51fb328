// Pictures, sounds and files: where their bytes are, and of what type.
import type { Left, Taking } from "./left.ts";
import type { Kept, Medium } from "./shape.ts";

// The first characters of base64 by which a picture without a type is known.
const heads: [string, string][] = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["R0lGOD", "image/gif"],
  ["UklGR", "image/webp"],
  ["JVBERi0", "application/pdf"],
];

// Names under which a medium holds another object with the rest of it, or its address.
const inner = [
  "image_url",
  "image",
  "input_audio",
  "audio",
  "file",
  "source",
  "video_url",
  "video",
  "document",
  "fileData",
];

const DEEP = 4; // objects in one another

/** mediumOf reads a medium; null when there is neither data nor an address. kind is what it is called. */
export function mediumOf(t: Taking, left: Left, at: string, kind: string): Medium | null {
  const m: Medium = { modality: "", type: "", data: "", uri: "", name: "" };
  let format = "";
  for (let level = 0, holder = t, where = at; level < DEEP; level++) {
    m.modality ||= holder.text("modality");
    m.type ||= holder.text("mime_type", "media_type", "mimeType", "mediaType", "contentType");
    format ||= holder.text("format");
    m.name ||= holder.text("filename", "fileName", "displayName", "name", "title");
    m.uri ||= holder.text("uri", "url", "fileUri", "file_uri", "file_url", "file_id", "fileId");
    m.data ||= holder.text("data", "content", "file_data", "bytes", "blob", "base64");
    if (level > 0) holder.text("type"); // such as base64 or url: how it is sent
    const address = inner.find(name => typeof holder.peek(name) === "string");
    if (address && !m.uri) m.uri = holder.text(address);
    const next = holder.object(...inner);
    if (!next) break;
    holder = left.within(holder, next, where);
    where = `${where}.${next[0]}`;
  }
  settle(m);
  if (!m.uri && !m.data && !m.kept) return null;
  m.type ||= typeOfFormat(format, kind) || (heads.find(([head]) => m.data.startsWith(head))?.[1] ?? "");
  m.modality ||= modalityOf(m.type, kind);
  return m;
}

// settle takes a data URI apart, and puts an address or base64 that stood under the other's name in its place.
function settle(m: Medium): void {
  const one = m.data || m.uri;
  const found = /^data:([^;,]*)[^,]*;base64,/i.exec(one.slice(0, 200));
  if (found) {
    m.data = one.slice(found[0].length);
    m.type = found[1] || m.type;
    if (one === m.uri) m.uri = "";
  } else if (/^(https?|gs|s3|file|data):/i.test(m.data.slice(0, 8))) {
    m.uri ||= m.data;
    if (m.uri === m.data) m.data = "";
  } else if (m.data === "" && m.uri.length > 100 && base64.test(m.uri)) {
    m.data = m.uri;
    m.uri = "";
  }
  keep(m);
  if (m.data !== "" && bytesOf(m.data) === "") {
    m.uri = [m.uri, m.data].filter(Boolean).join(" "); // it is shown as the text that it is
    m.data = "";
  }
}

// What stands in a payload for base64 that the server has taken out (docs/api.md): its hash, its type and its size.
const taken =
  /brokle-media:sha256-([0-9a-f]{64});type=([a-z0-9.+-]+\/[a-z0-9.+-]+);size=(\d+)(;base64=(url|raw|rawurl)\b)?/;
const reference = new RegExp(`^${taken.source}$`);

/** references finds all of them in a text. */
export const references = (): RegExp => new RegExp(taken.source, "g");

// keep puts a reference in its place: the bytes are the server's.
function keep(m: Medium): void {
  const found = reference.exec(m.data || m.uri);
  if (!found) return;
  m.kept = { hash: found[1]!, bytes: Number(found[3]) } satisfies Kept;
  m.type ||= found[2]!;
  if (m.data === "") m.uri = "";
  m.data = "";
}

// base64 is what bytes in text look like, in both alphabets.
const base64 = /^[\w+/=\s-]*$/;

/** bytesOf is base64 in the usual alphabet, without blanks; "" when it is none. */
export function bytesOf(data: string): string {
  if (!base64.test(data)) return "";
  const plain = data.replace(/\s+/g, "").replaceAll("-", "+").replaceAll("_", "/");
  return /^[A-Za-z0-9+/]*={0,2}$/.test(plain) && plain.length % 4 !== 1 ? plain : "";
}

function typeOfFormat(format: string, kind: string): string {
  if (format === "" || format.includes("/")) return format;
  if (format === "pdf") return "application/pdf";
  const modality = modalityOf("", kind);
  return modality === "file" ? "" : `${modality}/${format}`;
}

function modalityOf(type: string, kind: string): string {
  return ["image", "audio", "video"].find(m => type.startsWith(`${m}/`) || kind.includes(m)) ?? "file";
}

/** sniffed is a picture of which there is nothing but its base64. */
export function sniffed(data: string): Medium {
  const type = heads.find(([head]) => data.startsWith(head))?.[1] ?? "";
  return held({ modality: "image", type, data, uri: "", name: "" });
}

/** held is a medium whose data may be a reference. */
export function held(m: Medium): Medium {
  keep(m);
  return m;
}
