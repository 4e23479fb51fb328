import type { JSX } from "preact";
import { seg } from "../api.ts";
import { link } from "../base.ts";
import { cost, count, duration, fullTime, scoreText, short, utc } from "../format.ts";
import type { TraceSummary } from "../types.ts";
import { Time, Took } from "../ui/bits.tsx";
import type { Column } from "../ui/table.tsx";

/** Choice is a column that can be shown: the person's choice is kept by key. */
export interface Choice extends Column<TraceSummary> {
  shown: boolean; // unless chosen otherwise
}

export const traceHref = (t: TraceSummary): string => link(`/traces/${seg(t.id)}`);

/** traceName is what a trace is called when its own events have not come. */
export const traceName = (t: { name: string; id: string }): string => t.name || t.id;

/** columnsOf lists all columns for these rows: each score by name is one. slowest is what a full latency bar stands for. */
export function columnsOf(scores: string[], slowest: number): Choice[] {
  return [
    {
      key: "time",
      title: "Time",
      width: 132,
      shown: true,
      sort: "start_time",
      cell: t => <Time at={t.start_time} />,
      hint: t => `${utc(t.start_time)}\n${fullTime(t.start_time)} here`,
    },
    {
      key: "name",
      title: "Name",
      width: 120,
      grow: 2,
      shown: true,
      cell: t => (
        <a href={traceHref(t)} tabIndex={-1} class="row-link">
          {traceName(t)}
        </a>
      ),
      hint: t => `${t.name}\n${t.id}`,
    },
    {
      key: "user",
      title: "User",
      width: 116,
      grow: 1,
      shown: true,
      cell: t => linked("/users", t.user_id),
      hint: t => t.user_id,
    },
    {
      key: "session",
      title: "Session",
      width: 96,
      grow: 1,
      shown: true,
      cell: t => linked("/sessions", t.session_id),
      hint: t => t.session_id,
    },
    {
      key: "latency",
      title: "Latency",
      width: 98,
      shown: true,
      sort: "latency_ms",
      cell: t => <Latency of={t} slowest={slowest} />,
    },
    {
      key: "tokens",
      title: "Tokens",
      width: 62,
      shown: true,
      numeric: true,
      sort: "total_tokens",
      cell: t => short(t.total_tokens),
      hint: t => `${count(t.total_tokens)} tokens`,
    },
    {
      key: "cost",
      title: "Cost",
      width: 88,
      shown: true,
      numeric: true,
      sort: "total_cost",
      cell: t => cost(t.total_cost),
      hint: t => `$${t.total_cost}`,
    },
    {
      key: "errors",
      title: "Errors",
      width: 58,
      shown: true,
      numeric: true,
      sort: "error_count",
      cell: t =>
        t.error_count > 0 ? (
          <span class="badge badge-error">{count(t.error_count)}</span>
        ) : (
          <span class="faint">0</span>
        ),
    },
    {
      key: "observations",
      title: "Steps",
      width: 54,
      shown: true,
      numeric: true,
      sort: "observation_count",
      cell: t => count(t.observation_count),
      hint: t => `${count(t.observation_count)} observations`,
    },
    ...scores.map(
      (name, i): Choice => ({
        key: `score:${name}`,
        title: name,
        width: 86,
        shown: i < 3,
        numeric: true,
        cell: t => scoreText(t.scores[name]),
        hint: t => `${name}: ${scoreText(t.scores[name])}`,
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
    },
    { key: "environment", title: "Environment", width: 100, shown: false, cell: t => t.environment },
    {
      key: "tags",
      title: "Tags",
      width: 120,
      grow: 1,
      shown: false,
      cell: t => t.tags.join(", "),
      hint: t => t.tags.join("\n"),
    },
    { key: "id", title: "Id", width: 150, shown: false, cell: t => <code>{t.id}</code>, hint: t => t.id },
  ];
}

function linked(path: string, id: string): JSX.Element | null {
  if (!id) return <span class="faint">–</span>;
  return (
    <a href={link(`${path}/${seg(id)}`)} tabIndex={-1}>
      {id}
    </a>
  );
}

/** Latency is a number and a bar on a square-root scale, so that short ones can be told apart beside long ones. */
function Latency({ of: t, slowest }: { of: TraceSummary; slowest: number }): JSX.Element {
  const ms = t.latency_ms;
  if (ms === null) {
    return (
      <span class="faint">
        <Took of={t} />
      </span>
    );
  }
  const share = slowest > 0 ? Math.sqrt(ms / slowest) : 0;
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
    <>
      <span class="compact-top">
        <a href={traceHref(t)} tabIndex={-1} class="row-link ellipsis">
          {traceName(t)}
        </a>
        <Time at={t.start_time} />
      </span>
      <span class="compact-facts">
        {t.error_count > 0 && <span class="badge badge-error">{t.error_count} err</span>}
        <Took of={t} />
        <span>{short(t.total_tokens)} tok</span>
        <span>{cost(t.total_cost)}</span>
        <span class="ellipsis">{t.user_id}</span>
      </span>
    </>
  );
}
