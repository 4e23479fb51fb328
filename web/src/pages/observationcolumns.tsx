import type { JSX } from "preact";
import { seg } from "../api.ts";
import { link } from "../base.ts";
import { cost, count, duration, short } from "../format.ts";
import { is } from "../terms.ts";
import type { Observation } from "../types.ts";
import { Time, Took } from "../ui/bits.tsx";
import { Found, Preview } from "../ui/found.tsx";
import type { Column } from "../ui/table.tsx";
import { linkColumn, timeColumn } from "./columns.tsx";
import { one } from "./tracecolumns.tsx";

/** observationHref leads to the observation in its trace. */
export const observationHref = (o: Observation): string => link(`/traces/${seg(o.trace_id)}?observation=${seg(o.id)}`);

const nameOf = (o: Observation): string => o.name || o.id;

const amount = (n: number | null): string => (n === null ? "–" : short(n));

/** observationColumns are those of a list of single steps. */
export const observationColumns: Column<Observation>[] = [
  timeColumn({ key: "time", title: "Time", width: 132, sort: "start_time" }, o => o.start_time),
  { key: "type", title: "Type", width: 92, cell: o => o.type, filter: o => one("type", o.type) },
  linkColumn(
    { key: "name", title: "Name", width: 120, grow: 1, hint: o => `${o.name}\n${o.id}` },
    observationHref,
    nameOf,
    o => (o.name ? [is("name", o.name)] : []),
  ),
  {
    key: "level",
    title: "Level",
    width: 72,
    cell: o => <Level of={o} />,
    hint: o => o.status_message,
    filter: o => one("level", o.level),
  },
  {
    key: "model",
    title: "Model",
    width: 110,
    grow: 1,
    cell: o => o.model,
    hint: o => o.model,
    filter: o => one("model", o.model),
  },
  {
    key: "latency",
    title: "Latency",
    width: 80,
    numeric: true,
    sort: "latency_ms",
    cell: o => <Took of={o} />,
    filter: o => (o.latency_ms === null ? [] : [`latency:>=${Math.floor(o.latency_ms)}`]),
  },
  {
    key: "tokens",
    title: "Tokens",
    width: 72,
    numeric: true,
    sort: "total_tokens",
    cell: o => amount(o.total_tokens),
    hint: o =>
      `${o.prompt_tokens === null ? "?" : count(o.prompt_tokens)} in, ${o.completion_tokens === null ? "?" : count(o.completion_tokens)} out`,
  },
  {
    key: "cost",
    title: "Cost",
    width: 104,
    numeric: true,
    sort: "total_cost",
    cell: o => cost(o.total_cost),
    hint: o => o.cost_reason ?? o.cost_source,
  },
  {
    key: "input",
    title: "Input",
    width: 130,
    grow: 2,
    cell: o => (o.highlights?.length ? <Found in={o.highlights} /> : <Preview text={o.input_preview} />),
    hint: o => o.input_preview,
  },
  {
    key: "output",
    title: "Output",
    width: 130,
    grow: 2,
    cell: o => <Preview text={o.output_preview || (o.level === "ERROR" ? o.status_message : "")} />,
    hint: o => o.output_preview || o.status_message,
  },
  { key: "env", title: "Environment", width: 96, cell: o => o.environment, filter: o => one("env", o.environment) },
  {
    key: "provider",
    title: "Provider",
    width: 100,
    shown: false,
    cell: o => o.provider,
    filter: o => one("provider", o.provider),
  },
  {
    key: "ttft",
    title: "First token",
    width: 84,
    shown: false,
    numeric: true,
    cell: o => duration(o.time_to_first_token_ms),
    filter: o => (o.time_to_first_token_ms === null ? [] : [`ttft:>=${Math.floor(o.time_to_first_token_ms)}`]),
  },
  { key: "prompt", title: "Tokens in", width: 80, shown: false, numeric: true, cell: o => amount(o.prompt_tokens) },
  {
    key: "completion",
    title: "Tokens out",
    width: 80,
    shown: false,
    numeric: true,
    cell: o => amount(o.completion_tokens),
  },
  {
    key: "finish",
    title: "Finish reason",
    width: 100,
    shown: false,
    cell: o => o.finish_reason,
    filter: o => one("finish_reason", o.finish_reason),
  },
  {
    key: "trace",
    title: "Trace",
    width: 140,
    shown: false,
    cell: o => <code>{o.trace_id}</code>,
    hint: o => o.trace_id,
    filter: o => one("trace", o.trace_id),
  },
  { key: "id", title: "Id", width: 140, shown: false, cell: o => <code>{o.id}</code>, hint: o => o.id },
];

function Level({ of: o }: { of: Observation }): JSX.Element {
  if (o.level === "ERROR") return <span class="badge badge-error">error</span>;
  return <span class={o.level === "DEFAULT" ? "faint" : ""}>{o.level.toLowerCase()}</span>;
}

/** CompactObservation is the row of a telephone. */
export function CompactObservation({ observation: o }: { observation: Observation }): JSX.Element {
  return (
    <>
      <span class="compact-top">
        <a href={observationHref(o)} tabIndex={-1} class="row-link ellipsis">
          {nameOf(o)}
        </a>
        <Time at={o.start_time} />
      </span>
      <span class="compact-facts">
        {o.level === "ERROR" && <span class="badge badge-error">error</span>}
        <span>{o.type}</span>
        <span>{o.latency_ms === null ? "–" : duration(o.latency_ms)}</span>
        <span>{cost(o.total_cost)}</span>
        <span class="ellipsis">
          {o.highlights?.length ? <Found in={o.highlights} /> : o.input_preview || o.output_preview}
        </span>
      </span>
    </>
  );
}
