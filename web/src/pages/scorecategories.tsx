// Scores that are words.
import type { JSX } from "preact";
import { count, percent } from "../format.ts";
import type { Range } from "../range.ts";
import { all, type ScoreAnswers } from "../scorestats.ts";
import { axisOf, groups, number } from "../stats.ts";
import { Card, DataTable, Shares } from "../ui/datatable.tsx";
import { TimeChart } from "../ui/timechart.tsx";
import { parts } from "./parts.ts";

interface Props {
  answers: ScoreAnswers;
}

const nameOf = (v: string): string => v || "(empty)";

/** Categories shows how often which word is. */
export function Categories({ answers: { values } }: Props): JSX.Element {
  const total = all(values);
  const of = [...values]
    .sort((a, b) => Number(b.count) - Number(a.count))
    .map(r => ({
      key: String(r.string_value),
      name: nameOf(String(r.string_value ?? "")),
      count: number(r.count) ?? 0,
    }));
  return (
    <Card title="Distribution" total={count(total)}>
      <Shares of={of} />
    </Card>
  );
}

/** CategoriesOverTime counts each word over time. */
export function CategoriesOverTime({ answers: a, range }: Props & { range: Range }): JSX.Element {
  const x = a.step ? axisOf(range, a.step, a.over) : [];
  return (
    <TimeChart
      title="Over time"
      total={count(all(a.over))}
      x={x}
      bucket={(a.step?.ms ?? 0) / 1000}
      lines={parts(x, groups(a.over, "string_value", "count"), "count", count)}
      stacked
    />
  );
}

/** CategoriesByModel counts each word by the model of the observation. */
export function CategoriesByModel({ answers: a }: Props): JSX.Element {
  const models = groups(a.models, "model", "count");
  const values = groups(a.models, "string_value", "count").map(g => g.key);
  const cell = (model: string, value: string) =>
    a.models.find(r => r.model === model && r.string_value === value)?.count ?? 0;
  return (
    <Card title="By model">
      {models.length === 0 ? (
        <p class="card-none muted">These scores are of traces, or of observations that name no model</p>
      ) : (
        <DataTable
          label="By model"
          heads={["Model", "Scores", ...values.map(nameOf)]}
          rows={models.map(g => ({
            key: g.key,
            cells: [
              g.key,
              count(g.total),
              ...values.map(v => {
                const n = Number(cell(g.key, v));
                return (
                  <span key={v} title={count(n)}>
                    {percent(n / g.total)}
                  </span>
                );
              }),
            ],
          }))}
        />
      )}
    </Card>
  );
}
