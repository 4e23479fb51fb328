import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { both, changed, filterOf, is, quoted, scoreField, terms, withTerm } = await source("terms.ts");

test("a line is cut into its terms", () => {
  const all = terms('level:error  -name:"a b",c  "two words" -"not \\" these" x score."a: b":>1 - metadata.a:b:c ');
  assert.deepEqual(
    all.map(t => [t.text, t.not, t.field, t.rest]),
    [
      ["level:error", false, "level", "error"],
      ['-name:"a b",c', true, "name", '"a b",c'],
      ['"two words"', false, "", '"two words"'],
      ['-"not \\" these"', true, "", '"not \\" these"'],
      ["x", false, "", "x"],
      ['score."a: b":>1', false, 'score."a: b"', ">1"],
      ["-", false, "", "-"],
      ["metadata.a:b:c", false, "metadata.a", "b:c"],
    ],
  );
  for (const t of all)
    assert.equal(
      'level:error  -name:"a b",c  "two words" -"not \\" these" x score."a: b":>1 - metadata.a:b:c '.slice(
        t.from,
        t.from + t.text.length,
      ),
      t.text,
    );
  assert.deepEqual(terms('name:"open'), [{ text: 'name:"open', from: 0, not: false, field: "name", rest: '"open' }]);
});

test("values that would mean something else stand in quotes", () => {
  assert.equal(is("user", "u-1"), "user:u-1");
  for (const [value, want] of [
    ["a b", '"a b"'],
    ["a,b", '"a,b"'],
    ["*", '"*"'],
    ['say "hi" \\', '"say \\"hi\\" \\\\"'],
    ["a..b", '"a..b"'],
    [">5", '">5"'],
    ["", '""'],
    ["a:b", "a:b"],
  ]) {
    assert.equal(quoted(value), want);
  }
  assert.equal(scoreField("clear, short"), 'score."clear, short"');
  assert.equal(withTerm("a b", "b"), "a b");
  assert.equal(withTerm("a  b ", "user:x"), "a b user:x");
  assert.equal(both("env:a level:error", 'env:a name:"x y"'), 'env:a level:error name:"x y"');
  assert.equal(both("", "env:a"), "env:a");
  assert.equal(both("env:a", ""), "env:a");
});

test("addresses of before are filters, too, and go when the filter changes", () => {
  const fields = ["name", "user", "env", "model", "error", "latency", "cost", "score.", "metadata."].map(name => ({
    name,
  }));
  const q = new URLSearchParams(
    'model=gpt 4&min_latency_ms=5&has_error=false&score=quality>=0.8&score="a b"!=1&q=late "two words"&filter=level:error&key_id=k',
  );
  assert.equal(
    filterOf(q, fields),
    'level:error model:"gpt 4" error:false latency:>=5 score.quality:>=0.8 -score."a b":1 late "two words"',
  );
  const next = changed(" x ", fields);
  assert.equal(next.filter, "x");
  assert.ok("q" in next && "min_latency_ms" in next && !("key_id" in next));
  assert.equal(
    filterOf(new URLSearchParams("name=kept"), [{ name: "env" }]),
    "",
    "the scores' page has a name of its own",
  );
});
