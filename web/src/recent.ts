// The pages of traces, sessions and users that were looked at last, while the page is open. Nothing of them is stored.

export interface Visit {
  path: string; // with its query, as a link has it
  title: string;
}

const MOST = 8;
let visits: Visit[] = [];

/** visited remembers a page, once, the latest first. */
export function visited(path: string, title: string): void {
  visits = [{ path, title }, ...visits.filter(v => v.path !== path)].slice(0, MOST);
}

/** recent are the pages that were looked at, the latest first. */
export const recent = (): Visit[] => visits;

/** forgetVisits is for who signs out. */
export function forgetVisits(): void {
  visits = [];
}
