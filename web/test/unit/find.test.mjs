// What somebody pasted or typed to go somewhere.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { addressIn, listed, matches } = await source("palette/find.ts", "terms.ts");

test("an address of this page is gone to, one of another is not", () => {
  const here = text => addressIn(text, "https://a.example", "/tools");
  assert.equal(here("https://a.example/tools/traces/x?observation=y#z"), "/tools/traces/x?observation=y");
  assert.equal(here("https://a.example/tools"), "/tools");
  for (const text of [
    "https://b.example/tools/traces",
    "https://a.example/toolsmith",
    "/tools/traces",
    "javascript:alert(1)",
    "abc",
  ])
    assert.equal(here(text), undefined, text);
});

test("titles are found by the beginnings of their words", () => {
  assert.ok(matches("Failed tools", "to fa"));
  assert.ok(matches("support-reply", "rep"));
  assert.ok(!matches("Traces", "aces"));
  assert.ok(!matches("Traces", "traces now"));
});

test("many values are as many terms as filters take", () => {
  assert.deepEqual(listed("id", []), []);
  assert.deepEqual(listed("id", ["a", "b c"]), ['id:a,"b c"']);
  const all = listed(
    "id",
    Array.from({ length: 200 }, (_, i) => `${i}`.padStart(36, "é")),
  );
  assert.equal(all.join().split(",").length, 200);
  for (const term of all) {
    assert.ok(new TextEncoder().encode(term).length < 2000);
    assert.ok(term.split(",").length <= 64);
  }
});
