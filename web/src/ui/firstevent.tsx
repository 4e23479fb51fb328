import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { base } from "../base.ts";
import { snippets } from "../snippets.ts";
import { Copy, Empty } from "./bits.tsx";

/** FirstEvent shows how to send something, where there is nothing yet. */
export function FirstEvent({ what }: { what: string }): JSX.Element {
  const all = snippets(location.origin + base);
  const [chosen, choose] = useState(0);
  const { title, how, code } = all[chosen]!;
  return (
    <Empty icon="ingest" title={`No ${what} yet`}>
      <p>Any of these sends a call of a model; it appears here a moment later.</p>
      <fieldset class="segments">
        <legend class="visually-hidden">How to send</legend>
        {all.map((s, i) => (
          <button key={s.title} type="button" aria-pressed={i === chosen} onClick={() => choose(i)}>
            {s.title}
          </button>
        ))}
      </fieldset>
      <p class="muted small">{how}</p>
      <div class="code-block">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by key */}
        <section tabIndex={0} aria-label={`Code for ${title}`}>
          <pre>
            <code>{code}</code>
          </pre>
        </section>
        <Copy text={code} label="Copy the code" />
      </div>
    </Empty>
  );
}
