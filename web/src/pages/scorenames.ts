// What the traces and the observations that scores are about are called: scores have only their ids.
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../api.ts";
import { listed } from "../terms.ts";
import type { Observation, Page, Score, TraceSummary } from "../types.ts";

/** Names are by id of a trace, and by those of a trace and an observation. */
export type Names = ReadonlyMap<string, string>;

const ofObservation = (trace: string, observation: string): string => `${trace}\n${observation}`;

/** nameOf is what a score is about, as people call it; its id where that is not known. */
export function nameOf(s: Score, names: Names): string {
  const id = s.observation_id || s.trace_id;
  return names.get(s.observation_id ? ofObservation(s.trace_id, s.observation_id) : s.trace_id) || id;
}

/** useNames asks for the names, after the scores; of each once. */
export function useNames(scores: Score[]): Names {
  const [names, set] = useState<Names>(new Map());
  const asked = useRef(new Set<string>());
  useEffect(() => {
    const abort = new AbortController();
    const wanted = (ids: string[]) => [...new Set(ids)].filter(id => id && !asked.current.has(id));
    const observations = wanted(scores.map(s => s.observation_id));
    const traces = wanted(scores.filter(s => !s.observation_id).map(s => s.trace_id));
    const read = async () => {
      const found = new Map<string, string>();
      const learn = (ids: string[]) => {
        for (const id of ids) asked.current.add(id);
        if (!abort.signal.aborted) set(was => new Map([...was, ...found]));
      };
      for (const filter of listed("id", observations)) {
        const rows = await all<Observation>("/v1/observations", filter, abort.signal);
        for (const o of rows) found.set(ofObservation(o.trace_id, o.id), o.name);
      }
      for (const filter of listed("id", traces)) {
        for (const t of await all<TraceSummary>("/v1/traces", filter, abort.signal)) found.set(t.id, t.name);
      }
      learn([...observations, ...traces]);
    };
    // The ids are there without.
    if (observations.length + traces.length > 0) read().catch(() => {});
    return () => abort.abort();
  }, [scores]);
  return names;
}

const all = async <T>(path: string, filter: string, signal: AbortSignal): Promise<T[]> =>
  (await get<Page<T>>(path, { filter, limit: "1000" }, signal)).data;
