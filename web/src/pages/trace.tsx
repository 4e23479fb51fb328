import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { ask, seg } from "../api.ts";
import { link } from "../base.ts";
import { cost, count, scoreText, short } from "../format.ts";
import { answer } from "../json.ts";
import { useKeys } from "../keys.tsx";
import { navigate, setQuery, usePlace } from "../router.ts";
import { errorsOf, unpriced } from "../trace/amounts.ts";
import { Detail } from "../trace/detail.tsx";
import { downloadHtml, downloadJson } from "../trace/download.ts";
import { Status } from "../trace/facts.tsx";
import { Timeline } from "../trace/timeline.tsx";
import { above, foldedAt, kindOf, type Node, nodesOf, visible } from "../trace/tree.ts";
import type { Trace } from "../types.ts";
import { Copy, Failure, PageHead, Spinner, Time, Took } from "../ui/bits.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { Item, Menu } from "../ui/menu.tsx";
import { Split } from "../ui/split.tsx";
import { listSearch, neighbours } from "../visited.ts";

/** TracePage shows one trace: tree and waterfall, and what is chosen in them. The choice is in the address. */
export function TracePage({ id }: { id: string }): JSX.Element {
  const { data, error, reload } = useLoad(
    async signal => {
      const text = await ask(`/v1/traces/${seg(id)}`, { signal });
      return { trace: answer(text) as Trace, text };
    },
    [id],
  );
  const { before, after } = neighbours(id);
  useKeys([
    { key: "J", label: "Next trace of the list", run: () => open(after) },
    { key: "K", label: "Trace before in the list", run: () => open(before) },
    { key: "u", label: "Back to the list", run: () => navigate(link(`/traces${listSearch()}`)) },
  ]);
  if (error) {
    return (
      <div class="page">
        <PageHead title="Trace" />
        <Failure error={error} again={reload} />
        <a href={link(`/traces${listSearch()}`)}>To the traces</a>
      </div>
    );
  }
  return data ? <Shown trace={data.trace} text={data.text} reload={reload} /> : <Spinner />;
}

// open goes to another trace of the list, in the place of this one.
function open(id: string | undefined): void {
  if (id) navigate(link(`/traces/${seg(id)}`), true);
}

interface ShownProps {
  trace: Trace;
  text: string; // the answer that it was read from
  reload: () => void;
}

function Shown({ trace, text, reload }: ShownProps): JSX.Element {
  const { query } = usePlace();
  const selected = query.get("observation") ?? "";
  const { nodes, span } = useMemo(() => nodesOf(trace), [trace]);
  const [closed, setClosed] = useState<Set<string>>(() => foldedAt(nodes, selected));
  const [find, setFind] = useState("");
  const rows = useMemo(() => visible(nodes, closed, find), [nodes, closed, find]);
  const chosen = nodes.find(n => n.key === selected) ?? nodes[0]!;
  const select = (key: string) => setQuery({ observation: key || undefined }, true);
  const toggle = (key: string) => {
    const next = new Set(closed);
    if (!next.delete(key)) next.add(key);
    setClosed(next);
  };
  const step = (by: number) => {
    const at = rows.findIndex(n => n.key === chosen.key);
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (next) select(next.key);
  };
  const { before, after } = neighbours(trace.id);
  useKeys([
    { key: "j", label: "Next observation", run: () => step(1) },
    { key: "k", label: "Observation before", run: () => step(-1) },
    { key: "x", label: "Open or close what is below", run: () => chosen.children > 0 && toggle(chosen.key) },
    {
      key: "X",
      label: "Open or close everything",
      run: () =>
        setClosed(closed.size ? new Set() : new Set(nodes.filter(n => n.children > 0 && n.depth > 0).map(n => n.key))),
    },
    { key: "e", label: "Next error", run: () => nextError() },
    { key: "r", label: "Load again", run: reload },
  ]);
  const failed = nodes.filter(n => n.observation?.level === "ERROR" && !n.twin);
  const nextError = () => {
    const at = nodes.indexOf(chosen);
    const next = failed.find(n => nodes.indexOf(n) > at) ?? failed[0];
    if (!next) return;
    setFind("");
    select(next.key);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: only of another trace; what was opened stays open when it is loaded again
  useEffect(() => setClosed(foldedAt(nodes, selected)), [trace.id]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is above it is open when it is chosen, and may be closed then
  useEffect(() => {
    const over = above(nodes, chosen.key);
    setClosed(was => (over.some(k => was.has(k)) ? new Set([...was].filter(k => !over.includes(k))) : was));
  }, [chosen.key]);
  useEffect(() => {
    // Somebody passed on an address of an observation that is not in this trace.
    if (selected && chosen.key !== selected) setQuery({ observation: undefined }, true);
  }, [selected, chosen]);
  return (
    <div class="page page-fill trace-page">
      <Header trace={trace} text={text} before={before} after={after} errors={failed.length} onError={nextError} />
      <Split name="trace" label="Width of the tree">
        <section class="pane" aria-label="Tree and waterfall">
          <div class="pane-tools">
            <div class="search">
              <Icon name="search" size={14} />
              <input
                type="search"
                aria-label="Find in this trace"
                placeholder="Find in this trace"
                value={find}
                onInput={e => setFind(e.currentTarget.value)}
              />
            </div>
            <span class="muted small">{find ? `${count(rows.length)} of ${count(nodes.length)}` : steps(nodes)}</span>
          </div>
          <Timeline
            nodes={rows}
            span={span}
            selected={chosen.key}
            closed={find ? new Set() : closed}
            title={trace.name || trace.id}
            onSelect={select}
            onToggle={toggle}
          />
        </section>
        <Detail trace={trace} observation={chosen.observation} twin={chosen.twin} changed={reload} />
      </Split>
    </div>
  );
}

// steps says how many observations there are; what reports the same call again is none of its own.
function steps(nodes: Node[]): string {
  const again = nodes.filter(n => n.twin).length;
  const more = again > 0 ? `, ${count(again)} more ${again === 1 ? "report" : "reports"} of the same` : "";
  const n = nodes.length - 1 - again;
  return `${count(n)} ${n === 1 ? "observation" : "observations"}${more}`;
}

interface HeaderProps {
  trace: Trace;
  text: string;
  before: string | undefined;
  after: string | undefined;
  errors: number;
  onError: () => void;
}

function Header({ trace: t, text, before, after, errors, onError }: HeaderProps): JSX.Element {
  const yesNo = new Set(t.score_list.filter(s => s.data_type === "BOOLEAN").map(s => s.name));
  const here = `${location.origin}${location.pathname}${location.search}`;
  return (
    <>
      <PageHead title={t.name || t.id}>
        <a class="crumb" href={link(`/traces${listSearch()}`)}>
          <Icon name="left" size={12} /> Traces
        </a>
        <span class="spacer" />
        <button
          type="button"
          class="icon-button"
          aria-label="Trace before (K)"
          title="Trace before (K)"
          disabled={!before}
          onClick={() => open(before)}
        >
          <Icon name="up" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label="Next trace (J)"
          title="Next trace (J)"
          disabled={!after}
          onClick={() => open(after)}
        >
          <Icon name="down" />
        </button>
        <Copy text={here} label="Copy the link to this place">
          <Icon name="link" size={14} /> <span class="wide-only">Link</span>
        </Copy>
        <Menu label="Download" icon="download" align="right">
          {close => (
            <>
              <Item close={close} run={() => downloadJson(t, text)}>
                JSON
              </Item>
              <Item close={close} run={() => downloadHtml(t)}>
                HTML, one file
              </Item>
            </>
          )}
        </Menu>
      </PageHead>
      <div class="trace-facts">
        <span>
          <Icon name="clock" size={13} /> <Time at={t.start_time} />
        </span>
        <span title="Latency">
          <Took of={t} />
        </span>
        <span>{short(t.total_tokens)} tokens</span>
        <span>{cost(t.total_cost)}</span>
        {t.unpriced_count > 0 && <span class="badge badge-warn">{unpriced(t.unpriced_count)}</span>}
        <span title="Status: what the trace says itself, else that of the outermost step">
          <Status of={t.status} /> {[t.error_type, t.status_message].filter(Boolean).join(": ")}
          {errors > 0 && (
            <button type="button" class="badge badge-error" title="To the next error (e)" onClick={onError}>
              {errorsOf(t, errors)}
            </button>
          )}
        </span>
        {t.user_id && <a href={link(`/users/${seg(t.user_id)}`)}>{t.user_id}</a>}
        {t.session_id && <a href={link(`/sessions/${seg(t.session_id)}`)}>{t.session_id}</a>}
        <span class="badge">{t.environment}</span>
        {t.tags.map(tag => (
          <span key={tag} class="badge">
            {tag}
          </span>
        ))}
        {Object.entries(t.scores).map(([name, v]) => (
          <span key={name} class={`badge kind-${kindOf("event")}`} title="Score">
            {name} {yesNo.has(name) && (v === 0 || v === 1) ? (v ? "yes" : "no") : scoreText(v)}
          </span>
        ))}
      </div>
    </>
  );
}
