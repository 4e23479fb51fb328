// What went in and what came out, read as conversations.
import { isObject, type Sent } from "../json.ts";
import type { Observation, Trace } from "../types.ts";
import { reading } from "./read/read.ts";
import type { Message, Reading } from "./read/shape.ts";

/** Side is what went in or came out, as a conversation. */
export interface Side {
  reading: Reading;
  beside: unknown; // the payload, where it is not what is drawn; undefined where all of it is
}

/** spanned says whether an observation came as a span: the answer about it alone has more than its trace has. */
export const spanned = (o: Observation): boolean => o.source !== undefined && !["", "brokle"].includes(o.source.door);

/** sidesOf reads both; null where there is no conversation. */
export function sidesOf(x: Observation | Trace): { input: Side | null; output: Side | null } {
  const o = "trace_id" in x ? x : null;
  const span = o !== null && spanned(o);
  return { input: sideOf(x.input, o?.messages_in, span), output: sideOf(x.output, o?.messages_out, span) };
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
