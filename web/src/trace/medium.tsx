import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { link as address } from "../base.ts";
import { offer } from "../export.ts";
import { bytes } from "../format.ts";
import { Icon } from "../ui/icon.tsx";
import { bytesOf } from "./read/medium.ts";
import type { Medium } from "./read/shape.ts";

// What is shown in place: formats without script, in elements that run none.
const pictures = ["image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp", "image/avif", "image/bmp"];
const sounds = /^audio\/(mpeg|mp3|wav|x-wav|wave|ogg|webm|aac|flac|mp4)$/;
const videos = /^video\/(mp4|webm|ogg)$/;

/** Shown says how a medium is shown: in which element, or as what is saved when that is wanted, or by name alone. */
export interface Shown {
  as: "img" | "audio" | "video" | "file" | "name";
  src: string; // a data URI, or where the server has it; "" of a name
  caption: string;
  link: string; // an address of the web, which is not fetched; "" without one
}

/** shownOf says how a medium is shown. Its bytes are never read as a document. */
export function shownOf(m: Medium): Shown {
  const type = m.type.toLowerCase().split(";")[0]!.trim();
  const what = m.modality || "file";
  const size = m.kept ? bytes(m.kept.bytes) : m.data === "" ? "" : bytes(Math.floor((m.data.length * 3) / 4));
  const caption = [what.charAt(0).toUpperCase() + what.slice(1), m.type, m.name, size].filter(Boolean).join(", ");
  const link = /^https?:\/\//i.test(m.uri) ? m.uri : "";
  const data = bytesOf(m.data);
  if (data === "" && !m.kept) return { as: "name", src: "", caption, link };
  const as = pictures.includes(type) ? "img" : sounds.test(type) ? "audio" : videos.test(type) ? "video" : "file";
  const safe = as !== "file" || type === "application/pdf" ? type : "application/octet-stream";
  const src = m.kept ? address(`/v1/media/${m.kept.hash}`) : `data:${safe};base64,${data}`;
  return { as, src, caption, link };
}

/** MediumView shows a picture in place, a player, or a button that saves a file. What is elsewhere is named, not fetched. */
export function MediumView({ medium }: { medium: Medium }): JSX.Element {
  const s = useMemo(() => shownOf(medium), [medium]);
  const [gone, setGone] = useState("");
  const as = gone === s.src ? "name" : s.as;
  const failed = medium.kept && (() => setGone(s.src));
  return (
    <figure class="medium">
      {as === "img" && <img src={s.src} alt={s.caption} onError={failed} />}
      {/* biome-ignore lint/a11y/useMediaCaption: a payload has no captions */}
      {as === "audio" && <audio controls preload="metadata" src={s.src} aria-label={s.caption} onError={failed} />}
      {/* biome-ignore lint/a11y/useMediaCaption: a payload has no captions */}
      {as === "video" && <video controls preload="metadata" src={s.src} aria-label={s.caption} onError={failed} />}
      <figcaption class="muted small">
        {s.caption}
        {gone === s.src && gone !== "" && " is not on the server, or is none that a browser shows"}
        {medium.uri && <MediumAt uri={medium.uri} link={s.link} />}
        {medium.kept && (
          <a class="button quiet" href={s.src} download={savedAs(medium, s.as)}>
            <Icon name="download" size={12} /> Save
          </a>
        )}
        {s.src && !medium.kept && (
          <button type="button" class="button quiet" onClick={() => save(s, medium.name)}>
            <Icon name="download" size={12} /> Save
          </button>
        )}
      </figcaption>
    </figure>
  );
}

/** MediumAt says where a medium is. */
export function MediumAt({ uri, link }: { uri: string; link: string }): JSX.Element {
  if (link === "") return <code class="medium-at">{uri}</code>;
  return (
    <a class="medium-at" href={link} target="_blank" rel="noopener noreferrer">
      {uri}
    </a>
  );
}

// Endings of file names by type, for what has no name of its own.
const endings = new Map([
  ["application/pdf", "pdf"],
  ["application/octet-stream", "bin"],
  ["audio/mpeg", "mp3"],
  ["image/jpeg", "jpg"],
]);

/** fileName is what a medium is saved as. */
export function fileName(src: string, name: string): string {
  const type = /^data:([^;]+)/.exec(src)?.[1] ?? "";
  const ending = endings.get(type) ?? type.split("/")[1]?.replace(/[^a-z0-9]/g, "") ?? "bin";
  return name.replace(/[^\p{L}\p{N}._ -]+/gu, "_").slice(-80) || `medium.${ending}`;
}

// savedAs is the name under which what the server has is saved: of what is no picture or sound, as it was sent or none that says a type.
function savedAs(m: Medium, as: Shown["as"]): string {
  const type = m.type.toLowerCase().split(";")[0]!.trim();
  return fileName(`data:${as !== "file" || type === "application/pdf" ? type : "application/octet-stream"}`, m.name);
}

function save(s: Shown, name: string): void {
  const [head, data] = s.src.split(";base64,");
  const text = atob(data ?? "");
  const all = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) all[i] = text.charCodeAt(i);
  offer([all], fileName(s.src, name), head!.slice("data:".length));
}
