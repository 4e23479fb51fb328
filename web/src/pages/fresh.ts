// What came in while a list, the newest row first, is looked at.

interface Row {
  id: string;
  start_time: string; // of one length and in UTC, so that texts compare as times do
}

/**
 * fresher are the rows of newest, the server's first rows, that the list lacks. Without
 * end the list has further pages: what stands behind its last row belongs to those, be it of
 * the same time. Where the last row is not among the newest, times tell.
 */
export function fresher<T extends Row>(list: T[], newest: T[], end: boolean): T[] {
  const known = new Set(list.map(t => t.id));
  const last = list[list.length - 1];
  const place = last ? newest.findIndex(t => t.id === last.id) : -1;
  const before = (t: T, i: number) => (place < 0 ? !last || t.start_time >= last.start_time : i < place);
  return newest.filter((t, i) => !known.has(t.id) && (end || before(t, i)));
}

/** withFresh is the list with those rows in their places, and with what has changed of the others. */
export function withFresh<T extends Row>(list: T[], newest: T[], end: boolean): T[] {
  const changed = new Map(newest.map(t => [t.id, t]));
  const rows = [...fresher(list, newest, end), ...list.map(t => changed.get(t.id) ?? t)];
  return rows.sort((a, b) => (a.start_time < b.start_time ? 1 : a.start_time > b.start_time ? -1 : 0));
}
