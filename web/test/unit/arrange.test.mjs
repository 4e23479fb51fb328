// Which columns are shown, in which order and how wide: what was stored before, and what a view keeps.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { AS_USUAL, arranged, fromView, isUsual, moved, ordered, readArrangement, resized, toView } =
  await source("ui/arrange.ts");

const columns = [
  { key: "time", width: 100 },
  { key: "name", width: 120, grow: 2, needed: true },
  { key: "cost", width: 80 },
  { key: "score", width: 80 },
  { key: "id", width: 150, shown: false },
];
const keys = all => all.map(c => c.key).join(" ");

test("as usual nothing is other than the list has it", () => {
  assert.equal(keys(arranged(columns, AS_USUAL)), "time name cost score");
  assert.equal(toView(columns, AS_USUAL), undefined);
  assert.ok(isUsual(AS_USUAL));
});

test("columns are shown, hidden, moved and made wider; the one that names the row stays", () => {
  let a = { ...AS_USUAL, chosen: { id: true, cost: false, name: false } };
  assert.equal(keys(arranged(columns, a)), "time name score id");
  a = moved(columns, a, "id", 0);
  assert.equal(keys(arranged(columns, a)), "id time name score");
  assert.equal(moved(columns, a, "id", -1), a);
  assert.equal(moved(columns, a, "id", 5), a);
  assert.equal(moved(columns, a, "nowhere", 1), a);
  a = resized(a, "name", 333.4);
  const name = arranged(columns, a).find(c => c.key === "name");
  assert.deepEqual([name.width, name.grow], [333, 0], "a column that was made wider does not grow");
  assert.equal(resized(a, "name", 1).widths.name, 40);
  assert.equal(resized(a, "name", 99_999).widths.name, 1200);
  assert.deepEqual(resized(a, "name", undefined).widths, {});
  assert.deepEqual(toView(columns, a), [{ key: "id" }, { key: "time" }, { key: "name", width: 333 }, { key: "score" }]);
});

test("a column that the order does not know stands behind the one that it stood behind", () => {
  assert.equal(keys(ordered(columns, ["score", "time"])), "score id time name cost");
  assert.equal(keys(ordered(columns, ["gone", "name"])), "time name cost score id");
  assert.equal(keys(ordered([{ key: "first" }, ...columns], ["name", "time"])), "first name cost score id time");
});

test("a view says all that is shown, and what came later is not", () => {
  const a = fromView([{ key: "cost", width: 90 }, { key: "time" }]);
  assert.equal(keys(arranged(columns, a)), "cost time name", "but for what names the row");
  assert.equal(arranged(columns, a)[0].width, 90);
  assert.deepEqual(fromView(undefined), AS_USUAL);
  assert.deepEqual(fromView([]), AS_USUAL);
  assert.deepEqual(toView(columns, fromView([{ key: "name" }, { key: "cost", width: 90 }])), [
    { key: "name" },
    { key: "cost", width: 90 },
  ]);
});

test("what browsers have stored is read, whatever it is", () => {
  assert.deepEqual(readArrangement({ user: false, env: true }).chosen, { user: false, env: true }, "as it was before");
  const a = { chosen: { id: true }, order: ["id"], widths: { id: 90 }, only: true };
  assert.deepEqual(readArrangement(JSON.parse(JSON.stringify(a))), a);
  for (const bad of [null, 7, "x", { chosen: 1, order: [], widths: {} }, { chosen: {}, order: {}, widths: {} }])
    assert.deepEqual(readArrangement(bad), AS_USUAL);
});
