// Which step of one trace is which of another, and what differs between their texts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { align } = await source("compare/align.ts");
const { changes, textOf } = await source("compare/texts.ts");

const node = (name, more = {}) => ({ key: name, observation: { type: "tool", name }, twin: null, ...more });
const list = names => names.split("").map(n => node(n));
const pairs = (a, b) =>
  align(list(a), list(b))
    .map(p => `${p.a?.key ?? "-"}${p.b?.key ?? "-"}`)
    .join(" ");

test("steps are paired by name and order, not by their place", () => {
  assert.equal(pairs("abc", "abc"), "aa bb cc");
  assert.equal(pairs("abc", "xabc"), "-x aa bb cc");
  assert.equal(pairs("abcd", "acd"), "aa b- cc dd");
  assert.equal(pairs("aab", "ab"), "aa a- bb");
  assert.equal(pairs("", "ab"), "-a -b");
});

test("a step of another type is another step, and other reports of a call are none", () => {
  const a = [node("x")];
  const b = [node("x", { observation: { type: "span", name: "x" } }), node("y", { twin: {} })];
  assert.deepEqual(
    align(a, b).map(p => [!!p.a, !!p.b]),
    [
      [true, false],
      [false, true],
    ],
  );
});

test("each step is there once, in order, whatever the traces are", () => {
  for (const [n, m, words] of [
    [700, 650, 5],
    [9000, 9000, 20000], // nothing in common: by count
    [3, 400, 2],
  ]) {
    const made = (seed, n) =>
      Array.from({ length: n }, (_, i) => node(String(((i * 7919 + seed) * 104729) % words), { key: `${seed}-${i}` }));
    const [a, b] = [made(1, n), made(2, m)];
    const found = align(a, b);
    assert.deepEqual(
      found.flatMap(p => (p.a ? [p.a.key] : [])),
      a.map(x => x.key),
    );
    assert.deepEqual(new Set(found.flatMap(p => (p.b ? [p.b.key] : []))), new Set(b.map(x => x.key)));
    assert.equal(found.filter(p => p.b).length, m);
    for (const p of found) if (p.a && p.b) assert.equal(p.a.observation.name, p.b.observation.name);
  }
});

test("the parts of a difference make both texts", () => {
  const texts = ["", "The sky is blue.", "The sky is green,\nand blue.", "x ".repeat(15_000), "y\n".repeat(12_000)];
  for (const a of texts) {
    for (const b of texts) {
      const parts = changes(a, b);
      if (parts === null) continue; // too long to say
      assert.equal(
        parts
          .filter(p => !p.added)
          .map(p => p.value)
          .join(""),
        a,
      );
      assert.equal(
        parts
          .filter(p => !p.removed)
          .map(p => p.value)
          .join(""),
        b,
      );
    }
  }
  assert.equal(textOf({ value: { a: 1 } }), '{\n  "a": 1\n}');
  assert.equal(textOf(null), "");
});
