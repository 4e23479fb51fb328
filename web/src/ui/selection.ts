// Rows that are chosen, to do something with all of them.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Selection<T> {
  rows: T[]; // in the order in which they were chosen
  has: (key: string) => boolean;
  toggle: (at: number, range: boolean) => boolean; // range: all from the one before to this one. It says whether that is chosen now.
  page: "none" | "some" | "all"; // how many of the rows that are read
  togglePage: () => void;
  clear: () => void;
  keep: (those: (row: T) => boolean) => void;
}

/** toggled is what is chosen after one row was: with it, or without. from is where a range begins. */
export function toggled<T>(
  chosen: Map<string, T>,
  rows: T[],
  keyOf: (row: T) => string,
  at: number,
  from: number | null,
): Map<string, T> {
  const next = new Map(chosen);
  const row = rows[at];
  if (!row) return next;
  if (from === null || !rows[from]) {
    if (!next.delete(keyOf(row))) next.set(keyOf(row), row);
    return next;
  }
  const [first, last] = from < at ? [from, at] : [at, from];
  for (const r of rows.slice(first, last + 1)) next.set(keyOf(r), r);
  return next;
}

/** useSelection keeps what is chosen of rows; asked is what they are of: of something else nothing is chosen. */
export function useSelection<T>(rows: T[], keyOf: (row: T) => string, asked: string): Selection<T> {
  const [chosen, set] = useState<Map<string, T>>(new Map());
  const latest = useRef({ rows, keyOf, chosen });
  latest.current = { ...latest.current, rows, keyOf };
  const last = useRef<number | null>(null);
  const become = useCallback((next: Map<string, T>) => {
    latest.current.chosen = next; // at once: keys come faster than renders
    set(next);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question has other rows
  useEffect(() => {
    last.current = null;
    if (latest.current.chosen.size > 0) become(new Map());
  }, [asked]);
  const toggle = useCallback(
    (at: number, range: boolean) => {
      const { rows, keyOf, chosen } = latest.current;
      const from = range ? last.current : null;
      last.current = at;
      const next = toggled(chosen, rows, keyOf, at, from);
      become(next);
      const row = rows[at];
      return row !== undefined && next.has(keyOf(row));
    },
    [become],
  );
  const of = rows.filter(r => chosen.has(keyOf(r))).length;
  const page = of === 0 ? "none" : of === rows.length ? "all" : "some";
  return {
    rows: [...chosen.values()],
    has: key => chosen.has(key),
    toggle,
    page,
    togglePage: () => become(page === "all" ? new Map() : new Map(rows.map(r => [keyOf(r), r]))),
    clear: () => become(new Map()),
    keep: those => become(new Map([...latest.current.chosen].filter(([, row]) => those(row)))),
  };
}
