// Exports: everything the current filter finds, read page by page.
import { type Params, pages } from "./api.ts";

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

/** cell writes a value as RFC 4180 has it. A text that a spreadsheet would take for a formula gets a quote before it. */
export function cell(v: string | number | null | undefined): string {
  if (v === null || v === undefined) return "";
  if (typeof v === "number") return String(v);
  const text = /^[=+\-@\t\r\n]/.test(v) ? `'${v}` : v;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Sheet is how rows of a list are saved. */
export interface Sheet<T> {
  name: string; // of the file
  path: string; // of the API
  columns: Column<T>[];
  scores?: (row: T) => Record<string, string | number>; // each name is a column of a CSV
}

/** Form is how a file is written. */
export type Form = "jsonl" | "csv";

/** exportThese saves these rows. */
export function exportThese<T>(sheet: Sheet<T>, form: Form, rows: T[]): void {
  const { scores } = sheet;
  if (form === "jsonl") {
    offer(rows.map(jsonLine), `${sheet.name}-${stamp()}.jsonl`, "application/jsonl");
    return;
  }
  const names = scores ? [...new Set(rows.flatMap(r => Object.keys(scores(r))))].sort() : [];
  const more = names.map((name): Column<T> => [`score ${name}`, r => scores?.(r)[name]]);
  exportRows(sheet.name, [...sheet.columns, ...more], rows);
}

const jsonLine = (row: unknown): string => `${JSON.stringify(row)}\n`;

/** exportAll saves all rows that params find; progress hears how many were read. */
export async function exportAll<T>(
  sheet: Sheet<T>,
  form: Form,
  params: Params,
  progress: (rows: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const parts: string[] = [];
  const all: T[] = []; // csv needs all score names before its first line
  let n = 0;
  for await (const rows of pages<T>(sheet.path, params, signal)) {
    n += rows.length;
    progress(n);
    if (form === "csv") all.push(...rows);
    else parts.push(rows.map(jsonLine).join(""));
  }
  if (form === "csv") exportThese(sheet, form, all);
  else offer(parts, `${sheet.name}-${stamp()}.jsonl`, "application/jsonl");
}
