// Columns, and the row of a telephone, that the lists of traces, sessions and users have in common.
import type { ComponentChildren, JSX } from "preact";
import { cost, count, counted, fullTime, short, utc } from "../format.ts";
import { unpriced } from "../trace/amounts.ts";
import type { Totals } from "../types.ts";
import { Time } from "../ui/bits.tsx";
import type { Column } from "../ui/table.tsx";

type Amounts = Pick<Totals, "observation_count" | "error_count" | "total_tokens" | "total_cost" | "unpriced_count">;

/** timeColumn shows a time; its hint has it in full. */
export function timeColumn<T>(column: Omit<Column<T>, "cell" | "hint">, at: (row: T) => string): Column<T> {
  return {
    ...column,
    cell: row => <Time at={at(row)} />,
    hint: row => `${utc(at(row))}\n${fullTime(at(row))} here`,
  };
}

/** linkColumn is the column that names its row, and leads to it. */
export function linkColumn<T>(
  column: Omit<Column<T>, "cell">,
  href: (row: T) => string,
  name: (row: T) => string,
  filter?: (row: T) => string[],
): Column<T> {
  const cell = (row: T) => (
    <a href={href(row)} tabIndex={-1} class="row-link">
      {name(row)}
    </a>
  );
  return { ...column, needed: true, cell, ...(filter ? { filter } : {}) };
}

/** countColumn is a number that can be sorted by. */
export function countColumn<T>(
  column: Pick<Column<T>, "key" | "title" | "width" | "hint"> & { sort: string },
  of: (row: T) => number,
): Column<T> {
  return { ...column, numeric: true, cell: row => count(of(row)) };
}

// costHint is a cost to the last digit, and how many calls are not in it.
function costHint(row: Amounts): string {
  const known = row.total_cost === null ? "No cost is known" : `$${row.total_cost}`;
  return row.unpriced_count > 0 ? `${known}\n${unpriced(row.unpriced_count)}` : known;
}

/** amountColumns are what rows add up to. */
export function amountColumns<T extends Amounts>(widths: { observations: number; errors: number; tokens: number }) {
  const observations = countColumn<T>(
    {
      key: "observations",
      title: "Steps",
      width: widths.observations,
      sort: "observation_count",
      hint: row => counted(row.observation_count, "observation"),
    },
    row => row.observation_count,
  );
  const errors: Column<T> = {
    key: "errors",
    title: "Errors",
    width: widths.errors,
    numeric: true,
    sort: "error_count",
    cell: row =>
      row.error_count > 0 ? (
        <span class="badge badge-error">{count(row.error_count)}</span>
      ) : (
        <span class="faint">0</span>
      ),
    filter: row => [`error:${row.error_count > 0}`],
  };
  const tokens: Column<T> = {
    key: "tokens",
    title: "Tokens",
    width: widths.tokens,
    numeric: true,
    sort: "total_tokens",
    cell: row => short(row.total_tokens),
    hint: row => counted(row.total_tokens, "token"),
  };
  const money: Column<T> = {
    key: "cost",
    title: "Cost",
    width: 112, // $0.00000038 is not cut
    numeric: true,
    sort: "total_cost",
    cell: row => cost(row.total_cost),
    hint: costHint,
  };
  return { observations, errors, tokens, cost: money };
}

interface CompactProps {
  href: string;
  name: string;
  at: string;
  of: Amounts;
  last?: ComponentChildren; // what may be cut off
  children: ComponentChildren; // before the amounts
}

/** Compact is the row of a telephone. */
export function Compact({ href, name, at, of: row, last, children }: CompactProps): JSX.Element {
  return (
    <>
      <span class="compact-top">
        <a href={href} tabIndex={-1} class="row-link ellipsis">
          {name}
        </a>
        <Time at={at} />
      </span>
      <span class="compact-facts">
        {row.error_count > 0 && <span class="badge badge-error">{row.error_count} err</span>}
        {children}
        <span>{short(row.total_tokens)} tok</span>
        <span>{cost(row.total_cost)}</span>
        {last !== undefined && <span class="ellipsis">{last}</span>}
      </span>
    </>
  );
}
