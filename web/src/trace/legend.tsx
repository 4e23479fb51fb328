import type { JSX } from "preact";
import { Icon } from "../ui/icon.tsx";
import { memo } from "../ui/memo.ts";
import { type Kind, kindOf, type Node } from "./tree.ts";

// Legend names the types of the steps, as far as a trace has them, and the mark of a first token.
function Legend({ nodes }: { nodes: Node[] }): JSX.Element {
  const kinds = new Map<Kind, number>();
  let tokens = false;
  for (const { observation: o, twin } of nodes) {
    if (!o || twin) continue;
    const kind = kindOf(o.type);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    tokens ||= o.time_to_first_token_ms !== null;
  }
  return (
    <ul class="kinds" aria-label="Types of steps">
      {[...kinds]
        .sort((a, b) => b[1] - a[1])
        .map(([kind, n]) => (
          <li key={kind} class={`kind-${kind}`}>
            <Icon name={kind} size={13} /> {kind} {n}
          </li>
        ))}
      {tokens && (
        <li>
          <span class="kinds-token" /> first token
        </li>
      )}
    </ul>
  );
}

/** MemoLegend is drawn once for a trace, not with each step that is chosen. */
export const MemoLegend = memo(Legend);
