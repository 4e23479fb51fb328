import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { get } from "../api.ts";
import { link } from "../base.ts";
import { type Column, exportRows } from "../export.ts";
import { cost, count, utc } from "../format.ts";
import type { BudgetList, BudgetStatus } from "../types.ts";
import { CsvButton, Failure } from "../ui/bits.tsx";
import { Bar, Card, DataTable } from "../ui/datatable.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";

const AGAIN = 30_000; // the server looks once a minute

/** Budgets shows what was spent of each budget of the project, and says on top which are used up. Without budgets it is nothing. */
export function Budgets(): JSX.Element | null {
  const { data, error, reload } = useLoad(signal => get<BudgetList>("/v1/budgets", {}, signal), []);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, AGAIN);
    return () => clearInterval(timer);
  }, [reload]);
  if (!data) return error ? <Failure error={error} again={reload} /> : null;
  if (data.status.length === 0) return null;
  const over = data.status.filter(b => b.reached === "stop");
  return (
    <>
      {over.length > 0 && <Over budgets={over} />}
      <div class="cards cards-wide">
        <Card
          title="Budgets"
          actions={<CsvButton of="Budgets" run={() => exportRows("budgets", columns, data.status)} />}
        >
          <DataTable
            label="Budgets"
            class="budgets"
            heads={["Budget", "Reached", "Spent", "Warn", "Stop", "No price"]}
            rows={data.status.map(b => ({ key: b.name, cells: cells(b) }))}
          />
        </Card>
      </div>
    </>
  );
}

// Over says which budgets are used up.
function Over({ budgets }: { budgets: BudgetStatus[] }): JSX.Element {
  return (
    <div class="notice notice-error budget-over" role="alert">
      <Icon name="error" />
      <div>
        {budgets.map(b => (
          <p key={b.name}>
            Budget <strong>{b.name}</strong>
            {b.key_id && (
              <span title={b.key_id}>
                {" "}
                of the key <strong>{b.key_name ?? b.key_id}</strong>
              </span>
            )}
            : {spent(b)} of {cost(b.stop)} spent {b.period === "day" ? "today" : "this month"}.
          </p>
        ))}
        <p class="small">What is sent is still taken.</p>
      </div>
    </div>
  );
}

function cells(b: BudgetStatus): (JSX.Element | string)[] {
  const most = b.stop ?? b.warn ?? 0;
  const exact = b.spend_usd === null ? "not looked at yet" : `${b.spend_usd} USD, as of ${b.at ? utc(b.at) : "–"}`;
  const of = `${scope(b)}, ${period(b)}`;
  const exactly = b.key_id ? `${of}. The key's id is ${b.key_id}.` : of;
  return [
    <>
      <a href={calls(b)}>{b.name}</a>
      <span class="budget-of muted" title={exactly}>
        {of}
      </span>
    </>,
    <Reached of={b} />,
    <span title={b.fault ? `${exact}. The last look failed.` : exact}>
      <Bar
        share={most > 0 ? (b.spend_usd ?? 0) / most : 0}
        mark={b.warn !== undefined && b.stop !== undefined ? b.warn / b.stop : undefined}
        color={colour[b.reached] ?? "--accent"}
      >
        {spent(b)}
      </Bar>
    </span>,
    <span title={b.warn === undefined ? "" : `${b.warn} USD`}>{cost(b.warn)}</span>,
    <span title={b.stop === undefined ? "" : `${b.stop} USD`}>{cost(b.stop)}</span>,
    count(b.unpriced_count),
  ];
}

const colour: Record<string, string> = { stop: "--error-bar", warn: "--warn" };

// Reached is the level that is reached, and what became of the alert when it did not arrive.
function Reached({ of: b }: { of: BudgetStatus }): JSX.Element {
  const told = b.alerts.filter(a => a.period_start === b.period_start && a.level === b.reached).at(-1)?.delivery;
  const late = told === "pending" ? "alert not taken yet" : told === "dropped" ? "alert given up" : "";
  if (!b.reached) return <span class="muted">–</span>;
  return (
    <span>
      <span class={`badge ${b.reached === "stop" ? "badge-error" : "badge-warn"}`}>{b.reached}</span>
      {late && <span class="budget-of bad">{late}</span>}
    </span>
  );
}

// spent has a sign before it where it may be more.
function spent(b: BudgetStatus): string {
  return `${b.spend_usd !== null && (b.unpriced_count > 0 || b.expired) ? "≥ " : ""}${cost(b.spend_usd)}`;
}

function scope(b: BudgetStatus): string {
  const parts = [
    [b.user_id, "user"],
    [b.model, "model"],
    [b.environment, "environment"],
    [b.key_name ?? b.key_id, "key"],
  ].filter(p => p[0]);
  return parts.length > 0 ? parts.map(p => `${p[1]} ${p[0]}`).join(", ") : "project";
}

// period is the present one by the budget's own clock.
function period(b: BudgetStatus): string {
  if (!b.period_start) return b.period;
  const form: Intl.DateTimeFormatOptions =
    b.period === "day" ? { day: "numeric", month: "short" } : { month: "long", year: "numeric" };
  return `${inZone(new Date(b.period_start), form, b.tz ?? "UTC")}${b.tz ? ` (${b.tz})` : ""}`;
}

// A browser may not know a zone that the server knows.
function inZone(at: Date, form: Intl.DateTimeFormatOptions, zone: string): string {
  try {
    return at.toLocaleDateString("en", { ...form, timeZone: zone });
  } catch {
    return at.toLocaleDateString("en", { ...form, timeZone: "UTC" });
  }
}

// calls is the address of the dashboard of what is counted.
function calls(b: BudgetStatus): string {
  const q = new URLSearchParams();
  for (const [name, value] of [
    ["from", b.period_start],
    ["to", b.period_end],
    ["user_id", b.user_id],
    ["model", b.model],
    ["environment", b.environment],
    ["key_id", b.key_id],
  ] as const) {
    if (value) q.set(name, value);
  }
  return link(`/dashboard?${q}`);
}

const columns: Column<BudgetStatus>[] = [
  ["name", b => b.name],
  ["user_id", b => b.user_id],
  ["model", b => b.model],
  ["environment", b => b.environment],
  ["key_id", b => b.key_id],
  ["key_name", b => b.key_name],
  ["period", b => b.period],
  ["tz", b => b.tz],
  ["period_start", b => b.period_start],
  ["period_end", b => b.period_end],
  ["warn", b => b.warn],
  ["stop", b => b.stop],
  ["spend_usd", b => b.spend_usd],
  ["unpriced_count", b => b.unpriced_count],
  ["expired", b => String(b.expired)],
  ["reached", b => b.reached],
  ["at", b => b.at],
];
