// What a list of traces is drawn by.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { scoreNames, slow } = await source("pages/oftraces.ts");

test("the scores that most traces have come first", () => {
  const rows = [{ a: 1 }, { z: 1, b: 2 }, { z: 0 }, {}].map(scores => ({ scores }));
  assert.deepEqual(scoreNames(rows), ["z", "a", "b"]);
  assert.deepEqual(scoreNames([]), []);
});

test("one trace that took an hour leaves the bars of the others as they were", () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ latency_ms: 100 + i }));
  assert.equal(slow(rows), 137);
  assert.equal(slow([...rows.slice(1), { latency_ms: 3_600_000 }]), 138);
  assert.equal(slow([{ latency_ms: null }]), 0);
  assert.equal(slow([]), 0);
});
