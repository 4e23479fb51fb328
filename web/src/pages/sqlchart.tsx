import type { JSX } from "preact";
import { count } from "../format.ts";
import type { SQLAnswer } from "../types.ts";
import { Bar, Card, DataTable } from "../ui/datatable.tsx";
import { colours, type Line, TimeChart } from "../ui/timechart.tsx";
import { chartOf } from "./sqlshape.ts";

const number = (v: number | null): string =>
  v === null ? "–" : Number.isInteger(v) ? count(v) : String(Number(v.toPrecision(6)));

/** SqlChart draws an answer: over time when its first column is one, as bars when it is a name; nothing when neither fits. */
export function SqlChart({ of }: { of: SQLAnswer }): JSX.Element | null {
  const chart = chartOf(of);
  if (!chart) return null;
  if (chart.kind === "time") {
    const lines = chart.lines.map(
      (l, i): Line => ({ ...l, color: colours[i % colours.length]!, kind: "line", format: number }),
    );
    return <TimeChart title="Chart" x={chart.x} bucket={chart.bucket} lines={lines} />;
  }
  const most = Math.max(...chart.bars.map(b => b.value));
  const rows = chart.bars.map((b, i) => ({
    key: String(i),
    cells: [
      b.name,
      <Bar key="bar" share={b.value / most}>
        {number(b.value)}
      </Bar>,
    ],
  }));
  return (
    <Card title="Chart">
      <DataTable label="Chart" heads={[chart.name, chart.what]} rows={rows} />
    </Card>
  );
}
