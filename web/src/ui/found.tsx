// What a payload begins with, and the words of a search with what stands around them. Both are text, whatever they hold.
import type { JSX } from "preact";
import type { Highlight } from "../types.ts";

/** Preview is the beginning of an input or an output. */
export function Preview({ text }: { text: string | undefined }): JSX.Element {
  if (!text) return <span class="faint">–</span>;
  return <span class="preview">{text}</span>;
}

/** Found are the words that were searched for, marked, where they were found first. */
export function Found({ in: all }: { in: Highlight[] }): JSX.Element | null {
  const first = all[0];
  if (!first) return null;
  return (
    <span class="preview">
      <span class="muted">{first.field}: </span>
      {first.segments.map((s, i) => (s.match ? <mark key={i}>{s.text}</mark> : s.text))}
    </span>
  );
}
