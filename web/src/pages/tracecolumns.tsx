import type { JSX } from "preact";
import { seg } from "../api.ts";
import { link } from "../base.ts";
import { duration, meanScore } from "../format.ts";
import { is, scoreField } from "../terms.ts";
import type { TraceSummary } from "../types.ts";
import { Took } from "../ui/bits.tsx";
import { Found, Preview } from "../ui/found.tsx";
import type { Column } from "../ui/table.tsx";
import { amountColumns, Compact, linkColumn, timeColumn } from "./columns.tsx";

export const traceHref = (t: TraceSummary): string => link(`/traces/${seg(t.id)}`);

/** traceName is what a trace is called when its own events have not come. */
export const traceName = (t: { name: string; id: string }): string => t.name || t.id;

const amount = amountColumns<TraceSummary>({ observations: 54, errors: 58, tokens: 62 });

/**
 * columnsOf lists all columns for these rows: each score by name is one, the first three are shown. yesNo are those
 * whose values are yes or no; longest is what a full latency bar stands for.
 */
export function columnsOf(scores: string[], yesNo: Set<string>, longest: number): Column<TraceSummary>[] {
  const usual: Column<TraceSummary>[] = [
    timeColumn({ key: "time", title: "Time", width: 132, sort: "start_time" }, t => t.start_time),
    linkColumn(
      { key: "name", title: "Name", width: 120, grow: 2, hint: t => `${t.name}\n${t.id}` },
      traceHref,
      traceName,
      t => (t.name ? [is("name", t.name)] : []),
    ),
    {
      key: "input",
      title: "Input",
      width: 112,
      grow: 2,
      cell: t => (t.highlights?.length ? <Found in={t.highlights} /> : <Preview text={t.input_preview} />),
      hint: t => t.input_preview ?? "",
    },
    {
      key: "output",
      title: "Output",
      width: 106,
      grow: 2,
      cell: t => <Preview text={t.output_preview} />,
      hint: t => t.output_preview ?? "",
    },
    {
      key: "user",
      title: "User",
      width: 116,
      grow: 1,
      cell: t => linked("/users", t.user_id),
      hint: t => t.user_id,
      filter: t => one("user", t.user_id),
    },
    {
      key: "session",
      title: "Session",
      width: 96,
      grow: 1,
      cell: t => linked("/sessions", t.session_id),
      hint: t => t.session_id,
      filter: t => one("session", t.session_id),
    },
    {
      key: "latency",
      title: "Latency",
      width: 98,
      sort: "latency_ms",
      cell: t => <Latency of={t} longest={longest} />,
      filter: t => (t.latency_ms === null ? [] : [`latency:>=${Math.floor(t.latency_ms)}`]),
    },
    amount.tokens,
    amount.cost,
    amount.errors,
    amount.observations,
  ];
  return [
    ...usual.map(c => ({ ...c, shown: c.key !== "session" })),
    ...scores.map(
      (name, i): Column<TraceSummary> => ({
        key: `score:${name}`,
        title: name,
        width: 86,
        shown: i < 1,
        numeric: true,
        cell: t => meanScore(t.scores[name], yesNo.has(name)),
        hint: t => `${name}: ${meanScore(t.scores[name], yesNo.has(name))}`,
        filter: t => (typeof t.scores[name] === "number" ? [`${scoreField(name)}:${t.scores[name]}`] : []),
      }),
    ),
    {
      key: "models",
      title: "Models",
      width: 130,
      grow: 1,
      shown: false,
      cell: t => t.models.join(", "),
      hint: t => t.models.join("\n"),
      filter: t => t.models.map(m => is("model", m)),
    },
    {
      key: "environment",
      title: "Environment",
      width: 100,
      shown: false,
      cell: t => t.environment,
      filter: t => one("env", t.environment),
    },
    {
      key: "tags",
      title: "Tags",
      width: 120,
      grow: 1,
      shown: false,
      cell: t => t.tags.join(", "),
      hint: t => t.tags.join("\n"),
      filter: t => t.tags.map(tag => is("tag", tag)),
    },
    { key: "id", title: "Id", width: 150, shown: false, cell: t => <code>{t.id}</code>, hint: t => t.id },
  ];
}

/** one is the term of a value; none of an empty one. */
export const one = (field: string, value: string): string[] => (value ? [is(field, value)] : []);

function linked(path: string, id: string): JSX.Element | null {
  if (!id) return <span class="faint">–</span>;
  return (
    <a href={link(`${path}/${seg(id)}`)} tabIndex={-1}>
      {id}
    </a>
  );
}

/** Latency is a number and a bar on a square-root scale, so that short ones can be told apart beside long ones. */
function Latency({ of: t, longest }: { of: TraceSummary; longest: number }): JSX.Element {
  const ms = t.latency_ms;
  if (ms === null) {
    return (
      <span class="faint">
        <Took of={t} />
      </span>
    );
  }
  const share = longest > 0 ? Math.sqrt(ms / longest) : 0;
  return (
    <span class="latency">
      <span class="latency-bar" style={{ width: `${Math.max(2, Math.min(100, share * 100))}%` }} />
      <span class="latency-text">{duration(ms)}</span>
    </span>
  );
}

/** CompactTrace is the row of a telephone. */
export function CompactTrace({ trace: t }: { trace: TraceSummary }): JSX.Element {
  return (
    <Compact
      href={traceHref(t)}
      name={traceName(t)}
      at={t.start_time}
      of={t}
      last={t.highlights?.length ? <Found in={t.highlights} /> : t.input_preview || t.user_id}
    >
      <Took of={t} />
    </Compact>
  );
}
