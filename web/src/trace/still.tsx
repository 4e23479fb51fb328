// Elements as HTML that needs no script: what opens by a script on the page is a <details> here.
import type { ComponentChildren, VNode } from "preact";
import { pretty } from "../json.ts";
import { Folded } from "../ui/folded.tsx";
import { Icon } from "../ui/icon.tsx";
import { JsonView } from "../ui/json.tsx";
import { Long } from "../ui/long.tsx";
import { Markdown } from "../ui/markdown.tsx";
import { escaped, Html } from "./html.ts";
import { fileName, MediumAt, MediumView, shownOf } from "./medium.tsx";
import type { Medium } from "./read/shape.ts";

// biome-ignore lint/suspicious/noExplicitAny: the properties of any component
type Draw = (props: any) => ComponentChildren;

// What keeps a state on the page, and what stands for it.
const instead = new Map<unknown, Draw>([
  [
    Folded,
    ({ title, note, children }) => (
      <details>
        <summary>
          <strong>{title}</strong> <span class="faint">{note}</span>
        </summary>
        {children()}
      </details>
    ),
  ],
  [
    Long,
    ({ text }) => (
      <div class="long">
        <Markdown text={text} />
      </div>
    ),
  ],
  [JsonView, ({ value }) => <pre>{pretty(value)}</pre>],
  [MediumView, ({ medium }) => <StillMedium medium={medium} />],
  [Icon, () => null],
]);

function StillMedium({ medium }: { medium: Medium }): ComponentChildren {
  const s = shownOf(medium);
  if (medium.kept) s.as = "name"; // the file has no server to ask
  return (
    <figure>
      {s.as === "img" && <img src={s.src} alt={s.caption} />}
      {/* biome-ignore lint/a11y/useMediaCaption: a payload has no captions */}
      {s.as === "audio" && <audio controls src={s.src} aria-label={s.caption} />}
      {/* biome-ignore lint/a11y/useMediaCaption: a payload has no captions */}
      {s.as === "video" && <video controls src={s.src} aria-label={s.caption} />}
      <figcaption>
        {s.caption} {medium.uri && <MediumAt uri={medium.uri} link={s.link} />}
        {s.as === "file" && (
          <a href={s.src} download={fileName(s.src, medium.name)}>
            Save
          </a>
        )}
      </figcaption>
    </figure>
  );
}

/** still writes elements. Components among them that are not listed above must keep no state. */
export const still = (node: ComponentChildren): Html => new Html(write(node));

const attributes = [
  "class",
  "title",
  "href",
  "src",
  "alt",
  "controls",
  "download",
  "start",
  "aria-label",
  "target",
  "rel",
];
const empty = ["img", "hr", "br"];
const addresses = /^(https?:\/\/|mailto:|data:[\w.+-]+\/[\w.+-]+;base64,)/i; // where href and src may lead

function write(node: ComponentChildren): string {
  if (node === null || node === undefined || typeof node === "boolean") return "";
  if (Array.isArray(node)) return node.map(write).join("");
  if (typeof node !== "object") return escaped(String(node));
  const { type, props } = node as VNode<Record<string, unknown>>;
  if (typeof type === "function") return write((instead.get(type) ?? (type as Draw))(props));
  const said = attributes.flatMap(name => {
    const v = props[name];
    if (v === undefined || v === null || v === false) return [];
    if ((name === "href" || name === "src") && !addresses.test(String(v))) return [];
    return [v === true ? ` ${name}` : ` ${name}="${escaped(String(v))}"`];
  });
  const inner = empty.includes(String(type)) ? "" : `${write(props.children)}</${type}>`;
  return `<${type}${said.join("")}>${inner}`;
}
