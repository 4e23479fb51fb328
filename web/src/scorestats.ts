// What is asked about scores: which there are, and everything about one of them.
import type { Params } from "./api.ts";
import { SCORES_ONLY } from "./filters.ts";
import type { Range } from "./range.ts";
import { listed, number, type Step, stats, stepFor, sum } from "./stats.ts";
import { terms } from "./terms.ts";
import type { StatRow } from "./types.ts";

/** ScoreKind is a name with a type: scores of one name can be of several types. */
export interface ScoreKind {
  name: string;
  type: string; // NUMERIC, BOOLEAN, CATEGORICAL
  count: number;
  mean: number | null; // of numbers; of BOOLEAN the share of yes
  top?: { value: string; share: number }; // of CATEGORICAL the most frequent
}

const MEANS = 20; // names whose mean the overview asks for: each makes the question longer

/** scoreKinds lists what scores there are, the most frequent first. */
export async function scoreKinds(params: Params, signal: AbortSignal): Promise<ScoreKind[]> {
  const asked = { ...params, of: "scores", name: undefined, group_by: "name,data_type" };
  const found = (await stats({ ...asked, metrics: "count" }, signal))
    .map(r => ({
      name: String(r.name ?? ""),
      type: String(r.data_type ?? ""),
      count: number(r.count) ?? 0,
      mean: null,
    }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  const words = found.some(k => !numeric(k.type))
    ? await stats({ ...asked, group_by: "name,data_type,string_value", metrics: "count" }, signal)
    : [];
  const names = [...new Set(found.filter(k => numeric(k.type)).map(k => k.name))].slice(0, MEANS);
  const means =
    names.length > 0 ? await stats({ ...asked, metrics: names.map(n => listed(`score_avg:${n}`)).join() }, signal) : [];
  return found.map(k => {
    const mine = (r: StatRow) => r.name === k.name && r.data_type === k.type;
    if (numeric(k.type)) return { ...k, mean: number(means.find(mine)?.[`score_avg:${k.name}`]) };
    const [top] = words.filter(mine).sort((a, b) => Number(b.count) - Number(a.count));
    return top ? { ...k, top: { value: String(top.string_value ?? ""), share: Number(top.count) / k.count } } : k;
  });
}

/** yesNoScores are the names whose scores are all yes or no. */
export async function yesNoScores(params: Params, signal: AbortSignal): Promise<Set<string>> {
  const found = await stats({ ...params, of: "scores", group_by: "name,data_type", metrics: "count" }, signal);
  const others = new Set(found.filter(r => r.data_type !== "BOOLEAN").map(r => String(r.name)));
  return new Set(found.map(r => String(r.name)).filter(name => !others.has(name)));
}

export const numeric = (type: string): boolean => type !== "CATEGORICAL";

/** Bucket is a part of a distribution: the values from `from` up to `to`, which are equal for one value. */
export interface Bucket {
  from: number;
  to: number;
  count: number;
}

export interface ScoreAnswers {
  step: Step | null;
  metric: string; // the mean's name in rows; "" for categories
  buckets: Bucket[]; // of numbers
  values: StatRow[]; // of categories
  over: StatRow[]; // by time; of categories by value too
  models: StatRow[]; // by model of the observation; of categories by value too
  traceModels: StatRow[]; // of scores of traces: by the models that their traces used
}

/** aboutScore asks for all that the page shows of one score. */
export async function aboutScore(
  kind: ScoreKind,
  params: Params,
  range: Range,
  signal: AbortSignal,
): Promise<ScoreAnswers> {
  const name = kind.name;
  const metric = numeric(kind.type) ? `score_avg:${name}` : "";
  const base = { ...params, of: "scores", name, metrics: metric ? `count,${listed(metric)}` : "count" };
  const mine = (rows: StatRow[]) => rows.filter(r => r.data_type === kind.type);
  const groups = numeric(kind.type) ? "data_type" : "data_type,string_value";
  const first = { path: "/v1/scores", by: "timestamp", params: { ...params, name, data_type: kind.type } };
  const step = await stepFor(range, first, signal);
  const [spread, over] = await Promise.all([
    stats({ ...base, group_by: numeric(kind.type) ? "data_type,value_bucket" : groups }, signal),
    step ? stats({ ...base, group_by: groups, interval: step.name }, signal) : [],
  ]);
  const models = mine(await stats({ ...base, group_by: `${groups},model` }, signal));
  const onlyScores = terms(String(params.filter ?? "")).some(t => SCORES_ONLY.includes(t.field));
  const ofTraces = metric !== "" && models.every(r => !r.model) && !onlyScores;
  return {
    step,
    metric,
    buckets: numeric(kind.type) ? bucketsOf(mine(spread)) : [],
    values: numeric(kind.type) ? [] : mine(spread),
    over: mine(over),
    models: models.filter(r => r.model),
    traceModels: ofTraces ? await byTraceModel(name, metric, params, signal) : [],
  };
}

const MODELS = 8;

// byTraceModel asks per model for the traces that used it: a score of a trace has no model of its own.
async function byTraceModel(name: string, metric: string, params: Params, signal: AbortSignal): Promise<StatRow[]> {
  const used = await stats({ ...params, of: "observations", group_by: "model", metrics: "count" }, signal);
  const models = used
    .filter(r => r.model)
    .sort((a, b) => Number(b.count) - Number(a.count))
    .slice(0, MODELS);
  const out: StatRow[] = [];
  for (const { model } of models) {
    const metrics = [`score_count:${name}`, metric].map(listed).join();
    const asked = { ...params, of: "traces", model: String(model), metrics };
    const [row] = await stats(asked, signal);
    const count = number(row?.[`score_count:${name}`]) ?? 0;
    if (row && count > 0) out.push({ model: model!, count, [metric]: row[metric]! });
  }
  return out;
}

// bucketsOf reads a distribution; buckets between two that have something are there too.
function bucketsOf(rows: StatRow[]): Bucket[] {
  const found = rows
    .filter(r => r.value_bucket !== null)
    .map(r => ({ from: Number(r.value_bucket), to: Number(r.value_bucket_end), count: Number(r.count) }))
    .sort((a, b) => a.from - b.from);
  const out: Bucket[] = [];
  for (const b of found) {
    const before = out[out.length - 1];
    const width = b.to - b.from;
    if (before && width > 0) {
      const missing = Math.min(20, Math.round((b.from - before.to) / width));
      for (let i = 0; i < missing; i++) {
        out.push({ from: before.to + i * width, to: before.to + (i + 1) * width, count: 0 });
      }
    }
    out.push(b);
  }
  return out;
}

/** yes counts the values of a BOOLEAN score that are 1. */
export const yes = (buckets: Bucket[]): number =>
  buckets.filter(b => b.from >= 0.5).reduce((total, b) => total + b.count, 0);

export const all = (rows: StatRow[]): number => sum(rows, "count");
