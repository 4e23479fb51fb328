// How numbers look: whatever they are, something that is not wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { bytes, cost, counted, duration, fullTime, percent, scoreText, short, shortTime } = await source("format.ts");

test("a cost has two digits that matter, however small", () => {
  const want = {
    0: "$0",
    "3.8e-7": "$0.00000038",
    "1e-12": "$1e-12",
    0.000072: "$0.000072",
    0.001: "$0.001",
    0.0149: "$0.015",
    0.999: "$0.999",
    1.5: "$1.50",
    1234.5: "$1,235",
    "-3.8e-7": "-$0.00000038",
    "-2.5": "-$2.50",
    "-1234.5": "-$1,235",
  };
  for (const [n, text] of Object.entries(want)) assert.equal(cost(Number(n)), text, n);
  assert.equal(cost(null), "–");
});

test("a duration reads the same on both sides of zero", () => {
  const want = {
    0: "0 ms",
    0.25: "0.25 ms",
    1: "1 ms",
    999.4: "999 ms",
    1500: "1.5 s",
    59999: "1 m 0 s",
    90000: "1 m 30 s",
    "-90000": "-1 m 30 s",
    "-0.25": "-0.25 ms",
    "-12": "-12 ms",
    "1e-9": "1e-9 ms",
    "4e-7": "4e-7 ms",
    7260000: "2 h 1 m",
  };
  for (const [ms, text] of Object.entries(want)) assert.equal(duration(Number(ms)), text, ms);
});

test("other numbers keep their size and sign", () => {
  assert.equal(short(-1_234_567), "-1.23M");
  assert.equal(short(999_999), "1M");
  assert.equal(short(12_345), "12.3k");
  assert.equal(percent(-0.1234), "-12.3 %");
  assert.equal(scoreText(0.00012), "0.00012");
  assert.equal(scoreText(-0.5004), "-0.5");
  assert.equal(scoreText(12345.6789), "12345.679");
  assert.equal(bytes(1023 * 1024), "1023 KiB");
});

test("one of a thing is one, and clocks have 24 hours", () => {
  assert.equal(counted(0, "trace"), "0 traces");
  assert.equal(counted(1, "trace"), "1 trace");
  assert.equal(counted(1234, "trace"), "1,234 traces");
  const evening = new Date(2026, 2, 1, 23, 5, 7).toISOString();
  const midnight = new Date(2026, 2, 1, 0, 5, 7).toISOString();
  for (const form of [fullTime, shortTime]) {
    assert.match(form(evening), /23:05:07/);
    assert.match(form(midnight), /00:05:07/);
  }
});
