// Which time is looked at: a preset that ends now, or two fixed times. It is in
// the address as range=…, or as from=…&to=….

export interface Range {
  preset: string; // "" for fixed times
  from?: Date;
  to?: Date; // absent: now
}

export const presets: { value: string; title: string; ms: number }[] = [
  { value: "15m", title: "Last 15 minutes", ms: 15 * 60_000 },
  { value: "1h", title: "Last hour", ms: 3_600_000 },
  { value: "6h", title: "Last 6 hours", ms: 6 * 3_600_000 },
  { value: "24h", title: "Last 24 hours", ms: 86_400_000 },
  { value: "7d", title: "Last 7 days", ms: 7 * 86_400_000 },
  { value: "30d", title: "Last 30 days", ms: 30 * 86_400_000 },
  { value: "all", title: "All time", ms: 0 },
];

export const DEFAULT_RANGE = "24h";

/** readRange reads the address. now is when a preset ends. */
export function readRange(q: URLSearchParams, now: number): Range {
  const from = date(q.get("from"));
  const to = date(q.get("to"));
  if (from || to) return { preset: "", ...(from ? { from } : {}), ...(to ? { to } : {}) };
  const preset = presets.find(p => p.value === q.get("range")) ?? presets.find(p => p.value === DEFAULT_RANGE)!;
  return preset.ms ? { preset: preset.value, from: new Date(now - preset.ms) } : { preset: preset.value };
}

function date(text: string | null): Date | undefined {
  if (!text) return undefined;
  const d = new Date(text);
  return Number.isNaN(d.getTime()) ? undefined : d;
}

/** between are from and to of two seconds. */
export const between = (from: number, to: number): { from: string; to: string } => ({
  from: new Date(from * 1000).toISOString(),
  to: new Date(to * 1000).toISOString(),
});

/** AHEAD is how far the clocks of clients may be ahead: what is dated later is not of a time that ends now. */
export const AHEAD = 3_600_000;

/** statParams are rangeParams for statistics: a time that ends now has an end there, so that one event of the far future changes nothing. */
export function statParams(r: Range, now = Date.now()): { from?: string; to?: string } {
  const ends = r.from && !r.to ? { to: new Date(now + AHEAD).toISOString() } : {};
  return { ...rangeParams(r), ...ends };
}

/** rangeParams are the API's from and to. */
export function rangeParams(r: Range): { from?: string; to?: string } {
  return { ...(r.from ? { from: r.from.toISOString() } : {}), ...(r.to ? { to: r.to.toISOString() } : {}) };
}

const MINUTE = 60_000;
const steps: [string, number][] = [
  ["1m", MINUTE],
  ["5m", 5 * MINUTE],
  ["15m", 15 * MINUTE],
  ["30m", 30 * MINUTE],
  ["1h", 60 * MINUTE],
  ["2h", 120 * MINUTE],
  ["6h", 360 * MINUTE],
  ["12h", 720 * MINUTE],
  ["1d", 1440 * MINUTE],
];

/** intervalFor picks how wide a chart's buckets are: about sixty of them, a day each at most. */
export function intervalFor(from: number, to: number): { name: string; ms: number } {
  const ideal = (to - from) / 60;
  const [name, ms] = steps.find(s => s[1] >= ideal) ?? steps[steps.length - 1]!;
  return { name, ms };
}
