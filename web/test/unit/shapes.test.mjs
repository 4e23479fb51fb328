// The shapes in which clients send conversations: what is drawn of each, and that nothing of any is lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { leaves, lost, shapes } from "../leaves.mjs";
import { source } from "./source.mjs";

const { conversation, endingOf, parsed, pretty, read, reading, toolsOf } = await source(
  "json.ts",
  "trace/read/read.ts",
  "trace/read/tools.ts",
  "trace/read/ends.ts",
);

// short writes a part by its kind and by what tells it from others.
function short(p) {
  switch (p.kind) {
    case "call":
      return `call ${p.name}(${Object.keys(p.input ?? {}).join()})`;
    case "result":
      return `${p.failed ? "failed" : "result"} ${p.name || p.id}[${p.parts.map(short).join(" ")}]`;
    case "medium":
      return p.medium.data ? p.medium.type : `${p.medium.modality}@`;
    case "reasoning":
      return p.text ? "reasoning" : "sealed";
    default:
      return p.kind;
  }
}

const drawn = r => r?.messages.map(m => `${m.role}: ${m.parts.map(short).join(" ")}${m.end ? ` (${m.end})` : ""}`);

const want = {
  anthropic: {
    input: [
      "system: text",
      "user: image/png application/pdf text text",
      "assistant: reasoning sealed call lookup(city,year)",
      "user: failed toolu_1[text image@]",
    ],
    output: ["assistant: reasoning call web_search(query) result srvtoolu_2[json] text (max_tokens)"],
    tools: "lookup web_search",
  },
  bedrock: {
    input: [
      "system: text",
      "user: text image/png application/pdf",
      "assistant: reasoning call ledger(page)",
      "user: failed tooluse_1[json text]",
    ],
    output: ["assistant: text (guardrail_intervened)"],
    tools: "ledger",
  },
  completion: { input: ["user: text"], output: ["assistant: text (stop)"] },
  deepseek: { input: ["system: text", "user: text"], output: ["assistant: reasoning text (stop)"] },
  embedding: { input: null, output: null },
  gemini: {
    input: ["system: text", "user: text image/png video@", "model: call sort(pile)", "user: result sort[json]"],
    output: ["model: reasoning text call drop(letter) (SAFETY)"],
    tools: "sort drop googleSearch",
  },
  "gemini-python": { input: ["system: text", "user: text"], output: ["model: text (STOP)"], tools: "rivers" },
  langchain: {
    input: ["system: text", "human: text image/png", "ai: call dictionary(word)", "tool: result dictionary[text]"],
    output: ["ai: text (stop)"],
  },
  langgraph: {
    input: ["human: text", "ai: text call hours(day)", "tool: failed hours[text]"],
    output: ["ai: text call hours(day) (tool_use)"],
  },
  ollama: {
    input: ["user: text image/png", "assistant: call palette(shade)", "tool: result palette[text]"],
    output: ["assistant: reasoning text (stop)"],
    tools: "palette",
  },
  "ollama-generate": { input: ["system: text", "user: text"], output: ["assistant: text (length)"] },
  "openai-chat": {
    input: [
      "developer: text",
      "user: text image/png image@ audio/wav application/pdf",
      "assistant: call weather(city)",
      "tool: result call_a1[text]",
    ],
    output: ["assistant: text call weather(city) call weather(city) (length)"],
    tools: "weather clock",
  },
  "openai-refusal": { input: ["user: text"], output: ["assistant: refusal (content_filter)"] },
  "openai-responses": {
    input: [
      "system: text",
      "user: text image/png application/pdf",
      "assistant: reasoning",
      "assistant: call add(a,b)",
      "tool: result call_9[text]",
    ],
    output: [
      "assistant: sealed",
      "assistant: call web_search(action)",
      "assistant: call add(a,b)",
      "assistant: text refusal (max_output_tokens)",
    ],
    tools: "add web_search",
  },
  "otel-parts": {
    input: [
      "system: text",
      "user: text image/png audio/wav image@ image@",
      "assistant: reasoning call locate(kind,limit)",
      "tool: result call_o1[json]",
    ],
    output: ["assistant: text call map(at) json (tool_call)"],
  },
  pairs: { input: ["system: text", "human: text"], output: null },
  served: {
    input: ["user: text audio/wav", "tool: result ears[text]"],
    output: ["assistant: reasoning call ears() text"],
  },
  text: { input: null, output: null },
  texts: { input: null, output: null },
  vercel: {
    input: [
      "system: text",
      "user: text image/png application/pdf image@",
      "assistant: reasoning call trains(to)",
      "tool: result trains[json] failed buses[text]",
    ],
    output: ["assistant: reasoning text call trains(to) (tool-calls)"],
    tools: "trains",
  },
};

for (const [name, payload] of shapes) {
  test(`the shape of ${name}: each message is what it is, and nothing is lost`, () => {
    const { input, output, tools = "" } = want[name];
    const found = { input: reading(payload.input), output: reading(payload.output) };
    assert.deepEqual(drawn(found.input) ?? null, input);
    assert.deepEqual(drawn(found.output) ?? null, output);
    assert.equal((found.input?.tools ?? []).map(t => t.name).join(" "), tools);
    for (const side of ["input", "output"]) {
      assert.ok(leaves(payload[side]).length > 0);
      if (found[side]) assert.deepEqual(lost(payload[side], pretty(found[side])), [], side);
    }
  });
}

test("every shape is expected, and text of JSON is read as JSON", () => {
  assert.deepEqual(shapes.map(s => s[0]).sort(), Object.keys(want).sort());
  const [, chat] = shapes.find(s => s[0] === "openai-chat");
  assert.deepEqual(drawn(reading(JSON.stringify(chat.input))), want["openai-chat"].input);
});

test("what is not drawn of a message is left: marks, names that come twice, numbers with their digits", () => {
  const [m] = conversation(
    read('[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"ttl":1.50}}],"seen":1,"seen":2}]'),
  );
  assert.equal(
    pretty(m.more, "").replaceAll("\n", ""),
    '{"seen": 1,"seen": 2,"content[0]": {"cache_control": {"ttl": 1.50}}}',
  );
  const [twice] = conversation(read('[{"role":"user","content":"lost?","content":"kept"}]'));
  assert.deepEqual(twice.parts, [{ kind: "text", text: "kept" }]);
  assert.equal(pretty(twice.more, "").replaceAll("\n", ""), '{"content": "lost?"}');
});

test("what says nothing is not left: null, empty texts, lists and objects", () => {
  const [m] = conversation([
    { role: "assistant", content: "x", refusal: null, annotations: [], audio: null, name: "", extra: { of: [] } },
  ]);
  assert.equal(m.more, undefined);
});

test("names that objects have by nature are no members of a payload", () => {
  const [m] = conversation([{ role: "constructor", content: [{ type: "toString", valueOf: 1 }] }]);
  assert.equal(m.role, "constructor");
  assert.deepEqual(m.parts, [{ kind: "json", value: { type: "toString", valueOf: 1 } }]);
  const [own] = conversation(read('[{"role":"user","content":"x","__proto__":{"a":1}}]'));
  assert.equal(pretty(own.more, "").replaceAll("\n", ""), '{"__proto__": {"a": 1}}');
});

test("other payloads are no conversations", () => {
  for (const other of [
    null,
    1,
    "hi",
    {},
    [],
    [{ role: "user", content: "hi" }, 2],
    { role: "user" },
    [{ name: "a" }],
    [[1, 2]],
    { message: { level: "info" } },
    { messages: "none" },
    { output: { rows: [1] } },
    { parts: ["wheel"] },
    [{ type: "phone_call", number: 3 }],
    { input: "only this" },
    { tools: [{ name: "a" }] },
  ])
    assert.equal(conversation(other), null, JSON.stringify(other));
});

test("payloads that nest deep are read", () => {
  let deep = {};
  for (let i = 0; i < 20_000; i++) deep = { type: "tool_result", content: [deep] };
  const [m] = conversation([{ role: "user", content: [deep], usage: deep }]);
  assert.equal(m.parts[0].kind, "result");
  const calls = [{ function: { name: "f", arguments: deep } }];
  assert.equal(
    conversation([{ role: "assistant", content: null, tool_calls: [...calls, ...calls] }])[0].parts.length,
    2,
  );
});

test("tools have a name, and what was sent of the rest", () => {
  const schema = { type: "object" };
  const [a, b] = toolsOf([
    { name: "a", description: "does", parameters: schema },
    { name: "b", strict: true },
  ]);
  assert.deepEqual(a, { name: "a", description: "does", schema, more: undefined });
  assert.deepEqual(b, { name: "b", description: "", schema: undefined, more: { strict: true } });
  assert.equal(toolsOf(["not one"]), null);
  assert.deepEqual(
    toolsOf(['{"name":"c"}']).map(t => t.name),
    ["c"],
  );
});

test("an answer that is not whole is told from one that is", () => {
  for (const bad of [
    "length",
    "max_tokens",
    "MAX_TOKENS",
    "content_filter",
    "content-filter",
    "SAFETY",
    "refusal",
    "error",
  ])
    assert.ok(endingOf(bad).bad, bad);
  for (const fine of ["stop", "end_turn", "tool_calls", "tool-calls", "STOP", "COMPLETE", "something new"])
    assert.ok(!endingOf(fine).bad, fine);
  assert.equal(endingOf("MAX_TOKENS").text, "cut off: MAX_TOKENS");
});

test("a text that is JSON stays one that can be read", () => {
  assert.deepEqual(parsed(' {"a":1}'), { a: 1 });
  assert.equal(parsed("{not"), "{not");
});
