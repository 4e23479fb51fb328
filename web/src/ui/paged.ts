import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, type Params, query } from "../api.ts";
import type { Page } from "../types.ts";
import { useAgain } from "./again.ts";

export interface Paged<T> {
  rows: T[];
  error: Error | undefined;
  busy: boolean;
  end: boolean; // there is nothing after the last row
  loaded: boolean; // the first page is there
  more: () => void;
  reload: () => void;
  change: (f: (rows: T[]) => T[]) => void; // for rows that came in live
}

interface State<T> {
  rows: T[];
  cursor: string | null;
  loaded: boolean;
  busy: boolean;
  error: Error | undefined;
}

const PAGE = "100";

// filled are rows with what fuller ones have, for those that are still the same.
function filled<T>(rows: T[], short: T[], full: T[]): T[] {
  const by = new Map(short.map((row, i) => [row, full[i]]));
  const id = (row: T | undefined) => (row as { id?: string } | undefined)?.id;
  return rows.map(row => {
    const fuller = by.get(row);
    return fuller && id(fuller) === id(row) ? fuller : row;
  });
}

/**
 * usePaged reads a list page by page. Other parameters start it again; null waits. fuller are what makes rows fuller and takes longer:
 * the first rows are shown without, and asked for again.
 */
export function usePaged<T>(path: string, params: Params | null, fuller?: Params): Paged<T> {
  const [state, set] = useState<State<T>>({ rows: [], cursor: null, loaded: false, busy: true, error: undefined });
  const [turn, again] = useState(0);
  const key = params && query(params);
  const fullerKey = fuller ? query(fuller).slice(1) : "";
  const running = useRef<AbortController | null>(null);
  const next = useRef<string | null>(null); // state.cursor, at once: two questions must not be of one page

  const read = useCallback(
    async (cursor: string | undefined) => {
      if (key === null) return;
      const abort = new AbortController();
      running.current = abort;
      set(s => ({ ...s, busy: true, error: undefined }));
      try {
        const more = new URLSearchParams({ limit: PAGE, ...(cursor ? { cursor } : {}) });
        const ask = (further: string) =>
          get<Page<T>>(`${path}${key ? `${key}&` : "?"}${more}${further && `&${further}`}`, {}, abort.signal);
        const page = await ask(cursor ? fullerKey : "");
        if (abort.signal.aborted) return;
        next.current = page.next_cursor;
        set(s => ({
          rows: cursor ? [...s.rows, ...page.data] : page.data,
          cursor: page.next_cursor,
          loaded: true,
          busy: false,
          error: undefined,
        }));
        if (cursor || !fullerKey || page.data.length === 0) return;
        const full = await ask(fullerKey).catch(() => undefined); // the rows are there without
        if (full && !abort.signal.aborted) set(s => ({ ...s, rows: filled(s.rows, page.data, full.data) }));
      } catch (e) {
        if (!abort.signal.aborted) set(s => ({ ...s, busy: false, loaded: true, error: e as Error }));
      } finally {
        if (running.current === abort) running.current = null;
      }
    },
    [path, key, fullerKey],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: turn asks for the same again
  useEffect(() => {
    next.current = null;
    set(s => ({ ...s, cursor: null, loaded: false }));
    void read(undefined);
    return () => running.current?.abort();
  }, [read, turn]);

  const more = () => {
    if (!running.current && next.current && !state.error) void read(next.current);
  };
  const reload = useCallback(() => again(n => n + 1), []);
  const change = useCallback((f: (rows: T[]) => T[]) => set(s => ({ ...s, rows: f(s.rows) })), []);
  useAgain(state.error, state.busy, () => (next.current ? void read(next.current) : reload()));
  return { ...state, end: state.loaded && state.cursor === null, more, reload, change };
}
