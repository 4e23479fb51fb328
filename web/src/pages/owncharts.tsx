import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { get, type Params, query as written } from "../api.ts";
import { link } from "../base.ts";
import { cost, count, duration, percent, scoreText, short } from "../format.ts";
import { change, previousOf, previousParams, shifted } from "../previous.ts";
import { between, type Range } from "../range.ts";
import { may, useSession } from "../signedin.ts";
import { along, axisOf, groups, listed, number, stats, stepFor } from "../stats.ts";
import { both } from "../terms.ts";
import type { Page, SavedChart, StatRow } from "../types.ts";
import { Failure } from "../ui/bits.tsx";
import { DataTable } from "../ui/datatable.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { type Line, TimeChart } from "../ui/timechart.tsx";
import { ChartForm } from "./chartform.tsx";
import { parts } from "./parts.ts";

interface Props {
  params: Params; // the filters and the time of the dashboard
  range: Range;
  asked: string; // changes when something else is asked for
  beside: boolean; // the period before is shown, too
}

/** OwnCharts are the charts that people of the project have made. */
export function OwnCharts({ params, range, asked, beside }: Props): JSX.Element {
  const { data, error, reload } = useLoad(signal => get<Page<SavedChart>>("/v1/charts", {}, signal), []);
  const [edited, edit] = useState<SavedChart | "new" | null>(null);
  const writes = may(useSession(), "ingest");
  return (
    <section aria-label="Own charts">
      <header class="own-head">
        <h2>Own charts</h2>
        <span class="spacer" />
        {writes && (
          <button type="button" class="button" onClick={() => edit("new")}>
            <Icon name="plus" /> Add a chart
          </button>
        )}
      </header>
      {error && <Failure error={error} again={reload} />}
      {data?.data.length === 0 && (
        <p class="muted">
          None yet. A chart is a question to statistics, such as the cost by user, for the time above.
        </p>
      )}
      <div class="cards">
        {data?.data.map(c => (
          <OwnChart
            key={c.name + c.updated_at}
            chart={c}
            params={params}
            range={range}
            asked={asked}
            beside={beside}
            edit={writes ? () => edit(c) : undefined}
          />
        ))}
      </div>
      {edited && (
        <ChartForm
          chart={edited === "new" ? undefined : edited}
          params={params}
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

/** Question is what a chart asks. */
interface Question {
  of: string;
  metric: string; // as rows have it
  by: string; // "": all together
  filters: Params;
}

/** readQuestion reads the question of a chart. */
export function readQuestion(question: string): Question {
  const { of, metrics, group_by, ...filters } = Object.fromEntries(new URLSearchParams(question));
  const metric = metrics || "count";
  return {
    of: of || "observations",
    metric: metric.startsWith('"') ? JSON.parse(metric) : metric,
    by: group_by ?? "",
    filters,
  };
}

/** formatOf writes the values of a metric. */
export function formatOf(metric: string): (v: number | null) => string {
  if (metric.startsWith("latency")) return duration;
  if (metric.startsWith("cost")) return cost;
  if (metric === "tokens") return short;
  if (metric === "error_rate") return percent;
  return metric.startsWith("score_avg") ? scoreText : count;
}

interface OneProps extends Props {
  chart: SavedChart;
  edit: (() => void) | undefined;
}

function OwnChart({ chart: c, params, range, asked, beside, edit }: OneProps): JSX.Element {
  const { of, metric, by, filters: own } = useMemo(() => readQuestion(c.question), [c.question]);
  const filters = { ...own, filter: both(String(params.filter ?? ""), String(own.filter ?? "")) || undefined };
  const { data, error, reload } = useLoad(
    async signal => {
      const question = { ...params, ...filters, of, metrics: listed(metric), group_by: by || undefined };
      const time = beside ? previousOf(range) : undefined;
      const then = time && { ...question, ...previousParams(time) };
      if (c.look === "table") {
        const rows = await stats(question, signal);
        return { step: null, rows, before: then && (await stats(then, signal)) };
      }
      const first = { path: `/v1/${of}`, by: of === "scores" ? "timestamp" : "start_time", params: filters };
      const step = await stepFor(range, first, signal);
      if (!step) return { step, rows: [] };
      const rows = await stats({ ...question, interval: step.name }, signal);
      if (!time || !then) return { step, rows };
      return { step, rows, before: shifted(await stats({ ...then, interval: step.name }, signal), time, range, step) };
    },
    [asked, c.question, c.look],
  );
  const watches = may(useSession(), "admin");
  const tools = (watches || edit) && (
    <>
      {watches && (
        <a
          class="icon-button"
          aria-label={`Alert on the chart ${c.name}`}
          title="Alert on this"
          href={link(`/alerts${written({ ask: c.question, of: c.name })}`)}
        >
          <Icon name="alerts" size={14} />
        </a>
      )}
      {edit && (
        <button type="button" class="icon-button" aria-label={`Change the chart ${c.name}`} onClick={edit}>
          <Icon name="settings" size={14} />
        </button>
      )}
    </>
  );
  if (error) {
    return (
      <section class="card" aria-label={c.name}>
        <h2>{c.name}</h2>
        <Failure error={error} again={reload} />
        {tools}
      </section>
    );
  }
  if (!data) return <section class="card chart-card" aria-label={c.name} aria-busy="true" />;
  const format = formatOf(metric);
  if (c.look === "table")
    return (
      <AsTable chart={c} rows={data.rows} before={data.before} by={by} metric={metric} format={format} tools={tools} />
    );
  const x = data.step ? axisOf(range, data.step, data.rows) : [];
  const lines = by
    ? parts(x, groups(data.rows, by, metric), metric, format).map(l => ({ ...l, kind: kindOf(c) }))
    : [{ label: metric, color: "--kind-agent", kind: kindOf(c), format, values: along(x, data.rows, metric, null) }];
  const then = data.before ? beforeLines(lines, x, data.before, by, metric, c.look === "bars") : [];
  return (
    <TimeChart
      title={c.name}
      x={x}
      bucket={(data.step?.ms ?? 0) / 1000}
      lines={[...lines, ...then]}
      stacked={c.look === "bars" && by !== ""}
      log={c.log ?? false}
      behind={(from, to) => link(`/${of}${written({ ...filters, ...between(from, to) })}`)}
      tools={tools}
    />
  );
}

// beforeLines are the same lines of the period before; bars, which stand on each other, have their sum.
function beforeLines(now: Line[], x: number[], rows: StatRow[], by: string, metric: string, bars: boolean): Line[] {
  const format = now[0]?.format ?? String;
  if (by && bars) {
    const sums = groups(rows, by, metric).map(g => along(x, g.rows, metric, 0));
    const values = x.map((_, i) => sums.reduce((t, v) => t + (v[i] ?? 0), 0));
    return [{ label: "before", color: "--muted", kind: "steps", before: true, format, values }];
  }
  return now
    .map((l): Line => {
      const of = by ? rows.filter(r => String(r[by] ?? "") === l.label) : rows;
      const values = along(x, of, metric, null);
      const kind = bars ? "steps" : "line";
      return { label: `${l.label} before`, color: by ? l.color : "--muted", kind, before: true, format, values };
    })
    .filter(l => l.values.some(v => v !== null));
}

const kindOf = (c: SavedChart): Line["kind"] => (c.look === "bars" ? "bars" : "line");

interface TableProps {
  chart: SavedChart;
  rows: StatRow[];
  before: StatRow[] | undefined; // of the period before
  by: string;
  metric: string;
  format: (v: number | null) => string;
  tools: JSX.Element | false | undefined;
}

function AsTable({ chart: c, rows, before, by, metric, format, tools }: TableProps): JSX.Element {
  const was = (r: StatRow): number | null => number(before?.find(b => !by || b[by] === r[by])?.[metric]);
  const told = (r: StatRow): string => {
    const changed = change(number(r[metric]), was(r));
    return changed ? `${changed.mark} ${changed.words}` : "–";
  };
  const sorted = [...rows].sort((a, b) => (number(b[metric]) ?? 0) - (number(a[metric]) ?? 0)).slice(0, 100);
  return (
    <section class="card chart-card" aria-label={c.name}>
      <header class="card-head">
        <h2>{c.name}</h2>
        <span class="spacer" />
        {tools}
      </header>
      <DataTable
        label={c.name}
        heads={[by || "all", metric, ...(before ? ["before", "change"] : [])]}
        rows={sorted.map(r => ({
          key: String(r[by]),
          cells: [
            by ? String(r[by] ?? "–") || "–" : "all",
            format(number(r[metric])),
            ...(before ? [format(was(r)), told(r)] : []),
          ],
        }))}
      />
    </section>
  );
}
