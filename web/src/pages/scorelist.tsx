import type { JSX } from "preact";
import { type Params, seg } from "../api.ts";
import { link } from "../base.ts";
import { percent, scoreText } from "../format.ts";
import type { ScoreKind } from "../scorestats.ts";
import type { Score } from "../types.ts";
import { Failure, Time } from "../ui/bits.tsx";
import { usePaged } from "../ui/paged.ts";
import { type Column, Table } from "../ui/table.tsx";
import { timeColumn } from "./columns.tsx";

/** meanText is what a score comes to, in few characters. */
export function meanText(k: ScoreKind): string {
  if (k.type === "CATEGORICAL") return k.top?.value || "(empty)";
  return k.type === "BOOLEAN" ? `${percent(k.mean)} yes` : `${scoreText(k.mean)}`;
}

function valueText(s: Score): string {
  if (s.data_type === "BOOLEAN" && (s.value === 0 || s.value === 1)) return s.value ? "yes" : "no";
  return scoreText(s.value ?? s.string_value);
}

// href is where the score is seen with what it is about.
function href(s: Score): string {
  const at = s.observation_id ? `?observation=${seg(s.observation_id)}` : "";
  return link(s.trace_id ? `/traces/${seg(s.trace_id)}${at}` : "/scores");
}

const columns: Column<Score>[] = [
  timeColumn({ key: "time", title: "Time", width: 134 }, s => s.timestamp),
  {
    key: "value",
    title: "Value",
    width: 110,
    cell: s => <strong>{valueText(s)}</strong>,
    hint: s => String(s.value ?? s.string_value),
  },
  {
    key: "of",
    title: "Scored",
    width: 170,
    grow: 1,
    cell: s => (
      <a href={href(s)} tabIndex={-1}>
        {s.observation_id || s.trace_id}
      </a>
    ),
    hint: s => `trace ${s.trace_id || "–"}\nobservation ${s.observation_id || "–"}`,
  },
  { key: "source", title: "Source", width: 80, cell: s => s.source },
  {
    key: "evaluator",
    title: "By",
    width: 130,
    cell: s => s.evaluator_name || s.author_user_id,
    hint: s => [s.evaluator_name, s.evaluator_version, s.author_user_id].filter(Boolean).join("\n"),
  },
  { key: "comment", title: "Comment", width: 180, grow: 2, cell: s => s.comment, hint: s => s.comment },
];

/** ScoreList lists single scores, the newest first. */
export function ScoreList({ params }: { params: Params }): JSX.Element {
  const list = usePaged<Score>("/v1/scores", params);
  return (
    <section class="list-box" aria-label="Single scores">
      <header class="card-head">
        <h2>Single scores</h2>
      </header>
      {list.error && <Failure error={list.error} again={list.reload} />}
      <Table
        label="Single scores"
        list={list}
        columns={columns}
        href={href}
        compact={s => <CompactScore score={s} />}
      />
    </section>
  );
}

function CompactScore({ score: s }: { score: Score }): JSX.Element {
  return (
    <>
      <span class="compact-top">
        <strong>{valueText(s)}</strong>
        <Time at={s.timestamp} />
      </span>
      <span class="compact-facts">
        <span>{s.source}</span>
        <span class="ellipsis">{s.comment || s.observation_id || s.trace_id}</span>
      </span>
    </>
  );
}
