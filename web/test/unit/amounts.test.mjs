// What is said of tokens and costs: a number that nobody sent is no 0.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { answered, costParts, errorsOf, inputParts, outputParts, tokens, unpriced } = await source("trace/amounts.ts");

const nothing = Object.fromEntries(
  [
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "input_cost",
    "cache_read_cost",
    "cache_write_cost",
    "output_cost",
    "total_cost",
  ].map(k => [k, null]),
);
const call = more => ({ ...nothing, type: "generation", status: "ok", ...more });

test("what a cache keeps for an hour is said", () => {
  const parts = { prompt_tokens: 1100, cache_read_tokens: 0, cache_write_tokens: 300, cache_write_1h_tokens: 200 };
  assert.equal(inputParts(call(parts)), "0 cache read · 300 cache write (200 for an hour)");
});

test("counts are said with what is not known of them", () => {
  assert.equal(
    tokens(call({ prompt_tokens: 1100, completion_tokens: 50, total_tokens: 1150 })),
    "1,100 in + 50 out = 1,150",
  );
  assert.equal(tokens(call({ prompt_tokens: 12, total_tokens: 12 })), "12 in");
  assert.equal(tokens(call({ completion_tokens: 5, total_tokens: 5 })), "5 out, input not sent");
  assert.equal(tokens(call({ total_tokens: 7 })), "7, parts not sent");
  assert.equal(tokens(call({})), "not sent");
  assert.equal(tokens(call({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 })), "0 in + 0 out = 0");
});

test("parts that were not sent are named, where there is a whole", () => {
  const known = call({ prompt_tokens: 110, completion_tokens: 50, cache_read_tokens: 80, cache_write_tokens: 0 });
  assert.equal(inputParts(known), "80 cache read · 0 cache write");
  assert.equal(inputParts({ ...known, cache_write_tokens: null }), "80 cache read · cache write not sent");
  assert.equal(inputParts({ ...known, cache_read_tokens: null, cache_write_tokens: null }), "cache not sent");
  assert.equal(inputParts({ ...known, audio_input_tokens: 3 }), "80 cache read · 0 cache write · 3 audio");
  assert.equal(inputParts(call({ type: "embedding", prompt_tokens: 12 })), "");
  assert.equal(outputParts(known), "reasoning not sent");
  assert.equal(outputParts({ ...known, reasoning_tokens: 30, audio_output_tokens: 2 }), "30 reasoning · 2 audio");
  assert.equal(inputParts(call({})) + outputParts(call({})), "");
});

test("a failed call has nothing that was not sent", () => {
  assert.equal(answered(call({})), true);
  assert.equal(answered(call({ status: "aborted", type: "EMBEDDING" })), true);
  assert.equal(answered(call({ status: "error" })), false);
  assert.equal(answered(call({ type: "tool" })), false);
});

test("costs: known parts, and a trace in which nothing has a price", () => {
  assert.equal(
    costParts(call({ input_cost: 0.5, cache_read_cost: 0, output_cost: 2 })),
    "$0.500 in · $0 cache read · $2.00 out",
  );
  assert.equal(costParts(call({ total_cost: 1 })), "");
  assert.deepEqual([0, 1, 3].map(unpriced), ["", "1 call without a price", "3 calls without a price"]);
});

test("errors inside of what went well are inner ones", () => {
  assert.equal(errorsOf({ inner_errors: 2 }, 2), "2 inner errors");
  assert.equal(errorsOf({ inner_errors: 1 }, 1), "1 inner error");
  assert.equal(errorsOf({ inner_errors: 2 }, 3), "3 errors, 2 of them inner");
  assert.equal(errorsOf({ inner_errors: 0 }, 1), "1 error");
});
