import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { count } from "../format.ts";
import { beginning, linesOf, MOST, SHOWN } from "./lines.ts";
import { Markdown } from "./markdown.tsx";

/** Long shows a text as Markdown: of more lines than most only the first, until all are wanted. */
export function Long({ text, most = MOST }: { text: string; most?: number }): JSX.Element {
  const [all, set] = useState(false);
  const lines = useMemo(() => linesOf(text), [text]);
  if (lines <= most) return <Markdown text={text} />;
  return (
    <div class="long">
      <div class={all ? "long-text" : "long-text cut"}>
        <Markdown text={all ? text : beginning(text, Math.min(most, SHOWN))} />
      </div>
      <button type="button" class="json-more" aria-expanded={all} onClick={() => set(!all)}>
        {all ? "Less" : `All ${count(lines)} lines`}
      </button>
    </div>
  );
}
