import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Rows is a list of rows of one height, of which only those near the view exist in the document. */
export interface Rows<T> {
  box: RefObject<HTMLDivElement | null>; // what scrolls
  look: () => void; // sees what is in view: for the box's onScroll
  first: number; // the place of shown[0]
  shown: T[];
  height: string; // of all rows: for what holds them
  bring: (at: number, spare: number) => void; // scrolls no farther than needed; spare pixels stay free below
  focus: (at: number) => void; // of the row with that data-at, once it is drawn
  page: () => number; // how many rows fit
}

const AHEAD = 12; // rows drawn beyond the view on either side

/** useRows is the one list that draws by what is in view. more is called when its end is near. */
export function useRows<T>(rows: T[], height: number, more?: () => void): Rows<T> {
  const box = useRef<HTMLDivElement | null>(null);
  const [view, set] = useState({ first: 0, last: 60 });
  const look = () => {
    const el = box.current;
    if (!el) return;
    const first = Math.max(0, Math.floor(el.scrollTop / height) - AHEAD);
    const last = Math.ceil((el.scrollTop + el.clientHeight) / height) + AHEAD;
    set(v => (v.first === first && v.last === last ? v : { first, last }));
    if (more && last >= rows.length - AHEAD) more();
  };
  const latest = useRef(look);
  latest.current = look;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is in view changes with these; look reads the document
  useLayoutEffect(look, [rows, height]);
  useEffect(() => {
    const seen = new ResizeObserver(() => latest.current());
    seen.observe(box.current!);
    return () => seen.disconnect();
  }, []);
  return {
    box,
    look,
    first: view.first,
    shown: rows.slice(view.first, view.last),
    height: `${rows.length * height}px`,
    bring: (at, spare) => {
      const el = box.current;
      if (!el) return;
      const [top, end] = [at * height, (at + 1) * height + spare];
      if (top < el.scrollTop) el.scrollTop = top;
      else if (end > el.scrollTop + el.clientHeight) el.scrollTop = end - el.clientHeight;
    },
    focus: at => {
      const row = () => box.current?.querySelector<HTMLElement>(`[data-at="${at}"]`);
      requestAnimationFrame(() => row()?.focus({ preventScroll: true }));
    },
    page: () => Math.floor((box.current?.clientHeight ?? 400) / height),
  };
}
