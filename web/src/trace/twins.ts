// Observations that report a call of a model which another one stands for.
import type { Observation, Trace } from "../types.ts";

/** every lists all observations of a trace, each before what hangs below it. */
export function every(trace: Trace): Observation[] {
  const all: Observation[] = [];
  const todo = [...trace.observations].reverse();
  for (let next = todo.pop(); next; next = todo.pop()) {
    all.push(next);
    for (const c of [...(next.children ?? [])].reverse()) todo.push(c);
  }
  return all;
}

/** Twin is the observation that stands for a call, as another one that reports the call names it. */
export interface Twin {
  id: string;
  trace: string;
  name: string;
  elsewhere: boolean; // it is in another trace
}

interface Shape {
  below: (of: Observation | "") => Observation[]; // the last first; "" is the trace itself
  twin: (of: Observation) => Twin | null; // null where it stands for itself
}

/**
 * shapeOf says how a trace is shown. What reports the same call as another observation of the trace hangs
 * below that one; but what the other one, or another one of its kind, is a part of stays where it was sent.
 */
export function shapeOf(trace: Trace): Shape {
  const all = every(trace);
  const sent = (of: Observation | "") => [...(of === "" ? trace.observations : (of.children ?? []))].reverse();
  if (!all.some(o => o.duplicate_of)) return { below: sent, twin: () => null };
  const here = new Map(all.map(o => [o.id, o]));
  const kept = new Set(all.map(o => o.duplicate_of).filter(Boolean));
  const holds = new Set<Observation>(); // is kept, or has such a one below it
  for (const o of [...all].reverse()) {
    if (kept.has(o.id) || o.children?.some(c => holds.has(c))) holds.add(o);
  }
  const moved = new Map<string, Observation[]>();
  const gone = new Set<Observation>();
  for (const o of all) {
    const twin = twinHere(o, trace.id) ? here.get(o.duplicate_of) : undefined;
    if (!twin || holds.has(o) || isBelow(o, twin, here)) continue;
    moved.set(twin.id, [o, ...(moved.get(twin.id) ?? [])]);
    gone.add(o);
  }
  return {
    below: of => [...(of === "" ? [] : (moved.get(of.id) ?? [])), ...sent(of).filter(o => !gone.has(o))],
    twin: o => (o.duplicate_of ? named(o, trace.id, here) : null),
  };
}

function named(o: Observation, trace: string, here: Map<string, Observation>): Twin {
  const elsewhere = !twinHere(o, trace);
  const twin = elsewhere ? undefined : here.get(o.duplicate_of);
  return {
    id: o.duplicate_of,
    trace: elsewhere ? o.duplicate_of_trace : trace,
    name: twin?.name || o.duplicate_of,
    elsewhere,
  };
}

const twinHere = (o: Observation, trace: string): boolean =>
  !!o.duplicate_of && (!o.duplicate_of_trace || o.duplicate_of_trace === trace);

// isBelow says whether o was sent below twin, at any depth.
function isBelow(o: Observation, twin: Observation, here: Map<string, Observation>): boolean {
  const seen = new Set<string>();
  for (let up = here.get(o.parent_observation_id); up && !seen.has(up.id); up = here.get(up.parent_observation_id)) {
    if (up === twin) return true;
    seen.add(up.id);
  }
  return false;
}

/** twinsOf lists what in the trace reports the call that o stands for. */
export function twinsOf(o: Observation, trace: Trace): Observation[] {
  return every(trace).filter(x => x.duplicate_of === o.id && twinHere(x, trace.id));
}
