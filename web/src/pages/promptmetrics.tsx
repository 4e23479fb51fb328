import type { JSX } from "preact";
import type { Params } from "../api.ts";
import { link } from "../base.ts";
import { cost, count, duration, percent, scoreText, short } from "../format.ts";
import { listed, number, stats } from "../stats.ts";
import { is } from "../terms.ts";
import type { PromptVersion, StatRow } from "../types.ts";
import { Failure } from "../ui/bits.tsx";
import { Card, DataTable } from "../ui/datatable.tsx";
import { useLoad } from "../ui/load.ts";

interface Props {
  name: string;
  params: Params; // of the time
  asked: string; // changes with it
  versions: PromptVersion[];
}

const SCORES = 6; // columns
const NAMES = 96; // of scores that are looked at
const AT_ONCE = 16; // metrics of a question

const heads = ["Version", "Calls", "Errors", "p50", "p95", "Tokens", "Cost"];

/** PromptMetrics compares the versions of a prompt by the calls that name them. */
export function PromptMetrics({ name, params, asked, versions }: Props): JSX.Element {
  const { data, error, reload } = useLoad(signal => read(name, params, signal), [name, asked]);
  const order = (r: StatRow) => {
    const n = Number(r.prompt_version);
    return Number.isFinite(n) ? n : -1;
  };
  const label = (v: string) => {
    const labels = versions.find(x => String(x.version) === v)?.labels ?? [];
    return [v || "none", ...labels].join(" ");
  };
  const to = (v: string) =>
    link(`/observations?range=all&filter=${encodeURIComponent(`${is("prompt", name)} ${is("prompt_version", v)}`)}`);
  return (
    <Card title="By version">
      {error && <Failure error={error} again={reload} />}
      {data?.rows.length === 0 && (
        <p class="card-none muted">
          No call names this prompt in this time. The option OfPrompt of the SDK says it, and so do instrumentations.
        </p>
      )}
      {data && data.rows.length > 0 && (
        <DataTable
          label="By version"
          heads={[...heads, ...data.scores]}
          rows={[...data.rows]
            .sort((a, b) => order(b) - order(a))
            .map(r => {
              const v = String(r.prompt_version ?? "");
              const failed = number(r.error_rate) ?? 0;
              return {
                key: v,
                cells: [
                  v ? <a href={to(v)}>{label(v)}</a> : label(v),
                  count(number(r.count)),
                  failed > 0 ? <span class="bad">{percent(failed)}</span> : "0 %",
                  duration(number(r.latency_p50)),
                  duration(number(r.latency_p95)),
                  short(number(r.tokens)),
                  cost(number(r.cost)),
                  ...data.scores.map(s => scoreText(number(r[`score_avg:${s}`]))),
                ],
              };
            })}
        />
      )}
    </Card>
  );
}

async function read(name: string, params: Params, signal: AbortSignal): Promise<{ rows: StatRow[]; scores: string[] }> {
  const filter = is("prompt", name);
  const given = await stats({ ...params, of: "scores", metrics: "count", group_by: "name" }, signal);
  const names = given
    .sort((a, b) => Number(b.count) - Number(a.count))
    .slice(0, NAMES)
    .map(r => String(r.name));
  const asked = { ...params, filter, group_by: "prompt_version" };
  // What other calls are given is no score of this prompt: all names are asked for, some at a time.
  const pieces = [["count", "error_rate", "latency_p50", "latency_p95", "tokens", "cost"]];
  for (let i = 0; i < names.length; i += AT_ONCE)
    pieces.push(names.slice(i, i + AT_ONCE).map(s => listed(`score_avg:${s}`)));
  const [rows, ...means] = await Promise.all(
    pieces.map(metrics => stats({ ...asked, metrics: metrics.join(",") }, signal)),
  );
  const byVersion = new Map(rows!.map(r => [r.prompt_version, r]));
  for (const r of means.flat()) Object.assign(byVersion.get(r.prompt_version) ?? {}, r);
  const scores = names.filter(s => rows!.some(r => number(r[`score_avg:${s}`]) !== null));
  return { rows: rows!, scores: scores.slice(0, SCORES) };
}
