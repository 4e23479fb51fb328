import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { seg } from "../api.ts";
import { link } from "../base.ts";
import { cost, duration, short } from "../format.ts";
import { useKeys } from "../keys.tsx";
import type { Observation } from "../types.ts";
import { Icon } from "../ui/icon.tsx";
import { memo } from "../ui/memo.ts";
import { useRows } from "../ui/rows.ts";
import { kindOf, type Node } from "./tree.ts";
import type { Twin } from "./twins.ts";

interface Props {
  nodes: Node[]; // those that are visible
  span: number; // µs of the whole trace
  selected: string;
  closed: Set<string>;
  title: string; // of the trace
  scores: Map<string, string>; // in words, by observation
  onSelect: (key: string) => void;
  onToggle: (key: string) => void;
}

export interface View {
  from: number; // µs
  to: number;
}

const ROW = 27;
const DEEPEST = 14; // levels that are still indented

/** Timeline is tree and waterfall in one list: each row has its place in both. */
export function Timeline(props: Props): JSX.Element {
  const { nodes, span, selected, onSelect } = props;
  const { box, look, first, shown, height, bring, focus } = useRows(nodes, ROW);
  const [view, setView] = useState<View>({ from: 0, to: span });
  const at = nodes.findIndex(n => n.key === selected);
  useEffect(() => setView({ from: 0, to: span }), [span]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a choice is brought into view when it is made, and when other rows are shown
  useEffect(() => {
    if (at < 0) return;
    bring(at, ROW); // one row below it stays in view
    const within = document.activeElement;
    if (within !== box.current && box.current?.contains(within)) focus(at);
  }, [selected, nodes]);
  const zoom = useZoom(box, span, setView);
  useKeys([
    { key: "+", label: "Look closer", run: () => zoom(0.5) },
    { key: "=", label: "Look closer", run: () => zoom(0.5), unlisted: true },
    { key: "-", label: "Look from farther", run: () => zoom(2) },
    { key: "0", label: "Look at all of the trace", run: () => setView({ from: 0, to: span }) },
  ]);
  const onKey = (e: KeyboardEvent) => {
    const here = nodes[at];
    if (!here) return;
    const go = (to: number) => {
      e.preventDefault();
      const n = nodes[Math.max(0, Math.min(nodes.length - 1, to))];
      if (n) onSelect(n.key);
    };
    if (e.key === "ArrowDown") go(at + 1);
    else if (e.key === "ArrowUp") go(at - 1);
    else if (e.key === "Home") go(0);
    else if (e.key === "End") go(nodes.length - 1);
    else if (e.key === "ArrowRight" && props.closed.has(here.key)) props.onToggle(here.key);
    else if (e.key === "ArrowLeft" && here.children > 0 && !props.closed.has(here.key)) props.onToggle(here.key);
  };
  return (
    <div class="timeline">
      <Ruler view={view} span={span} setView={setView} zoom={zoom} />
      <div
        class="timeline-rows"
        role="treegrid"
        aria-label="Observations"
        aria-rowcount={nodes.length}
        tabIndex={-1}
        ref={box}
        onScroll={look}
        onKeyDown={onKey}
      >
        <div role="rowgroup" class="timeline-all" style={{ height }}>
          {shown.map((n, i) => (
            <MemoRow
              key={n.key}
              node={n}
              at={first + i}
              view={view}
              span={span}
              title={props.title}
              score={props.scores.get(n.key) ?? ""}
              chosen={n.key === selected}
              tab={first + i === Math.max(0, at)}
              closed={props.closed.has(n.key)}
              onSelect={onSelect}
              onToggle={props.onToggle}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  node: Node;
  at: number;
  view: View;
  span: number;
  title: string;
  score: string;
  chosen: boolean;
  tab: boolean;
  closed: boolean;
  onSelect: (key: string) => void;
  onToggle: (key: string) => void;
}

function Row({
  node: n,
  at,
  view,
  span,
  title,
  score,
  chosen,
  tab,
  closed,
  onSelect,
  onToggle,
}: RowProps): JSX.Element {
  const o = n.observation;
  const failed = o?.level === "ERROR";
  const name = o ? o.name || o.id : title;
  const twin = n.twin;
  const kind = o ? kindOf(o.type) : "trace";
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the treegrid's onKeyDown moves the selection
    <div
      role="row"
      class={`trow kind-${kind}${failed ? " failed" : ""}${twin ? " same" : ""}`}
      data-at={at}
      tabIndex={tab ? 0 : -1}
      aria-rowindex={at + 1}
      aria-level={n.depth + 1}
      aria-selected={chosen}
      {...(n.children > 0 ? { "aria-expanded": !closed } : {})}
      style={{ transform: `translateY(${at * ROW}px)` }}
      onClick={e => {
        if (!(e.target as Element).closest("a")) onSelect(n.key);
      }}
    >
      {/* the row has the focus */}
      <div role="gridcell" class="trow-tree" style={{ paddingLeft: `${4 + Math.min(n.depth, DEEPEST) * 14}px` }}>
        {n.children > 0 ? (
          <button
            type="button"
            class="caret"
            tabIndex={-1}
            aria-label={closed ? `Open ${name}` : `Close ${name}`}
            onClick={e => {
              e.stopPropagation();
              onToggle(n.key);
            }}
          >
            <Icon name={closed ? "right" : "down"} size={12} />
          </button>
        ) : (
          <span class="caret" />
        )}
        <span class="trow-kind" title={o ? o.type : "trace"}>
          <Icon name={kind} size={13} />
          <span class="visually-hidden">{o ? o.type : "trace"}</span>
        </span>
        <span class="ellipsis trow-name" title={o ? `${name}\n${o.type} · ${o.id}` : name}>
          {name}
        </span>
        {failed && (
          <span class="trow-error" title={o?.status_message}>
            <Icon name="error" size={13} />
            <span class="visually-hidden">error</span>
          </span>
        )}
        {closed && (
          <span class="badge" title={n.twins > 0 ? "Reported more than once: open to see" : undefined}>
            {n.twins > 0 ? `+${n.children} same call` : n.children}
          </span>
        )}
        {twin && <SameCall twin={twin} />}
        {o && !twin && <Amounts of={o} score={score} />}
      </div>
      {/* the row has the focus */}
      <div role="gridcell" class="trow-bars">
        <div class="bars">
          <Bar node={n} view={view} span={span} />
        </div>
      </div>
    </div>
  );
}

// Amounts are what a step used and was given, as far as there is room.
function Amounts({ of: o, score }: { of: Observation; score: string }): JSX.Element | null {
  const facts = [
    o.model,
    o.total_tokens ? `${short(o.total_tokens)} tok` : "",
    o.total_cost ? cost(o.total_cost) : "",
    score,
  ].filter(Boolean);
  return facts.length > 0 ? (
    <span class="ellipsis trow-model" title={facts.join(" · ")}>
      {facts.join(" · ")}
    </span>
  ) : null;
}

/** SameCall says which observation stands for the call, and leads there. */
export function SameCall({ twin: t }: { twin: Twin }): JSX.Element {
  return (
    <a class="ellipsis trow-same" tabIndex={-1} href={link(`/traces/${seg(t.trace)}?observation=${seg(t.id)}`)}>
      same call as {t.name}
      {t.elsewhere && " in another trace"}
    </a>
  );
}

// Scrolling draws only the rows that come into view.
const MemoRow = memo(Row);

function Bar({ node: n, view, span }: { node: Node; view: View; span: number }): JSX.Element {
  const width = view.to - view.from;
  const end = n.end ?? span;
  const left = ((n.start - view.from) / width) * 100;
  const right = ((end - view.from) / width) * 100;
  const a = Math.max(0, Math.min(100, left));
  const b = Math.max(0, Math.min(100, right));
  const text = n.end === null ? "open" : duration(n.why ? null : (n.end - n.start) / 1000);
  const outside = right < 0 || left > 100;
  const wait = n.observation?.time_to_first_token_ms ?? null;
  const token = wait === null ? -1 : ((n.start + wait * 1000 - view.from) / width) * 100;
  return (
    <>
      {!outside && (
        <span
          class={`bar${n.end === null ? " bar-open" : ""}`}
          style={{ left: `${a}%`, width: `max(2px, ${b - a}%)` }}
        />
      )}
      {token >= 0 && token <= 100 && (
        <span class="bar-token" title={`First token after ${duration(wait)}`} style={{ left: `${token}%` }} />
      )}
      <span class="bar-text" title={n.why} style={{ left: `calc(${Math.max(a, b)}% + 6px)` }}>
        {text}
      </span>
    </>
  );
}

interface RulerProps {
  view: View;
  span: number;
  setView: (v: View) => void;
  zoom: (factor: number, at?: number) => void;
}

/** Ruler shows the time of the waterfall; dragging over it looks closer, two clicks show all. */
function Ruler({ view, span, setView, zoom }: RulerProps): JSX.Element {
  const strip = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const place = (e: PointerEvent) => {
    const r = strip.current!.getBoundingClientRect();
    return Math.max(0, Math.min(1, (e.clientX - r.left) / r.width));
  };
  const whole = view.from <= 0 && view.to >= span;
  const width = view.to - view.from;
  return (
    <div class="ruler">
      <div class="ruler-tools">
        <button
          type="button"
          class="icon-button"
          aria-label="Look closer"
          title="Look closer (+)"
          onClick={() => zoom(0.5)}
        >
          <Icon name="plus" size={14} />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label="Look from farther"
          title="Look from farther (-)"
          disabled={whole}
          onClick={() => zoom(2)}
        >
          <Icon name="minus" size={14} />
        </button>
        <button
          type="button"
          class="button quiet"
          disabled={whole}
          title="Show all (0)"
          onClick={() => setView({ from: 0, to: span })}
        >
          All
        </button>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the buttons beside it do the same */}
      <div
        class="ruler-strip bars"
        ref={strip}
        onDblClick={() => setView({ from: 0, to: span })}
        onPointerDown={e => {
          e.currentTarget.setPointerCapture(e.pointerId);
          const p = place(e);
          setDrag({ from: p, to: p });
        }}
        onPointerMove={e => drag && setDrag({ ...drag, to: place(e) })}
        onPointerUp={() => {
          if (drag && Math.abs(drag.to - drag.from) > 0.01) {
            const [a, b] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
            setView({ from: view.from + a * width, to: view.from + b * width });
          }
          setDrag(null);
        }}
      >
        {[0, 0.25, 0.5, 0.75].map(f => (
          <span key={f} class="tick" style={{ left: `${f * 100}%` }}>
            {duration((view.from + f * width) / 1000)}
          </span>
        ))}
        {drag && (
          <span
            class="ruler-drag"
            style={{ left: `${Math.min(drag.from, drag.to) * 100}%`, width: `${Math.abs(drag.to - drag.from) * 100}%` }}
          />
        )}
      </div>
    </div>
  );
}

/** useZoom zooms around a place (0 to 1), also with Ctrl and the wheel, and pans with Shift and the wheel. */
function useZoom(box: { current: HTMLDivElement | null }, span: number, setView: (f: (v: View) => View) => void) {
  const zoom = (factor: number, at = 0.5) =>
    setView(v => {
      const width = Math.min(span, Math.max(10, (v.to - v.from) * factor));
      const pivot = v.from + (v.to - v.from) * at;
      const from = Math.max(0, Math.min(span - width, pivot - width * at));
      return { from, to: from + width };
    });
  const latest = useRef(zoom);
  latest.current = zoom;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the box stays the same element, and setView the same function
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const wheel = (e: WheelEvent) => {
      const across = e.shiftKey ? e.deltaY || e.deltaX : Math.abs(e.deltaX) > Math.abs(e.deltaY) ? e.deltaX : 0;
      if (!e.ctrlKey && !e.metaKey && across === 0) return;
      e.preventDefault();
      const bars = el.querySelector(".bars")?.getBoundingClientRect();
      if (!bars) return;
      if (e.ctrlKey || e.metaKey) {
        latest.current(e.deltaY > 0 ? 1.25 : 0.8, Math.max(0, Math.min(1, (e.clientX - bars.left) / bars.width)));
        return;
      }
      setView(v => {
        const width = v.to - v.from;
        const from = Math.max(0, Math.min(span - width, v.from + (across / bars.width) * width));
        return { from, to: from + width };
      });
    };
    el.addEventListener("wheel", wheel, { passive: false }); // it prevents the page's own zoom
    return () => el.removeEventListener("wheel", wheel);
  }, [span]);
  return zoom;
}
