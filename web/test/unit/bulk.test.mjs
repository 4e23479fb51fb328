// What is done with many rows: each is tried, what failed is told, and what was not tried as well.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { oneByOne, told, toggled } = await source("bulk/bulk.ts", "ui/selection.ts");

test("one failure does not keep the others from being done", async () => {
  const progress = [];
  const out = await oneByOne(
    ["a", "b", "c"],
    async x => {
      if (x === "b") throw new Error("It is not there.");
    },
    n => progress.push(n),
    new AbortController().signal,
  );
  assert.deepEqual(out, { done: 2, failed: [{ item: "b", why: "It is not there." }], left: [] });
  assert.deepEqual(progress, [1, 2, 3]);
  assert.equal(told(out, "trace", "erased"), "2 of 3 traces erased. 1 trace failed: It is not there.");
});

test("what all would fail with ends it, and so does who stops it", async () => {
  const refused = Object.assign(new Error("This key may not."), { status: 403 });
  const out = await oneByOne(
    [1, 2, 3],
    () => Promise.reject(refused),
    () => {},
    new AbortController().signal,
  );
  assert.deepEqual([out.done, out.failed.length, out.left], [0, 1, [2, 3]]);
  assert.equal(
    told(out, "trace", "erased"),
    "0 of 3 traces erased. 1 trace failed: This key may not. 2 traces not tried.",
  );
  const stop = new AbortController();
  const stopped = await oneByOne(
    [1, 2, 3],
    async () => stop.abort(),
    () => {},
    stop.signal,
  );
  assert.deepEqual(stopped, { done: 1, failed: [], left: [2, 3] });
  assert.equal(told({ done: 1234, failed: [], left: [] }, "trace", "tagged"), "1,234 traces tagged.");
});

test("rows are chosen one by one, or all from one to another", () => {
  const rows = ["a", "b", "c", "d"];
  const keyOf = x => x;
  const keys = m => [...m.keys()].join("");
  let chosen = toggled(new Map(), rows, keyOf, 1, null);
  assert.equal(keys(chosen), "b");
  assert.equal(keys(toggled(chosen, rows, keyOf, 1, null)), "");
  assert.equal(keys(toggled(chosen, rows, keyOf, 3, 1)), "bcd");
  assert.equal(keys(toggled(chosen, rows, keyOf, 0, 2)), "bac");
  chosen = toggled(chosen, rows, keyOf, 9, null);
  assert.equal(keys(chosen), "b", "a row that is not there");
  assert.equal(keys(toggled(chosen, rows, keyOf, 2, 9)), "bc", "a range from nowhere");
});
