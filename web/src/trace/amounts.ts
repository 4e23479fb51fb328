// What is said about the tokens and the cost of an observation, beside the numbers.
import { cost, count } from "../format.ts";
import type { Observation, Trace } from "../types.ts";

/** NOT_SENT stands where a call should have a number and nobody sent it: that is not 0. */
export const NOT_SENT = "not sent";

/** answered says whether it is a call of a model that did not fail: it has tokens and a cost, known or not. */
export const answered = (o: Observation): boolean =>
  ["generation", "llm", "embedding"].includes(o.type.toLowerCase()) && o.status !== "error";

/** tokens are its counts: "110 in + 50 out = 160", or what is known of them. */
export function tokens(o: Observation): string {
  const { prompt_tokens: into, completion_tokens: out, total_tokens: total } = o;
  if (into !== null && out !== null) return `${count(into)} in + ${count(out)} out = ${count(total)}`;
  if (into !== null) return `${count(into)} in`;
  if (out !== null) return `${count(out)} out, input ${NOT_SENT}`;
  return total === null ? NOT_SENT : `${count(total)}, parts ${NOT_SENT}`;
}

/** inputParts are the parts of its prompt tokens; of a call that has some, also which were not sent. */
export function inputParts(o: Observation): string {
  const asked = o.prompt_tokens !== null && o.type.toLowerCase() !== "embedding";
  const { cache_read_tokens: read, cache_write_tokens: write, cache_write_1h_tokens: hour } = o;
  const cache =
    read === null && write === null
      ? named(asked, [null, "cache"])
      : named(asked, [read, "cache read"], [write, hour ? `cache write (${count(hour)} for an hour)` : "cache write"]);
  return [...cache, ...named(false, [o.audio_input_tokens, "audio"])].join(" · ");
}

/** outputParts are those of its completion tokens. */
export function outputParts(o: Observation): string {
  return [
    ...named(o.completion_tokens !== null, [o.reasoning_tokens, "reasoning"]),
    ...named(false, [o.audio_output_tokens, "audio"]),
  ].join(" · ");
}

/** costParts are the parts of its cost that are known; "" for none. */
export function costParts(o: Observation): string {
  const parts: [number | null, string][] = [
    [o.input_cost, "in"],
    [o.cache_read_cost, "cache read"],
    [o.cache_write_cost, "cache write"],
    [o.output_cost, "out"],
  ];
  return parts.flatMap(([n, title]) => (n === null ? [] : [`${cost(n)} ${title}`])).join(" · ");
}

// named writes what is known of parts, and with say also which are not.
function named(say: boolean, ...parts: [number | null, string][]): string[] {
  return parts.flatMap(([n, title]) => {
    if (n !== null) return [`${count(n)} ${title}`];
    return say ? [`${title} ${NOT_SENT}`] : [];
  });
}

/** unpriced says how many calls are missing in the cost of a trace; "" for none. */
export const unpriced = (n: number): string =>
  n > 0 ? `${count(n)} ${n === 1 ? "call" : "calls"} without a price` : "";

/** errorsOf says how many steps of a trace failed, and whether they are inside of one that did not. */
export function errorsOf(t: Pick<Trace, "inner_errors">, errors: number): string {
  const said = errors === 1 ? "error" : "errors";
  if (t.inner_errors >= errors) return `${count(errors)} inner ${said}`;
  return `${count(errors)} ${said}${t.inner_errors > 0 ? `, ${count(t.inner_errors)} of them inner` : ""}`;
}

/** tokensLeftOut says whether its tokens are in no sum, because they stand for those of what hangs below it. */
export const tokensLeftOut = (o: Observation): boolean => leftOut(o, x => x.total_tokens);

/** costLeftOut says the same of its cost. */
export const costLeftOut = (o: Observation): boolean => leftOut(o, x => x.total_cost);

// The server says that something of it is left out; which of the two, what is below it says.
// What reports the same call as another is left out for that, whatever is below it.
function leftOut(o: Observation, amount: (o: Observation) => number | null): boolean {
  if (o.counted || o.duplicate_of || !amount(o)) return false;
  const todo = [...(o.children ?? [])]; // no recursion: a trace may be hundreds of levels deep
  for (let next = todo.pop(); next; next = todo.pop()) {
    if (!next.duplicate_of && amount(next)) return true;
    for (const c of next.children ?? []) todo.push(c);
  }
  return false;
}
