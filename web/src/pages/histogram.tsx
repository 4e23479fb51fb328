import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { get, type Params } from "../api.ts";
import { count } from "../format.ts";
import { intervalFor, type Range } from "../range.ts";
import type { Page, StatRow, TraceSummary } from "../types.ts";
import { Chart, type Series } from "../ui/chart.tsx";
import { useLoad } from "../ui/load.ts";
import { setFixed } from "../ui/timerange.tsx";

interface Props {
  params: Params; // filters, and from and to as they were asked
  range: Range;
  turn: number; // another number asks again
  wait: boolean; // the rows come first: on a small machine both at once take longer for either
}

interface Buckets {
  x: number[];
  all: number[];
  failed: number[];
  seconds: number;
}

const series: Series[] = [
  { label: "traces", color: "--bar", kind: "bars", format: v => count(v) },
  { label: "with errors", color: "--error-bar", kind: "bars", format: v => count(v) },
];

/** Histogram counts traces over the time looked at; dragging over it looks closer. */
export function Histogram({ params, range, turn, wait }: Props): JSX.Element {
  const key = JSON.stringify(params);
  const { data } = useLoad(
    signal => (wait ? new Promise<Buckets>(() => {}) : load(params, range, signal)),
    [key, turn, wait],
  );
  const y = useMemo(() => (data ? [data.all, data.failed] : [[], []]), [data]);
  const total = data?.all.reduce((a, b) => a + b, 0) ?? 0;
  if (!data || data.x.length === 0) return <div class="histogram" />;
  return (
    <div class="histogram">
      <Chart
        label={`${count(total)} traces over time; drag to look closer, or use the time picker`}
        x={data.x}
        y={y}
        series={series}
        height={76}
        axes={false}
        bucket={data.seconds}
        onSelect={(from, to) => setFixed(new Date(from * 1000), new Date(to * 1000))}
      />
    </div>
  );
}

async function load(params: Params, range: Range, signal: AbortSignal): Promise<Buckets> {
  const to = range.to?.getTime() ?? Date.now();
  let from = range.from?.getTime();
  if (from === undefined) {
    const first = await get<Page<TraceSummary>>("/v1/traces", { ...params, sort: "start_time", limit: "1" }, signal);
    const start = first.data[0]?.start_time;
    if (!start) return { x: [], all: [], failed: [], seconds: 0 };
    from = Date.parse(start);
  }
  const step = intervalFor(from, to);
  const asked = { ...params, of: "traces", metrics: "count,error_rate", interval: step.name };
  const page = await get<Page<StatRow>>("/v1/stats", asked, signal);
  const found = new Map(page.data.map(r => [Date.parse(String(r.time)), r]));
  const out: Buckets = { x: [], all: [], failed: [], seconds: step.ms / 1000 };
  // Years of days do not fit: then only days that have something are shown.
  const many = (to - from) / step.ms > 2000;
  const times = many ? [...found.keys()] : every(Math.floor(from / step.ms) * step.ms, to, step.ms);
  for (const t of times) {
    const n = Number(found.get(t)?.count ?? 0);
    out.x.push(t / 1000);
    out.all.push(n);
    out.failed.push(Math.round(n * Number(found.get(t)?.error_rate ?? 0)));
  }
  return out;
}

function every(from: number, to: number, step: number): number[] {
  const out: number[] = [];
  for (let t = from; t < to; t += step) out.push(t);
  return out;
}
