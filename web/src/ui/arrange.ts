// Which columns of a list are shown, in which order, and how wide they are: as a person, or a saved view, has it.
import type { ViewColumn } from "../types.ts";

/** Arrangement is what is not as usual. */
export interface Arrangement {
  chosen: Record<string, boolean>; // shown or not
  only?: boolean; // what is not chosen is not shown: a view says all that is
  order: string[];
  widths: Record<string, number>; // pixels
}

/** Arrangeable is a column as far as it can be arranged. */
export interface Arrangeable {
  key: string;
  width: number;
  grow?: number;
  shown?: boolean; // false: not unless it is chosen
  needed?: boolean; // it names its row, and is always there
}

/** AS_USUAL changes nothing. */
export const AS_USUAL: Arrangement = { chosen: {}, order: [], widths: {} };

export const NARROWEST = 40;
export const WIDEST = 1200;

/** bounded is a width that a column may have. */
export const bounded = (width: number): number => Math.round(Math.max(NARROWEST, Math.min(WIDEST, width)));

/** isUsual says whether nothing is arranged. */
export const isUsual = (a: Arrangement): boolean =>
  !a.only && a.order.length === 0 && [a.chosen, a.widths].every(x => Object.keys(x).length === 0);

/** isShown says whether a column is to be seen. */
export const isShown = (c: Arrangeable, a: Arrangement): boolean =>
  c.needed === true || (a.chosen[c.key] ?? (a.only ? false : c.shown !== false));

/** ordered are the columns in their order; one that the order does not name stays behind the one before it. */
export function ordered<C extends Arrangeable>(columns: C[], order: string[]): C[] {
  const out = order.map(key => columns.find(c => c.key === key)).filter(c => c !== undefined);
  columns.forEach((c, i) => {
    if (out.includes(c)) return;
    const before = columns[i - 1];
    out.splice(before ? out.indexOf(before) + 1 : 0, 0, c);
  });
  return out;
}

/** arranged are the columns that are shown, in their order, each as wide as it was made. */
export function arranged<C extends Arrangeable>(columns: C[], a: Arrangement): C[] {
  return ordered(columns, a.order)
    .filter(c => isShown(c, a))
    .map(c => {
      const width = a.widths[c.key];
      return width === undefined ? c : { ...c, width: bounded(width), grow: 0 };
    });
}

/** moved is the order in which a column has another place. */
export function moved(columns: Arrangeable[], a: Arrangement, key: string, to: number): Arrangement {
  const order = ordered(columns, a.order).map(c => c.key);
  const at = order.indexOf(key);
  if (at < 0 || to < 0 || to >= order.length) return a;
  order.splice(to, 0, ...order.splice(at, 1));
  return { ...a, order };
}

/** resized has a column of that width; undefined is the usual one. */
export function resized(a: Arrangement, key: string, width: number | undefined): Arrangement {
  const { [key]: _, ...others } = a.widths;
  return { ...a, widths: width === undefined ? others : { ...others, [key]: bounded(width) } };
}

/** toView is how a view keeps what is shown; none when all is as usual. */
export function toView(columns: Arrangeable[], a: Arrangement): ViewColumn[] | undefined {
  if (isUsual(a)) return undefined;
  return ordered(columns, a.order)
    .filter(c => isShown(c, a))
    .map(({ key }) => (a.widths[key] === undefined ? { key } : { key, width: bounded(a.widths[key]) }));
}

/** fromView reads what a view keeps. */
export function fromView(columns: ViewColumn[] | undefined): Arrangement {
  if (!columns || columns.length === 0) return AS_USUAL;
  return {
    only: true,
    chosen: Object.fromEntries(columns.map(c => [c.key, true])),
    order: columns.map(c => c.key),
    widths: Object.fromEntries(columns.flatMap(c => (c.width ? [[c.key, c.width]] : []))),
  };
}

/** readArrangement reads what was stored, whatever it is: before there were orders and widths it was what is chosen. */
export function readArrangement(stored: unknown): Arrangement {
  if (typeof stored !== "object" || stored === null) return AS_USUAL;
  const { chosen, order, widths, only } = stored as Partial<Arrangement>;
  if (chosen === undefined || order === undefined || widths === undefined) {
    const flags = Object.entries(stored).filter((e): e is [string, boolean] => typeof e[1] === "boolean");
    return { ...AS_USUAL, chosen: Object.fromEntries(flags) };
  }
  if (typeof chosen !== "object" || !Array.isArray(order) || typeof widths !== "object") return AS_USUAL;
  return { chosen, order: order.map(String), widths, ...(only ? { only } : {}) };
}
