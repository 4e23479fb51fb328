import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { get, type Params, seg, query as written } from "../api.ts";
import { useAsked } from "../asked.ts";
import { link } from "../base.ts";
import type { Bulk } from "../bulk/bulk.ts";
import { traceFields } from "../filters.ts";
import { useKeys } from "../keys.tsx";
import { useLive } from "../live.ts";
import { rangeParams } from "../range.ts";
import { setQuery } from "../router.ts";
import { yesNoScores } from "../scorestats.ts";
import { traceSheet } from "../sheets.ts";
import type { Page, TraceSummary } from "../types.ts";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { type Paged, usePaged } from "../ui/paged.ts";
import { rememberList } from "../visited.ts";
import { fresher, withFresh } from "./fresh.ts";
import { Histogram } from "./histogram.tsx";
import { ListPage } from "./listpage.tsx";
import { scoreNames, slow } from "./oftraces.ts";
import { CompactTrace, columnsOf, traceHref } from "./tracecolumns.tsx";

const NEWEST = "-start_time";
const previews = { previews: "true" };
const LIVE_ROWS = 200; // looked at when something came in; more at once start the list again

const bulk: Bulk<TraceSummary> = {
  noun: "trace",
  sheet: traceSheet,
  subject: t => ({ trace: t.id, observation: "", environment: t.environment }),
  tags: true,
  dataset: t => t.id,
  compare: (a, b) => link(`/compare${written({ a: a.id, b: b.id })}`),
  erase: {
    path: t => `/v1/traces?id=${seg(t.id)}`,
    says: "With each trace go its observations, its scores and all of its events.",
  },
};
const each = { of: "traces" } as const;

/** TracesPage lists traces. */
export function TracesPage(): JSX.Element {
  const asked = useAsked(traceFields);
  const { query, range, open: params } = asked;
  const live = query.get("live") === "1";
  const sort = live ? NEWEST : (query.get("sort") ?? NEWEST);
  const list = usePaged<TraceSummary>("/v1/traces", { ...params, sort }, previews);
  const fresh = useFresh(live, params, list);
  const toggleLive = () => setQuery({ live: live ? undefined : "1", sort: undefined });
  useKeys([{ key: "l", label: "Live on or off", run: toggleLive }]);
  useEffect(
    () =>
      rememberList(
        list.rows.map(t => t.id),
        location.search,
      ),
    [list.rows],
  );
  const columns = useColumns(list.rows, rangeParams(range));
  return (
    <ListPage
      page="traces"
      title="Traces"
      icon="traces"
      asked={asked}
      list={list}
      params={params}
      bulk={bulk}
      counting={live ? null : each}
      sort={sort}
      newest={NEWEST}
      fields={traceFields}
      columns={columns}
      href={traceHref}
      compact={t => <CompactTrace trace={t} />}
      none="No trace passes these filters"
      search
      fresh={fresh.keys}
      buttons={
        <button
          type="button"
          class={`button${live ? " live-on" : ""}`}
          aria-pressed={live}
          title="New rows as they come (l)"
          onClick={toggleLive}
        >
          <Icon name="live" /> Live
        </button>
      }
      chart={<Histogram params={params} range={range} turn={fresh.turn} wait={!list.loaded} />}
    />
  );
}

function useColumns(rows: TraceSummary[], range: Params) {
  const names = scoreNames(rows).join("\n");
  const longest = slow(rows);
  // Rows have a number where scores are yes or no; which are, is known once there are rows with scores.
  const { data: yesNo } = useLoad(signal => (names ? yesNoScores(range, signal) : Promise.resolve(undefined)), [names]);
  return useMemo(() => columnsOf(names ? names.split("\n") : [], yesNo ?? new Set(), longest), [names, yesNo, longest]);
}

/** useFresh puts traces that come in live on top of the list, and changes those that are there. */
function useFresh(live: boolean, params: Params, list: Paged<TraceSummary>): { keys: Set<string>; turn: number } {
  const [keys, setKeys] = useState<Set<string>>(new Set());
  const [turn, setTurn] = useState(0);
  const { rows, loaded, end, change, reload } = list;
  const tick = async (signal: AbortSignal) => {
    try {
      const asked = { ...params, ...previews, sort: NEWEST, limit: String(LIVE_ROWS) };
      const page = await get<Page<TraceSummary>>("/v1/traces", asked, signal);
      if (signal.aborted) return;
      const came = fresher(rows, page.data, end);
      if (came.length === LIVE_ROWS && rows.length > 0) {
        reload();
        return;
      }
      change(old => withFresh(old, page.data, end));
      if (came.length > 0) {
        setKeys(new Set(came.map(t => t.id)));
        setTurn(n => n + 1);
      }
    } catch {
      // The next tick asks again; a list that cannot be read says so itself.
    }
  };
  useLive(live && loaded, tick);
  return { keys, turn };
}
