import { useState } from "preact/hooks";
import { load, save } from "../storage.ts";
import type { SavedView } from "../types.ts";
import { type Arrangeable, type Arrangement, fromView, readArrangement, toView } from "../ui/arrange.ts";
import type { ListName } from "./views.ts";

/** Arranged is how the columns of a list are, and whether that is as its view has them. */
export interface Arranged {
  arrangement: Arrangement;
  arrange: (next: Arrangement) => void;
  differs: (columns: Arrangeable[]) => boolean; // from the view; of no view it does not
  reset: () => void; // as the view has them
}

interface OfView {
  name: string;
  updated_at: string;
  arrangement: unknown;
}

const keyOf = (page: ListName): string => `columns.${page}`;
const ofView = (page: ListName): string => `columns.${page}.view`;

// stored is what this browser has: of a view what was changed since it was saved.
function stored(page: ListName, view: SavedView | undefined): Arrangement {
  if (!view) return readArrangement(load<unknown>(keyOf(page), null) ?? load<unknown>(`${page}.columns`, null));
  const own = load<OfView | null>(ofView(page), null);
  if (own?.name === view.name && own.updated_at === view.updated_at) return readArrangement(own.arrangement);
  return fromView(view.columns);
}

/** useArrangement keeps in this browser how the columns of a list are arranged; beside a view only for that view. */
export function useArrangement(page: ListName, view: SavedView | undefined): Arranged {
  const of = view ? `${view.name}\n${view.updated_at}` : "";
  const [state, set] = useState(() => ({ of, arrangement: stored(page, view) }));
  const arrangement = state.of === of ? state.arrangement : stored(page, view);
  if (state.of !== of) set({ of, arrangement });
  const arrange = (next: Arrangement) => {
    set({ of, arrangement: next });
    if (view) {
      const own: OfView = { name: view.name, updated_at: view.updated_at, arrangement: next };
      save(ofView(page), own);
    } else save(keyOf(page), next);
  };
  const text = (columns: Arrangeable[], a: Arrangement) => JSON.stringify(toView(columns, a) ?? null);
  return {
    arrangement,
    arrange,
    differs: columns => view !== undefined && text(columns, arrangement) !== text(columns, fromView(view.columns)),
    reset: () => arrange(fromView(view?.columns)),
  };
}
