import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { count, fullTime, utc } from "../format.ts";
import { Chart, type Series } from "./chart.tsx";
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
export function TimeChart({ title, x, bucket, lines, stacked, total }: Props): JSX.Element {
  const [asTable, set] = useState(false);
  const values = useMemo(() => lines.map(l => l.values), [lines]);
  const y = useMemo(() => (stacked ? stack(values) : values), [values, stacked]);
  return (
    <section class="card chart-card" aria-label={title}>
      <header class="card-head">
        <h2>{title}</h2>
        {total && <span class="card-total">{total}</span>}
        <span class="spacer" />
        {x.length > 0 && (
          <button type="button" class="button quiet" aria-pressed={asTable} onClick={() => set(!asTable)}>
            Table
          </button>
        )}
      </header>
      {x.length === 0 ? (
        <p class="card-none muted">Nothing in this time</p>
      ) : asTable ? (
        <Numbers title={title} x={x} lines={lines} />
      ) : (
        <Chart
          label={`${title}${total ? `: ${total}` : ""}. The button Table shows the numbers.`}
          x={x}
          y={y}
          values={values}
          series={lines}
          height={HEIGHT}
          whole={lines.every(l => l.format === count)}
          bucket={bucket}
          onSelect={brush}
        />
      )}
      {lines.length > 1 && x.length > 0 && (
        <ul class="legend">
          {lines.map(l => (
            <li key={l.label}>
              <i style={{ background: `var(${l.color})` }} />
              <span class="ellipsis">{l.label}</span>
              {l.total && <span class="muted">{l.total}</span>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Numbers({ title, x, lines }: { title: string; x: number[]; lines: Line[] }): JSX.Element {
  const heads = ["Time", ...lines.map(l => l.label)];
  const rows = x
    .map((seconds, i) => {
      const iso = new Date(seconds * 1000).toISOString();
      const time = (
        <time dateTime={iso} title={utc(iso)}>
          {fullTime(iso)}
        </time>
      );
      return { key: iso, cells: [time, ...lines.map(l => l.format(l.values[i] ?? null))] };
    })
    .reverse();
  return (
    <div class="chart-numbers">
      <DataTable label={title} heads={heads} rows={rows} />
    </div>
  );
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
