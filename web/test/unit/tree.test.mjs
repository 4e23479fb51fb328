// The rows of a trace, what stays of them when nodes are closed or something is looked for, and what is counted elsewhere.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { micros, nodesOf, visible } = await source("trace/tree.ts");
const { costLeftOut, tokensLeftOut } = await source("trace/amounts.ts");

const at = micro => `2026-01-01T00:00:00.${String(micro).padStart(6, "0")}Z`;
const step = (id, start, end, children = [], more = {}) => ({
  id,
  name: id,
  type: "span",
  ...Object.fromEntries(["model", "level", "status_message", "input_preview", "output_preview"].map(k => [k, ""])),
  start_time: at(start),
  end_time: end === null ? null : at(end),
  children,
  ...more,
});
const trace = {
  start_time: at(0),
  end_time: at(50),
  observations: [step("a", 1, 40, [step("b", 2, 3, [step("c", 2, 3)]), step("d", 5, null)]), step("e", 45, 60)],
};
const keys = nodes => nodes.map(n => n.key).join(" ");

test("a trace is flattened, each node before what hangs below it, in microseconds", () => {
  const { nodes, span } = nodesOf(trace);
  assert.equal(keys(nodes), " a b c d e");
  assert.deepEqual(
    nodes.map(n => [n.depth, n.children, n.parent]),
    [
      [0, 5, -1],
      [1, 3, 0],
      [2, 1, 1],
      [3, 0, 2],
      [2, 0, 1],
      [1, 0, 0],
    ],
  );
  assert.equal(span, 60);
  assert.deepEqual([nodes[3].start, nodes[3].end, nodes[4].end], [2, 3, null]);
  assert.equal(micros("2026-01-01T00:00:00.000001Z") - micros("2026-01-01T00:00:00Z"), 1);
});

test("a closed node hides what is below it, and what is found shows the way to it", () => {
  const { nodes } = nodesOf(trace);
  assert.equal(keys(visible(nodes, new Set(["a"]), "")), " a e");
  assert.equal(keys(visible(nodes, new Set(), "C")), " a b c");
  assert.equal(keys(visible(nodes, new Set(), "nowhere")), "");
});

test("an amount is counted below only where something below has that amount", () => {
  const call = step("call", 1, 2, [], { counted: true, total_tokens: 5, total_cost: null });
  const agent = step("agent", 0, 3, [step("chain", 1, 2, [call])], { counted: false, total_tokens: 9, total_cost: 1 });
  assert.equal(tokensLeftOut(agent), true);
  assert.equal(costLeftOut(agent), false);
  assert.equal(tokensLeftOut(call), false);
});
