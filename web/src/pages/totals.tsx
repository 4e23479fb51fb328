// What the lists of sessions and of users have in common: their rows are what traces add up to.
import type { ComponentChildren, JSX } from "preact";
import { useAsked } from "../asked.ts";
import type { Field } from "../filters.ts";
import type { Totals } from "../types.ts";
import type { IconName } from "../ui/icon.tsx";
import { usePaged } from "../ui/paged.ts";
import type { Column } from "../ui/table.tsx";
import { amountColumns, countColumn, timeColumn } from "./columns.tsx";
import type { Listed } from "./listing.tsx";
import { ListPage } from "./listpage.tsx";

/** lastSeen is the column that the lists begin with. */
export function lastSeen<T extends Totals>(): Column<T> {
  return timeColumn({ key: "last", title: "Last seen", width: 134, sort: "last_seen" }, t => t.last_seen);
}

/** totalColumns are the numbers that the lists end with. */
export function totalColumns<T extends Totals>(): Column<T>[] {
  const amount = amountColumns<T>({ observations: 66, errors: 66, tokens: 74 });
  return [
    countColumn({ key: "traces", title: "Traces", width: 72, sort: "trace_count" }, t => t.trace_count),
    amount.observations,
    amount.errors,
    amount.tokens,
    amount.cost,
    timeColumn({ key: "first", title: "First seen", width: 134, sort: "first_seen" }, t => t.first_seen),
  ];
}

interface Props<T> extends Listed<T> {
  title: string;
  path: string; // of the API
  icon: IconName;
  fields: Field[];
  words: string; // the field that words are looked for in
  href: (row: T) => string;
  compact: (row: T) => ComponentChildren;
  how: string; // what makes a trace count here
}

/** TotalsPage is a list of what traces add up to. */
export function TotalsPage<T extends { id: string }>({ path, ...props }: Props<T>): JSX.Element {
  const newest = "-last_seen";
  const asked = useAsked(props.fields);
  const sort = asked.query.get("sort") ?? newest;
  const list = usePaged<T>(path, { ...asked.params, sort });
  return <ListPage {...props} asked={asked} list={list} sort={sort} newest={newest} />;
}
