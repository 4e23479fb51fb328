// What an address with a saved view asks for: what it says itself, else what the view says.
import { DEFAULT_RANGE } from "../range.ts";
import type { SavedView } from "../types.ts";

const PASSING = ["view", "live"]; // in an address beside what a view says

/** own is what an address says itself, without the name of a view. */
export function own(q: URLSearchParams): URLSearchParams {
  const out = new URLSearchParams(q);
  for (const name of PASSING) out.delete(name);
  return out;
}

// said is a query in one form: what is as usual is left out.
function said(q: URLSearchParams): string {
  const out = own(q);
  if (out.get("range") === DEFAULT_RANGE) out.delete("range");
  out.sort();
  return out.toString();
}

/** says tells whether two queries ask for the same. */
export const says = (a: URLSearchParams, b: URLSearchParams): boolean => said(a) === said(b);

/** expanded is what an address asks for that names this view: what it says itself, else what the view says. */
export function expanded(q: URLSearchParams, view: Pick<SavedView, "query"> | undefined): URLSearchParams {
  if (!view || [...own(q)].length > 0) return q;
  const out = new URLSearchParams(view.query);
  for (const name of PASSING) {
    out.delete(name);
    for (const value of q.getAll(name)) out.append(name, value);
  }
  return out;
}

/** contracted is the shortest address of that: of the view alone, where nothing else is asked for than it says. */
export function contracted(q: URLSearchParams, view: Pick<SavedView, "query"> | undefined): URLSearchParams {
  if (!view) return q;
  const out = new URLSearchParams(q);
  if (says(q, new URLSearchParams(view.query))) {
    for (const name of [...own(q).keys()]) out.delete(name);
  } else if ([...own(q)].length === 0) {
    out.set("range", DEFAULT_RANGE); // an address without anything would be the view's
  }
  return out;
}
