import type { JSX } from "preact";
import { link } from "../base.ts";
import { compareExperiments, written } from "../dataset/api.ts";
import { cost, count, counted, duration } from "../format.ts";
import { setQuery, usePlace } from "../router.ts";
import type { ComparedExperiments, ComparedItem, Experiment, ExperimentResult, ScoreChange } from "../types.ts";
import { Failure, PageHead, Spinner } from "../ui/bits.tsx";
import { Card, DataTable } from "../ui/datatable.tsx";
import { useLoad } from "../ui/load.ts";
import { Experiments } from "./experimentlist.tsx";
import { Pager } from "./pager.tsx";

/** ExperimentsPage lists all experiments, or lays two beside each other: /experiments?a=ID&b=ID. */
export function ExperimentsPage(): JSX.Element {
  const { query } = usePlace();
  const [a, b] = [query.get("a"), query.get("b")];
  return (
    <div class="page dataset-page">
      <PageHead title={a && b ? "Compare two experiments" : "Experiments"}>
        <span class="spacer" />
        {a && b && (
          <button type="button" class="button" onClick={() => setQuery({ a: b, b: a, page: undefined })}>
            Swap
          </button>
        )}
        <a class="button" href={link("/datasets")}>
          Datasets
        </a>
      </PageHead>
      {a && b ? <Both a={a} b={b} /> : <Experiments dataset="" />}
    </div>
  );
}

const PER_PAGE = 50;

function Both({ a, b }: { a: string; b: string }): JSX.Element {
  const { query } = usePlace();
  const change = query.get("change") ?? "";
  const page = Math.max(1, Number(query.get("page")) || 1);
  const { data, error, reload } = useLoad(
    signal => compareExperiments({ a, b, change, page: String(page) }, signal),
    [a, b, change, page],
  );
  if (error) return <Failure error={error} again={reload} />;
  if (!data) return <Spinner />;
  return (
    <>
      <Which data={data} />
      <Scores data={data} />
      <Rows data={data} change={change} page={page} />
    </>
  );
}

function Which({ data }: { data: ComparedExperiments }): JSX.Element {
  const side = (name: string, x: Experiment) => (
    <div class="card tile experiment-tile">
      <dt>{name}</dt>
      <dd>
        <strong>{x.name}</strong>
        <span class="muted small mono">{x.id}</span>
        <span class="muted small">
          {x.status}
          {x.dataset_version > 0 && `, version ${x.dataset_version} of the dataset`}
        </span>
        {x.metadata && <code class="small">{written(x.metadata)}</code>}
      </dd>
    </div>
  );
  return (
    <dl class="tiles">
      {side("A", data.a)}
      {side("B", data.b)}
    </dl>
  );
}

/** verdict is whether a difference is more than noise, in words. */
export function verdict(s: ScoreChange): string {
  if (!s.significant) return "no more than noise";
  return s.difference > 0 ? "B is better" : "B is worse";
}

const signed = (n: number): string => `${n > 0 ? "+" : n < 0 ? "−" : "±"}${Math.abs(n).toFixed(4)}`;

function Scores({ data }: { data: ComparedExperiments }): JSX.Element {
  return (
    <Card title="Scores">
      <DataTable
        label="Scores of both"
        heads={["Score", "A", "B", "B − A", "95 %", "p", "Items", "Better", "Worse", "Verdict"]}
        rows={data.scores.map(s => ({
          key: s.name,
          cells: [
            s.name,
            s.mean_a.toFixed(4),
            s.mean_b.toFixed(4),
            signed(s.difference),
            `${signed(s.low)} to ${signed(s.high)}`,
            s.p.toFixed(4),
            count(s.n),
            count(s.better),
            count(s.worse),
            <strong key="v" class={s.significant ? (s.difference > 0 ? "is-better" : "is-worse") : "muted"}>
              {verdict(s)}
            </strong>,
          ],
        }))}
      />
      <p class="muted small">
        Over the items that have the score in both; of several tries of an item the mean. The interval is of a paired
        bootstrap, p of signs that are flipped at random.
      </p>
    </Card>
  );
}

const changes: [string, string][] = [
  ["", "All items"],
  ["worse", "Worse"],
  ["better", "Better"],
  ["mixed", "Mixed"],
  ["same", "The same"],
  ["only_a", "Only in A"],
  ["only_b", "Only in B"],
];
const words = (change: string): string => changes.find(([c]) => c === change)?.[1] ?? change;

function Rows({ data, change, page }: { data: ComparedExperiments; change: string; page: number }): JSX.Element {
  return (
    <Card
      title="Items"
      total={counted(data.total, "item")}
      actions={
        <label>
          <span class="visually-hidden">Which items</span>
          <select
            value={change}
            onChange={e => setQuery({ change: e.currentTarget.value || undefined, page: undefined })}
          >
            {changes.map(([c, title]) => (
              <option key={c} value={c}>
                {title}
                {c ? ` (${count(data.counts[c] ?? 0)})` : ""}
              </option>
            ))}
          </select>
        </label>
      }
    >
      <DataTable
        label="Items of both"
        class="dataset-items"
        heads={["Item", "Change", "Input", "A", "B"]}
        rows={data.rows.map(r => ({ key: r.item_id, cells: cells(r) }))}
      />
      <Pager
        page={page}
        pages={Math.ceil(data.total / PER_PAGE)}
        go={p => setQuery({ page: p > 1 ? String(p) : undefined })}
      />
    </Card>
  );
}

function cells(r: ComparedItem): (JSX.Element | string)[] {
  return [
    <code key="id">{r.item_id}</code>,
    <span key="change" class={r.change === "better" ? "is-better" : r.change === "worse" ? "is-worse" : ""}>
      {words(r.change)}
    </span>,
    <span key="in" class="dataset-value">
      {r.a?.input_preview || r.b?.input_preview || ""}
    </span>,
    <Side key="a" of={r.a} />,
    <Side key="b" of={r.b} />,
  ];
}

function Side({ of }: { of: ExperimentResult | null }): JSX.Element {
  if (!of) return <span class="muted">–</span>;
  const about = [duration(of.latency_ms), of.total_cost === null ? "" : cost(of.total_cost)].filter(Boolean).join(", ");
  return (
    <div class="experiment-side">
      <span class="experiment-scores">
        {Object.entries(of.scores)
          .sort()
          .map(([name, v]) => (
            <span key={name}>
              {name} {Number(v.toFixed(4))}
            </span>
          ))}
      </span>
      <span class="dataset-value">{of.status === "error" ? "failed" : of.output_preview}</span>
      <a class="small" href={link(`/traces/${encodeURIComponent(of.trace_id)}`)}>
        Trace
      </a>{" "}
      <span class="muted small">{about}</span>
    </div>
  );
}
