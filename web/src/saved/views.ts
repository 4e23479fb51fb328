// Saved views: lists as somebody wants to look at them again. The server keeps them for all of the project; one is
// at ?view=NAME. What else stands in such an address is in the place of what the view says.
import { useEffect, useState } from "preact/hooks";
import { get, idPath, request } from "../api.ts";
import { readAddressesBy } from "../router.ts";
import type { Page, SavedView } from "../types.ts";
import { contracted, expanded } from "./address.ts";

/** ListName is the list of a view, as its address and the API have it. */
export type ListName = "traces" | "observations" | "sessions" | "users" | "scores";

let known: SavedView[] | undefined;
const listeners = new Set<() => void>();

function learn(views: SavedView[] | undefined): void {
  known = views;
  reread();
  for (const f of listeners) f();
}

/** viewOf is the view of an address, when it is known and of that list. */
export function viewOf(page: string, q: URLSearchParams): SavedView | undefined {
  const name = q.get("view");
  return name === null ? undefined : known?.find(v => v.name === name && v.page === page);
}

const pageOf = (path: string): string => path.slice(1);
const reread = readAddressesBy({
  read: (path, q) => expanded(q, viewOf(pageOf(path), q)),
  write: (path, q) => contracted(q, viewOf(pageOf(path), q)),
});

/** readViews asks which views there are. */
export async function readViews(): Promise<SavedView[]> {
  const { data } = await get<Page<SavedView>>("/v1/views");
  learn(data);
  return data;
}

/** forgetViews is for who signs out. */
export const forgetViews = (): void => learn(undefined);

/** useViews are the views of the project; undefined until they are read, which wanted asks for. */
export function useViews(wanted: boolean): { views: SavedView[] | undefined; error: Error | null; again: () => void } {
  const [views, set] = useState(known);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => {
    const f = () => set(known);
    listeners.add(f);
    f();
    return () => {
      listeners.delete(f);
    };
  }, []);
  const again = () => {
    setError(null);
    readViews().catch((e: Error) => setError(e));
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once; again is for who wants more
  useEffect(() => {
    if (wanted && !known) again();
  }, [wanted]);
  return { views, error, again };
}

/** putView keeps a view under its name, in the place of one that is there. */
export async function putView(view: Pick<SavedView, "name" | "page" | "query" | "columns">): Promise<void> {
  const { name, ...body } = view;
  await request(idPath("/v1/views", name), { method: "PUT", body });
  await readViews();
}

/** removeView removes a view. */
export async function removeView(name: string): Promise<void> {
  await request(idPath("/v1/views", name), { method: "DELETE" });
  await readViews();
}
