// Messages and tools in the API's one shape, and the rules that gave fields.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { messagesOf, toolsOf } = await source("trace/messages.ts");
const { rulesOf } = await source("trace/why.tsx");
const { Sent } = await source("json.ts");
const sent = v => new Sent(JSON.stringify(v));

test("each kind of part is shown as what it is", () => {
  const [user, assistant, tool] = messagesOf(
    sent([
      {
        role: "user",
        parts: [
          { type: "text", text: "Look" },
          {
            type: "medium",
            modality: "image",
            media_type: "image/png",
            uri: `data:image/png;base64,${"A".repeat(2026)}`,
          },
          { type: "medium", modality: "audio", uri: "https://sounds.example/a.mp3" },
        ],
      },
      {
        role: "assistant",
        parts: [
          { type: "reasoning", text: "hm" },
          { type: "tool_call", id: "c1", name: "weather", arguments: { city: "Kyiv" } },
          { type: "tool_call", id: "c2", name: "weather", arguments: null },
        ],
      },
      {
        role: "tool",
        parts: [
          { type: "tool_result", id: "c1", name: "weather", text: '{"celsius":21}' },
          { type: "other", text: '{"type":"new"}' },
          { type: "one that nobody knows", text: "x" },
        ],
      },
    ]),
  );
  assert.equal(user.role, "user");
  assert.deepEqual(user.parts, [
    { kind: "text", text: "Look" },
    { kind: "note", text: "Image, image/png, 2 KiB" },
    { kind: "note", text: "Audio, https://sounds.example/a.mp3" },
  ]);
  assert.deepEqual(assistant.parts, [
    { kind: "reasoning", text: "hm" },
    { kind: "call", call: { id: "c1", name: "weather", input: { city: "Kyiv" } } },
    { kind: "call", call: { id: "c2", name: "weather", input: null } },
  ]);
  assert.deepEqual(tool.parts, [
    { kind: "result", id: "c1", name: "weather", value: { celsius: 21 } },
    { kind: "json", value: { type: "new" } },
    { kind: "json", value: { type: "one that nobody knows", text: "x" } },
  ]);
});

test("arguments keep the digits of their numbers", () => {
  const text = '[{"role":"assistant","parts":[{"type":"tool_call","arguments":{"n":12345678901234567890}}]}]';
  assert.equal(messagesOf(new Sent(text))[0].parts[0].call.input.n.text, "12345678901234567890");
});

test("what is no list of messages has none", () => {
  for (const other of [null, {}, "text", 1, [1, "x", null]]) assert.deepEqual(messagesOf(sent(other)), []);
  assert.deepEqual(messagesOf(null), []);
  assert.deepEqual(messagesOf(sent([{ parts: "none" }])), [{ role: "message", name: "", parts: [] }]);
});

test("tools have a name, and what was sent of the rest", () => {
  const schema = { type: "object" };
  assert.deepEqual(toolsOf(sent([{ name: "a", description: "does", parameters: schema }, { name: "b" }, "c"])), [
    { name: "a", description: "does", parameters: schema },
    { name: "b", description: "", parameters: undefined },
  ]);
});

test("rules are read with values of any kind, digits kept", () => {
  const { dialect, rules } = rulesOf(
    `{"id":"o","trace_id":"t","dialect":"openlit","why":[
      {"field":"prompt_tokens","value":12345678901234567890,"rule":"20 + 80","event_id":"e1"},
      {"field":"model","value":"m","rule":"gen_ai.response.model"},
      {"field":"tags","value":["a",1],"rule":"tags"},{"field":"total_cost","value":null,"rule":"none"},7]}`,
  );
  assert.equal(dialect, "openlit");
  assert.deepEqual(
    rules.map(r => [r.field, r.value, r.rule, r.event]),
    [
      ["prompt_tokens", "12345678901234567890", "20 + 80", "e1"],
      ["model", "m", "gen_ai.response.model", ""],
      ["tags", '["a",1]', "tags", ""],
      ["total_cost", "", "none", ""],
    ],
  );
  assert.deepEqual(rulesOf("[]").rules, []);
});
