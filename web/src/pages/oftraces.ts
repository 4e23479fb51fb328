// What a list of traces is drawn by.
import type { TraceSummary } from "../types.ts";

/** slow is the latency that a full bar stands for in a list of these rows: 19 of 20 take at most as long. */
export function slow(rows: TraceSummary[]): number {
  const all = rows.map(t => t.latency_ms ?? 0).sort((a, b) => a - b);
  return all[Math.ceil(all.length * 0.95) - 1] ?? 0;
}

/** scoreNames are the names of the scores of these rows, those that most rows have first. */
export function scoreNames(rows: TraceSummary[]): string[] {
  const found = new Map<string, number>();
  for (const name of rows.flatMap(t => Object.keys(t.scores))) found.set(name, (found.get(name) ?? 0) + 1);
  return [...found].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
}
