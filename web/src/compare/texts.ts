// What differs between two payloads.
import { type Change, diffLines, diffWordsWithSpace } from "diff";
import { pretty, type Sent } from "../json.ts";

/** textOf is a payload as people compare it: a text as it is, anything else as JSON. */
export function textOf(sent: Sent | null | undefined): string {
  const value = sent?.value;
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : pretty(value);
}

const LONG = 20_000; // characters; beyond, lines are compared instead of words
const TIME = 300; // milliseconds

/** changes are the parts of two texts in order; null when they have so little in common that it takes too long to say. */
export function changes(a: string, b: string): Change[] | null {
  const long = a.length + b.length > LONG;
  return (long ? diffLines(a, b, { timeout: TIME }) : diffWordsWithSpace(a, b, { timeout: TIME })) ?? null;
}
