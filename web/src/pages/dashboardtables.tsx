import type { JSX } from "preact";
import { link } from "../base.ts";
import { type Column, exportRows } from "../export.ts";
import { cost, count, duration, percent, short } from "../format.ts";
import { usePlace } from "../router.ts";
import { groups, number } from "../stats.ts";
import type { StatRow } from "../types.ts";
import { CsvButton } from "../ui/bits.tsx";
import { Bar, Card, DataTable } from "../ui/datatable.tsx";

// to is the address of the traces of one group, in the same time and with the same filters.
function to(query: URLSearchParams, name: string, value: string): string {
  const q = new URLSearchParams(query);
  q.set(name, value);
  return link(`/traces?${q}`);
}

function cells(r: StatRow, total: number, most: number): (JSX.Element | string)[] {
  const error = number(r.error_rate) ?? 0;
  return [
    count(number(r.count)),
    error > 0 ? <span class="bad">{percent(error)}</span> : "0 %",
    duration(number(r.latency_p50)),
    duration(number(r.latency_p95)),
    duration(number(r.latency_p99)),
    short(number(r.tokens)),
    <Bar share={most > 0 ? total / most : 0}>{cost(total)}</Bar>,
    count(number(r.unpriced_count)),
  ];
}

const heads = ["Errors", "p50", "p95", "p99", "Tokens", "Cost", "No price"];

// columns are those of a table saved as CSV: the group, then its metrics as the API names them.
function columns(by: string, rows: StatRow[]): Column<StatRow>[] {
  const names = Object.keys(rows[0] ?? {}).filter(name => name !== by);
  return [by, ...names].map(name => [name, r => r[name]]);
}

/** ModelTable compares the models by their observations. */
export function ModelTable({ rows }: { rows: StatRow[] }): JSX.Element {
  return <Compared title="By model" by="model" count="Calls" rows={rows} none="No observation names its model" />;
}

/** EnvironmentTable compares the environments by their traces. */
export function EnvironmentTable({ rows }: { rows: StatRow[] }): JSX.Element {
  return <Compared title="By environment" by="environment" count="Traces" rows={rows} none="Nothing in this time" />;
}

interface Props {
  title: string;
  by: string;
  count: string;
  rows: StatRow[];
  none: string;
}

function Compared({ title, by, count: counted, rows, none }: Props): JSX.Element {
  const { query } = usePlace();
  const all = groups(rows, by, "cost");
  const most = all[0]?.total ?? 0;
  return (
    <Card
      title={title}
      actions={
        all.length > 0 && (
          <CsvButton
            of={title}
            run={() =>
              exportRows(
                `cost-by-${by}`,
                columns(by, rows),
                all.map(g => g.rows[0]!),
              )
            }
          />
        )
      }
    >
      {all.length === 0 ? (
        <p class="card-none muted">{none}</p>
      ) : (
        <DataTable
          label={title}
          heads={[by === "model" ? "Model" : "Environment", counted, ...heads]}
          rows={all.map(g => ({
            key: g.key,
            cells: [<a href={to(query, by, g.key)}>{g.key}</a>, ...cells(g.rows[0]!, g.total, most)],
          }))}
        />
      )}
    </Card>
  );
}
