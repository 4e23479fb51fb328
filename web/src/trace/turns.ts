// A conversation over several traces: many applications send all of it again
// with each turn. What was said before is told apart, so that it is read once.
import type { Sent } from "../json.ts";
import type { SessionTrace } from "../types.ts";
import { keyOf } from "./earlier.ts";
import { conversation } from "./read/read.ts";
import type { Message } from "./read/shape.ts";

/** Turn is one trace of a conversation. before are messages that earlier turns have shown. */
export interface Turn {
  trace: SessionTrace;
  before: Message[];
  input: Message[] | null; // null: not messages; the trace has it as it is
}

/** turnsOf reads the turns of traces, oldest first. */
export function turnsOf(traces: SessionTrace[]): Turn[] {
  let said: string[] = []; // by the turn before: its input, then its output
  let asked = 0; // how many of them are input
  return traces.map(trace => {
    const input = messages(trace.input);
    if (!input) {
      said = [];
      asked = 0;
      return { trace, before: [], input };
    }
    const written = input.map(keyOf);
    let from = 0;
    while (from < said.length && said[from] === written[from]) from++;
    // Only who repeats all that was asked before repeats a history, and then says something.
    from = asked > 0 && from >= asked ? Math.min(from, written.length - 1) : 0;
    asked = written.length;
    said = [...written, ...(messages(trace.output) ?? []).map(keyOf)];
    return { trace, before: input.slice(0, from), input: input.slice(from) };
  });
}

const messages = (payload: Sent | null): Message[] | null => conversation(payload?.value);
