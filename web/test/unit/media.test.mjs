// The rules that gave fields, and how media are shown.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { rulesOf } = await source("trace/why.tsx");
const { shownOf, fileName } = await source("trace/medium.tsx");

const medium = { modality: "image", type: "image/png", data: "AAAA", uri: "", name: "" };

test("media are shown in place, played, saved or named; never as documents", () => {
  const as = more => {
    const { as, src } = shownOf({ ...medium, ...more });
    return `${as} ${src}`;
  };
  assert.equal(as({}), "img data:image/png;base64,AAAA");
  assert.equal(as({ data: "_-A\nA" }), "img data:image/png;base64,/+AA");
  assert.equal(as({ type: "audio/wav" }), "audio data:audio/wav;base64,AAAA");
  assert.equal(as({ type: "video/mp4" }), "video data:video/mp4;base64,AAAA");
  assert.equal(as({ type: "application/pdf" }), "file data:application/pdf;base64,AAAA");
  for (const type of ["image/svg+xml", "text/html", "application/xhtml+xml", "", "image/png,<script>", "IMAGE/SVG+XML"])
    assert.equal(as({ type }), "file data:application/octet-stream;base64,AAAA", type);
  for (const data of ["", "no base64!", "AAAA<script>"]) assert.equal(as({ data }), "name ", data);
  assert.equal(shownOf({ ...medium, data: "A".repeat(2732) }).caption, "Image, image/png, 2 KiB");
  for (const [uri, link] of [
    ["https://pictures.example/a.png", "https://pictures.example/a.png"],
    ["javascript:alert(1)", ""],
    ["file_31", ""],
  ])
    assert.equal(shownOf({ ...medium, data: "", uri }).link, link);
});

test("a file that is saved has a name that is one", () => {
  assert.equal(fileName("data:application/pdf;base64,AAAA", "../../a b/lease.pdf"), ".._.._a b_lease.pdf");
  assert.equal(fileName("data:application/pdf;base64,AAAA", ""), "medium.pdf");
  assert.equal(fileName("data:application/octet-stream;base64,AAAA", ""), "medium.bin");
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

test("a reference to what the server has taken out is shown from there", async () => {
  const { reading } = await source("trace/read/read.ts");
  const hash = "0123456789abcdef".repeat(4);
  const reference = (type, size, more = "") => `brokle-media:sha256-${hash};type=${type};size=${size}${more}`;
  const mediumIn = part => reading([{ role: "user", content: [part] }]).messages[0].parts[0].medium;
  const parts = [
    { type: "image_url", image_url: { url: `data:image/png;base64,${reference("image/png", 9000)}` } },
    { type: "image", source: { type: "base64", media_type: "image/png", data: reference("image/png", 9000) } },
    { type: "blob", mime_type: "image/png", content: reference("image/png", 9000, ";base64=url") },
    { inlineData: { mimeType: "image/png", data: reference("image/png", 9000) } },
  ];
  for (const part of parts) {
    const found = mediumIn(part);
    assert.deepEqual(
      { ...found, name: "" },
      { modality: "image", type: "image/png", data: "", uri: "", name: "", kept: { hash, bytes: 9000 } },
      JSON.stringify(part),
    );
    const { as, src, caption } = shownOf(found);
    assert.deepEqual([as, src, caption], ["img", `/v1/media/${hash}`, "Image, image/png, 8.79 KiB"]);
  }
  const heard = mediumIn({ type: "input_audio", input_audio: { data: reference("audio/wav", 9000), format: "wav" } });
  assert.equal(shownOf(heard).as, "audio");
  const drawn = mediumIn({
    type: "image_url",
    image_url: { url: `data:image/svg+xml;base64,${reference("image/svg+xml", 9000)}` },
  });
  assert.equal(shownOf(drawn).as, "file");
  for (const text of [reference("image/png", 1).toUpperCase(), reference("image", 1), `${reference("image/png", 1)} x`])
    assert.equal(mediumIn({ type: "image_url", image_url: { url: text } }).kept, undefined, text);
});
