// What the lists have in common beside their rows: views, columns, export, what is selected, and how many there are.
import type { JSX } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { type Params, query as written } from "../api.ts";
import type { BarProps } from "../bulk/bar.tsx";
import type { Bulk } from "../bulk/bulk.ts";
import { usePlace } from "../router.ts";
import { useArrangement } from "../saved/arrangement.ts";
import { type ListName, viewOf } from "../saved/views.ts";
import { ViewsMenu } from "../saved/viewsmenu.tsx";
import { arranged, isUsual, resized, toView } from "../ui/arrange.ts";
import { ColumnsMenu } from "../ui/columnsmenu.tsx";
import { ExportMenu } from "../ui/exportmenu.tsx";
import { lazy } from "../ui/lazy.tsx";
import type { Paged } from "../ui/paged.ts";
import { type Selection, useSelection } from "../ui/selection.ts";
import type { Column } from "../ui/table.tsx";
import { type Counting, useTotal } from "../ui/total.ts";

/** Listed says what is special about a list. */
export interface Listed<T> {
  page: ListName;
  columns: Column<T>[]; // all that there are
  bulk: Bulk<T>;
  counting: Counting | null;
}

interface Asking<T> extends Listed<T> {
  list: Paged<T>;
  params: Params; // filters and time
  sort: string;
  rowKey?: ((row: T) => string) | undefined;
}

/** Listing is what useListing makes. */
export interface Listing<T> {
  columns: Column<T>[]; // those that are shown
  selection: Selection<T>;
  onWidth: (key: string, width: number | undefined) => void;
  tools: JSX.Element; // beside the filters
  bar: JSX.Element | null; // below the rows
  total: number | undefined; // how many there are, where a part is shown and it is known
}

const SelectionBar = lazy<BarProps<{ id: string }>>(() => import("../bulk/bar.tsx").then(m => m.Bar));

/** useListing arranges a list as the person, or the view of the address, has it. */
export function useListing<T extends { id: string }>(a: Asking<T>): Listing<T> {
  const { page, columns: all, bulk, list, params, sort } = a;
  const view = viewOf(page, usePlace().query);
  const { arrangement, arrange, differs, reset } = useArrangement(page, view);
  const columns = useMemo(() => arranged(all, arrangement), [all, arrangement]);
  const keyOf = (row: T) => a.rowKey?.(row) ?? row.id;
  const selection = useSelection(list.rows, keyOf, `${page} ${written(params)}`);
  const total = useTotal(a.counting, params, !list.loaded || list.end || list.error !== undefined);
  const used = useRef(false);
  used.current ||= selection.rows.length > 0;
  // A list has rows of one T, which a value cannot say.
  const Bar = SelectionBar as unknown as (props: BarProps<T>) => JSX.Element;
  const asked = { ...params, sort };
  return {
    columns,
    selection,
    total,
    onWidth: (key, width) => arrange(resized(arrangement, key, width)),
    tools: (
      <>
        <ViewsMenu
          page={page}
          columns={isUsual(arrangement) ? undefined : toView(all, arrangement)}
          rearranged={differs(all)}
          reset={reset}
        />
        <ColumnsMenu columns={all} arrangement={arrangement} arrange={arrange} />
        <ExportMenu sheet={bulk.sheet} params={asked} />
      </>
    ),
    bar: used.current ? (
      <Bar
        bulk={bulk}
        selection={selection}
        params={asked}
        total={list.end ? list.rows.length : total}
        changed={list.reload}
      />
    ) : null,
  };
}

/** shownText says how many rows are shown, and of how many. */
export function shownText(rows: string, end: boolean, total: string | undefined): string {
  return end ? `${rows} shown` : total === undefined ? `${rows}+ shown` : `${rows} of ${total} shown`;
}
