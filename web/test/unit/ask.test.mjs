// What an address asks for: its time; and what is drawn of an answer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { intervalFor, rangeParams, readRange, statParams } = await source("range.ts");
const now = Date.parse("2026-01-02T00:00:00Z");
const asked = text => readRange(new URLSearchParams(text), now);

test("a time is a preset that ends now, or two fixed times", () => {
  assert.deepEqual(rangeParams(asked("")), { from: "2026-01-01T00:00:00.000Z" });
  assert.deepEqual(rangeParams(asked("range=all")), {});
  assert.deepEqual(rangeParams(asked("range=1h&to=2026-01-01")), { to: "2026-01-01T00:00:00.000Z" });
  assert.deepEqual(rangeParams(asked("range=never&from=nothing")), rangeParams(asked("")));
  assert.equal(statParams(asked("range=1h"), now).to, "2026-01-02T01:00:00.000Z", "clocks may be an hour ahead");
});

test("a chart has about sixty buckets", () => {
  assert.equal(intervalFor(0, 3_600_000).name, "1m");
  assert.equal(intervalFor(0, 86_400_000).name, "30m");
  assert.equal(intervalFor(0, 900 * 86_400_000).name, "1d");
});
