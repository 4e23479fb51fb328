// Where lists were left: which rows a trace was opened among, so that the next and the one before can be reached from
// it, and which row of a list has the focus when it is come back to.

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

/** Left is how a list was left. */
export interface Left {
  key: string; // of the row that had the focus, else of the first in view
  focus: boolean; // it had it
  offset: number; // pixels from the top of what scrolls to that row
  rows: number; // how many had been read
}

const MOST = 30; // lists
const left = new Map<string, Left>();

/** leaveList remembers how the list at an address was left. */
export function leaveList(address: string, how: Left): void {
  left.delete(address);
  left.set(address, how);
  for (const oldest of left.keys()) {
    if (left.size <= MOST) break;
    left.delete(oldest);
  }
}

/** leftAt is how the list at an address was left, for who comes back to it. */
export const leftAt = (address: string): Left | undefined => left.get(address);
