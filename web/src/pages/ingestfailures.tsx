import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { count } from "../format.ts";
import type { FailureGroup } from "../types.ts";
import { Copy, Time } from "../ui/bits.tsx";
import { Icon } from "../ui/icon.tsx";

// What the codes of one event mean, as docs/api.md lists them.
const meanings: Record<string, string> = {
  missing_field: "A required field is absent, null or empty.",
  invalid_field: "A field has the wrong type, length or value.",
  invalid_event_id: "The id is not 1 to 128 printable characters without a space.",
  unknown_event_type: "The event is of a type that the server does not know.",
  invalid_payload: "The payload is not a JSON object in UTF-8.",
  payload_too_deep: "The payload is nested deeper than the limit.",
  payload_too_large: "The payload is larger than the limit for one event. Nothing was cut.",
  claim_pending: "Another node was storing an event of this id. Sent again, it is a duplicate or is stored.",
};

/** Failures lists why events were refused, most frequent first, each with the last examples. */
export function Failures({ groups }: { groups: FailureGroup[] }): JSX.Element {
  const sorted = [...groups].sort((a, b) => b.count - a.count || a.code.localeCompare(b.code));
  const most = sorted[0]?.count ?? 1;
  return (
    <ul class="card audit-failures">
      {sorted.map(g => (
        <Group key={g.code} group={g} share={g.count / most} />
      ))}
    </ul>
  );
}

function Group({ group: g, share }: { group: FailureGroup; share: number }): JSX.Element {
  const [open, set] = useState(false);
  return (
    <li>
      <button type="button" class="audit-reason" aria-expanded={open} onClick={() => set(!open)}>
        <Icon name={open ? "down" : "right"} size={12} />
        <code>{g.code}</code>
        <span class="muted audit-meaning">{meanings[g.code] ?? ""}</span>
        <span class="audit-share" aria-hidden="true">
          <i style={{ width: `${Math.max(1, share * 100)}%` }} />
        </span>
        <strong>{count(g.count)}</strong>
      </button>
      {open && (
        <div class="audit-examples">
          <p class="muted small">
            {g.last.length === g.count ? "All of them" : `The last ${count(g.last.length)}`}, newest first:
          </p>
          <ol>
            {[...g.last]
              .sort((a, b) => b.time.localeCompare(a.time))
              .map((e, i) => (
                <li key={i}>
                  <Time at={e.time} />
                  <span class="audit-error">{e.error}</span>
                  <span class="muted small">
                    {e.event_type || "no type"}
                    {e.event_id ? (
                      <Copy text={e.event_id} label="Copy the event's id">
                        <code class="ellipsis">{e.event_id}</code>
                      </Copy>
                    ) : (
                      " · no id"
                    )}
                    {e.batch_id && (
                      <Copy text={e.batch_id} label="Copy the batch's id">
                        batch <code class="ellipsis">{e.batch_id}</code>
                      </Copy>
                    )}
                  </span>
                </li>
              ))}
          </ol>
        </div>
      )}
    </li>
  );
}
