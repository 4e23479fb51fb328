// What is said about the tokens and the cost of an observation, beside the numbers.
import { count } from "../format.ts";
import type { Observation } from "../types.ts";

/** inputParts are the parts of its prompt tokens that are known; "" for none. */
export function inputParts(o: Observation): string {
  return named(
    [o.cache_read_tokens, "cache read"],
    [o.cache_write_tokens, "cache write"],
    [o.audio_input_tokens, "audio"],
  );
}

/** outputParts are the parts of its completion tokens that are known; "" for none. */
export function outputParts(o: Observation): string {
  return named([o.reasoning_tokens, "reasoning"], [o.audio_output_tokens, "audio"]);
}

function named(...parts: [number | null, string][]): string {
  return parts.flatMap(([n, title]) => (n === null ? [] : [`${count(n)} ${title}`])).join(" · ");
}

/** tokensLeftOut says whether its tokens are in no sum, because they stand for those of what hangs below it. */
export const tokensLeftOut = (o: Observation): boolean => leftOut(o, x => x.total_tokens);

/** costLeftOut says the same of its cost. */
export const costLeftOut = (o: Observation): boolean => leftOut(o, x => x.total_cost);

// The server says that something of it is left out; which of the two, what is below it says.
function leftOut(o: Observation, amount: (o: Observation) => number | null): boolean {
  if (o.counted || !amount(o)) return false;
  const todo = [...(o.children ?? [])]; // no recursion: a trace may be hundreds of levels deep
  for (let next = todo.pop(); next; next = todo.pop()) {
    if (amount(next)) return true;
    for (const c of next.children ?? []) todo.push(c);
  }
  return false;
}
