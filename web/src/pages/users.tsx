import type { JSX } from "preact";
import { seg } from "../api.ts";
import { link } from "../base.ts";
import type { Bulk } from "../bulk/bulk.ts";
import { userFields } from "../filters.ts";
import { counted } from "../format.ts";
import { userSheet } from "../sheets.ts";
import type { UserSummary } from "../types.ts";
import type { Column } from "../ui/table.tsx";
import { Compact, countColumn, linkColumn } from "./columns.tsx";
import { lastSeen, TotalsPage, totalColumns } from "./totals.tsx";

const userHref = (u: { id: string }): string => link(`/users/${seg(u.id)}`);

const columns: Column<UserSummary>[] = [
  lastSeen(),
  linkColumn({ key: "id", title: "User", width: 160, grow: 2, hint: u => u.id }, userHref, u => u.id),
  countColumn({ key: "sessions", title: "Sessions", width: 80, sort: "session_count" }, u => u.session_count),
  ...totalColumns<UserSummary>(),
];

const bulk: Bulk<UserSummary> = {
  noun: "user",
  sheet: userSheet,
  erase: {
    path: u => `/v1/users?id=${seg(u.id)}`,
    says: "With each user go all traces of which any event names them, whatever else is in these, and every other event that names them.",
  },
};
const counting = { by: "user_id" } as const;

/** UsersPage lists the users of the time looked at. */
export function UsersPage(): JSX.Element {
  return (
    <TotalsPage
      page="users"
      title="Users"
      bulk={bulk}
      counting={counting}
      words="user"
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
    <Compact href={userHref(u)} name={u.id} at={u.last_seen} of={u}>
      <span>{counted(u.trace_count, "trace")}</span>
      <span>{counted(u.session_count, "session")}</span>
    </Compact>
  );
}
