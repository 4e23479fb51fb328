// What of a call's messages the call before it had already: a long agent sends all of them again each time.
import type { Observation, Trace } from "../types.ts";
import { type Message, side } from "./read/shape.ts";
import { sidesOf } from "./sides.ts";
import { micros } from "./tree.ts";
import { every } from "./twins.ts";

const LOOKED = 4; // calls that are looked at on either way; agents work side by side

const LONG = 20; // messages of a conversation of which only the last ones are shown, when no call before had the others
const LAST = 2; // that are shown then

/** Earlier are messages at the beginning of an input that are no news. */
export interface Earlier {
  count: number;
  known: boolean; // a call before had them, or gave them
}

/** earlierOf looks for what of an observation's input a call before it had, as far as those are known. o is null for the trace itself. */
export function earlierOf(
  o: Observation | null,
  trace: Trace,
  messages: Message[],
  known: Known = row => row,
): Earlier {
  const count = o ? knownOf(o, trace, messages, known) : 0;
  if (count === 0 && messages.length > LONG) return { count: messages.length - LAST, known: false };
  return { count, known: true };
}

/** Known gives an observation with what was sent, where that is known. */
export type Known = (row: Observation) => Observation;

function knownOf(o: Observation, trace: Trace, messages: Message[], known: Known): number {
  if (messages.length < 2 || !isCall(o)) return 0;
  const written = messages.map(keyOf);
  let most = 0;
  for (const row of callsBefore(o, trace)) {
    const { count, sure } = shared(written, known(row));
    if (count > most) most = count;
    if (sure) break;
  }
  return most;
}

// shared counts the messages that a call before had, or gave; sure says that the later one goes on where that one was.
function shared(written: string[], before: Observation): { count: number; sure: boolean } {
  const { input, output } = sidesOf(before);
  const had = input?.reading.messages ?? [];
  const count =
    had.length > 0 ? repeated(written, new Set([...had, ...(output?.reading.messages ?? [])].map(keyOf))) : 0;
  return { count, sure: had.length > 0 && count >= had.length };
}

/** before lists the calls, the likeliest first, that may have had what went into one. row is what the tree has of it. */
export function before(o: Observation, row: Observation, trace: Trace): Observation[] {
  return isCall(o) && asked(o).length >= 2 ? callsBefore(row, trace) : [];
}

/** goesOn says whether a call goes on where the one before was: no other knows more. */
export function goesOn(o: Observation, before: Observation): boolean {
  return shared(asked(o).map(keyOf), before).sure;
}

const asked = (o: Observation): Message[] => sidesOf(o).input?.reading.messages ?? [];

// repeated counts the messages at the beginning that are known; the last one is always new, and one alone is no history.
function repeated(written: string[], known: Set<string>): number {
  let n = 0;
  while (n < written.length - 1 && known.has(written[n]!)) n++;
  return n < 2 ? 0 : n;
}

const isCall = (o: Observation): boolean => /^(generation|llm)$/i.test(o.type);

const sorted = new WeakMap<Trace, Observation[]>(); // the calls of a trace, by their start

// callsBefore are the nearest calls before one: those below the same step first, then any.
function callsBefore(o: Observation, trace: Trace): Observation[] {
  let calls = sorted.get(trace);
  if (!calls) {
    const timed = every(trace).filter(x => isCall(x) && !x.duplicate_of);
    const at = new Map(timed.map(x => [x, micros(x.start_time)]));
    calls = timed.sort((a, b) => at.get(a)! - at.get(b)!);
    sorted.set(trace, calls);
  }
  const before = calls
    .slice(
      0,
      Math.max(
        0,
        calls.findIndex(x => x.id === o.id),
      ),
    )
    .reverse();
  const beside = before.filter(x => x.parent_observation_id === o.parent_observation_id).slice(0, LOOKED);
  return [...beside, ...before.filter(x => !beside.includes(x)).slice(0, LOOKED)];
}

/** keyOf writes what a message says: two with the same say the same. What is not drawn does not count, such as marks of a cache. */
export function keyOf(m: Message): string {
  try {
    return JSON.stringify([side(m.role), m.parts]);
  } catch {
    return `${Math.random()}`; // it nests too deep to be written: it is like no other
  }
}
