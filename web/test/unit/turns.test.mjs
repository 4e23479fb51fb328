// Conversations: which payloads are one, and what of a turn was said before.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { conversation } = await source("trace/chat.ts");
const { turnsOf } = await source("trace/turns.ts");
const message = (role, content) => ({ role, content });
const roles = found => found?.map(m => m.role).join(" ");

test("the shapes of the chat APIs are conversations, other payloads are not", () => {
  assert.equal(roles(conversation([message("user", "hi")])), "user");
  assert.equal(roles(conversation({ system: "be kind", messages: [message("user", "hi")] })), "system user");
  assert.equal(roles(conversation({ choices: [{ message: message("assistant", "yes") }] })), "assistant");
  assert.equal(
    roles(conversation({ candidates: [{ content: { role: "model", parts: [{ text: "yes" }] } }] })),
    "model",
  );
  for (const other of [null, 1, "hi", {}, [], [message("user", "hi"), 2], { role: "user" }]) {
    assert.equal(conversation(other), null, JSON.stringify(other));
  }
});

test("calls of tools and their results are parts of messages", () => {
  const call = { id: "1", function: { name: "look", arguments: '{"at":"x"}' } };
  const [asked, told] = conversation([
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "1", content: '{"found":2}' },
  ]);
  assert.deepEqual(asked.parts, [{ kind: "call", call: { id: "1", name: "look", input: { at: "x" } } }]);
  assert.equal(told.parts[0].kind, "result");
  assert.equal(told.parts[0].id, "1");
});

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
