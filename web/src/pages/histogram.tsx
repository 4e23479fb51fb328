import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Params } from "../api.ts";
import { count, counted } from "../format.ts";
import { type Range, statParams } from "../range.ts";
import { along, axisOf, stats, stepFor } from "../stats.ts";
import { Chart, type Series } from "../ui/chart.tsx";
import { useLoad } from "../ui/load.ts";
import { brush } from "../ui/timerange.tsx";

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
  { label: "failed", color: "--error-bar", kind: "bars", format: v => count(v) },
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
        label={`${counted(total, "trace")} over time; drag to look closer, or use the time picker`}
        x={data.x}
        y={y}
        series={series}
        height={76}
        axes={false}
        bucket={data.seconds}
        onSelect={brush}
      />
    </div>
  );
}

async function load(params: Params, range: Range, signal: AbortSignal): Promise<Buckets> {
  const step = await stepFor(range, { path: "/v1/traces", by: "start_time", params }, signal);
  if (!step) return { x: [], all: [], failed: [], seconds: 0 };
  const asked = { ...params, ...statParams(range), of: "traces", metrics: "count,error_rate", interval: step.name };
  const rows = await stats(asked, signal);
  const x = axisOf(range, step, rows);
  const all = along(x, rows, "count", 0).map(n => n ?? 0);
  const share = along(x, rows, "error_rate", 0);
  return { x, all, failed: all.map((n, i) => Math.round(n * (share[i] ?? 0))), seconds: step.ms / 1000 };
}
