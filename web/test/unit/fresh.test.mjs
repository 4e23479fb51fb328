// What counts as just come, in a list whose next pages have not been read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { fresher, withFresh } = await source("pages/fresh.ts");
const row = (id, start_time) => ({ id, start_time });
const ids = rows => rows.map(r => r.id).join(" ");

test("rows behind the last one of the same time are those of the next page", () => {
  const list = [row("d", "2"), row("c", "1")];
  const newest = [row("e", "2"), row("d", "2"), row("c", "1"), row("b", "1"), row("a", "1")];
  assert.equal(ids(fresher(list, newest, false)), "e");
  assert.equal(ids(withFresh(list, newest, false)), "e d c");
  assert.equal(ids(fresher(list, newest, true)), "e b a");
});

test("a last row that is not among the newest leaves its time to tell", () => {
  assert.equal(ids(fresher([row("gone", "2")], [row("c", "3"), row("b", "2"), row("a", "1")], false)), "c b");
});
