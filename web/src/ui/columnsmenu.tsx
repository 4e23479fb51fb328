import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { type Arrangeable, type Arrangement, AS_USUAL, isShown, moved, ordered } from "./arrange.ts";
import { Icon } from "./icon.tsx";
import { Menu } from "./menu.tsx";

interface Named extends Arrangeable {
  title: string;
}

interface Props {
  columns: Named[]; // all that there are
  arrangement: Arrangement;
  arrange: (next: Arrangement) => void;
}

/** ColumnsMenu shows, hides and orders the columns of a list. */
export function ColumnsMenu(props: Props): JSX.Element {
  return (
    <Menu label="Columns" icon="columns" align="right">
      {() => <Panel {...props} />}
    </Menu>
  );
}

function Panel({ columns, arrangement: a, arrange }: Props): JSX.Element {
  const all = ordered(columns, a.order);
  const [said, say] = useState("");
  const list = useRef<HTMLUListElement>(null);
  const dragged = useRef<string | null>(null);
  const move = (key: string, to: number) => {
    const next = moved(columns, a, key, to);
    if (next === a) return;
    arrange(next);
    say(`${all.find(c => c.key === key)?.title}: place ${to + 1} of ${all.length}`);
  };
  const onDrag = (e: PointerEvent) => {
    if (dragged.current === null) return;
    const rows = [...(list.current?.children ?? [])];
    const to = rows.findIndex(r => e.clientY < r.getBoundingClientRect().bottom);
    move(dragged.current, to < 0 ? rows.length - 1 : to);
  };
  return (
    <>
      <ul class="columns-list" ref={list}>
        {all.map((c, i) => (
          <li key={c.key}>
            <span
              class="grip"
              title="Drag to another place"
              onPointerDown={e => {
                e.preventDefault();
                e.currentTarget.setPointerCapture(e.pointerId);
                dragged.current = c.key;
              }}
              onPointerMove={onDrag}
              onPointerUp={() => {
                dragged.current = null;
              }}
              onPointerCancel={() => {
                dragged.current = null;
              }}
            >
              <Icon name="grip" size={14} />
            </span>
            <label class="item check">
              <input
                type="checkbox"
                checked={isShown(c, a)}
                disabled={c.needed}
                onChange={e => arrange({ ...a, chosen: { ...a.chosen, [c.key]: e.currentTarget.checked } })}
              />
              <span class="ellipsis">{c.title}</span>
            </label>
            <button
              type="button"
              class="icon-button"
              aria-label={`Move ${c.title} up`}
              aria-disabled={i === 0}
              onClick={() => move(c.key, i - 1)}
            >
              <Icon name="up" size={12} />
            </button>
            <button
              type="button"
              class="icon-button"
              aria-label={`Move ${c.title} down`}
              aria-disabled={i === all.length - 1}
              onClick={() => move(c.key, i + 1)}
            >
              <Icon name="down" size={12} />
            </button>
          </li>
        ))}
      </ul>
      <p class="visually-hidden" aria-live="polite">
        {said}
      </p>
      <button type="button" class="item" onClick={() => arrange(AS_USUAL)}>
        As at first
      </button>
    </>
  );
}
