// What of an answer in SQL is drawn.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { chartOf } = await source("pages/sqlshape.ts");
const answer = (names, ...rows) => ({
  columns: names.map(name => ({ name, type: "" })),
  rows,
  truncated: false,
  took_ms: 1,
});

test("a time and numbers are lines; a time, a name and a number a line of each name", () => {
  const days = ["2026-03-01T00:00:00.000000Z", "2026-03-02T00:00:00.000000Z", "2026-03-04T00:00:00.000000Z"];
  const two = chartOf(answer(["day", "n", "cost"], [days[0], 1, 0.5], [days[2], 3, null]));
  assert.deepEqual(two.lines, [
    { label: "n", values: [1, 3] },
    { label: "cost", values: [0.5, null] },
  ]);
  assert.equal(two.bucket, 3 * 86_400);
  const named = chartOf(answer(["day", "model", "n"], [days[0], "a", 1], [days[0], "b", 2], [days[1], "a", 3]));
  assert.deepEqual(named.lines, [
    { label: "a", values: [1, 3] },
    { label: "b", values: [2, null] },
  ]);
});

test("a name and a number are bars", () => {
  assert.deepEqual(chartOf(answer(["model", "n"], ["a", 1], [null, 2])), {
    kind: "bars",
    name: "model",
    what: "n",
    bars: [
      { name: "a", value: 1 },
      { name: "–", value: 2 },
    ],
  });
});

test("what has no chart has none", () => {
  assert.equal(chartOf(answer(["n"], [1], [2])), undefined);
  assert.equal(chartOf(answer(["model", "n"], ["a", 1])), undefined, "one row");
  assert.equal(chartOf(answer(["a", "b"], ["x", "y"], ["z", "w"])), undefined, "no numbers");
  assert.equal(chartOf(answer(["a", "b"], [1, 2], [3, 4])), undefined, "no name");
  assert.equal(chartOf(answer(["a", "b"], ["x", -2], ["y", 4])), undefined, "what is below nothing is no bar");
});
