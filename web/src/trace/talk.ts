// What is said in an observation or a trace, and in it: what was offered, called, and known before.
import { isObject, type Sent } from "../json.ts";
import type { Observation, Trace } from "../types.ts";
import { type Earlier, earlierOf } from "./earlier.ts";
import { reading } from "./read/read.ts";
import type { Message, Part, Reading, Tool } from "./read/shape.ts";
import { toolsOf } from "./read/tools.ts";

/** Side is what went in or came out, as a conversation. */
export interface Side {
  reading: Reading;
  beside: unknown; // the payload, where it is not what is drawn; undefined where all of it is
}

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

/** spanned says whether an observation came as a span: the answer about it alone has more than its trace has. */
export const spanned = (o: Observation): boolean => o.source !== undefined && !["", "brokle"].includes(o.source.door);

/** talkOf reads what is said in an observation, or in what belongs to the trace itself. */
export function talkOf(x: Observation | Trace, trace: Trace): Talk {
  const o = "trace_id" in x ? x : null;
  const span = o !== null && spanned(o);
  const input = sideOf(x.input, o?.messages_in, span);
  const output = sideOf(x.output, o?.messages_out, span);
  for (const m of output?.reading.messages ?? []) if (m.role === "message") m.role = "assistant";
  const own = input?.reading.tools ?? [];
  return {
    input,
    output,
    earlier: earlierOf(o, trace, input?.reading.messages ?? []),
    tools: own.length > 0 ? own : (toolsOf(o?.tools?.value) ?? []),
    ...numbered(output?.reading.messages ?? []),
  };
}

// sideOf reads a payload as it was sent; where the server found more messages than there are in it, those: a text of a
// span may stand for more that its attributes say.
function sideOf(sent: Sent | null | undefined, served: Sent | null | undefined, span: boolean): Side | null {
  const value = sent?.value;
  const own = reading(value);
  const theirs = span || (typeof value === "object" && !own) ? reading(served?.value) : null;
  if (!theirs || (own && own.messages.length >= theirs.messages.length))
    return own && { reading: own, beside: undefined };
  return { reading: theirs, beside: isSaid(value, theirs.messages) ? undefined : value };
}

// isSaid says whether a payload is nothing but texts of messages.
function isSaid(value: unknown, messages: Message[]): boolean {
  const texts = new Set(messages.flatMap(m => m.parts.map(p => ("text" in p ? p.text : ""))));
  if (Array.isArray(value)) return value.every(v => typeof v === "string" && texts.has(v));
  const single = isObject(value) && Object.keys(value).length === 1 ? Object.values(value)[0] : value;
  return single === undefined || single === null || (typeof single === "string" && texts.has(single));
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
