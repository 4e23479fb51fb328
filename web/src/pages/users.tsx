import type { JSX } from "preact";
import { userFields } from "../filters.ts";
import { cost, count, short } from "../format.ts";
import type { UserSummary } from "../types.ts";
import { Time } from "../ui/bits.tsx";
import type { Column } from "../ui/table.tsx";
import { lastSeen, totalColumns, userHref } from "./listcells.tsx";
import { ListPage } from "./listpage.tsx";

const columns: Column<UserSummary>[] = [
  lastSeen(),
  {
    key: "id",
    title: "User",
    width: 160,
    grow: 2,
    cell: u => (
      <a href={userHref(u)} tabIndex={-1} class="row-link">
        {u.id}
      </a>
    ),
    hint: u => u.id,
  },
  {
    key: "sessions",
    title: "Sessions",
    width: 80,
    numeric: true,
    sort: "session_count",
    cell: u => count(u.session_count),
  },
  ...totalColumns<UserSummary>(),
];

/** UsersPage lists the users of the time looked at. */
export function UsersPage(): JSX.Element {
  return (
    <ListPage
      title="Users"
      path="/v1/users"
      icon="users"
      fields={userFields}
      columns={columns}
      href={userHref}
      compact={u => <CompactUser user={u} />}
      how="A trace that names its user_id belongs to a user."
    />
  );
}

function CompactUser({ user: u }: { user: UserSummary }): JSX.Element {
  return (
    <>
      <span class="compact-top">
        <a href={userHref(u)} tabIndex={-1} class="row-link ellipsis">
          {u.id}
        </a>
        <Time at={u.last_seen} />
      </span>
      <span class="compact-facts">
        {u.error_count > 0 && <span class="badge badge-error">{u.error_count} err</span>}
        <span>{count(u.trace_count)} traces</span>
        <span>{count(u.session_count)} sessions</span>
        <span>{short(u.total_tokens)} tok</span>
        <span>{cost(u.total_cost)}</span>
      </span>
    </>
  );
}
