// The rows of a trace: the tree, flattened, with times in microseconds.
import { fold } from "../fold.ts";
import type { Observation, Trace } from "../types.ts";
import { every, shapeOf, type Twin } from "./twins.ts";

export interface Node {
  key: string; // "" for the trace itself, else the observation's id
  observation: Observation | null;
  depth: number;
  start: number; // µs since the trace's start
  end: number | null; // null: it has not ended
  why: string | undefined; // there is no latency although it ended
  children: number; // how many hang below, at any depth
  parent: number; // index in the full list; −1 for the trace
  twin: Twin | null; // stands for the call that this reports, too
  twins: number; // how many of those right below report the call of this one, too
}

/** micros reads RFC 3339 to the microsecond, which Date does not keep. */
export function micros(iso: string): number {
  const m = /^(.{19})(?:\.(\d{1,6}))?/.exec(iso);
  if (!m) return Date.parse(iso) * 1000;
  return Date.parse(`${m[1]}Z`) * 1000 + Number((m[2] ?? "").padEnd(6, "0") || 0);
}

/** nodesOf lists the trace and all its observations, each before what hangs below it. */
export function nodesOf(trace: Trace): { nodes: Node[]; span: number } {
  const zero = micros(trace.start_time);
  const nodes: Node[] = [
    {
      key: "",
      observation: null,
      depth: 0,
      start: 0,
      end: trace.end_time ? micros(trace.end_time) - zero : null,
      why: trace.latency_reason,
      children: 0,
      parent: -1,
      twin: null,
      twins: 0,
    },
  ];
  const { below, twin } = shapeOf(trace);
  // A stack instead of recursion: a trace may be hundreds of levels deep.
  const todo = below("").map(o => ({ o, depth: 1, parent: 0 }));
  for (let next = todo.pop(); next; next = todo.pop()) {
    const { o, depth, parent } = next;
    const at = nodes.length;
    const children = below(o);
    nodes.push({
      key: o.id,
      observation: o,
      depth,
      start: micros(o.start_time) - zero,
      end: o.end_time ? micros(o.end_time) - zero : null,
      why: o.latency_reason,
      children: 0,
      parent,
      twin: twin(o),
      twins: children.reduce((n, c) => n + (c.duplicate_of === o.id ? 1 : 0), 0),
    });
    for (let p = parent; p >= 0; p = nodes[p]!.parent) nodes[p]!.children++;
    for (const c of children) todo.push({ o: c, depth: depth + 1, parent: at });
  }
  const span = nodes.reduce((max, n) => Math.max(max, n.start, n.end ?? 0), 1);
  return { nodes, span };
}

/** duplicate says whether it reports a call that another observation stands for: it is shown, and never counted. */
export const duplicate = (n: Node): boolean => !!n.observation?.duplicate_of;

/** foldedAt lists the nodes that are closed at first: below them are only reports of the same call. */
export function foldedAt(nodes: Node[], chosen: string): Set<string> {
  const own = new Map<number, number>(); // how many are right below, by place
  for (const n of nodes) own.set(n.parent, (own.get(n.parent) ?? 0) + 1);
  const closed = new Set(nodes.filter((n, i) => n.twins > 0 && own.get(i) === n.twins).map(n => n.key));
  for (const key of above(nodes, chosen)) closed.delete(key);
  return closed;
}

/** above lists the keys of what a node hangs below. */
export function above(nodes: Node[], key: string): string[] {
  const keys: string[] = [];
  for (let p = nodes.find(n => n.key === key)?.parent ?? -1; p >= 0; p = nodes[p]!.parent) keys.push(nodes[p]!.key);
  return keys;
}

/** failures are the steps that failed; what reports the same call as another is none of its own. */
export const failures = (nodes: Node[]): Node[] => nodes.filter(n => n.observation?.level === "ERROR" && !n.twin);

/** firstFailure is the first step that failed by itself: below it none did. */
export function firstFailure(nodes: Node[]): Node | undefined {
  const failed = new Set(failures(nodes));
  const over = new Set<Node>(); // those with a failed step below
  for (const n of failed) {
    for (let p = nodes[n.parent]; p && !over.has(p); p = nodes[p.parent]) over.add(p);
  }
  return nodes.find(n => failed.has(n) && !over.has(n));
}

const RECENT = 15 * 60_000; // milliseconds: what began before that and has not ended has been given up, more likely

/** goesOn says whether a trace is under way: it began lately, and a step of it has not ended. */
export function goesOn(trace: Trace, now = Date.now()): boolean {
  const open = (o: Observation) => o.end_time === null && o.type.toLowerCase() !== "event" && o.level !== "ERROR";
  return now - Date.parse(trace.start_time) < RECENT && every(trace).some(open);
}

/** hits are the nodes that a text is found in. sent are the ids of those in which the server found it. */
export function hits(nodes: Node[], find: string, sent: Set<string> = new Set()): Node[] {
  const wanted = fold(find).trim();
  return wanted ? nodes.filter(n => matches(n.observation, wanted, sent)) : [];
}

/** visible leaves out what hangs below a closed node, and with a text to find what neither matches nor leads to a match. */
export function visible(nodes: Node[], closed: Set<string>, find: string, sent: Set<string> = new Set()): Node[] {
  const wanted = fold(find).trim();
  if (wanted) {
    const keep = new Set<number>();
    nodes.forEach((n, i) => {
      if (matches(n.observation, wanted, sent))
        for (let p = i; p >= 0 && !keep.has(p); p = nodes[p]!.parent) keep.add(p);
    });
    return nodes.filter((_, i) => keep.has(i));
  }
  const out: Node[] = [];
  for (let i = 0; i < nodes.length; i++) {
    const n = nodes[i]!;
    out.push(n);
    if (closed.has(n.key)) i += n.children;
  }
  return out;
}

function matches(o: Observation | null, wanted: string, sent: Set<string>): boolean {
  if (!o) return false;
  if (sent.has(o.id)) return true;
  let text = folded.get(o);
  if (text === undefined) {
    const parts = [o.name, o.id, o.type, o.model, o.level, o.status_message];
    text = parts.map(fold).join("\0");
    folded.set(o, text);
  }
  return text.includes(wanted);
}

// Folded once, not at each letter that is typed: a trace may have 50 000 observations.
const folded = new WeakMap<Observation, string>();

/** kindOf is the colour class of a type: what it is not known for is a span. */
export function kindOf(type: string): Kind {
  const t = type.toLowerCase();
  return t === "llm" ? "generation" : (kinds.find(k => k === t) ?? "span");
}

const kinds = ["generation", "agent", "tool", "retrieval", "embedding", "chain", "event", "span"] as const;

/** Kind is what observations are drawn as. */
export type Kind = (typeof kinds)[number];
