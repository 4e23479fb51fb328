// How long texts are, and where they are cut.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { beginning, linesOf } = await source("ui/lines.ts");

test("lines are counted as they are shown, long ones as several", () => {
  assert.equal(linesOf(""), 1);
  assert.equal(linesOf("a\nb\n\nc"), 4);
  assert.equal(linesOf("x".repeat(1000)), 10);
});

test("the beginning of a text has whole lines, and no half of a character", () => {
  assert.equal(beginning("a\nb\nc", 2), "a\nb");
  assert.equal(beginning("a\nb", 9), "a\nb");
  const long = `first\n${"y".repeat(109)}${"😀".repeat(50)}`;
  assert.equal(beginning(long, 2), `first\n${"y".repeat(109)}`);
  assert.ok(linesOf(beginning("word ".repeat(9000), 10)) <= 10);
});
