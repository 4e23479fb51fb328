// The period before: where it is, where its buckets stand, and in words what has changed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

process.env.TZ = "Europe/Berlin";
const { change, points, previousOf, shifted } = await source("previous.ts");

const at = text => new Date(text);

test("it is as long, and ends where the other begins", () => {
  const p = previousOf({ preset: "24h", from: at("2026-03-10T12:00:00Z") }, Date.parse("2026-03-11T12:00:00Z"));
  assert.deepEqual(p, { from: at("2026-03-09T12:00:00Z"), to: at("2026-03-10T12:00:00Z") });
  assert.equal(previousOf({ preset: "all" }, 0), undefined);
  assert.equal(previousOf({ preset: "", to: at("2026-03-10T12:00:00Z") }, 0), undefined);
});

test("its first bucket stands beside the first, whatever the clock did", () => {
  const range = { preset: "", from: at("2026-03-28T23:00:00Z"), to: at("2026-03-30T22:00:00Z") }; // 29 and 30 March; the 29th has 23 hours
  const before = previousOf(range);
  const rows = [
    { time: "2026-03-26T23:00:00Z", count: 1 },
    { time: "2026-03-27T23:00:00Z", count: 2 },
    { time: "2026-03-20T23:00:00Z", count: 9 },
  ];
  const step = { name: "1d", ms: 86_400_000 };
  const out = shifted(rows, { from: at("2026-03-26T23:00:00Z"), to: range.from }, range, step);
  assert.deepEqual(
    out.map(r => [r.time, r.count]),
    [
      ["2026-03-28T23:00:00.000Z", 1],
      ["2026-03-29T22:00:00.000Z", 2],
    ],
  );
  assert.ok(before.to.getTime() - before.from.getTime() === 47 * 3_600_000);
});

test("a change is said in words, beside a mark", () => {
  for (const [now, then, want] of [
    [110, 100, "▲ 10 % more"],
    [90, 100, "▼ 10 % less"],
    [100.5, 100, "▲ 0.5 % more"],
    [100, 100, "= the same as before"],
    [100.01, 100, "= the same as before"],
    [5000, 100, "▲ 50 times as much"],
    [5, 0, "▲ more: nothing before"],
    [0, 0, "= the same as before"],
    [0, 5, "▼ 100 % less"],
  ]) {
    const c = change(now, then);
    assert.equal(`${c.mark} ${c.words}`, want);
  }
  assert.equal(change(1, null), undefined);
  assert.equal(change(null, 1), undefined);
  assert.equal(change(2, 1, { more: "longer", less: "shorter" }).words, "100 % longer");
  assert.deepEqual(points(0.25, 0.1), { mark: "▲", words: "15 points more" });
  assert.deepEqual(points(0.1, 0.112), { mark: "▼", words: "1.2 points less" });
  assert.equal(points(0.1, 0.1).mark, "=");
});
