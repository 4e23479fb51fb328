// What of an answer can be drawn.
import type { SQLAnswer } from "../types.ts";

interface Values {
  label: string;
  values: (number | null)[];
}

/** SqlChartShape is an answer over time, or one number of each of some names. */
export type SqlChartShape =
  | { kind: "time"; x: number[]; bucket: number; lines: Values[] }
  | { kind: "bars"; name: string; what: string; bars: { name: string; value: number }[] };

const MOST_LINES = 7;
const MOST_BARS = 30;

/** chartOf is the chart of an answer; undefined when it has none: one row, no numbers, or a first column that is neither a time nor a name. */
export function chartOf(of: SQLAnswer): SqlChartShape | undefined {
  if (of.rows.length < 2) return undefined;
  const numbers = of.columns.flatMap((_, i) => (i > 0 && isNumbers(of, i) ? [i] : []));
  if (numbers.length === 0) return undefined;
  const times = of.rows.map(r => secondsOf(r[0]));
  if (times.every(t => t !== undefined)) return overTime(of, times as number[], numbers);
  const first = numbers[0]!;
  const bars = of.rows
    .slice(0, MOST_BARS)
    .map(r => ({ name: r[0] === null ? "–" : String(r[0]), value: Number(r[first] ?? 0) }));
  if (typeof of.rows[0]![0] === "number" || bars.some(b => b.value < 0) || !bars.some(b => b.value > 0))
    return undefined;
  return { kind: "bars", name: of.columns[0]!.name, what: of.columns[first]!.name, bars };
}

function isNumbers(of: SQLAnswer, column: number): boolean {
  const values = of.rows.map(r => r[column]).filter(v => v !== null);
  return values.length > 0 && values.every(v => typeof v === "number");
}

/** secondsOf reads a time or a day. */
function secondsOf(v: unknown): number | undefined {
  if (typeof v !== "string" || !/^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(v)) return undefined;
  const ms = Date.parse(v);
  return Number.isNaN(ms) ? undefined : ms / 1000;
}

// overTime makes a line of each number; with a name in the second column, of the first number for each name.
function overTime(of: SQLAnswer, times: number[], numbers: number[]): SqlChartShape | undefined {
  const x = [...new Set(times)].sort((a, b) => a - b);
  if (x.length < 2) return undefined;
  const bucket = Math.min(...x.slice(1).map((t, i) => t - x[i]!));
  const at = new Map(x.map((t, i) => [t, i]));
  const lines = new Map<string, (number | null)[]>();
  const put = (label: string, row: number, v: unknown) => {
    const values = lines.get(label) ?? x.map(() => null);
    if (typeof v === "number") values[at.get(times[row]!)!] = v;
    lines.set(label, values);
  };
  const named = of.columns.length > 2 && !numbers.includes(1);
  for (const [i, row] of of.rows.entries()) {
    if (named) put(row[1] === null ? "–" : String(row[1]), i, row[numbers[0]!]);
    else for (const n of numbers) put(of.columns[n]!.name, i, row[n]);
  }
  const shown = [...lines].slice(0, MOST_LINES).map(([label, values]) => ({ label, values }));
  return { kind: "time", x, bucket, lines: shown };
}
