import type { ComponentChildren, JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { count, fullTime, utc } from "../format.ts";
import { navigate } from "../router.ts";
import { Chart, type Series, Swatch } from "./chart.tsx";
import { DataTable } from "./datatable.tsx";
import { brush } from "./timerange.tsx";

/** Line is one series with its values, one for each x. */
export interface Line extends Series {
  values: (number | null)[];
  total?: string; // of the whole time, said in the legend
}

interface Props {
  title: string;
  x: number[]; // seconds
  bucket: number; // seconds
  lines: Line[];
  stacked?: boolean; // bars stand on one another
  total?: string; // said beside the title
  log?: boolean; // the axis is logarithmic at first
  behind?: (from: number, to: number) => string; // the address of what a bucket counts, in seconds
  tools?: ComponentChildren; // beside the title
}

/** colours of series that have no meaning of their own; the style sheet has them for light and dark. */
export const colours = [
  "--kind-agent",
  "--kind-tool",
  "--kind-retrieval",
  "--kind-generation",
  "--kind-event",
  "--kind-embedding",
  "--kind-span",
];

const HEIGHT = 168;

/** TimeChart is a chart over time with title and legend, and the same numbers as a table. */
export function TimeChart(props: Props): JSX.Element {
  const { title, x, bucket, lines, stacked, total, behind } = props;
  const [asTable, set] = useState(false);
  const [hidden, hide] = useState<Set<string>>(new Set());
  const [near, setNear] = useState(false); // the axis ends where most values do
  const [log, setLog] = useState(props.log ?? false);
  const shown = useMemo(() => lines.filter(l => !hidden.has(l.label)), [lines, hidden]);
  const values = useMemo(() => shown.map(l => l.values), [shown]);
  const y = useMemo(() => (stacked ? stackOf(shown) : values), [shown, values, stacked]);
  const most = useMemo(() => usual(y), [y]);
  const toggle = (label: string) => {
    const next = new Set(hidden);
    if (!next.delete(label)) next.add(label);
    if (next.size < lines.length) hide(next); // one is always left
  };
  return (
    <section class="card chart-card" aria-label={title}>
      <header class="card-head">
        <h2>{title}</h2>
        {total && <span class="card-total">{total}</span>}
        <span class="spacer" />
        {x.length > 0 && !asTable && !stacked && (
          <button
            type="button"
            class="button quiet"
            aria-pressed={log}
            title="A logarithmic axis"
            onClick={() => setLog(!log)}
          >
            Log
          </button>
        )}
        {most !== null && !asTable && !log && (
          <button
            type="button"
            class="button quiet"
            aria-pressed={near}
            title="End the axis where most values do"
            onClick={() => setNear(!near)}
          >
            Cut
          </button>
        )}
        {x.length > 0 && (
          <button type="button" class="button quiet" aria-pressed={asTable} onClick={() => set(!asTable)}>
            Table
          </button>
        )}
        {props.tools}
      </header>
      {x.length === 0 ? (
        <p class="card-none muted">Nothing in this time</p>
      ) : asTable ? (
        <Numbers title={title} x={x} bucket={bucket} lines={shown} behind={behind} />
      ) : (
        <Chart
          label={`${title}${total ? `: ${total}` : ""}. The button Table shows the numbers.`}
          x={x}
          y={y}
          values={values}
          series={shown}
          height={HEIGHT}
          whole={lines.every(l => l.format === count)}
          bucket={bucket}
          log={log && !stacked}
          {...(near && most !== null ? { most } : {})}
          onSelect={brush}
          {...(behind ? { onBucket: (from: number) => navigate(behind(from, from + bucket)) } : {})}
        />
      )}
      {lines.length > 1 && x.length > 0 && (
        <ul class="legend">
          {lines.map(l => (
            <li key={l.label}>
              <button type="button" aria-pressed={!hidden.has(l.label)} onClick={() => toggle(l.label)}>
                <Swatch of={l} />
                <span class="ellipsis">{l.label}</span>
                {l.total && <span class="muted">{l.total}</span>}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** usual is where an axis would end without the few values that are far beyond all others; null when there are none. */
export function usual(y: (number | null)[][]): number | null {
  const all = (y[0] ?? []).map((_, i) => Math.max(0, ...y.map(values => values[i] ?? 0))).filter(v => v > 0);
  if (all.length < 4) return null;
  all.sort((a, b) => a - b);
  const end = all[Math.floor((all.length - 1) * 0.9)]!;
  return all[all.length - 1]! > 3 * end ? end * 1.25 : null;
}

interface NumbersProps extends Pick<Props, "title" | "x" | "bucket" | "lines"> {
  behind: Props["behind"] | undefined;
}

function Numbers({ title, x, bucket, lines, behind }: NumbersProps): JSX.Element {
  const heads = ["Time", ...lines.map(l => l.label)];
  const rows = x
    .map((seconds, i) => {
      const iso = new Date(seconds * 1000).toISOString();
      const time = (
        <time dateTime={iso} title={utc(iso)}>
          {fullTime(iso)}
        </time>
      );
      const named = behind ? <a href={behind(seconds, seconds + bucket)}>{time}</a> : time;
      return { key: iso, cells: [named, ...lines.map(l => l.format(l.values[i] ?? null))] };
    })
    .reverse();
  return (
    <div class="chart-numbers">
      <DataTable label={title} heads={heads} rows={rows} />
    </div>
  );
}

// stackOf stacks what is of now; what was before stands beside it.
function stackOf(lines: Line[]): (number | null)[][] {
  const now = stack(lines.filter(l => !l.before).map(l => l.values));
  return lines.map(l => (l.before ? l.values : now.shift()!));
}

// stack puts each list on top of those behind it: the first is the whole
// height and is drawn first, the last stands on the ground.
function stack(values: (number | null)[][]): number[][] {
  const out: number[][] = [];
  for (let i = values.length - 1; i >= 0; i--) {
    const below = out[0];
    out.unshift(values[i]!.map((v, at) => (v ?? 0) + (below?.[at] ?? 0)));
  }
  return out;
}
