import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { get, type Params, query as written } from "../api.ts";
import { applied, filterParams, traceFields } from "../filters.ts";
import { count } from "../format.ts";
import { useKeys } from "../keys.tsx";
import { useLive } from "../live.ts";
import { rangeParams, readRange } from "../range.ts";
import { setQuery, usePlace } from "../router.ts";
import { load, save } from "../storage.ts";
import type { Page, TraceSummary } from "../types.ts";
import { Empty, Failure, FirstEvent, PageHead, Spinner } from "../ui/bits.tsx";
import { FilterBar } from "../ui/filterbar.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { type Paged, usePaged } from "../ui/paged.ts";
import { Table } from "../ui/table.tsx";
import { setPreset, TimeRange } from "../ui/timerange.tsx";
import { rememberList } from "../visited.ts";
import { fresher, withFresh } from "./fresh.ts";
import { Histogram } from "./histogram.tsx";
import { CompactTrace, columnsOf, traceHref } from "./tracecolumns.tsx";
import { ColumnChooser, ExportMenu } from "./tracemenus.tsx";

const NEWEST = "-start_time";
const LIVE_ROWS = 200; // looked at when something came in; more at once start the list again

/** TracesPage lists traces: everything that says which ones is in the address. */
export function TracesPage(): JSX.Element {
  const { query } = usePlace();
  const [turn, setTurn] = useState(0);
  const live = query.get("live") === "1";
  const sort = live ? NEWEST : (query.get("sort") ?? NEWEST);
  const filters = written(filterParams(query, traceFields));
  const times = `${query.get("range")} ${query.get("from")} ${query.get("to")}`;
  // A preset's beginning is fixed when it is asked for: pages of one list must be of one time.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the strings stand for the query, and turn for the time it is asked
  const { range, params } = useMemo(() => {
    const range = readRange(query, Date.now());
    return { range, params: { ...filterParams(query, traceFields), ...rangeParams(range) } as Params };
  }, [filters, times, turn]);
  const list = usePaged<TraceSummary>("/v1/traces", { ...params, sort });
  const fresh = useFresh(live, params, list);
  const reload = () => setTurn(n => n + 1);
  const toggleLive = () => setQuery({ live: live ? undefined : "1", sort: undefined });
  useKeys([
    { key: "l", label: "Live on or off", run: toggleLive },
    { key: "r", label: "Load again", run: reload },
  ]);
  useEffect(
    () =>
      rememberList(
        list.rows.map(t => t.id),
        location.search,
      ),
    [list.rows],
  );

  const { columns, chosen, choose } = useColumns(list.rows);
  const filtered = applied(query, traceFields).length > 0 || query.has("q");
  return (
    <div class="page page-fill">
      <PageHead title="Traces">
        <span class="muted small" aria-live="polite">
          {list.loaded && `${count(list.rows.length)}${list.end ? "" : "+"} shown`}
        </span>
        <span class="spacer" />
        <button
          type="button"
          class={`button${live ? " live-on" : ""}`}
          aria-pressed={live}
          title="New rows as they come (l)"
          onClick={toggleLive}
        >
          <Icon name="live" /> Live
        </button>
        <TimeRange range={range} />
      </PageHead>
      <FilterBar query={query} fields={traceFields} range={rangeParams(range)} search="Search text of traces">
        <ColumnChooser columns={columns} chosen={chosen} choose={choose} />
        <ExportMenu params={{ ...params, sort }} />
      </FilterBar>
      <Histogram params={params} range={range} turn={fresh.turn} wait={!list.loaded} />
      {list.error && <Failure error={list.error} again={reload} />}
      {list.loaded && list.rows.length === 0 && !list.error ? (
        <Nothing filtered={filtered} all={range.preset === "all"} />
      ) : (
        <Table
          label="Traces"
          rows={list.rows}
          columns={columns.filter(c => chosen[c.key] ?? c.shown)}
          rowKey={t => t.id}
          href={traceHref}
          compact={t => <CompactTrace trace={t} />}
          sort={sort}
          onSort={s => setQuery({ sort: s === NEWEST ? undefined : s, live: undefined })}
          more={list.more}
          fresh={fresh.keys}
          foot={list.busy ? <Spinner /> : undefined}
        />
      )}
    </div>
  );
}

function useColumns(rows: TraceSummary[]) {
  const [chosen, setChosen] = useState<Record<string, boolean>>(() => load("traces.columns", {}));
  const names = [...new Set(rows.flatMap(t => Object.keys(t.scores)))].sort().join("\n");
  const slowest = rows.reduce((max, t) => Math.max(max, t.latency_ms ?? 0), 0);
  const columns = useMemo(() => columnsOf(names ? names.split("\n") : [], slowest), [names, slowest]);
  const choose = (next: Record<string, boolean>) => {
    setChosen(next);
    save("traces.columns", next);
  };
  return { columns, chosen, choose };
}

/** useFresh puts traces that come in live on top of the list, and changes those that are there. */
function useFresh(live: boolean, params: Params, list: Paged<TraceSummary>): { keys: Set<string>; turn: number } {
  const [keys, setKeys] = useState<Set<string>>(new Set());
  const [turn, setTurn] = useState(0);
  const { rows, loaded, end, change, reload } = list;
  const tick = async (signal: AbortSignal) => {
    try {
      const asked = { ...params, sort: NEWEST, limit: String(LIVE_ROWS) };
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

function Nothing({ filtered, all }: { filtered: boolean; all: boolean }): JSX.Element {
  // Nothing now, or nothing ever? Only the second is where somebody begins.
  const any = useLoad(signal => get<Page<TraceSummary>>("/v1/traces", { limit: "1" }, signal), []);
  if (!any.data && !any.error) return <Spinner />;
  if (any.data?.data.length === 0) return <FirstEvent what="traces" />;
  return (
    <Empty icon="traces" title={filtered ? "No trace passes these filters" : "No traces in this time"}>
      <p class="actions">
        {!all && (
          <button type="button" class="button primary" onClick={() => setPreset("all")}>
            Look at all time
          </button>
        )}
        {filtered && (
          <button
            type="button"
            class="button"
            onClick={() => setQuery({ q: undefined, ...Object.fromEntries(traceFields.map(f => [f.name, undefined])) })}
          >
            Remove the filters
          </button>
        )}
      </p>
    </Empty>
  );
}
