import type { ComponentChildren, JSX } from "preact";
import { useCallback, useRef, useState } from "preact/hooks";
import type { Field } from "../filters.ts";
import { useKeys } from "../keys.tsx";
import { navigate } from "../router.ts";
import { Spinner } from "./bits.tsx";
import { FilterButton, FilterChoice, filterBy, known } from "./filterby.tsx";
import { Icon } from "./icon.tsx";
import { NARROW, useMedia } from "./load.ts";
import { memo } from "./memo.ts";
import type { Paged } from "./paged.ts";
import { useRows } from "./rows.ts";

/** Column of a table of T. */
export interface Column<T> {
  key: string;
  title: string;
  width: number; // pixels, at least
  grow?: number; // share of what is left
  numeric?: boolean;
  sort?: string; // the API's name of the column, when it can be sorted by
  cell: (row: T) => ComponentChildren;
  hint?: (row: T) => string; // shown when the pointer rests on the cell
  filter?: (row: T) => string[]; // terms of filters that its values make
}

interface Props<T> {
  label: string;
  list: Paged<T>;
  columns: Column<T>[];
  href: (row: T) => string;
  compact: (row: T) => ComponentChildren; // the row on a telephone
  sort?: string | undefined;
  onSort?: ((sort: string) => void) | undefined;
  rowKey?: ((row: T) => string) | undefined; // absent: its id
  fresh?: Set<string> | undefined; // ids of rows that just came in
  fields?: Field[] | undefined; // by which the list can be filtered
}

const none: Field[] = [];
const ROW = 33;
const COMPACT_ROW = 60;

/** Table shows a list of any length, and reads on near its end. */
export function Table<T extends { id: string }>(props: Props<T>): JSX.Element {
  const { list, columns, href, fresh } = props;
  const { rows, more } = list;
  const narrow = useMedia(NARROW);
  const height = narrow ? COMPACT_ROW : ROW;
  const view = useRows(rows, height, more);
  const [active, setActive] = useState(0);
  const walk = useRef({ at: 0, begun: false }); // active, at once: keys come faster than renders

  const move = (to: number) => {
    const at = Math.max(0, Math.min(rows.length - 1, to));
    onActive(at);
    view.bring(at, narrow ? 0 : ROW); // the head covers as much
    view.focus(at);
  };
  const onActive = useCallback((at: number) => {
    setActive(at);
    walk.current = { at, begun: true };
  }, []);
  const fields = props.fields ?? none;
  const [offered, setOffered] = useState<string[]>([]);
  const offer = useCallback(
    (all: string[]) => (all.length === 1 ? filterBy(all[0]!, fields) : setOffered(all)),
    [fields],
  );
  const offerRow = () => {
    const row = rows[walk.current.at];
    const all = row ? columns.flatMap(c => c.filter?.(row) ?? []) : [];
    setOffered(known([...new Set(all)], fields));
  };
  const step = (by: number) => move(walk.current.begun ? walk.current.at + by : walk.current.at);
  useKeys([
    { key: "j", label: "Next row", run: () => step(1) },
    { key: "k", label: "Row before", run: () => step(-1) },
    ...(fields.length > 0 ? [{ key: "f", label: "Filter by a value of this row", run: offerRow }] : []),
  ]);
  const onKey = (e: KeyboardEvent) => {
    const row = (e.target as HTMLElement).closest<HTMLElement>("[data-at]");
    if (!row) return;
    const page = view.page() - 2;
    const steps: Record<string, number> = {
      ArrowDown: walk.current.at + 1,
      ArrowUp: walk.current.at - 1,
      PageDown: walk.current.at + page,
      PageUp: walk.current.at - page,
      Home: 0,
      End: rows.length - 1,
    };
    const to = steps[e.key];
    if (to !== undefined) {
      e.preventDefault();
      move(to);
    } else if (e.key === "Enter" && e.target === row) {
      const r = rows[walk.current.at];
      if (r) navigate(href(r));
    }
  };

  const template = columns.map(c => `minmax(${c.width}px, ${c.grow ? `${c.grow}fr` : `${c.width}px`})`).join(" ");
  const width = columns.reduce((sum, c) => sum + c.width, 0);
  return (
    <>
      <div
        class="table"
        role="grid"
        tabIndex={-1}
        aria-label={props.label}
        aria-rowcount={rows.length + 1}
        ref={view.box}
        onScroll={view.look}
        onKeyDown={onKey}
      >
        {!narrow && (
          <Head columns={columns} sort={props.sort} onSort={props.onSort} template={template} width={width} />
        )}
        <div role="rowgroup" class="table-rows" style={{ height: view.height, minWidth: narrow ? "0" : `${width}px` }}>
          {view.shown.map((row, i) => (
            <Row
              key={props.rowKey?.(row) ?? row.id}
              row={row}
              at={view.first + i}
              columns={columns}
              template={template}
              height={height}
              narrow={narrow}
              fresh={fresh?.has(row.id) ?? false}
              active={view.first + i === active}
              href={href}
              compact={props.compact}
              onActive={onActive}
              fields={fields}
              offer={offer}
            />
          ))}
        </div>
        {list.busy && (
          // a grid holds rows only
          <div role="rowgroup">
            <div role="row">
              <div role="gridcell">
                <Spinner />
              </div>
            </div>
          </div>
        )}
      </div>
      {offered.length > 0 && <FilterChoice of={offered} fields={fields} close={() => setOffered([])} />}
    </>
  );
}

interface RowProps<T> extends Pick<Props<T>, "columns" | "href" | "compact"> {
  row: T;
  at: number;
  template: string;
  height: number;
  narrow: boolean;
  fresh: boolean;
  active: boolean;
  onActive: (at: number) => void;
  fields: Field[];
  offer: (all: string[]) => void;
}

function DrawnRow({
  row,
  at,
  columns,
  template,
  height,
  narrow,
  fresh,
  active,
  href,
  compact,
  onActive,
  fields,
  offer,
}: RowProps<unknown>): JSX.Element {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid's onKeyDown has Enter
    <div
      role="row"
      class={`row${narrow ? " row-compact" : ""}${fresh ? " fresh" : ""}`}
      data-at={at}
      tabIndex={active ? 0 : -1}
      aria-rowindex={at + 2}
      style={{
        transform: `translateY(${at * height}px)`,
        height: `${height}px`,
        gridTemplateColumns: narrow ? "1fr" : template,
      }}
      onFocus={() => onActive(at)}
      onClick={e => {
        if (!(e.target as Element).closest("a, button") && !getSelection()?.toString()) navigate(href(row));
      }}
    >
      {narrow ? (
        // the row has the focus
        <div role="gridcell" class="compact">
          {compact(row)}
        </div>
      ) : (
        columns.map(c => (
          // the row has the focus
          <div key={c.key} role="gridcell" class={`cell${c.numeric ? " numeric" : ""}`} title={c.hint?.(row)}>
            {c.cell(row)}
            {c.filter && fields.length > 0 && <FilterButton of={known(c.filter(row), fields)} offer={offer} />}
          </div>
        ))
      )}
    </div>
  );
}

// Scrolling draws only the rows that come into view.
// A table has rows, columns and links of one T, which a value cannot say.
const Row = memo(DrawnRow) as unknown as <T>(props: RowProps<T> & { key: string }) => JSX.Element;

interface HeadProps<T> extends Pick<Props<T>, "columns" | "sort" | "onSort"> {
  template: string;
  width: number;
}

function Head<T>({ columns, sort, onSort, template, width }: HeadProps<T>): JSX.Element {
  const by = sort?.replace(/^-/, "");
  const descending = sort?.startsWith("-") ?? true;
  return (
    <div role="rowgroup" class="table-head" style={{ minWidth: `${width}px` }}>
      {/* its buttons have the focus */}
      <div role="row" class="row-head" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
        {columns.map(c => {
          const sorted = c.sort !== undefined && c.sort === by;
          const state = sorted ? (descending ? "descending" : "ascending") : "none";
          return (
            // its button has the focus
            <div
              key={c.key}
              role="columnheader"
              class={`cell${c.numeric ? " numeric" : ""}`}
              {...(c.sort && onSort ? { "aria-sort": state as "none" } : {})}
            >
              {c.sort && onSort ? (
                <button
                  type="button"
                  class="sort"
                  onClick={() => onSort(sorted && descending ? c.sort! : `-${c.sort}`)}
                >
                  {c.title}
                  {sorted && <Icon name={descending ? "down" : "up"} size={12} />}
                </button>
              ) : (
                c.title
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}
