// Finding in a trace: names in what is here, what was sent on the server.
import { useEffect, useState } from "preact/hooks";
import { pages } from "../api.ts";
import { wordsOf } from "../fold.ts";
import type { Observation } from "../types.ts";

const PAUSE = 200; // milliseconds of no typing

export interface Finds {
  ids: Set<string>; // of observations in whose name, input or output all words stand
  busy: boolean;
  error: Error | undefined;
}

const none: Finds = { ids: new Set(), busy: false, error: undefined };

/** useFinds asks which observations of a trace have the words of find. turn changes when there may be more. */
export function useFinds(trace: string, find: string, turn: number): Finds {
  const [finds, set] = useState<Finds>(none);
  const q = find.trim();
  // biome-ignore lint/correctness/useExhaustiveDependencies: turn asks again
  useEffect(() => {
    if (wordsOf(q).size === 0) {
      set(none);
      return;
    }
    const abort = new AbortController();
    set(f => ({ ...f, busy: true }));
    const timer = setTimeout(async () => {
      try {
        const ids = new Set<string>();
        const params = { trace_id: trace, duplicates: "true", q };
        for await (const page of pages<Observation>("/v1/observations", params, abort.signal)) {
          for (const o of page) ids.add(o.id);
        }
        set({ ids, busy: false, error: undefined });
      } catch (e) {
        if (!abort.signal.aborted) set({ ids: new Set(), busy: false, error: e as Error });
      }
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [trace, q, turn]);
  return finds;
}
