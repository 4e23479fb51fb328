import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { bounded, NARROWEST, WIDEST } from "./arrange.ts";
import { Icon } from "./icon.tsx";
import type { Selection } from "./selection.ts";
import type { Column } from "./table.tsx";

interface Props<T> {
  columns: Column<T>[];
  sort?: string | undefined;
  onSort?: ((sort: string) => void) | undefined;
  width: number; // of all columns, pixels
  selection: Selection<T> | undefined;
  onWidth: ((key: string, width: number | undefined) => void) | undefined;
  onDrag: (drag: { key: string; width: number } | null) => void; // while a column is being made wider
}

/** Head names the columns of a table, sorts by them and makes them wider. */
export function Head<T>({ columns, sort, onSort, width, selection, onWidth, onDrag }: Props<T>): JSX.Element {
  const by = sort?.replace(/^-/, "");
  const descending = sort?.startsWith("-") ?? true;
  return (
    <div role="rowgroup" class="table-head" style={{ minWidth: `${width}px` }}>
      {/* its buttons have the focus */}
      <div role="row" class="row-head" aria-rowindex={1} style={{ gridTemplateColumns: "var(--columns)" }}>
        {selection && <ChoosePage selection={selection} />}
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
              {onWidth && <Edge of={c} onWidth={onWidth} onDrag={onDrag} />}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function ChoosePage<T>({ selection }: { selection: Selection<T> }): JSX.Element {
  return (
    // its box has the focus
    <div role="columnheader" class="cell cell-choose">
      <input
        type="checkbox"
        aria-label="Select all rows that are read"
        checked={selection.page === "all"}
        indeterminate={selection.page === "some"}
        onChange={selection.togglePage}
      />
    </div>
  );
}

const STEP = 10; // pixels by an arrow key

interface EdgeProps {
  of: { key: string; title: string; width: number };
  onWidth: (key: string, width: number | undefined) => void;
  onDrag: (drag: { key: string; width: number } | null) => void;
}

/** Edge is between two columns: dragged, or with the arrow keys, it makes the one before it wider. */
function Edge({ of: { key, title, width }, onWidth, onDrag }: EdgeProps): JSX.Element {
  const from = useRef<{ x: number; width: number; to: number } | null>(null);
  const drawn = (el: HTMLElement) => el.parentElement?.getBoundingClientRect().width ?? width;
  const end = (keep: boolean) => {
    const { width = 0, to = 0 } = from.current ?? {};
    from.current = null;
    onDrag(null);
    if (keep && to !== width) onWidth(key, to);
  };
  return (
    <div
      role="separator"
      class="edge"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={`Width of ${title}`}
      aria-valuenow={Math.round(width)}
      aria-valuemin={NARROWEST}
      aria-valuemax={WIDEST}
      title={`Width of ${title}: drag, or use the arrow keys. Enter, or two clicks, is the usual width.`}
      onPointerDown={e => {
        if (e.button !== 0) return;
        e.preventDefault();
        e.currentTarget.focus();
        e.currentTarget.setPointerCapture(e.pointerId);
        const width = drawn(e.currentTarget);
        from.current = { x: e.clientX, width, to: width };
      }}
      onPointerMove={e => {
        if (!from.current) return;
        from.current.to = bounded(from.current.width + e.clientX - from.current.x);
        onDrag({ key, width: from.current.to });
      }}
      onPointerUp={() => end(true)}
      onPointerCancel={() => end(false)}
      onDblClick={() => onWidth(key, undefined)}
      onKeyDown={e => {
        const by = e.key === "ArrowRight" ? STEP : e.key === "ArrowLeft" ? -STEP : 0;
        if (by !== 0) onWidth(key, drawn(e.currentTarget) + by * (e.shiftKey ? 5 : 1));
        else if (e.key === "Enter") onWidth(key, undefined);
        else if (e.key === "Home") onWidth(key, NARROWEST);
        else return;
        e.preventDefault();
      }}
    />
  );
}
