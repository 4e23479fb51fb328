// What is said in an observation or a trace, and in it: what was offered, called, and known before.
import type { Observation, Trace } from "../types.ts";
import { type Earlier, earlierOf, type Known } from "./earlier.ts";
import type { Message, Part, Tool } from "./read/shape.ts";
import { toolsOf } from "./read/tools.ts";
import { type Side, sidesOf } from "./sides.ts";

/** Numbers are the calls of an answer, counted from 1. */
export type Numbers = Map<Part, number>;

/** Called are the numbers of the calls of each tool. */
export type Called = Map<string, number[]>;

export interface Talk {
  input: Side | null; // null: no conversation
  output: Side | null;
  earlier: Earlier; // of the input
  tools: Tool[];
  numbers: Numbers;
  called: Called;
}

/** talkOf reads what is said in an observation, or in what belongs to the trace itself. known gives the calls before it, where the trace has not all. */
export function talkOf(x: Observation | Trace, trace: Trace, known?: Known): Talk {
  const o = "trace_id" in x ? x : null;
  const { input, output } = sidesOf(x);
  for (const m of output?.reading.messages ?? []) if (m.role === "message") m.role = "assistant";
  const own = input?.reading.tools ?? [];
  return {
    input,
    output,
    earlier: earlierOf(o, trace, input?.reading.messages ?? [], known),
    tools: own.length > 0 ? own : (toolsOf(o?.tools?.value) ?? []),
    ...numbered(output?.reading.messages ?? []),
  };
}

function numbered(messages: Message[]): { numbers: Numbers; called: Called } {
  const numbers: Numbers = new Map();
  const called: Called = new Map();
  for (const p of messages.flatMap(m => m.parts)) {
    if (p.kind !== "call") continue;
    numbers.set(p, numbers.size + 1);
    called.set(p.name, [...(called.get(p.name) ?? []), numbers.size]);
  }
  return { numbers, called };
}
