import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { count, counted } from "../format.ts";
import { intervalFor, type Range, statParams } from "../range.ts";
import { along, axisOf, stats } from "../stats.ts";
import { Failure } from "../ui/bits.tsx";
import { Chart, type Series } from "../ui/chart.tsx";
import { useLoad } from "../ui/load.ts";
import { brush } from "../ui/timerange.tsx";

const DAY = 86_400_000;

interface Stored {
  x: number[]; // seconds
  y: number[];
  seconds: number;
  types: { name: string; count: number }[]; // most first
}

const series: Series[] = [{ label: "events", color: "--bar", kind: "bars", format: v => count(v) }];

/** EventsOverTime shows how many events are stored, by the time they carry, and of which types. */
export function EventsOverTime({ range }: { range: Range }): JSX.Element {
  const { data, error, reload } = useLoad(signal => load(range, signal), [range]);
  const y = useMemo(() => [data?.y ?? []], [data]);
  const total = data?.types.reduce((sum, t) => sum + t.count, 0) ?? 0;
  return (
    <section aria-labelledby="audit-time">
      <h2 id="audit-time">Events stored</h2>
      {error && <Failure error={error} again={reload} />}
      <div class="card audit-time">
        <p class="muted small">
          {data ? `${counted(total, "event")}, by the time that their sender gave them` : "Counting the events"}
        </p>
        <div class="audit-chart">
          {data && data.x.length > 0 && (
            <Chart
              label={`${counted(total, "event")} over time; drag to look closer, or use the time picker`}
              x={data.x}
              y={y}
              series={series}
              height={140}
              bucket={data.seconds}
              onSelect={brush}
            />
          )}
        </div>
        <ul class="audit-types">
          {data?.types.map(t => (
            <li key={t.name}>
              <code>{t.name}</code> <span class="muted">{count(t.count)}</span>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

async function load(range: Range, signal: AbortSignal): Promise<Stored> {
  const to = range.to?.getTime() ?? Date.now();
  const from = range.from?.getTime();
  const step = from === undefined ? { name: "1d", ms: DAY } : intervalFor(from, to);
  const asked = { of: "events", metrics: "count", ...statParams(range) };
  const [times, types] = await Promise.all([
    stats({ ...asked, interval: step.name }, signal),
    stats({ ...asked, group_by: "event_type" }, signal),
  ]);
  const x = axisOf(range, step, times);
  return {
    x,
    y: along(x, times, "count", 0).map(n => n ?? 0),
    seconds: step.ms / 1000,
    types: types.map(r => ({ name: String(r.event_type), count: Number(r.count) })).sort((a, b) => b.count - a.count),
  };
}
