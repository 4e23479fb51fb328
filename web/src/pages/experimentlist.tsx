import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { query as address } from "../api.ts";
import { link } from "../base.ts";
import { getExperiment, listExperiments } from "../dataset/api.ts";
import { count } from "../format.ts";
import type { Experiment } from "../types.ts";
import { Empty, Failure, Spinner, Time } from "../ui/bits.tsx";
import { Card, DataTable } from "../ui/datatable.tsx";
import { useLoad } from "../ui/load.ts";
import { Pager } from "./pager.tsx";

/** Experiments are those over a dataset, or all of the project: what came of each, and two of them to compare. */
export function Experiments({ dataset }: { dataset: string }): JSX.Element {
  const [page, go] = useState(1);
  const { data, error, reload } = useLoad(signal => listExperiments(dataset, page, signal), [dataset, page]);
  const [chosen, choose] = useState<string[]>([]);
  const [b, a] = chosen; // the one that was chosen last is held against the one before
  const total = data?.meta.pagination.total ?? 0;
  const toggle = (id: string) =>
    choose(old => (old.includes(id) ? old.filter(x => x !== id) : [id, ...old].slice(0, 2)));
  return (
    <Card
      title="Experiments"
      total={data ? count(total) : ""}
      actions={
        a && b ? (
          <a class="button primary" href={link(`/experiments${address({ a, b })}`)}>
            Compare these two
          </a>
        ) : (
          <span class="muted small">{total > 1 ? "Choose two to compare them" : ""}</span>
        )
      }
    >
      {error && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {data && total === 0 && (
        <Empty icon="datasets" title="No experiments yet">
          <p>
            Package <code>brokleeval</code> runs a task over a dataset in <code>go test</code>, and so do Brokle’s other
            clients.
          </p>
        </Empty>
      )}
      {data && total > 0 && (
        <DataTable
          label="Experiments"
          class="texts"
          heads={["Name", "", "Status", "Version", "Results", "Scores (95 %)", "Began"]}
          rows={data.data.map(x => ({ key: x.id, cells: cells(x, chosen.includes(x.id), () => toggle(x.id)) }))}
        />
      )}
      <Pager page={page} pages={Math.ceil(total / 20)} go={go} />
    </Card>
  );
}

function cells(x: Experiment, chosen: boolean, toggle: () => void): (JSX.Element | string | number)[] {
  return [
    <a key="name" href={link(`/traces${address({ tag: `experiment:${x.id}`, range: "all" })}`)} title="Its traces">
      {x.name}
    </a>,
    <input key="choose" type="checkbox" aria-label={`Compare ${x.name}, ${x.id}`} checked={chosen} onChange={toggle} />,
    x.status,
    x.dataset_version || "–",
    <Came key="came" id={x.id} what="results" />,
    <Came key="scores" id={x.id} what="scores" />,
    <Time key="at" at={x.created_at} />,
  ];
}

// Came is what came of an experiment. Both cells of a row ask, and the browser answers the second from the first.
function Came({ id, what }: { id: string; what: "results" | "scores" }): JSX.Element {
  const { data, error } = useLoad(signal => shared(id, signal), [id]);
  if (error) return <span title={error.message}>–</span>;
  if (!data) return <span class="muted">…</span>;
  if (what === "results")
    return (
      <span>
        {count(data.results)}
        {data.errors > 0 && ` (${count(data.errors)} failed)`}
      </span>
    );
  return (
    <span class="experiment-scores">
      {data.summary.map(s => (
        <span key={s.name} title={`${s.low.toFixed(4)} to ${s.high.toFixed(4)}, of ${s.n}`}>
          {s.name} {s.mean.toFixed(3)} ± {((s.high - s.low) / 2).toFixed(3)}
        </span>
      ))}
    </span>
  );
}

// shared asks once for what two cells of a row want at the same time.
const asking = new Map<string, ReturnType<typeof getExperiment>>();
function shared(id: string, _signal: AbortSignal): ReturnType<typeof getExperiment> {
  const is = asking.get(id);
  if (is) return is;
  const asked = getExperiment(id).finally(() => asking.delete(id));
  asking.set(id, asked);
  return asked;
}
