// Which step of one trace is which of another: the longest sequence of steps that both have, by type and name, in order.
import { diffArrays } from "diff";
import type { Node } from "../trace/tree.ts";

/** Pair is a step of both traces, or of one of them. */
export interface Pair {
  a: Node | null;
  b: Node | null;
}

// Beyond so many steps that only one of them has, they are not looked at as sequences any more: it takes their square.
const MOST = 6000;

const keyOf = ({ observation: o }: Node): string => (o ? `${o.type}\0${o.name}` : "");

/** align pairs the steps of two traces, as nodesOf lists them; in order, and each once. Other reports of the same call are left out. */
export function align(first: Node[], second: Node[]): Pair[] {
  const [a, b] = [first, second].map(nodes => nodes.filter(n => !n.twin)) as [Node[], Node[]];
  const changes = diffArrays(a.map(keyOf), b.map(keyOf), { maxEditLength: MOST });
  if (!changes) return byCount(a, b);
  const pairs: Pair[] = [];
  let [i, j] = [0, 0];
  for (const c of changes) {
    for (let n = 0; n < c.count; n++) {
      pairs.push({ a: c.added ? null : a[i++]!, b: c.removed ? null : b[j++]! });
    }
  }
  return pairs;
}

// byCount pairs the first step of a name with the first, the second with the second: for traces that have little in common.
function byCount(a: Node[], b: Node[]): Pair[] {
  const waiting = new Map<string, Node[]>();
  for (const n of b) waiting.set(keyOf(n), [...(waiting.get(keyOf(n)) ?? []), n]);
  const pairs: Pair[] = a.map(n => ({ a: n, b: waiting.get(keyOf(n))?.shift() ?? null }));
  return [...pairs, ...[...waiting.values()].flat().map(n => ({ a: null, b: n }))];
}
