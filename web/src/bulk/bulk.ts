// What can be done with rows that are chosen, of each list.
import type { Sheet } from "../export.ts";

/** Subject is what a score or a tag is about. */
export interface Subject {
  trace: string;
  observation: string; // "": the trace itself
  environment: string;
}

/** Bulk says what a list lets people do with many of its rows. */
export interface Bulk<T> {
  noun: string; // of one row
  sheet: Sheet<T>;
  subject?: (row: T) => Subject; // rows can be given a score
  tags?: boolean; // and tags
  dataset?: (row: T) => string; // the trace that an item can be made of
  compare?: (a: T, b: T) => string; // the address where two stand beside each other
  erase?: { path: (row: T) => string; says: string }; // what goes with one
}

/** Failed is what could not be done, and why. */
export interface Failed<T> {
  item: T;
  why: string;
}

/** Outcome is what became of many things that were done one after the other. */
export interface Outcome<T> {
  done: number;
  failed: Failed<T>[];
  left: T[]; // nobody tried: it was stopped, or the server was away or refused all
}

// hopeless says that what follows would fail in the same way.
const hopeless = (e: unknown): boolean =>
  [0, 401, 403, 502, 503, 504].includes((e as { status?: number }).status ?? -1);

/** oneByOne does something with each; progress hears how many were tried. */
export async function oneByOne<T>(
  items: T[],
  act: (item: T) => Promise<unknown>,
  progress: (tried: number) => void,
  signal: AbortSignal,
): Promise<Outcome<T>> {
  const out: Outcome<T> = { done: 0, failed: [], left: [] };
  for (const [i, item] of items.entries()) {
    if (signal.aborted) return { ...out, left: items.slice(i) };
    try {
      await act(item);
      out.done++;
    } catch (e) {
      out.failed.push({ item, why: (e as Error).message });
      if (hopeless(e)) return { ...out, left: items.slice(i + 1) };
    }
    progress(i + 1);
  }
  return out;
}

const plural = (n: number, noun: string): string => `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;

/** told says in words what became of it; did is what was done, such as "erased". */
export function told<T>(out: Outcome<T>, noun: string, did: string): string {
  const all = out.done + out.failed.length + out.left.length;
  if (out.done === all) return `${plural(all, noun)} ${did}.`;
  const why = [...new Set(out.failed.map(f => f.why))];
  const reasons = why.slice(0, 3).join(" ") + (why.length > 3 ? " …" : "");
  const parts = [`${out.done.toLocaleString("en-US")} of ${plural(all, noun)} ${did}.`];
  if (out.failed.length > 0) parts.push(`${plural(out.failed.length, noun)} failed: ${reasons}`);
  if (out.left.length > 0) parts.push(`${plural(out.left.length, noun)} not tried.`);
  return parts.join(" ");
}
