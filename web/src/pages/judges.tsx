import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, request, seg } from "../api.ts";
import { cost, count, percent } from "../format.ts";
import type { JudgeRow, Page } from "../types.ts";
import { Failure, Spinner } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useDoing } from "../ui/doing.ts";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { JudgeForm } from "./judgeform.tsx";

/** judgePath is where a judge is. */
export const judgePath = (name: string): string => `/v1/judges/${seg(name)}`;

/** Judges are those of the project, beside its alerts: how each stands, and for who may, what makes, changes and removes them. */
export function Judges({ admin }: { admin: boolean }): JSX.Element {
  const { data, error, reload } = useLoad(signal => get<Page<JudgeRow>>("/v1/judges", {}, signal), []);
  const [edited, edit] = useState<{ judge?: JudgeRow } | null>(null);
  return (
    <section class="judges" aria-label="Judges">
      <div class="alert-head">
        <h2>Judges</h2>
        <span class="spacer" />
        {admin && (
          <button type="button" class="button" onClick={() => edit({})}>
            <Icon name="plus" /> Add a judge
          </button>
        )}
      </div>
      {error && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {data?.data.length === 0 && (
        <p class="muted">
          None yet. A judge scores new traces while they come: a model that is asked by a prompt, or a program of your
          own.
        </p>
      )}
      {data && data.data.length > 0 && (
        <ul class="card alerts" aria-label="Judges">
          {data.data.map(j => (
            <Item key={j.name} judge={j} edit={admin ? () => edit({ judge: j }) : undefined} changed={reload} />
          ))}
        </ul>
      )}
      {edited && (
        <JudgeForm
          {...(edited.judge ? { of: edited.judge } : {})}
          onClose={() => edit(null)}
          onSaved={() => {
            edit(null);
            reload();
          }}
        />
      )}
    </section>
  );
}

interface Props {
  judge: JudgeRow;
  edit: (() => void) | undefined; // undefined: it can only be looked at
  changed: () => void;
}

function Item({ judge: j, edit, changed }: Props): JSX.Element {
  const [asked, ask] = useState(false);
  const removing = useDoing();
  const remove = async () => {
    if (await removing.run(() => request(judgePath(j.name), { method: "DELETE" }))) changed();
  };
  const left = [
    j.total.given_up > 0 ? `${count(j.total.given_up)} given up` : "",
    j.total.nothing > 0 ? `${count(j.total.nothing)} without a score` : "",
    j.total.over > 0 ? `${count(j.total.over)} over the budget` : "",
  ].filter(Boolean);
  return (
    <li class="alert" aria-label={j.name}>
      <div class="alert-head">
        <strong class="ellipsis">{j.name}</strong>
        <span class={j.disabled ? "badge" : "badge badge-ok"}>{j.disabled ? "disabled" : j.kind}</span>
        <span class="alert-value">{count(j.total.judged)} judged</span>
        <span class="muted">{left.join(", ")}</span>
        <span class="spacer" />
        {edit && (
          <span class="actions">
            <button type="button" class="button quiet" aria-label={`Change ${j.name}`} onClick={edit}>
              Change
            </button>
            <button type="button" class="button quiet" aria-label={`Remove ${j.name}`} onClick={() => ask(true)}>
              Remove
            </button>
          </span>
        )}
      </div>
      <p class="muted small alert-more">
        {j.score.name} of {percent(j.sample)} of <code>{j.filter || "all traces"}</code>
        {j.model && ` by ${j.model}`}, today {count(j.today.calls)} of {count(j.max_calls_per_day)} calls
        {j.kind === "llm" && `, ${cost(j.today.cost)}`}
        {j.max_cost_per_day !== undefined && ` of ${cost(j.max_cost_per_day)}`}
      </p>
      {j.description && <p class="muted small plain">{j.description}</p>}
      {j.fault && <p class="bad small">{j.fault}</p>}
      {asked && (
        <Dialog title={`Remove ${j.name}?`} onClose={() => ask(false)}>
          <p>The scores that it gave stay.</p>
          {removing.error && <Failure error={removing.error} />}
          <p class="actions">
            <button type="button" class="button danger" disabled={removing.busy} onClick={() => void remove()}>
              Remove
            </button>
            <button type="button" class="button" onClick={() => ask(false)}>
              Cancel
            </button>
          </p>
        </Dialog>
      )}
    </li>
  );
}
