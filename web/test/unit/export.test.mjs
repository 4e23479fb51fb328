// A cell of a CSV: as RFC 4180 has it, and never a formula.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { cell } = await source("export.ts");

test("a cell keeps its text, and is no formula", () => {
  for (const [value, want] of [
    ["plain", "plain"],
    ["a,b", '"a,b"'],
    ['q"uote', '"q""uote"'],
    ["new\nline", '"new\nline"'],
    ["c\rr", '"c\rr"'],
    ["=1+1", "'=1+1"],
    ["@sum", "'@sum"],
    ["\n=1+1", '"\'\n=1+1"'],
    [-2, "-2"],
    [0, "0"],
    [null, ""],
  ]) {
    assert.equal(cell(value), want);
  }
});
