import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { isNote } from "../act/record.ts";
import { ask, idPath, seg } from "../api.ts";
import { link } from "../base.ts";
import { cost, count, scoreText, short } from "../format.ts";
import { useKeys } from "../keys.tsx";
import { navigate, setQuery, usePlace } from "../router.ts";
import { errorsOf, unpriced } from "../trace/amounts.ts";
import { Detail } from "../trace/detail.tsx";
import { downloadHtml, downloadJson } from "../trace/download.ts";
import { Status } from "../trace/facts.tsx";
import { useFinds } from "../trace/find.ts";
import { type Tree, useTree } from "../trace/follow.ts";
import { MemoLegend } from "../trace/legend.tsx";
import { Payloads } from "../trace/sent.ts";
import { Timeline } from "../trace/timeline.tsx";
import { above, failures, firstFailure, foldedAt, hits, kindOf, type Node, nodesOf, visible } from "../trace/tree.ts";
import type { Trace } from "../types.ts";
import { Copy, Failure, PageHead, Spinner, Time, Took } from "../ui/bits.tsx";
import { useDoing } from "../ui/doing.ts";
import { Icon } from "../ui/icon.tsx";
import { Item, Menu } from "../ui/menu.tsx";
import { Split } from "../ui/split.tsx";
import { listSearch, neighbours } from "../visited.ts";

/** TracePage shows one trace: tree and waterfall, and what is chosen in them. The choice is in the address. */
export function TracePage({ id }: { id: string }): JSX.Element {
  const tree = useTree(id);
  const { before, after } = neighbours(id);
  useKeys([
    { key: "J", label: "Next trace of the list", run: () => open(after) },
    { key: "K", label: "Trace before in the list", run: () => open(before) },
    { key: "u", label: "Back to the list", run: () => navigate(link(`/traces${listSearch()}`)) },
  ]);
  if (!tree.trace && tree.error) {
    return (
      <div class="page">
        <PageHead title="Trace" />
        <Failure error={tree.error} again={tree.reload} />
        <a href={link(`/traces${listSearch()}`)}>To the traces</a>
      </div>
    );
  }
  return tree.trace ? <Shown key={id} trace={tree.trace} tree={tree} /> : <Spinner />;
}

// open goes to another trace of the list, in the place of this one.
function open(id: string | undefined): void {
  if (id) navigate(link(`/traces/${seg(id)}`), true);
}

interface ShownProps {
  trace: Trace;
  tree: Tree;
}

function Shown({ trace, tree }: ShownProps): JSX.Element {
  const { query } = usePlace();
  const selected = query.get("observation") ?? "";
  const { nodes, span } = useMemo(() => nodesOf(trace), [trace]);
  const payloads = useMemo(() => new Payloads(trace.id), [trace.id]);
  const reload = () => {
    payloads.forget();
    tree.reload();
  };
  const toggleLive = () => setQuery({ live: tree.live ? "0" : "1" }, true);
  const [closed, setClosed] = useState<Set<string>>(() => foldedAt(nodes, selected));
  const [find, setFind] = useState("");
  const finds = useFinds(trace.id, find, tree.turn);
  const rows = useMemo(() => visible(nodes, closed, find, finds.ids), [nodes, closed, find, finds.ids]);
  const found = useMemo(() => hits(nodes, find, finds.ids), [nodes, find, finds.ids]);
  const scores = useMemo(() => scoresOf(trace), [trace]);
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
    { key: "n", label: "Next that was found", run: () => toHit(1) },
    { key: "N", label: "The one found before", run: () => toHit(-1) },
    { key: "r", label: "Load again", run: reload },
    { key: "l", label: "Live on or off", run: toggleLive },
  ]);
  const toHit = (by: number) => {
    const here = found.indexOf(chosen);
    const next = here < 0 ? (by > 0 ? 0 : found.length - 1) : (here + by + found.length) % found.length;
    if (found[next]) select(found[next].key);
  };
  const failed = useMemo(() => failures(nodes), [nodes]);
  const first = useMemo(() => firstFailure(nodes), [nodes]);
  const nextError = () => {
    const at = nodes.indexOf(chosen);
    const next = failed.find(n => nodes.indexOf(n) > at) ?? failed[0];
    if (!next) return;
    setFind("");
    select(next.key);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: only of another trace; what was opened stays open when it is loaded again
  useEffect(() => {
    const why = trace.status === "error" && !selected ? first : undefined;
    setClosed(foldedAt(nodes, why?.key ?? selected));
    if (why) select(why.key); // who opens what failed asks why
  }, [trace.id]);
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
      <Header
        trace={trace}
        before={before}
        after={after}
        errors={failed.length}
        onError={nextError}
        live={tree.live}
        onLive={toggleLive}
      />
      {tree.error && <Failure error={tree.error} again={tree.reload} />}
      <WhyFailed trace={trace} first={first} select={select} />
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
                onKeyDown={e => {
                  if (e.key !== "Enter") return;
                  e.preventDefault();
                  toHit(e.shiftKey ? -1 : 1);
                }}
              />
            </div>
            <span class="muted small" aria-live="polite">
              {find.trim() ? `${place(found, chosen)}${finds.busy ? "…" : ""}` : steps(nodes)}
              {finds.error && ` by name only: ${finds.error.message}`}
            </span>
          </div>
          <Timeline
            nodes={rows}
            span={span}
            selected={chosen.key}
            closed={find ? new Set() : closed}
            title={trace.name || trace.id}
            scores={scores}
            onSelect={select}
            onToggle={toggle}
          />
          <MemoLegend nodes={nodes} />
        </section>
        <Detail
          trace={trace}
          observation={chosen.observation}
          twin={chosen.twin}
          payloads={payloads}
          turn={tree.turn}
          find={find}
          changed={tree.reload}
        />
      </Split>
    </div>
  );
}

interface WhyFailedProps {
  trace: Trace;
  first: Node | undefined; // the step that failed first
  select: (key: string) => void;
}

// WhyFailed says why a trace failed: what it says itself, else what its first failing step does.
function WhyFailed({ trace: t, first, select }: WhyFailedProps): JSX.Element | null {
  if (t.status === "ok") return null;
  const o = first?.observation;
  const said = (x: { error_type?: string; status_message?: string } | null | undefined) =>
    [x?.error_type, x?.status_message].filter(Boolean).join(": ");
  return (
    <p class={`notice${t.status === "error" ? " notice-error" : ""} why-failed`}>
      <Icon name="error" />
      <span>
        <strong>{t.status === "error" ? "Failed" : "Aborted"}</strong> {said(t) || said(o) || "Nothing says why."}
      </span>
      {o && (
        <button type="button" class="button quiet" onClick={() => select(first!.key)}>
          In {o.name || o.type}
        </button>
      )}
    </p>
  );
}

// place says how many steps were found, and which of them is chosen.
function place(found: Node[], chosen: Node): string {
  const at = found.indexOf(chosen);
  return at < 0 ? `${count(found.length)} found` : `${count(at + 1)} of ${count(found.length)} found`;
}

// scoresOf writes the scores of each observation in few characters.
function scoresOf(trace: Trace): Map<string, string> {
  const all = new Map<string, string>();
  for (const s of trace.score_list) {
    if (!s.observation_id || isNote(s)) continue;
    const value = s.data_type === "BOOLEAN" ? (s.value ? "yes" : "no") : scoreText(s.value ?? s.string_value);
    const before = all.get(s.observation_id);
    all.set(s.observation_id, `${before ? `${before}, ` : ""}${s.name} ${value}`);
  }
  return all;
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
  before: string | undefined;
  after: string | undefined;
  errors: number;
  onError: () => void;
  live: boolean;
  onLive: () => void;
}

function Header({ trace: t, before, after, errors, onError, live, onLive }: HeaderProps): JSX.Element {
  const download = useDoing();
  const whole = () => ask(idPath("/v1/traces", t.id));
  const yesNo = new Set(t.score_list.filter(s => s.data_type === "BOOLEAN").map(s => s.name));
  const notes = new Set(t.score_list.filter(isNote).map(s => s.name));
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
        <button
          type="button"
          class={`button quiet${live ? " live-on" : ""}`}
          aria-pressed={live}
          title="Steps as they come (l)"
          onClick={onLive}
        >
          <Icon name="live" size={14} /> Live
        </button>
        <a class="button quiet" href={link(`/compare?a=${seg(t.id)}`)} title="Compare it with another trace">
          Compare
        </a>
        <Copy text={here} label="Copy the link to this place">
          <Icon name="link" size={14} /> <span class="wide-only">Link</span>
        </Copy>
        <Menu label="Download" icon="download" align="right">
          {close => (
            <>
              <Item close={close} run={() => download.run(async () => downloadJson(t, await whole()))}>
                JSON
              </Item>
              <Item close={close} run={() => download.run(async () => downloadHtml(await whole()))}>
                HTML, one file
              </Item>
            </>
          )}
        </Menu>
      </PageHead>
      {download.error && <Failure error={download.error} />}
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
          <Status of={t.status} />
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
        {Object.entries(t.scores)
          .filter(([name]) => !notes.has(name))
          .map(([name, v]) => (
            <span key={name} class={`badge kind-${kindOf("event")}`} title="Score">
              {name} {yesNo.has(name) && (v === 0 || v === 1) ? (v ? "yes" : "no") : scoreText(v)}
            </span>
          ))}
      </div>
    </>
  );
}
