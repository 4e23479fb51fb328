// Scores that are numbers, and yes or no, which are the numbers 1 and 0.
import type { JSX } from "preact";
import { count, percent, scoreText } from "../format.ts";
import type { Range } from "../range.ts";
import { type Bucket, type ScoreAnswers, type ScoreKind, yes } from "../scorestats.ts";
import { along, axisOf, number } from "../stats.ts";
import { Bar, Card, DataTable, Shares } from "../ui/datatable.tsx";
import { TimeChart } from "../ui/timechart.tsx";

interface Props {
  kind: ScoreKind;
  answers: ScoreAnswers;
}

/** valueText is a mean as a person says it: the share of yes, or the number. */
function valueText(kind: ScoreKind, v: number | null): string {
  return kind.type === "BOOLEAN" ? percent(v) : scoreText(v);
}

/** Distribution shows how often which values are. */
export function Distribution({ kind, answers: { buckets } }: Props): JSX.Element {
  const total = buckets.reduce((n, b) => n + b.count, 0);
  const parts =
    kind.type === "BOOLEAN"
      ? [
          { name: "yes", count: yes(buckets) },
          { name: "no", count: total - yes(buckets) },
        ]
      : buckets.map(b => ({ name: bucketName(b), count: b.count }));
  return (
    <Card title="Distribution" total={count(total)}>
      <Shares of={parts.map(p => ({ key: p.name, ...p }))} />
    </Card>
  );
}

// bucketName writes both bounds with as many digits as tell them apart.
function bucketName(b: Bucket): string {
  if (b.from === b.to) return scoreText(b.from);
  const digits = Math.max(0, Math.min(9, Math.ceil(-Math.log10(b.to - b.from) - 1e-9)));
  return `${b.from.toFixed(digits)} to ${b.to.toFixed(digits)}`;
}

/** OverTime shows the mean of each bucket of time. */
export function OverTime({ kind, answers: a, range }: Props & { range: Range }): JSX.Element {
  const x = a.step ? axisOf(range, a.step, a.over) : [];
  const format = (v: number | null) => valueText(kind, v);
  const title = kind.type === "BOOLEAN" ? "Share of yes over time" : "Mean over time";
  return (
    <TimeChart
      title={title}
      total={format(kind.mean)}
      x={x}
      bucket={(a.step?.ms ?? 0) / 1000}
      lines={[{ label: "mean", color: "--kind-agent", kind: "line", format, values: along(x, a.over, a.metric, null) }]}
    />
  );
}

/** ByModel compares the models. */
export function ByModel({ kind, answers: a }: Props): JSX.Element {
  const own = a.models.length > 0;
  const rows = [...(own ? a.models : a.traceModels)].sort(
    (x, y) => (number(y[a.metric]) ?? -Infinity) - (number(x[a.metric]) ?? -Infinity),
  );
  const most = Math.max(0, ...rows.map(r => number(r[a.metric]) ?? 0));
  const heads = ["Model", "Scores", kind.type === "BOOLEAN" ? "Yes" : "Mean"];
  return (
    <Card title={own || rows.length === 0 ? "By model" : "By model, of the traces that used it"}>
      {rows.length === 0 ? (
        <p class="card-none muted">None of these scores can be told by model</p>
      ) : (
        <DataTable
          label="By model"
          heads={heads}
          rows={rows.map(r => {
            const mean = number(r[a.metric]);
            return {
              key: String(r.model),
              cells: [
                String(r.model),
                count(number(r.count)),
                <Bar key="bar" share={most > 0 ? (mean ?? 0) / most : 0}>
                  {valueText(kind, mean)}
                </Bar>,
              ],
            };
          })}
        />
      )}
    </Card>
  );
}
