import type { JSX } from "preact";
import { seg } from "../api.ts";
import { link } from "../base.ts";
import type { Bulk } from "../bulk/bulk.ts";
import { sessionFields } from "../filters.ts";
import { counted, duration } from "../format.ts";
import { sessionSheet } from "../sheets.ts";
import { is } from "../terms.ts";
import type { SessionSummary, Totals } from "../types.ts";
import type { Column } from "../ui/table.tsx";
import { Compact, linkColumn } from "./columns.tsx";
import { lastSeen, TotalsPage, totalColumns } from "./totals.tsx";

export const sessionHref = (s: { id: string }): string => link(`/sessions/${seg(s.id)}`);

/** lasted is the time from the first to the last. */
export const lasted = (t: Totals): string => duration(Date.parse(t.last_seen) - Date.parse(t.first_seen));

/** sessionColumns are the columns of a list of sessions. */
export const sessionColumns: Column<SessionSummary>[] = [
  lastSeen(),
  linkColumn({ key: "id", title: "Session", width: 150, grow: 2, hint: s => s.id }, sessionHref, s => s.id),
  {
    key: "users",
    title: "Users",
    width: 120,
    grow: 1,
    cell: s => <Users ids={s.user_ids} />,
    hint: s => s.user_ids.join("\n"),
    filter: s => s.user_ids.map(u => is("user", u)),
  },
  {
    key: "environments",
    title: "Environment",
    width: 100,
    cell: s => s.environments.join(", "),
    hint: s => s.environments.join("\n"),
    filter: s => s.environments.map(e => is("env", e)),
  },
  { key: "lasted", title: "Lasted", width: 86, numeric: true, cell: lasted },
  ...totalColumns<SessionSummary>(),
];

const bulk: Bulk<SessionSummary> = { noun: "session", sheet: sessionSheet };
const counting = { by: "session_id" } as const;

/** SessionsPage lists the sessions of the time looked at. */
export function SessionsPage(): JSX.Element {
  return (
    <TotalsPage
      page="sessions"
      title="Sessions"
      bulk={bulk}
      counting={counting}
      words="session"
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
    <Compact href={sessionHref(s)} name={s.id} at={s.last_seen} of={s} last={s.user_ids.join(", ")}>
      <span>{counted(s.trace_count, "trace")}</span>
    </Compact>
  );
}
