import { along, type Group } from "../stats.ts";
import { colours, type Line } from "../ui/timechart.tsx";

const PARTS = 6;

/** parts are the largest groups as series, and all others as one more. */
export function parts(x: number[], all: Group[], metric: string, format: (v: number | null) => string): Line[] {
  const some = all.filter(g => g.total > 0);
  const shown = some.length > PARTS + 1 ? some.slice(0, PARTS) : some;
  const lines = shown.map(
    (g, i): Line => ({
      label: g.key,
      color: colours[i]!,
      kind: "bars",
      format,
      values: along(x, g.rows, metric, 0),
      total: format(g.total),
    }),
  );
  const others = some.slice(shown.length);
  if (others.length > 0) {
    const each = others.map(g => along(x, g.rows, metric, 0));
    lines.push({
      label: `${others.length} others`,
      color: "--kind-span",
      kind: "bars",
      format,
      values: x.map((_, i) => each.reduce((t, v) => t + (v[i] ?? 0), 0)),
      total: format(others.reduce((t, g) => t + g.total, 0)),
    });
  }
  return lines;
}
