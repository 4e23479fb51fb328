// Exports: everything the current filter finds, read page by page.
import { type Params, pages } from "./api.ts";
import type { TraceSummary } from "./types.ts";

/** offer gives the browser a file to save. */
export function offer(parts: BlobPart[], name: string, type: string): void {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const a = document.createElement("a");
  a.href = url;
  a.download = name;
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Column is a column of a CSV: its name, and what a row has there. */
export type Column<T> = [string, (row: T) => string | number | null | undefined];

const line = (cells: string[]): string => `${cells.join(",")}\r\n`;
const stamp = (): string => new Date().toISOString().slice(0, 19).replaceAll(":", "");

/** exportRows saves rows that are on screen as CSV. */
export function exportRows<T>(name: string, columns: Column<T>[], rows: T[]): void {
  const lines = rows.map(r => line(columns.map(c => cell(c[1](r)))));
  offer([line(columns.map(c => cell(c[0]))), ...lines], `${name}-${stamp()}.csv`, "text/csv");
}

const csvColumns: Column<TraceSummary>[] = [
  ["id", t => t.id],
  ["name", t => t.name],
  ["user_id", t => t.user_id],
  ["session_id", t => t.session_id],
  ["environment", t => t.environment],
  ["tags", t => t.tags.join(" ")],
  ["start_time", t => t.start_time],
  ["end_time", t => t.end_time],
  ["latency_ms", t => t.latency_ms],
  ["observation_count", t => t.observation_count],
  ["error_count", t => t.error_count],
  ["total_tokens", t => t.total_tokens],
  ["total_cost", t => t.total_cost],
  ["models", t => t.models.join(" ")],
];

/** cell writes a value as RFC 4180 has it. A text that a spreadsheet would take for a formula gets a quote before it. */
export function cell(v: string | number | null | undefined): string {
  if (v === null || v === undefined) return "";
  if (typeof v === "number") return String(v);
  const text = /^[=+\-@\t\r\n]/.test(v) ? `'${v}` : v;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** exportTraces saves all traces that params find; progress hears how many were read. */
export async function exportTraces(
  form: "jsonl" | "csv",
  params: Params,
  progress: (rows: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const parts: string[] = [];
  const all: TraceSummary[] = []; // csv needs all score names before its first line
  let n = 0;
  for await (const rows of pages<TraceSummary>("/v1/traces", params, signal)) {
    n += rows.length;
    progress(n);
    if (form === "csv") all.push(...rows);
    else parts.push(rows.map(r => `${JSON.stringify(r)}\n`).join(""));
  }
  if (form === "jsonl") {
    offer(parts, `traces-${stamp()}.jsonl`, "application/jsonl");
    return;
  }
  const scores = [...new Set(all.flatMap(t => Object.keys(t.scores)))].sort();
  parts.push(line([...csvColumns.map(c => c[0]), ...scores.map(s => cell(`score ${s}`))]));
  for (const t of all) parts.push(line([...csvColumns.map(c => cell(c[1](t))), ...scores.map(s => cell(t.scores[s]))]));
  offer(parts, `traces-${stamp()}.csv`, "text/csv");
}
