import { useMemo } from "preact/hooks";
import { type Params, query as written } from "./api.ts";
import { type Field, filterParams } from "./filters.ts";
import { type Range, readRange, statParams } from "./range.ts";

/** Asked is what an address asks for: a time, and the API's parameters with it. */
export interface Asked {
  range: Range;
  params: Params;
  key: string; // changes when something else is asked for
}

/**
 * useAsked reads the filters and the time of an address. A preset's beginning is
 * fixed when it is asked for, because all pages of a list must be of one time;
 * another turn fixes it anew. otherwise is the preset of an address without one.
 */
export function useAsked(query: URLSearchParams, fields: Field[], turn: number, otherwise?: string): Asked {
  const filters = filterParams(query, fields);
  const times = `${query.get("range")} ${query.get("from")} ${query.get("to")}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the strings stand for the query, and turn for "now"
  return useMemo(() => {
    const q = new URLSearchParams(query);
    if (otherwise && !q.has("range") && !q.has("from") && !q.has("to")) q.set("range", otherwise);
    const range = readRange(q, Date.now());
    const params: Params = { ...filters, ...statParams(range) };
    return { range, params, key: `${turn} ${written(params)}` };
  }, [written(filters), times, turn, otherwise]);
}
