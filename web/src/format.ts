// How numbers and times look. Everything shown in local time has UTC in its title.

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const dayClock = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
const whole = new Intl.NumberFormat("en-US");

/** shortTime is the time of day, with the date when it is not today. */
export function shortTime(iso: string): string {
  const d = new Date(iso);
  return d.toDateString() === new Date().toDateString() ? clock.format(d) : dayClock.format(d);
}

export function fullTime(iso: string): string {
  return full.format(new Date(iso));
}

/** utc is the time as the API sent it, readable. */
export function utc(iso: string): string {
  return `${iso.replace("T", " ").replace("Z", "")} UTC`;
}

/** ago is how long ago a time was, in one unit. */
export function ago(iso: string, now = Date.now()): string {
  const s = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (s < 60) return `${Math.floor(s)} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86400)} d ago`;
}

/** duration of milliseconds: three digits that matter. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms < 1) return `${Number(ms.toPrecision(2))} ms`;
  if (trim(ms) < 1000) return `${trim(ms)} ms`;
  if (trim(ms / 1000) < 60) return `${trim(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} m`;
}

// trim rounds to three digits that matter, but never a whole number.
function trim(n: number): number {
  return Math.abs(n) >= 100 ? Math.round(n) : Number(n.toPrecision(3));
}

/** counted is a count with its noun, which takes an s unless there is one. */
export function counted(n: number, noun: string): string {
  return `${whole.format(n)} ${noun}${n === 1 ? "" : "s"}`;
}

export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? "–" : whole.format(n);
}

/** short is a count in few characters: 1234567 is 1.23M. */
export function short(n: number | null | undefined): string {
  if (n === null || n === undefined) return "–";
  if (Math.abs(n) < 10_000) return whole.format(n);
  for (const [unit, size] of [
    ["k", 1e3],
    ["M", 1e6],
  ] as const) {
    const v = trim(n / size);
    if (Math.abs(v) < 1000) return `${v}${unit}`;
  }
  return `${trim(n / 1e9)}B`;
}

/** cost in the currency of the clients, usually US dollars: two digits that matter of what is less than a cent. */
export function cost(n: number | null | undefined): string {
  if (n === null || n === undefined) return "–";
  if (n < 0) return `-${cost(-n)}`;
  if (n === 0) return "$0";
  if (n >= 100) return `$${whole.format(Math.round(n))}`;
  if (n >= 0.01) return `$${n.toFixed(n >= 1 ? 2 : 3)}`;
  const two = Number(n.toPrecision(2));
  if (two < 1e-9) return `$${two}`;
  return `$${two.toFixed(1 - Math.floor(Math.log10(two))).replace(/0+$/, "")}`;
}

export function scoreText(v: number | string | null | undefined): string {
  if (v === null || v === undefined) return "–";
  if (typeof v === "string") return v;
  return Number(Math.abs(v) < 0.001 ? v.toPrecision(2) : v.toFixed(3)).toString();
}

/** scoreValue is the value of one score. */
export function scoreValue(s: { data_type: string; value: number | null; string_value: string }): string {
  if (s.data_type === "BOOLEAN" && (s.value === 0 || s.value === 1)) return s.value ? "yes" : "no";
  return scoreText(s.value ?? s.string_value);
}

/** meanScore is what the scores of one name come to: of yes and no, when they differ, the share of yes. */
export function meanScore(v: number | string | undefined, yesNo: boolean): string {
  if (!yesNo || typeof v !== "number") return scoreText(v);
  if (v === 0 || v === 1) return v ? "yes" : "no";
  return `${percent(v)} yes`;
}

export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? "–" : `${trim(share * 100)} %`;
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1 << 20) return `${trim(n / 1024)} KiB`;
  return `${trim(n / (1 << 20))} MiB`;
}
