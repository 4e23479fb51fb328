// The address of a saved view: short while nothing else is asked for, and the view's own where nothing is said.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { contracted, expanded, own, says } = await source("saved/address.ts");

const q = text => new URLSearchParams(text);
const view = { query: "filter=level%3Aerror&range=7d&sort=-latency_ms" };

test("an address with nothing but the view asks for what that says", () => {
  assert.equal(expanded(q("view=a&live=1"), view).get("filter"), "level:error");
  assert.equal(expanded(q("view=a&live=1"), view).get("live"), "1");
  assert.equal(expanded(q("view=a"), view).get("view"), "a");
  assert.equal(expanded(q("view=a&filter=x"), view).toString(), "view=a&filter=x", "what is said counts");
  assert.equal(expanded(q("view=gone"), undefined).toString(), "view=gone");
});

test("what is asked for is written as short as it can be", () => {
  assert.equal(contracted(expanded(q("view=a&live=1"), view), view).toString(), "view=a&live=1");
  const more = expanded(q("view=a"), view);
  more.set("filter", "x");
  assert.equal(contracted(more, view).get("sort"), "-latency_ms");
  assert.equal(contracted(more, view).get("filter"), "x");
  assert.equal(contracted(q("view=a"), view).toString(), "view=a&range=24h", "all removed is not the view again");
  assert.equal(contracted(q("view=a"), { query: "" }).toString(), "view=a");
  assert.equal(contracted(q("view=a&range=24h"), { query: "" }).toString(), "view=a");
});

test("two queries say the same in any order, and the usual time is no time", () => {
  assert.ok(says(q("a=1&b=2&view=x"), q("b=2&a=1&range=24h")));
  assert.ok(!says(q("a=1"), q("a=2")));
  assert.equal(own(q("view=x&a=1&live=1")).toString(), "a=1");
});
