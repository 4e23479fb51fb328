// JSON as it was sent: digits, repeated names and their order.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { Digits, answer, conversation, entriesOf, parsed, pretty, read } = await source("json.ts", "trace/read/read.ts");

test("numbers that JavaScript would write otherwise keep their text", () => {
  const texts = [
    "12345678901234567890",
    "1.0",
    "1e3",
    "-0",
    "0.1000000000000000055",
    "1E400",
    "-1.50",
    "9007199254740993",
  ];
  for (const text of texts) {
    const v = read(text);
    assert.equal(v.text, text);
    assert.equal(pretty(read(`{"n":[${text}]}`)), `{\n  "n": [\n    ${text}\n  ]\n}`);
  }
  for (const text of ["0", "-1", "3.8e-7", "1e+21", "0.25", "9007199254740991"]) assert.equal(read(text), Number(text));
});

test("names that come twice are all there, in the order they came", () => {
  const text = '{"b":1,"2":{"x":"é\\n"},"1":[],"b":null,"__proto__":true}';
  const v = read(text);
  assert.deepEqual(
    entriesOf(v).map(e => e[0]),
    ["b", "2", "1", "b", "__proto__"],
  );
  assert.equal(v.b, null, "the last one counts, as everywhere");
  assert.equal(Object.getPrototypeOf(v), Object.prototype);
  assert.equal(pretty(v, "").replaceAll("\n", "").replaceAll('": ', '":'), text.replace("é\\n", "é\\n"));
});

test("everything else is what JSON.parse makes of it", () => {
  for (const text of [
    '{"a":[1,2,{"b":"c\\u00e9\\\\\\"}]{"}],"c":{},"d":[],"e":[[]],"f":false,"g":null}',
    ' [ true , "x" ,\n{ "y" : -1.5 } ] ',
    '"only a text"',
    "null",
    '{"":""}',
  ]) {
    assert.deepEqual(read(text), JSON.parse(text));
    assert.equal(pretty(read(text)), JSON.stringify(JSON.parse(text), null, 2));
  }
});

test("what is no JSON is refused", () => {
  for (const text of [
    "",
    "{",
    "[1,",
    "[1,]",
    '{"a":}',
    '{"a" 1}',
    "{a:1}",
    "01",
    "1.",
    "nul",
    '"a',
    '"a\nb"',
    "[1] 2",
    "]",
    "{]",
    '{"a":1,}',
    "+1",
    ",",
  ])
    assert.throws(() => read(text), SyntaxError, text);
});

test("a hundred thousand levels are no overflow", () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  let n = 0;
  for (let v = read(deep); v !== undefined; v = v[0]) n++;
  assert.equal(n, 100_000);
  assert.ok(answer(`{"input":${deep}}`).input.text === deep);
});

test("payloads of an answer are kept as they came and read when they are looked at", () => {
  const sent = '{"n":1.0,"n":2,"s":"]}\\"","input":{"deep":"\\\\"}}';
  const t = answer(
    `{"id":"x","total_cost":1.0,"input":${sent},"output":"a\\nb","metadata":null,"observations":[{"input":12.0}]}`,
  );
  assert.equal(t.total_cost, 1, "what the API itself says is a number");
  assert.equal(t.input.text, sent);
  assert.equal(t.input.value.s, ']}"');
  assert.equal(t.output.value, "a\nb");
  assert.equal(t.metadata, null);
  assert.equal(t.observations[0].input.text, "12.0");
});

test("a text that is JSON keeps its digits too", () => {
  assert.equal(parsed('{"n":12345678901234567890}').n.text, "12345678901234567890");
  assert.equal(parsed("[not json"), "[not json");
  const call = { function: { name: "f", arguments: '{"n":1.50}' } };
  const [message] = conversation([{ role: "assistant", tool_calls: [call] }]);
  assert.equal(message.parts[0].input.n.text, "1.50");
});

test("a number alone is no object with one text", () => {
  assert.equal(conversation(read("12345678901234567890")), null);
  assert.ok(read("1.0") instanceof Digits);
});

test("everything that a client sent keeps its digits, and the name of a score is no payload", () => {
  const big = "12345678901234567890";
  const names = ["usage", "attributes", "resource", "events", "links", "tools", "messages_in", "messages_out"];
  for (const name of names) {
    const o = answer(`{"id":"x","${name}":{"a":[${big}]}}`);
    assert.equal(o[name].value.a[0].text, big, name);
  }
  const t = answer(`{"scores":{"input":0.5,"usage":"good"},"score_list":[{"name":"input"}],"input":"x"}`);
  assert.deepEqual(t.scores, { input: 0.5, usage: "good" });
  assert.equal(t.input.value, "x");
});
