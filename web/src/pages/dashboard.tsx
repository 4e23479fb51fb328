import type { JSX } from "preact";
import { type Params, query as written } from "../api.ts";
import { useAsked } from "../asked.ts";
import { link } from "../base.ts";
import { dashboardFields } from "../filters.ts";
import { cost, count, duration, percent, short } from "../format.ts";
import { change, points, previousOf, previousParams, shifted } from "../previous.ts";
import { between, type Range, rangeParams } from "../range.ts";
import { setQuery } from "../router.ts";
import { along, axisOf, groups, number, type Step, stats, stepFor, sum } from "../stats.ts";
import type { StatRow } from "../types.ts";
import { Failure, PageHead, Spinner } from "../ui/bits.tsx";
import { type Tile, Tiles } from "../ui/datatable.tsx";
import { FilterBar, filterError } from "../ui/filterbar.tsx";
import { useLoad } from "../ui/load.ts";
import { Nothing } from "../ui/nothing.tsx";
import { type Line, TimeChart } from "../ui/timechart.tsx";
import { TimeRange } from "../ui/timerange.tsx";
import { Budgets } from "./budgets.tsx";
import { EnvironmentTable, ModelTable } from "./dashboardtables.tsx";
import { OwnCharts } from "./owncharts.tsx";
import { parts } from "./parts.ts";

const METRICS = "count,error_rate,latency_p50,latency_p95,latency_p99,tokens,cost,unpriced_count";
const PARTS = "cost_input,cost_cached,cost_output"; // of observations, for those who save the table

interface Before {
  range: { from: Date; to: Date };
  total: StatRow | undefined; // of all traces of that time
  over: StatRow[]; // traces over time, beside the buckets of now
  observationsOver: StatRow[];
}

interface Answers {
  step: Step;
  before: Before | undefined;
  total: StatRow; // of all traces
  over: StatRow[]; // traces over time
  models: StatRow[]; // observations by model
  modelsOver: StatRow[]; // the same over time
  environments: StatRow[]; // traces by environment
  environmentsOver: StatRow[];
}

/** DashboardPage shows volume, errors, latency, tokens and cost of the time looked at. */
export function DashboardPage(): JSX.Element {
  const { query, range, params, key, reload } = useAsked(dashboardFields);
  const beside = query.get("beside") === "previous" && range.from !== undefined;
  const { data, error, busy } = useLoad(signal => ask(params, range, beside, signal), [key, beside]);
  return (
    <div class="page">
      <PageHead title="Dashboard">
        <span class="spacer" />
        <button
          type="button"
          class="button"
          aria-pressed={beside}
          disabled={range.from === undefined}
          title={
            range.from === undefined
              ? "All time has nothing before it"
              : "Show the time before, as long as this one, beside it"
          }
          onClick={() => setQuery({ beside: beside ? undefined : "previous" })}
        >
          Previous period
        </button>
        <TimeRange range={range} />
      </PageHead>
      <Budgets />
      <FilterBar query={query} fields={dashboardFields} range={rangeParams(range)} error={error} />
      {error && !filterError(error) && <Failure error={error} again={reload} />}
      {(data === undefined || (data === null && busy)) && !error && <Spinner />}
      {data === null && !busy && <Nothing what="traces" icon="dashboard" fields={dashboardFields} range={range} />}
      {data && (
        <div class={busy ? "stale" : ""} aria-busy={busy}>
          <Shown answers={data} range={range} params={params} />
          <OwnCharts params={params} range={range} asked={`${key} ${beside}`} beside={beside} />
        </div>
      )}
    </div>
  );
}

// ask is null when there is no trace at all in this time.
async function ask(params: Params, range: Range, beside: boolean, signal: AbortSignal): Promise<Answers | null> {
  const traces = { ...params, of: "traces", metrics: METRICS };
  const observations = { ...params, of: "observations", metrics: `${METRICS},${PARTS}` };
  const [total] = await stats(traces, signal);
  if (!total || !number(total.count)) return null;
  const step = await stepFor(range, { path: "/v1/traces", by: "start_time", params }, signal);
  if (!step) return null;
  const interval = step.name;
  // Two at a time: on a small machine all at once take longer for each
  const [over, models] = await Promise.all([
    stats({ ...traces, interval }, signal),
    stats({ ...observations, group_by: "model" }, signal),
  ]);
  const [modelsOver, environments] = await Promise.all([
    stats({ ...params, of: "observations", metrics: "cost,tokens", group_by: "model", interval }, signal),
    stats({ ...traces, group_by: "environment" }, signal),
  ]);
  const environmentsOver = await stats(
    { ...params, of: "traces", metrics: "count,cost", group_by: "environment", interval },
    signal,
  );
  const before = beside ? await askBefore(params, range, step, signal) : undefined;
  return { step, before, total, over, models, modelsOver, environments, environmentsOver };
}

async function askBefore(params: Params, range: Range, step: Step, signal: AbortSignal): Promise<Before | undefined> {
  const time = previousOf(range);
  if (!time) return undefined;
  const traces = { ...params, ...previousParams(time), of: "traces", metrics: METRICS };
  const observations = { ...traces, of: "observations", metrics: "cost,tokens", interval: step.name };
  const [[total], over] = await Promise.all([stats(traces, signal), stats({ ...traces, interval: step.name }, signal)]);
  const observationsOver = await stats(observations, signal);
  const beside = (rows: StatRow[]) => shifted(rows, time, range, step);
  return { range: time, total, over: beside(over), observationsOver: beside(observationsOver) };
}

const failed = (r: StatRow): number => Math.round((number(r.count) ?? 0) * (number(r.error_rate) ?? 0));

function Shown({ answers: a, range, params }: { answers: Answers; range: Range; params: Params }): JSX.Element {
  const behind = (from: number, to: number) => link(`/traces${written({ ...params, ...between(from, to) })}`);
  // Observations may begin in a time in which no trace does
  const x = axisOf(range, a.step, [...a.over, ...a.modelsOver, ...a.environmentsOver]);
  const bucket = a.step.ms / 1000;
  const n = number(a.total.count) ?? 0;
  const before = (rows: StatRow[] | undefined, metric: string, format: Line["format"], empty: number | null = 0) =>
    rows ? [beforeLine(x, rows, metric, format, empty)] : [];
  return (
    <>
      <Tiles tiles={tilesOf(a)} />
      <div class="cards">
        <TimeChart
          behind={behind}
          title="Traces"
          total={count(n)}
          x={x}
          bucket={bucket}
          lines={[...volume(x, a.over), ...before(a.before?.over, "count", count)]}
          stacked
        />
        <TimeChart behind={behind} title="Latency" x={x} bucket={bucket} lines={latency(x, a.over, a.before?.over)} />
        <TimeChart
          behind={behind}
          title="Cost by model"
          total={cost(sum(a.models, "cost"))}
          x={x}
          bucket={bucket}
          lines={[
            ...parts(x, groups(a.modelsOver, "model", "cost"), "cost", cost),
            ...before(a.before?.observationsOver, "cost", cost),
          ]}
          stacked
        />
        <TimeChart
          behind={behind}
          title="Tokens by model"
          total={short(sum(a.models, "tokens"))}
          x={x}
          bucket={bucket}
          lines={[
            ...parts(x, groups(a.modelsOver, "model", "tokens"), "tokens", short),
            ...before(a.before?.observationsOver, "tokens", short),
          ]}
          stacked
        />
        <TimeChart
          behind={behind}
          title="Cost by environment"
          total={cost(sum(a.environments, "cost"))}
          x={x}
          bucket={bucket}
          lines={[
            ...parts(x, groups(a.environmentsOver, "environment", "cost"), "cost", cost),
            ...before(a.before?.over, "cost", cost),
          ]}
          stacked
        />
        <TimeChart
          behind={behind}
          title="Failed traces"
          total={percent(number(a.total.error_rate))}
          x={x}
          bucket={bucket}
          lines={[
            {
              label: "share",
              color: "--error-bar",
              kind: "bars",
              format: percent,
              values: along(x, a.over, "error_rate", null),
            },
            ...before(a.before?.over, "error_rate", percent, null),
          ]}
        />
      </div>
      <div class="cards cards-wide">
        <ModelTable rows={a.models} />
        <EnvironmentTable rows={a.environments} />
      </div>
    </>
  );
}

function volume(x: number[], rows: StatRow[]): Line[] {
  const bad = along(x, rows, failed, 0);
  const good = along(x, rows, r => (number(r.count) ?? 0) - failed(r), 0);
  const all = (v: (number | null)[]) => short(v.reduce<number>((t, n) => t + (n ?? 0), 0));
  return [
    { label: "not failed", color: "--bar", kind: "bars", format: count, values: good, total: all(good) },
    { label: "failed", color: "--error-bar", kind: "bars", format: count, values: bad, total: all(bad) },
  ];
}

function latency(x: number[], rows: StatRow[], before: StatRow[] | undefined): Line[] {
  const names: [string, string, string][] = [
    ["p50", "latency_p50", "--kind-agent"],
    ["p95", "latency_p95", "--kind-tool"],
    ["p99", "latency_p99", "--kind-generation"],
  ];
  const now = names.map(
    ([label, metric, color]): Line => ({
      label,
      color,
      kind: "line",
      format: duration,
      values: along(x, rows, metric, null),
    }),
  );
  const then = now.map((l, i) => ({
    ...l,
    label: `${l.label} before`,
    before: true,
    values: along(x, before ?? [], names[i]![1], null),
  }));
  return before ? [...now, ...then] : now;
}

// beforeLine goes over the bars of now; empty is what stands where nothing was.
function beforeLine(x: number[], rows: StatRow[], metric: string, format: Line["format"], empty: number | null): Line {
  const values = along(x, rows, metric, empty);
  return { label: "before", color: "--muted", kind: "steps", before: true, format, values };
}

function tilesOf({ total, models, before }: Answers): Tile[] {
  const is = (metric: string) => number(total[metric]);
  const was = (metric: string) => (before?.total ? number(before.total[metric]) : null);
  const n = is("count") ?? 0;
  const unpriced = is("unpriced_count") ?? 0;
  const calls = sum(
    models.filter(r => r.model),
    "count",
  );
  const told = (
    metric: string,
    format: (v: number | null) => string,
    of: (now: number | null, before: number | null) => ReturnType<typeof change>,
  ): Tile["change"] => {
    if (!before) return undefined;
    const changed = of(is(metric), was(metric));
    return changed ? { ...changed, before: format(was(metric)) } : { mark: "", words: "nothing before", before: "–" };
  };
  return [
    { title: "Traces", value: short(n), more: `${short(calls)} model calls`, change: told("count", count, change) },
    {
      title: "Failed traces",
      value: percent(is("error_rate")),
      more: count(failed(total)),
      change: told("error_rate", percent, points),
    },
    {
      title: "Latency p50",
      value: duration(is("latency_p50")),
      more: `p95 ${duration(is("latency_p95"))}, p99 ${duration(is("latency_p99"))}`,
      change: told("latency_p50", duration, (now, then) => change(now, then, { more: "longer", less: "shorter" })),
    },
    {
      title: "Tokens",
      value: short(is("tokens")),
      more: `${short(Math.round((is("tokens") ?? 0) / n))} per trace`,
      change: told("tokens", short, change),
    },
    {
      title: "Cost",
      value: cost(is("cost")),
      more: `${cost((is("cost") ?? 0) / n)} per trace${unpriced > 0 ? `, ${short(unpriced)} calls without a price` : ""}`,
      change: told("cost", cost, change),
    },
  ];
}
