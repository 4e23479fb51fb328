// How numbers and times look. Everything shown in local time has UTC in its title.

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});
const dayClock = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
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
  if (ms < 1) return ms === 0 ? "0 ms" : `${ms.toPrecision(2)} ms`;
  if (ms < 1000) return `${trim(ms, 3)} ms`;
  if (ms < 60_000) return `${trim(ms / 1000, 3)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} m ${Math.floor((ms % 60_000) / 1000)} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.floor((ms % 3_600_000) / 60_000)} m`;
}

function trim(n: number, digits: number): string {
  return n >= 10 ** (digits - 1) ? String(Math.round(n)) : Number(n.toPrecision(digits)).toString();
}

export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? "–" : whole.format(n);
}

/** short is a count in few characters: 1234567 is 1.23M. */
export function short(n: number | null | undefined): string {
  if (n === null || n === undefined) return "–";
  const a = Math.abs(n);
  if (a < 10_000) return whole.format(n);
  if (a < 1e6) return `${trim(n / 1e3, 3)}k`;
  if (a < 1e9) return `${trim(n / 1e6, 3)}M`;
  return `${trim(n / 1e9, 3)}B`;
}

/** cost in the currency of the clients, usually US dollars. */
export function cost(n: number | null | undefined): string {
  if (n === null || n === undefined) return "–";
  if (n === 0) return "$0";
  if (Math.abs(n) >= 100) return `$${whole.format(Math.round(n))}`;
  if (Math.abs(n) >= 0.01) return `$${n.toFixed(n >= 1 ? 2 : 3)}`;
  return `$${Number(n.toPrecision(2)).toFixed(6).replace(/0+$/, "")}`;
}

export function scoreText(v: number | string | null | undefined): string {
  if (v === null || v === undefined) return "–";
  return typeof v === "number" ? Number(v.toFixed(3)).toString() : v;
}

export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? "–" : `${trim(share * 100, 3)} %`;
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1 << 20) return `${trim(n / 1024, 3)} KiB`;
  return `${trim(n / (1 << 20), 3)} MiB`;
}
