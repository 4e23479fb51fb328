import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { agents } from "../agents.ts";
import { base } from "../base.ts";
import { Copy } from "../ui/bits.tsx";

/** AgentSettings has what gives a coding agent the tools of this server. */
export function AgentSettings(): JSX.Element {
  const all = agents(location.origin + base);
  const [chosen, choose] = useState(0);
  const { title, where, code } = all[chosen]!;
  return (
    <div class="card settings-card">
      <p>
        A coding agent reads traces, asks statistics and gives scores by the Model Context Protocol. Give it a key in
        the environment variable <code>BROKLE_API_KEY</code>: with the scope <strong>read</strong> it may look at
        everything of the project, with <strong>ingest</strong> it may give scores, too.
      </p>
      <fieldset class="segments">
        <legend class="visually-hidden">Agent</legend>
        {all.map((a, i) => (
          <button key={a.title} type="button" aria-pressed={i === chosen} onClick={() => choose(i)}>
            {a.title}
          </button>
        ))}
      </fieldset>
      <p class="muted small">{where}</p>
      <div class="code-block">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by key */}
        <section tabIndex={0} aria-label={`Settings of ${title}`}>
          <pre>
            <code>{code}</code>
          </pre>
        </section>
        <Copy text={code} label="Copy the settings" />
      </div>
    </div>
  );
}
