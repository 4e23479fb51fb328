import type { ComponentChildren, JSX } from "preact";
import { get, type Params } from "../api.ts";
import { useAsked } from "../asked.ts";
import { link } from "../base.ts";
import { userFields } from "../filters.ts";
import { cost, count, counted, percent, short } from "../format.ts";
import { useKeys } from "../keys.tsx";
import { type Range, rangeParams } from "../range.ts";
import { navigate, setQuery, usePlace } from "../router.ts";
import { along, axisOf, groups, number, type Step, stats, stepFor } from "../stats.ts";
import { is } from "../terms.ts";
import { unpriced } from "../trace/amounts.ts";
import type { Page, SessionSummary, StatRow, TraceSummary, UserSummary } from "../types.ts";
import { Copy, Failure, PageHead, Spinner, Time } from "../ui/bits.tsx";
import { Tiles } from "../ui/datatable.tsx";
import { FilterBar, filterError } from "../ui/filterbar.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { Nothing } from "../ui/nothing.tsx";
import { usePaged } from "../ui/paged.ts";
import { type Column, Table } from "../ui/table.tsx";
import { TimeChart } from "../ui/timechart.tsx";
import { TimeRange } from "../ui/timerange.tsx";
import { slow } from "./oftraces.ts";
import { parts } from "./parts.ts";
import { CompactSession, sessionColumns, sessionHref } from "./sessions.tsx";
import { CompactTrace, columnsOf, traceHref } from "./tracecolumns.tsx";

interface Answers {
  user: UserSummary;
  step: Step | null;
  over: StatRow[]; // traces over time
  models: StatRow[]; // cost over time by model
}

/** UserPage shows one user: numbers, cost over time, sessions and traces. Without a time in the address it is all time. */
export function UserPage({ id }: { id: string }): JSX.Element {
  const { query, range, params: asked, key, reload } = useAsked(userFields, "all");
  const params = { ...asked, user_id: id };
  const { data, error, busy } = useLoad(signal => ask(params, range, signal), [id, key]);
  useKeys([{ key: "u", label: "Back to the list", run: () => navigate(link("/users")) }]);
  return (
    <div class="page">
      <PageHead title={id}>
        <a class="crumb" href={link("/users")}>
          <Icon name="left" size={12} /> Users
        </a>
        <Copy text={id} label="Copy the id" />
        <span class="spacer" />
        <TimeRange range={range} />
      </PageHead>
      <FilterBar query={query} fields={userFields} range={rangeParams(range)} error={error} />
      {error && !filterError(error) && <Failure error={error} again={reload} />}
      {(data === undefined || (data === null && busy)) && !error && <Spinner />}
      {data === null && !busy && <Nothing what="traces of this user" icon="users" fields={userFields} range={range} />}
      {data && (
        <>
          <Numbers answers={data} range={range} />
          <Lists params={params} />
        </>
      )}
    </div>
  );
}

// ask is null when the user has nothing in this time.
async function ask(params: Params, range: Range, signal: AbortSignal): Promise<Answers | null> {
  const page = await get<Page<UserSummary>>("/v1/users", { ...params, limit: "1" }, signal);
  const user = page.data[0];
  if (!user) return null;
  const step = await stepFor(range, { path: "/v1/traces", by: "start_time", params }, signal);
  if (!step) return { user, step, over: [], models: [] };
  const interval = step.name;
  const [over, models] = await Promise.all([
    stats({ ...params, of: "traces", metrics: "count", interval }, signal),
    stats({ ...params, of: "observations", metrics: "cost", group_by: "model", interval }, signal),
  ]);
  return { user, step, over, models };
}

function Numbers({ answers: { user: u, step, over, models }, range }: { answers: Answers; range: Range }): JSX.Element {
  const x = step ? axisOf(range, step, [...over, ...models]) : [];
  const bucket = (step?.ms ?? 0) / 1000;
  return (
    <>
      <Tiles
        tiles={[
          { title: "Traces", value: count(u.trace_count), more: counted(u.observation_count, "step") },
          { title: "Sessions", value: count(u.session_count) },
          {
            title: "Errors",
            value: count(u.error_count),
            more: u.observation_count > 0 ? `${percent(u.error_count / u.observation_count)} of the steps` : "",
          },
          { title: "Tokens", value: short(u.total_tokens) },
          { title: "Cost", value: cost(u.total_cost), more: unpriced(u.unpriced_count) },
        ]}
      />
      <p class="session-facts muted">
        <span>
          First seen <Time at={u.first_seen} long />
        </span>
        <span>
          Last seen <Time at={u.last_seen} long />
        </span>
      </p>
      <div class="cards">
        <TimeChart
          title="Cost"
          total={cost(u.total_cost)}
          x={x}
          bucket={bucket}
          lines={parts(x, groups(models, "model", "cost"), "cost", cost)}
          stacked
        />
        <TimeChart
          title="Traces"
          total={count(u.trace_count)}
          x={x}
          bucket={bucket}
          lines={[
            {
              label: "traces",
              color: "--bar",
              kind: "bars",
              format: count,
              values: along(x, over, r => number(r.count), 0),
            },
          ]}
        />
      </div>
    </>
  );
}

const tabs = [
  { value: "sessions", title: "Sessions" },
  { value: "traces", title: "Traces" },
];

function Lists({ params }: { params: Params }): JSX.Element {
  const { query } = usePlace();
  const tab = query.get("tab") === "traces" ? "traces" : "sessions";
  return (
    <section class="list-box" aria-label={`${tab} of this user`}>
      <header class="card-head">
        <fieldset class="segments">
          <legend class="visually-hidden">What to list</legend>
          {tabs.map(t => (
            <button
              key={t.value}
              type="button"
              aria-pressed={t.value === tab}
              onClick={() => setQuery({ tab: t.value === "sessions" ? undefined : t.value, sort: undefined }, true)}
            >
              {t.title}
            </button>
          ))}
        </fieldset>
        <span class="spacer" />
        <a href={link(`/traces?filter=${encodeURIComponent(is("user", String(params.user_id)))}&range=all`)}>
          All traces, to filter and export
        </a>
      </header>
      {tab === "traces" ? <Traces params={params} /> : <Sessions params={params} />}
    </section>
  );
}

function Sessions({ params }: { params: Params }): JSX.Element {
  return (
    <List<SessionSummary>
      label="Sessions of this user"
      path="/v1/sessions"
      params={params}
      newest="-last_seen"
      columns={() => sessionColumns.filter(c => c.key !== "users")}
      href={sessionHref}
      compact={s => <CompactSession session={s} />}
      none="None of the traces names a session"
    />
  );
}

function Traces({ params }: { params: Params }): JSX.Element {
  return (
    <List<TraceSummary>
      label="Traces of this user"
      path="/v1/traces"
      params={params}
      newest="-start_time"
      columns={rows => columnsOf([], new Set(), slow(rows)).filter(c => c.shown !== false && c.key !== "user")}
      href={traceHref}
      compact={t => <CompactTrace trace={t} />}
      none="No traces in this time"
    />
  );
}

interface ListProps<T> {
  label: string;
  path: string; // of the API
  params: Params;
  newest: string; // the order of a list that nobody has sorted
  columns: (rows: T[]) => Column<T>[];
  href: (row: T) => string;
  compact: (row: T) => ComponentChildren;
  none: string; // said where there is no row
}

function List<T extends { id: string }>({ path, params, newest, columns, none, ...table }: ListProps<T>): JSX.Element {
  const sort = usePlace().query.get("sort") ?? newest;
  const list = usePaged<T>(path, { ...params, sort });
  if (list.error) return <Failure error={list.error} again={list.reload} />;
  if (list.loaded && list.rows.length === 0) return <p class="card-none muted">{none}</p>;
  const onSort = (s: string) => setQuery({ sort: s }, true);
  return <Table {...table} list={list} columns={columns(list.rows)} sort={sort} onSort={onSort} fields={userFields} />;
}
