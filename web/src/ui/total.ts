// How many rows a list has, where it shows a part: one question more, after the rows.
import { get, type Params, query } from "../api.ts";
import { terms } from "../terms.ts";
import type { Page, StatRow } from "../types.ts";
import { useLoad } from "./load.ts";

/** Counting is how rows are counted: each, or the values of a column of traces, up to so many as one answer has. */
export type Counting = { of: "traces" | "observations" | "scores" } | { by: "session_id" | "user_id" };

const MOST = 1000; // groups of an answer

/** useTotal is how many there are; undefined until it is known, and where it cannot be. wait: the rows come first, and nobody asks where they are all there. */
export function useTotal(counting: Counting | null, params: Params, wait: boolean): number | undefined {
  const asked = JSON.stringify(counting) + query(params);
  const { data } = useLoad(
    async signal => {
      if (wait || !counting) return undefined;
      // A convenience: where it cannot be told, as of common words in a million events, the list says that there are more.
      const n = await count(counting, params, signal).catch(() => undefined);
      return { asked, n };
    },
    [asked, wait],
  );
  return !wait && data?.asked === asked ? data.n : undefined;
}

async function count(counting: Counting, params: Params, signal: AbortSignal): Promise<number | undefined> {
  if ("of" in counting) {
    const [row] = (await get<Page<StatRow>>("/v1/stats", { ...params, ...counting, metrics: "count" }, signal)).data;
    return Number(row?.count ?? 0);
  }
  // What failed is a condition on sessions and users, and one on traces in a statistic.
  if (terms(String(params.filter ?? "")).some(t => t.field === "error" || t.field === "has_error")) return undefined;
  const by = counting.by;
  const asked = { ...params, of: "traces", group_by: by, metrics: "count", limit: String(MOST) };
  const { data, next_cursor } = await get<Page<StatRow>>("/v1/stats", asked, signal);
  return next_cursor === null ? data.filter(r => r[by]).length : undefined;
}
