// Cells that the lists of sessions and users have in common.
import { seg } from "../api.ts";
import { link } from "../base.ts";
import { cost, count, duration, fullTime, short, utc } from "../format.ts";
import type { Totals } from "../types.ts";
import { Time } from "../ui/bits.tsx";
import type { Column } from "../ui/table.tsx";

export const sessionHref = (s: { id: string }): string => link(`/sessions/${seg(s.id)}`);
export const userHref = (u: { id: string }): string => link(`/users/${seg(u.id)}`);

const when = (iso: string): string => `${utc(iso)}\n${fullTime(iso)} here`;

/** lastSeen is the column that the lists begin with. */
export function lastSeen<T extends Totals>(): Column<T> {
  return {
    key: "last",
    title: "Last seen",
    width: 134,
    sort: "last_seen",
    cell: t => <Time at={t.last_seen} />,
    hint: t => when(t.last_seen),
  };
}

/** totalColumns are the numbers that the lists end with. */
export function totalColumns<T extends Totals>(): Column<T>[] {
  return [
    {
      key: "traces",
      title: "Traces",
      width: 72,
      numeric: true,
      sort: "trace_count",
      cell: t => count(t.trace_count),
    },
    {
      key: "observations",
      title: "Steps",
      width: 66,
      numeric: true,
      sort: "observation_count",
      cell: t => count(t.observation_count),
      hint: t => `${count(t.observation_count)} observations`,
    },
    {
      key: "errors",
      title: "Errors",
      width: 66,
      numeric: true,
      sort: "error_count",
      cell: t =>
        t.error_count > 0 ? (
          <span class="badge badge-error">{count(t.error_count)}</span>
        ) : (
          <span class="faint">0</span>
        ),
    },
    {
      key: "tokens",
      title: "Tokens",
      width: 74,
      numeric: true,
      sort: "total_tokens",
      cell: t => short(t.total_tokens),
      hint: t => `${count(t.total_tokens)} tokens`,
    },
    {
      key: "cost",
      title: "Cost",
      width: 88,
      numeric: true,
      sort: "total_cost",
      cell: t => cost(t.total_cost),
      hint: t => `$${t.total_cost}`,
    },
    {
      key: "first",
      title: "First seen",
      width: 134,
      sort: "first_seen",
      cell: t => <Time at={t.first_seen} />,
      hint: t => when(t.first_seen),
    },
  ];
}

/** lasted is the time from the first to the last. */
export const lasted = (t: Totals): string => duration(Date.parse(t.last_seen) - Date.parse(t.first_seen));
