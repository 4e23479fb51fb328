import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { type Params, seg } from "../api.ts";
import { link } from "../base.ts";
import type { Bulk } from "../bulk/bulk.ts";
import type { Field } from "../filters.ts";
import { count, percent, scoreText, scoreValue } from "../format.ts";
import { setQuery, usePlace } from "../router.ts";
import type { ScoreKind } from "../scorestats.ts";
import { scoreSheet } from "../sheets.ts";
import { both, is } from "../terms.ts";
import type { Score } from "../types.ts";
import { Failure, Time } from "../ui/bits.tsx";
import { usePaged } from "../ui/paged.ts";
import { type Column, Table } from "../ui/table.tsx";
import type { Counting } from "../ui/total.ts";
import { timeColumn } from "./columns.tsx";
import { shownText, useListing } from "./listing.tsx";
import { type Names, nameOf, useNames } from "./scorenames.ts";
import { one } from "./tracecolumns.tsx";

/** meanText is what a score comes to, in few characters. */
export function meanText(k: ScoreKind): string {
  if (k.type === "CATEGORICAL") return k.top?.value || "(empty)";
  return k.type === "BOOLEAN" ? `${percent(k.mean)} yes` : `${scoreText(k.mean)}`;
}

// href is where the score is seen with what it is about.
function href(s: Score): string {
  const at = s.observation_id ? `?observation=${seg(s.observation_id)}` : "";
  return link(s.trace_id ? `/traces/${seg(s.trace_id)}${at}` : "/scores");
}

const columnsOf = (names: Names): Column<Score>[] => [
  timeColumn({ key: "time", title: "Time", width: 134, sort: "timestamp" }, s => s.timestamp),
  {
    key: "value",
    title: "Value",
    width: 110,
    sort: "value",
    cell: s => <strong>{scoreValue(s)}</strong>,
    hint: s => String(s.value ?? s.string_value),
    filter: s => (s.value === null ? [] : [`value:${s.value}`]),
  },
  {
    key: "of",
    title: "Scored",
    width: 170,
    grow: 1,
    needed: true,
    cell: s => (
      <a href={href(s)} tabIndex={-1}>
        {nameOf(s, names)}
      </a>
    ),
    hint: s => `${nameOf(s, names)}\ntrace ${s.trace_id || "–"}\nobservation ${s.observation_id || "–"}`,
    filter: s => one("trace", s.trace_id),
  },
  { key: "source", title: "Source", width: 80, cell: s => s.source, filter: s => one("source", s.source) },
  {
    key: "evaluator",
    title: "By",
    width: 130,
    cell: s => s.evaluator_name || s.author_user_id,
    hint: s => [s.evaluator_name, s.evaluator_version, s.author_user_id].filter(Boolean).join("\n"),
    filter: s => [...one("evaluator", s.evaluator_name), ...one("author", s.author_user_id)],
  },
  { key: "comment", title: "Comment", width: 180, grow: 2, cell: s => s.comment, hint: s => s.comment },
  {
    key: "env",
    title: "Environment",
    width: 100,
    shown: false,
    cell: s => s.environment,
    filter: s => one("env", s.environment),
  },
  {
    key: "trace",
    title: "Trace",
    width: 150,
    shown: false,
    cell: s => <code>{s.trace_id}</code>,
    hint: s => s.trace_id,
  },
  {
    key: "observation",
    title: "Observation",
    width: 150,
    shown: false,
    cell: s => <code>{s.observation_id}</code>,
    hint: s => s.observation_id,
  },
  { key: "id", title: "Id", width: 150, shown: false, cell: s => <code>{s.id}</code>, hint: s => s.id },
];

const bulk: Bulk<Score> = { noun: "score", sheet: scoreSheet };
const each: Counting = { of: "scores" };
const NEWEST = "-timestamp";

interface Props {
  kind: ScoreKind;
  params: Params; // the filters and the time of the page
  fields: Field[];
}

/** ScoreList lists the single scores of one name and type, the newest first. */
export function ScoreList({ kind, params, fields }: Props): JSX.Element {
  const sort = usePlace().query.get("sort") ?? NEWEST;
  const filter = both(String(params.filter ?? ""), `${is("name", kind.name)} ${is("data_type", kind.type)}`);
  const asked = { ...params, filter };
  const list = usePaged<Score>("/v1/scores", { ...asked, sort });
  const names = useNames(list.rows);
  const columns = useMemo(() => columnsOf(names), [names]);
  const { total, ...listing } = useListing({
    page: "scores",
    columns,
    bulk,
    counting: each,
    list,
    params: asked,
    sort,
  });
  return (
    <section class="list-box" aria-label="Single scores">
      <header class="card-head">
        <h2>Single scores</h2>
        <span class="muted small" aria-live="polite">
          {list.loaded && shownText(count(list.rows.length), list.end, total === undefined ? undefined : count(total))}
        </span>
        <span class="spacer" />
        {listing.tools}
      </header>
      {list.error && <Failure error={list.error} again={list.reload} />}
      <Table
        label="Single scores"
        list={list}
        columns={listing.columns}
        href={href}
        compact={s => <CompactScore score={s} names={names} />}
        sort={sort}
        onSort={s => setQuery({ sort: s === NEWEST ? undefined : s })}
        fields={fields}
        selection={listing.selection}
        onWidth={listing.onWidth}
      />
      {listing.bar}
    </section>
  );
}

function CompactScore({ score: s, names }: { score: Score; names: Names }): JSX.Element {
  return (
    <>
      <span class="compact-top">
        <strong class="ellipsis">{scoreValue(s)}</strong>
        <Time at={s.timestamp} />
      </span>
      <span class="compact-facts">
        <span>{s.source}</span>
        <span class="ellipsis">{[nameOf(s, names), s.comment].filter(Boolean).join(": ")}</span>
      </span>
    </>
  );
}
