import { useMemo, useState } from "preact/hooks";
import { type Params, query as written } from "./api.ts";
import type { Field } from "./filters.ts";
import { useKeys } from "./keys.tsx";
import { type Range, rangeParams, readRange, statParams } from "./range.ts";
import { usePlace } from "./router.ts";
import { filterOf } from "./terms.ts";

/** Asked is what the address asks for: a time, and the API's parameters with it. */
export interface Asked {
  query: URLSearchParams;
  range: Range;
  params: Params;
  open: Params; // the same, and a time that ends now has no end: for lists to which rows come
  key: string; // changes when something else is asked for
  reload: () => void; // asks again; the key r does, too
}

/**
 * useAsked reads the filters and the time of the address. A preset's beginning is
 * fixed when it is asked for, because all pages of a list must be of one time;
 * reload fixes it anew. otherwise is the preset of an address without one.
 */
export function useAsked(fields: Field[], otherwise?: string): Asked {
  const { query } = usePlace();
  const [turn, again] = useState(0);
  const reload = () => again(n => n + 1);
  useKeys([{ key: "r", label: "Load again", run: reload }]);
  const filter = filterOf(query, fields);
  const times = `${query.get("range")} ${query.get("from")} ${query.get("to")}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the strings stand for the query, and turn for "now"
  const asked = useMemo(() => {
    const q = new URLSearchParams(query);
    if (otherwise && !q.has("range") && !q.has("from") && !q.has("to")) q.set("range", otherwise);
    const range = readRange(q, Date.now());
    const params: Params = { filter, ...statParams(range) };
    return { range, params, open: { filter, ...rangeParams(range) }, key: `${turn} ${written(params)}` };
  }, [filter, times, turn, otherwise]);
  return { ...asked, query, reload };
}
