// The list that a trace was opened from, so that the next and the one before
// can be reached from it.

let ids: string[] = [];
let search = "";

export function rememberList(list: string[], query: string): void {
  ids = list;
  search = query;
}

/** neighbours are the ids beside this one in the list it was opened from. */
export function neighbours(id: string): { before: string | undefined; after: string | undefined } {
  const at = ids.indexOf(id);
  return at < 0 ? { before: undefined, after: undefined } : { before: ids[at - 1], after: ids[at + 1] };
}

/** listSearch is the address's query of that list. */
export const listSearch = (): string => search;
