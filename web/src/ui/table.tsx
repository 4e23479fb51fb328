import type { ComponentChildren, JSX } from "preact";
import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import type { Field } from "../filters.ts";
import { useKeys } from "../keys.tsx";
import { navigate } from "../router.ts";
import { Spinner } from "./bits.tsx";
import { useComeBack } from "./comeback.ts";
import { FilterButton, FilterChoice, filterBy, known } from "./filterby.tsx";
import { NARROW, useMedia } from "./load.ts";
import { memo } from "./memo.ts";
import type { Paged } from "./paged.ts";
import { useRows } from "./rows.ts";
import type { Selection } from "./selection.ts";
import { Head } from "./tablehead.tsx";

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
  shown?: boolean; // false: not unless it is chosen
  needed?: boolean; // it names its row, and cannot be hidden
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
  selection?: Selection<T> | undefined; // rows can be chosen
  onWidth?: ((key: string, width: number | undefined) => void) | undefined; // undefined: the usual width
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
  const keyOf = (row: T): string => props.rowKey?.(row) ?? row.id;
  useComeBack({ list, height, view, keyOf, href, at: walk, activate: onActive });
  const { selection } = props;
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
    ...(selection ? chooseKeys(selection, walk) : []),
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

  const [drag, setDrag] = useState<{ key: string; width: number } | null>(null); // a column that is being made wider
  const box = selection ? CHOOSE : 0;
  const width = columns.reduce((sum, c) => sum + (c.key === drag?.key ? drag.width : c.width), box);
  const template = useMemo(() => templateOf(columns, drag, box), [columns, drag, box]);
  return (
    <>
      <div
        class="table"
        role="grid"
        tabIndex={-1}
        aria-label={props.label}
        aria-rowcount={rows.length + 1}
        aria-multiselectable={selection ? true : undefined}
        style={{ "--columns": template }}
        ref={view.box}
        onScroll={view.look}
        onKeyDown={onKey}
      >
        {!narrow && (
          <Head
            columns={columns}
            sort={props.sort}
            onSort={props.onSort}
            width={width}
            selection={selection}
            onWidth={props.onWidth}
            onDrag={setDrag}
          />
        )}
        <div role="rowgroup" class="table-rows" style={{ height: view.height, minWidth: narrow ? "0" : `${width}px` }}>
          {view.shown.map((row, i) => (
            <Row
              key={keyOf(row)}
              row={row}
              at={view.first + i}
              columns={columns}
              height={height}
              narrow={narrow}
              fresh={fresh?.has(row.id) ?? false}
              active={view.first + i === active}
              href={href}
              compact={props.compact}
              onActive={onActive}
              fields={fields}
              offer={offer}
              chosen={selection ? selection.has(keyOf(row)) : undefined}
              choose={selection?.toggle}
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

const CHOOSE = 30; // pixels, of the boxes by which rows are chosen

function templateOf(
  columns: { key: string; width: number; grow?: number }[],
  drag: { key: string; width: number } | null,
  box: number,
): string {
  const own = columns.map(c => {
    if (c.key === drag?.key) return `${drag.width}px`;
    return `minmax(${c.width}px, ${c.grow ? `${c.grow}fr` : `${c.width}px`})`;
  });
  return [...(box ? [`${box}px`] : []), ...own].join(" ");
}

function chooseKeys<T>(selection: Selection<T>, walk: { current: { at: number } }) {
  return [
    { key: "x", label: "Select this row, or not", run: () => void selection.toggle(walk.current.at, false) },
    {
      key: "X",
      label: "Select all rows from the last to this one",
      run: () => void selection.toggle(walk.current.at, true),
    },
  ];
}

interface RowProps<T> extends Pick<Props<T>, "columns" | "href" | "compact"> {
  row: T;
  at: number;
  height: number;
  narrow: boolean;
  fresh: boolean;
  active: boolean;
  onActive: (at: number) => void;
  fields: Field[];
  offer: (all: string[]) => void;
  chosen: boolean | undefined; // undefined: rows cannot be
  choose: Selection<T>["toggle"] | undefined;
}

function DrawnRow({
  row,
  at,
  columns,
  height,
  narrow,
  fresh,
  active,
  href,
  compact,
  onActive,
  fields,
  offer,
  chosen,
  choose,
}: RowProps<unknown>): JSX.Element {
  const box = choose && (
    // the row has the focus
    <div role="gridcell" class="cell cell-choose">
      <input
        type="checkbox"
        tabIndex={-1}
        aria-label={`Select row ${at + 1}`}
        checked={chosen === true}
        onClick={e => {
          e.currentTarget.checked = choose(at, e.shiftKey); // of a range it stays, though it was clicked
        }}
      />
    </div>
  );
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid's onKeyDown has Enter
    <div
      role="row"
      class={`row${narrow ? " row-compact" : ""}${fresh ? " fresh" : ""}${chosen ? " row-chosen" : ""}`}
      data-at={at}
      tabIndex={active ? 0 : -1}
      aria-rowindex={at + 2}
      aria-selected={chosen}
      style={{
        transform: `translateY(${at * height}px)`,
        height: `${height}px`,
        gridTemplateColumns: narrow ? (box ? `${CHOOSE}px minmax(0, 1fr)` : "1fr") : "var(--columns)",
      }}
      onFocus={() => onActive(at)}
      onClick={e => {
        onActive(at);
        const own = (e.target as Element).closest("a, button, .cell-choose");
        if (!own && !getSelection()?.toString()) navigate(href(row));
      }}
    >
      {box}
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
