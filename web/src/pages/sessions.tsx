import type { JSX } from "preact";
import { seg } from "../api.ts";
import { link } from "../base.ts";
import { sessionFields } from "../filters.ts";
import { cost, count, short } from "../format.ts";
import type { SessionSummary } from "../types.ts";
import { Time } from "../ui/bits.tsx";
import type { Column } from "../ui/table.tsx";
import { lasted, lastSeen, sessionHref, totalColumns } from "./listcells.tsx";
import { ListPage } from "./listpage.tsx";

/** sessionColumns are the columns of a list of sessions. */
export const sessionColumns: Column<SessionSummary>[] = [
  lastSeen(),
  {
    key: "id",
    title: "Session",
    width: 150,
    grow: 2,
    cell: s => (
      <a href={sessionHref(s)} tabIndex={-1} class="row-link">
        {s.id}
      </a>
    ),
    hint: s => s.id,
  },
  {
    key: "users",
    title: "Users",
    width: 120,
    grow: 1,
    cell: s => <Users ids={s.user_ids} />,
    hint: s => s.user_ids.join("\n"),
  },
  {
    key: "environments",
    title: "Environment",
    width: 100,
    cell: s => s.environments.join(", "),
    hint: s => s.environments.join("\n"),
  },
  { key: "lasted", title: "Lasted", width: 86, numeric: true, cell: lasted },
  ...totalColumns<SessionSummary>(),
];

/** SessionsPage lists the sessions of the time looked at. */
export function SessionsPage(): JSX.Element {
  return (
    <ListPage
      title="Sessions"
      path="/v1/sessions"
      icon="sessions"
      fields={sessionFields}
      columns={sessionColumns}
      href={sessionHref}
      compact={s => <CompactSession session={s} />}
      how="A trace that names its session_id belongs to a session."
    />
  );
}

function Users({ ids }: { ids: string[] }): JSX.Element {
  const first = ids[0];
  if (!first) return <span class="faint">–</span>;
  return (
    <>
      <a href={link(`/users/${seg(first)}`)} tabIndex={-1}>
        {first}
      </a>
      {ids.length > 1 && <span class="muted"> and {ids.length - 1} more</span>}
    </>
  );
}

/** CompactSession is the row of a telephone. */
export function CompactSession({ session: s }: { session: SessionSummary }): JSX.Element {
  return (
    <>
      <span class="compact-top">
        <a href={sessionHref(s)} tabIndex={-1} class="row-link ellipsis">
          {s.id}
        </a>
        <Time at={s.last_seen} />
      </span>
      <span class="compact-facts">
        {s.error_count > 0 && <span class="badge badge-error">{s.error_count} err</span>}
        <span>{count(s.trace_count)} traces</span>
        <span>{short(s.total_tokens)} tok</span>
        <span>{cost(s.total_cost)}</span>
        <span class="ellipsis">{s.user_ids.join(", ")}</span>
      </span>
    </>
  );
}
