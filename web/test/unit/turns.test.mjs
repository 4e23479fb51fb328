// Conversations over several traces, and over the calls of one: what was said before.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { earlierOf } = await source("trace/earlier.ts");
const { conversation } = await source("trace/read/read.ts");
const { turnsOf } = await source("trace/turns.ts");
const message = (role, content) => ({ role, content });

test("what a turn repeats of the one before is told apart", () => {
  const turn = (id, input, output) => ({ id, input: { value: input }, output: { value: output } });
  const [one, two] = [message("user", "one"), message("user", "two")];
  const answer = message("assistant", "yes");
  const turns = turnsOf([turn("a", [one], [answer]), turn("b", [one, answer, two], "fine"), turn("c", [one], null)]);
  assert.deepEqual(
    turns.map(t => [t.before.length, t.input.length]),
    [
      [0, 1],
      [2, 1],
      [0, 1],
    ],
  );
  assert.equal(turnsOf([turn("d", { question: 1 }, null)])[0].input, null);
});

// calls makes a trace of calls that stand side by side, each a second after the one before: [id, input, output, type?, parent?].
function calls(list) {
  const observations = list.map(([id, input, output, type = "generation", parent = ""], i) => ({
    id,
    type,
    parent_observation_id: parent,
    start_time: `2026-11-28T16:00:${String(i).padStart(2, "0")}Z`,
    input: { value: input },
    output: { value: output },
  }));
  return { observations };
}

const earlier = (trace, id) => {
  const o = trace.observations.find(x => x.id === id);
  return earlierOf(o, trace, conversation(o.input.value)).count;
};

test("of a call, what the one before it in the trace had or gave is earlier", () => {
  const [system, ask] = [message("system", "be kind"), message("user", "one")];
  const call = {
    role: "assistant",
    content: null,
    tool_calls: [{ id: "1", function: { name: "look", arguments: "{}" } }],
  };
  const told = { role: "tool", tool_call_id: "1", content: "seen" };
  const said = { choices: [{ message: call, finish_reason: "tool_calls" }] };
  const trace = calls([
    ["a", { messages: [system, ask] }, said],
    ["b", { messages: [system, ask, call, told] }, message("assistant", "done")],
    ["c", { messages: [system, message("user", "other")] }, null],
    ["tool", [system, ask], null, "tool"],
    ["again", { messages: [system, ask, call, told] }, null],
  ]);
  assert.equal(earlier(trace, "a"), 0, "it is the first");
  assert.equal(earlier(trace, "b"), 3, "also what the one before answered");
  assert.equal(earlier(trace, "c"), 0, "the system's text alone is no history");
  assert.equal(earlier(trace, "tool"), 0, "no call of a model");
  assert.equal(earlier(trace, "again"), 3, "the last message is always shown");
});

test("marks of a cache that move, and a history whose beginning was cut, do not make messages new", () => {
  const part = (text, more) => ({ role: "user", content: [{ type: "text", text, ...more }] });
  const mark = { cache_control: { type: "ephemeral" } };
  const [one, two, three] = ["one", "two", "three"].map(t => part(t));
  const trace = calls([
    ["a", [one, part("two", mark)], null],
    ["b", [one, two, part("three", mark)], null],
    ["c", [two, three, part("four", mark)], null],
  ]);
  assert.equal(earlier(trace, "b"), 2);
  assert.equal(earlier(trace, "c"), 2);
});

test("agents that work side by side each have their own history", () => {
  const list = [];
  const said = { left: [], right: [] };
  for (let i = 0; i < 6; i++) {
    for (const side of ["left", "right"]) {
      said[side] = [...said[side], message("user", `${side} ${i}`)];
      list.push([`${side}-${i}`, said[side], null, "generation", side]);
    }
  }
  const trace = calls(list);
  for (const side of ["left", "right"]) assert.equal(earlier(trace, `${side}-5`), 5);
});

test("of a long conversation of its own a call shows the end", () => {
  const list = n => Array.from({ length: n }, (_, i) => message("user", `${i}`));
  const trace = calls([
    ["long", list(21), null],
    ["short", list(20).reverse(), null],
  ]);
  assert.deepEqual(earlierOf(trace.observations[0], trace, conversation(list(21))), { count: 19, known: false });
  assert.equal(earlierOf(null, trace, conversation(list(20))).count, 0);
});
