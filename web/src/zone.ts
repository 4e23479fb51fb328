// The zone of this browser, and where the buckets of charts begin by its clock:
// the same rule as the server's (internal/store/buckets.go).

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** zone is the IANA name of this browser's time zone; undefined when it has none. */
export function zone(): string | undefined {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || undefined;
}

/** offset is how far the clock here is from UTC at a time, in ms. */
const offset = (t: number): number => -new Date(t).getTimezoneOffset() * MINUTE;

const floor = (n: number, by: number): number => Math.floor(n / by) * by;

/** bucketStart is where the bucket of a time begins; all in ms. width is a minute to a day. */
export function bucketStart(t: number, width: number): number {
  const now = offset(t);
  const start = floor(t + now, width) - now;
  const early = t - width - 2 * HOUR; // a change before it has no part in the bucket
  if (offset(early) === now) return start;
  const change = changed(early, t);
  const before = offset(change - 1);
  const running = floor(change - 1 + before, width); // by the clock
  if (width > Math.abs(now - before) && t < running + width - now) return bucketStart(change - 1, width);
  return Math.max(start, change);
}

// changed finds the first ms of the offset that holds at to, where another one holds at from.
function changed(from: number, to: number): number {
  const now = offset(to);
  let [a, b] = [from, to];
  while (b - a > 1) {
    const middle = Math.floor((a + b) / 2);
    if (offset(middle) === now) b = middle;
    else a = middle;
  }
  return b;
}

/** nextBucket is where the bucket after the one that begins at start begins. */
export function nextBucket(start: number, width: number): number {
  for (const more of [0, HOUR / 2, HOUR, 2 * HOUR]) {
    const next = bucketStart(start + width + more, width);
    if (next > start) return next;
  }
  return start + width;
}
