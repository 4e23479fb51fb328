// The rows of a trace, what stays of them when nodes are closed or something is looked for, and what is counted elsewhere.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { above, failures, firstFailure, foldedAt, goesOn, hits, kindOf, micros, nodesOf, visible } =
  await source("trace/tree.ts");
const { costLeftOut, tokensLeftOut } = await source("trace/amounts.ts");
const { twinsOf } = await source("trace/twins.ts");

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

const same = (id, twin, children = [], trace = "") =>
  step(id, 2, 3, children, { duplicate_of: twin, duplicate_of_trace: trace, counted: false });
const hung = list => {
  const link = (o, parent) => {
    o.parent_observation_id = parent;
    for (const c of o.children) link(c, o.id);
  };
  for (const o of list) link(o, "");
  return { id: "t", start_time: at(0), end_time: at(50), observations: list };
};
const shape = t =>
  nodesOf(t)
    .nodes.map(n => n.key + n.depth)
    .join(" ");

test("what reports the same call hangs below the one that is kept, and is folded there", () => {
  const t = hung([
    same("x", "a", [step("http", 2, 3)], "t"),
    step("agent", 1, 40, [step("a", 2, 3, [])]),
    step("b", 5, 6),
  ]);
  const { nodes } = nodesOf(t);
  assert.equal(shape(t), "0 agent1 a2 x3 http4 b1");
  assert.deepEqual([nodes[2].twins, nodes[3].twin], [1, { id: "a", trace: "t", name: "a", elsewhere: false }]);
  assert.deepEqual([...foldedAt(nodes, "")], ["a"]);
  assert.deepEqual([...foldedAt(nodes, "http")], [], "what is chosen is not hidden");
  assert.deepEqual(above(nodes, "x"), ["a", "agent", ""]);
  assert.deepEqual(
    twinsOf(t.observations[1].children[0], t).map(o => o.id),
    ["x"],
  );
});

test("what has other calls below it, or lies below the one that is kept, stays where it was sent", () => {
  assert.equal(shape(hung([same("chain", "a", [step("a", 2, 3)])])), "0 chain1 a2", "the one that is kept is inside");
  assert.equal(shape(hung([step("a", 1, 4, [step("sdk", 2, 3, [same("x", "a")])])])), "0 a1 sdk2 x3");
  const crossed = hung([same("x", "b", [step("a", 2, 3)]), same("y", "a", [step("b", 2, 3)])]);
  assert.equal(shape(crossed), "0 x1 a2 y1 b2", "each holds what the other one reports");
});

test("one that is kept in another trace is named as there", () => {
  const { nodes } = nodesOf(hung([same("x", "far", [], "other")]));
  assert.deepEqual(nodes[1].twin, { id: "far", trace: "other", name: "far", elsewhere: true });
  assert.deepEqual([...foldedAt(nodes, "")], []);
});

test("amounts of what reports the same call again are left out for that, and leave nothing else out", () => {
  const again = same("sdk", "call", []);
  const call = step("call", 1, 3, [{ ...again, total_tokens: 5 }], { counted: false, total_tokens: 5 });
  assert.equal(tokensLeftOut(call), false);
  assert.equal(tokensLeftOut({ ...again, total_tokens: 5, children: [call] }), false);
});

test("fifty thousand observations, or a thousand levels, with twins are put in place", () => {
  const list = Array.from({ length: 50_000 }, (_, i) => (i % 2 ? same(`${i}`, `${i - 1}`) : step(`${i}`, 1, 2)));
  const { nodes } = nodesOf({ id: "t", start_time: at(0), end_time: at(50), observations: list });
  assert.equal(nodes.length, 50_001);
  assert.equal(nodes.filter(n => n.depth === 2).length, 25_000);
  let deep = step("bottom", 1, 2, []);
  for (let i = 0; i < 1000; i++) deep = step(`d${i}`, 1, 2, [deep]);
  assert.equal(nodesOf(hung([deep, same("x", "bottom")])).nodes.at(-1).depth, 1002);
});

test("the first failure is the one that failed by itself, not what failed with it", () => {
  const bad = { level: "ERROR" };
  const tree = observations => nodesOf({ ...trace, observations }).nodes;
  const chain = [
    step("a", 1, 9, [step("b", 2, 8, [step("c", 3, 4), step("d", 5, 6, [], bad)], bad)], bad),
    step("e", 9, 9, [], bad),
  ];
  assert.equal(firstFailure(tree(chain)).key, "d");
  assert.equal(keys(failures(tree(chain))), "a b d e");
  assert.equal(firstFailure(tree([step("a", 1, 2)])), undefined);
});

test("hits are what a text is found in, not what leads there", () => {
  const { nodes } = nodesOf(trace);
  assert.equal(keys(hits(nodes, "C")), "c");
  assert.deepEqual(hits(nodes, " "), []);
  assert.equal(keys(visible(nodes, new Set(), "c")), " a b c");
});

test("a type that is not known is drawn as a span", () => {
  assert.deepEqual(["LLM", "Tool", "reranker", ""].map(kindOf), ["generation", "tool", "span", "span"]);
});

test("a trace goes on while a step that began lately has not ended", () => {
  const start = "2026-11-30T12:00:00Z";
  const step = more => ({ id: "o", type: "span", level: "DEFAULT", end_time: null, children: [], ...more });
  const trace = (...observations) => ({ start_time: start, observations });
  const at = Date.parse(start) + 60_000;
  assert.ok(goesOn(trace(step({ end_time: start, children: [step()] })), at));
  assert.ok(!goesOn(trace(step()), at + 3_600_000), "it was given up");
  for (const more of [{ end_time: start }, { type: "EVENT" }, { level: "ERROR" }])
    assert.ok(!goesOn(trace(step(more)), at));
});
