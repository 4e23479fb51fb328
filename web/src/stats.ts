// Questions to /v1/stats for charts and tables. Every page of an answer is
// read: what is drawn is never a part of it.
import { get, type Params, pages } from "./api.ts";
import { AHEAD, intervalFor, type Range, rangeParams } from "./range.ts";
import type { Page, StatRow } from "./types.ts";
import { bucketStart, nextBucket, zone } from "./zone.ts";

const MOST = 2000; // buckets; beyond, only those that have something are drawn

/** stats reads all rows of a question; intervals begin by the clock of this browser. */
export async function stats(params: Params, signal?: AbortSignal): Promise<StatRow[]> {
  const rows: StatRow[] = [];
  const asked = params.interval ? { ...params, tz: zone() } : params;
  for await (const page of pages<StatRow>("/v1/stats", asked, signal)) rows.push(...page);
  return rows;
}

/** listed is a metric in the API's comma list: as a JSON string a score's name may hold anything. */
export const listed = (metric: string): string => JSON.stringify(metric);

/** Step is how wide the buckets of a time chart are. */
export interface Step {
  name: string; // as the API's interval
  ms: number;
}

/** First says where the first row of all time is, for a range without a beginning. */
interface First {
  path: string;
  by: string; // column of its time
  params: Params;
}

/** stepFor chooses the buckets of a range; null when there is nothing at all. */
export async function stepFor(range: Range, first: First, signal?: AbortSignal): Promise<Step | null> {
  const to = range.to?.getTime() ?? Date.now();
  let from = range.from?.getTime();
  if (from === undefined) {
    const params = { ...first.params, ...rangeParams(range), sort: first.by, limit: "1" };
    const page = await get<Page<Record<string, string>>>(first.path, params, signal);
    const start = page.data[0]?.[first.by];
    if (!start) return null;
    from = Date.parse(start);
  }
  return intervalFor(from, to);
}

const at = (row: StatRow): number => Date.parse(String(row.time));

/** axisOf lists the buckets of a range in seconds, also those without a row. */
export function axisOf(range: Range, step: Step, rows: StatRow[]): number[] {
  const now = Date.now();
  const ends = range.to?.getTime() ?? (range.from ? now + AHEAD : Number.POSITIVE_INFINITY);
  const found = [...new Set(rows.map(at))].filter(t => t < ends).sort((a, b) => a - b);
  const last = found[found.length - 1];
  if (last === undefined) return [];
  const begin = range.from ? bucketStart(range.from.getTime(), step.ms) : found[0]!;
  // Clocks of clients may be ahead of this one
  const end = range.to?.getTime() ?? Math.max(now, last + 1);
  if ((end - begin) / step.ms > MOST) return found.map(t => t / 1000);
  const out = new Set(found);
  for (let t = begin; t < end; t = nextBucket(t, step.ms)) out.add(t);
  return [...out].sort((a, b) => a - b).map(t => t / 1000);
}

/** along places a metric of rows on an axis; empty is what stands where there is no row. */
export function along(
  x: number[],
  rows: StatRow[],
  metric: string | ((r: StatRow) => number | null),
  empty: number | null,
) {
  const value = typeof metric === "string" ? (r: StatRow) => number(r[metric]) : metric;
  const byTime = new Map(rows.map(r => [at(r) / 1000, value(r)]));
  return x.map(t => byTime.get(t) ?? empty);
}

/** number reads a metric: null where the API has none. */
export function number(v: string | number | null | undefined): number | null {
  return v === null || v === undefined ? null : Number(v);
}

/** sum adds up a metric of rows; what is null counts nothing. */
export function sum(rows: StatRow[], metric: string): number {
  return rows.reduce((total, r) => total + (number(r[metric]) ?? 0), 0);
}

/** Group is the rows that have the same value in a column. */
export interface Group {
  key: string;
  rows: StatRow[];
  total: number;
}

/** groups splits rows by a column, the largest total of a metric first. Rows without a value are left out. */
export function groups(rows: StatRow[], by: string, metric: string): Group[] {
  const found = new Map<string, StatRow[]>();
  for (const r of rows) {
    const key = r[by];
    if (key === null || key === undefined || key === "") continue;
    const list = found.get(String(key));
    if (list) list.push(r);
    else found.set(String(key), [r]);
  }
  return [...found]
    .map(([key, rows]) => ({ key, rows, total: sum(rows, metric) }))
    .sort((a, b) => b.total - a.total || (a.key < b.key ? -1 : 1));
}
