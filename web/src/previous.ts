// The period before the one that is looked at, as long as that, beside it.
import { type Range, rangeParams } from "./range.ts";
import type { Step } from "./stats.ts";
import type { StatRow } from "./types.ts";
import { bucketStart, nextBucket } from "./zone.ts";

/** previousOf is the time just before a range and as long; undefined where it has no beginning. now is when a range ends that has no end. */
export function previousOf(range: Range, now = Date.now()): Required<Pick<Range, "from" | "to">> | undefined {
  if (!range.from) return undefined;
  const length = (range.to?.getTime() ?? now) - range.from.getTime();
  return length > 0 ? { from: new Date(range.from.getTime() - length), to: range.from } : undefined;
}

/** previousParams are the API's from and to of that time. */
export const previousParams = (p: { from: Date; to: Date }) => rangeParams({ preset: "", ...p });

/**
 * shifted are rows of the period before with the times of the buckets that they stand beside: the first beside the
 * first, and so on, whatever the clock did meanwhile.
 */
export function shifted(rows: StatRow[], before: { from: Date; to: Date }, range: Range, step: Step): StatRow[] {
  if (!range.from) return [];
  const to = new Map<number, number>();
  let now = bucketStart(range.from.getTime(), step.ms);
  for (let t = bucketStart(before.from.getTime(), step.ms); t < before.to.getTime(); t = nextBucket(t, step.ms)) {
    to.set(t, now);
    now = nextBucket(now, step.ms);
  }
  return rows.flatMap(r => {
    const time = to.get(Date.parse(String(r.time)));
    return time === undefined ? [] : [{ ...r, time: new Date(time).toISOString() }];
  });
}

/** Change is what became of a number. */
export interface Change {
  mark: "▲" | "▼" | "="; // beside the words, for the eye
  words: string;
}

interface Words {
  more: string;
  less: string;
}

const AMOUNT: Words = { more: "more", less: "less" };

const digits = (n: number): string => (n >= 10 ? String(Math.round(n)) : String(Number(n.toFixed(1))));

/** change says by which part of what it was a number has grown or shrunk; undefined where one of them is not known. */
export function change(now: number | null, before: number | null, words: Words = AMOUNT): Change | undefined {
  if (now === null || before === null) return undefined;
  if (now === before) return { mark: "=", words: "the same as before" };
  if (before === 0) return { mark: "▲", words: `${words.more}: nothing before` };
  const share = (Math.abs(now - before) / Math.abs(before)) * 100;
  const [mark, word] = now > before ? (["▲", words.more] as const) : (["▼", words.less] as const);
  if (share < 0.05) return { mark: "=", words: "the same as before" };
  return {
    mark,
    words: now > before && share >= 900 ? `${digits(now / before)} times as much` : `${digits(share)} % ${word}`,
  };
}

/** points says by how many percentage points a share has changed. */
export function points(now: number | null, before: number | null): Change | undefined {
  if (now === null || before === null) return undefined;
  const by = (now - before) * 100;
  if (Math.abs(by) < 0.05) return { mark: "=", words: "the same as before" };
  return { mark: by > 0 ? "▲" : "▼", words: `${digits(Math.abs(by))} points ${by > 0 ? "more" : "less"}` };
}
