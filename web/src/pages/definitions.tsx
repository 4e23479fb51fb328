import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, request } from "../api.ts";
import type { Page, ScoreDefinition } from "../types.ts";
import { Failure, Spinner } from "../ui/bits.tsx";
import { useDoing } from "../ui/doing.ts";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { DefineScore, definitionPath } from "./definescore.tsx";

// valuesOf says in words which values a score may have.
function valuesOf(d: ScoreDefinition): string {
  if (d.data_type === "BOOLEAN") return "yes or no";
  if (d.data_type === "CATEGORICAL") return (d.categories ?? []).join(", ");
  if (d.min !== undefined && d.max !== undefined) return `a number from ${d.min} to ${d.max}`;
  if (d.min !== undefined) return `a number from ${d.min}`;
  return d.max !== undefined ? `a number up to ${d.max}` : "a number";
}

/** Definitions says how people give scores; with the scope admin they can be changed. */
export function Definitions({ admin }: { admin: boolean }): JSX.Element {
  const { data, error, reload } = useLoad(
    signal => get<Page<ScoreDefinition>>("/v1/score-definitions", {}, signal),
    [],
  );
  const [edited, edit] = useState<ScoreDefinition | "new" | null>(null);
  const removing = useDoing();
  const remove = async (name: string) => {
    if (await removing.run(() => request(definitionPath(name), { method: "DELETE" }))) reload();
  };
  if (error) return <Failure error={error} again={reload} />;
  if (!data) return <Spinner />;
  return (
    <div class="card settings-card">
      <p class="muted small">
        What people can give a trace or a step, on its page. Scores that programs send are taken whatever stands here.
      </p>
      {removing.error && <Failure error={removing.error} />}
      {data.data.length > 0 && (
        <ul class="definitions">
          {data.data.map(d => (
            <li key={d.name}>
              <strong>{d.name}</strong>
              <span class="muted">{valuesOf(d)}</span>
              {d.description && <span class="muted small plain">{d.description}</span>}
              {admin && (
                <span class="actions">
                  <button type="button" class="button quiet" aria-label={`Change ${d.name}`} onClick={() => edit(d)}>
                    Change
                  </button>
                  <button
                    type="button"
                    class="button quiet"
                    aria-label={`Remove ${d.name}`}
                    onClick={() => void remove(d.name)}
                  >
                    Remove
                  </button>
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      {admin ? (
        <p class="actions">
          <button type="button" class="button" onClick={() => edit("new")}>
            <Icon name="plus" /> Define a score
          </button>
        </p>
      ) : (
        data.data.length === 0 && <p class="muted">None yet. A key with the scope admin can make some.</p>
      )}
      {edited && (
        <DefineScore
          definition={edited === "new" ? undefined : edited}
          onClose={() => edit(null)}
          onSaved={() => {
            edit(null);
            reload();
          }}
        />
      )}
    </div>
  );
}
