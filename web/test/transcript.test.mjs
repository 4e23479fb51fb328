// What is said in a trace: every shape of conversation, all of it; long agents; media; the saved file.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { accessible, all, api, key, launch, looks, narrow, send, signedIn, sticksOut, until, url } from "./harness.mjs";
import { lost, shapes } from "./leaves.mjs";
import { source } from "./unit/source.mjs";

const { answer, pretty, talkOf } = await source("json.ts", "trace/talk.ts");

let browser;
const id = `shapes-${randomUUID()}`;
const start = Date.now() - 60_000;
const at = ms => new Date(start + ms).toISOString();

before(async () => {
  browser = await launch();
  const events = shapes.map(([name, { input, output }], i) => [
    "observation_create",
    {
      id: `${id}-${name}`,
      trace_id: id,
      name,
      type: "generation",
      start_time: at(i),
      end_time: at(i + 5),
      input,
      output,
    },
  ]);
  await send([["trace_create", { id, name: "shapes" }], ...events], id);
  await until(
    "all shapes can be queried",
    async () => (await api(`/v1/traces/${id}`)).observation_count === shapes.length,
  );
});
after(() => browser.close());

async function opened(trace, observation, options) {
  const s = await signedIn(browser, options);
  await s.page.goto(`${url}/traces/${trace}?observation=${encodeURIComponent(observation)}`);
  await s.page.getByRole("treegrid").waitFor();
  return s;
}

/** openAll opens everything that is closed in the detail, also in what was opened. */
const openAll = page =>
  page.evaluate(async () => {
    const closed = '.tab-panel [aria-expanded="false"], .tab-panel .json-more:not([aria-expanded])';
    for (let round = 0; round < 40; round++) {
      const buttons = document.querySelectorAll(closed);
      if (buttons.length === 0) return;
      for (const b of buttons) b.click();
      await new Promise(requestAnimationFrame);
    }
    throw new Error("there is always something that is closed");
  });

/** saidIn is all that elements say: their texts, one by one, and where they lead. */
const saidIn = (page, selector) =>
  page.locator(selector).evaluateAll(list => {
    const said = [];
    for (const e of list) {
      const texts = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) said.push(texts.currentNode.nodeValue);
      for (const x of e.querySelectorAll("[href],[src]")) said.push(x.getAttribute("href") ?? x.getAttribute("src"));
    }
    return said.join("\n");
  });

// A file that is saved has its bytes behind a button, or in a link of the saved page.
const bytesOf = /"[A-Za-z0-9+/]{200,}={0,2}"/g;
const seen = payload => JSON.parse(JSON.stringify(payload).replace(bytesOf, '""'));
const withoutFiles = payload => JSON.parse(JSON.stringify(payload).replace(/"(data:[^"]*,)?JVBERi0[^"]*"/g, '""'));

test("of every shape each leaf of the payload is on the page", async () => {
  const { context, page, problems } = await opened(id, `${id}-${shapes[0][0]}`);
  for (const [name, { input, output }] of shapes) {
    await page.locator(".trow", { has: page.getByText(name, { exact: true }) }).click();
    await page.getByRole("article", { name, exact: true }).waitFor();
    const panel = page.locator(".tab-panel");
    await panel.locator(".payload").first().waitFor();
    assert.equal(await panel.evaluate(p => p.scrollTop), 0, `${name} starts at its top`);
    await openAll(page);
    await panel.evaluate(p => p.scrollTo(0, p.scrollHeight)); // the next one has nothing of it
    assert.deepEqual(lost(withoutFiles([input, output]), await saidIn(page, ".tab-panel")), [], name);
  }
  assert.deepEqual(problems, []);
  await context.close();
});

// This file runs behind spans.test.mjs, which sends some of them as the first one.
test("of every recorded span each leaf of what went in and came out is in what is drawn", async t => {
  const recorded = new URL("../../internal/otel/testdata/otlp/", import.meta.url);
  for (const file of (await readdir(recorded)).filter(f => f.endsWith(".pb"))) {
    const path = file.includes(".logs.") ? "/v1/logs" : "/v1/traces";
    const headers = { "X-API-Key": key, "Content-Type": "application/x-protobuf" };
    const res = await fetch(url + path, { method: "POST", headers, body: await readFile(new URL(file, recorded)) });
    assert.equal(res.status, 200, file);
  }
  const recordedAt = "from=2026-11-28T16:00:00Z&to=2026-11-28T18:00:00Z";
  const rows = (await all(`/v1/observations?${recordedAt}`)).filter(o => o.source.door !== "brokle");
  assert.ok(rows.length > 150, `${rows.length} observations`);
  for (const o of rows) {
    const res = await fetch(`${url}/v1/observations/${o.id}?trace_id=${o.trace_id}`, { headers: { "X-API-Key": key } });
    const text = await res.text();
    const whole = answer(text);
    const talk = talkOf(whole, { observations: [whole] });
    for (const side of ["input", "output"]) {
      if (!talk[side]) continue; // it is shown as it is
      const { reading, beside } = talk[side];
      const drawn = pretty([reading, talk.tools, beside ?? null]);
      assert.deepEqual(lost(JSON.parse(text)[side], drawn), [], `${side} of ${o.source.scope} ${o.name} ${o.trace_id}`);
    }
  }
  // In the browser one of each library and type; the page is the same for all of them.
  const chosen = new Map(rows.map(o => [`${o.source.scope} ${o.type} ${o.output_preview === ""}`, o]));
  const { context, page, problems } = await signedIn(browser);
  for (const o of chosen.values()) {
    const whole = await api(`/v1/observations/${o.id}?trace_id=${o.trace_id}`);
    await page.goto(`${url}/traces/${o.trace_id}?observation=${o.id}`);
    await page.locator(".origin").waitFor();
    await openAll(page);
    const sent = [whole.input, whole.output].map(p => p ?? null);
    assert.deepEqual(lost(seen(sent), await saidIn(page, ".payload")), [], `${o.source.scope} ${o.name} ${o.trace_id}`);
  }
  t.diagnostic(`${rows.length} recorded observations, ${chosen.size} of them opened`);
  assert.deepEqual(problems, []);
  await context.close();
});

test("tools, ends, refusals and what was used are drawn, by key too", async () => {
  const { context, page, problems } = await opened(id, `${id}-openai-chat`);
  assert.equal(await page.locator(".message .badge-error").textContent(), "cut off: length");
  const output = page.locator(".payload", { hasText: "Output" });
  assert.deepEqual(await output.locator(".message .badge.kind-tool").allTextContents(), ["call 1", "call 2"]);
  assert.match(await output.locator(".usage").textContent(), /prompt_tokens_details\.cached_tokens 128/);
  const tools = page.getByRole("button", { name: "Tools offered 2, called: weather" });
  await tools.focus();
  await page.keyboard.press("Enter");
  const offered = page.locator(".folded-body > .call");
  assert.deepEqual(await offered.locator(".badge").allTextContents(), ["called 1, 2", "tool"]);
  await offered.first().getByText("How warm it is in a town").waitFor();
  assert.equal(await offered.first().getByText("Name of the town").count(), 0, "the schema is closed");
  await offered.first().getByRole("button", { name: "Schema" }).focus();
  await page.keyboard.press("Space");
  await offered.first().getByText("Name of the town").waitFor();
  await page.locator(".trow", { hasText: "openai-refusal" }).click();
  await page.locator(".refusal", { hasText: "I cannot help with that." }).waitFor();
  assert.equal(await page.locator(".message header .badge-error").textContent(), "filtered: content_filter");
  await page.locator(".trow", { hasText: "embedding" }).click();
  await page.locator(".json-numbers", { hasText: "all 7 numbers" }).waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});

for (const look of looks) {
  test(`a conversation with everything open, ${look.name}`, async () => {
    const { context, page, problems } = await opened(id, `${id}-openai-chat`, look);
    for (const name of ["openai-chat", "anthropic", "openai-refusal"]) {
      await page.locator(".trow", { has: page.getByText(name, { exact: true }) }).click();
      await page.getByRole("article", { name, exact: true }).waitFor();
      await openAll(page);
      await accessible(page, `${name}, ${look.name}`);
      assert.equal(await sticksOut(page), 0, `${name} sticks out`);
    }
    assert.deepEqual(problems, []);
    await context.close();
  });
}

test("pictures, sounds and files of a payload are shown and saved; what is elsewhere is not fetched", async () => {
  const { context, page, problems } = await signedIn(browser);
  const asked = [];
  page.on("request", r => asked.push(r.url()));
  await page.goto(`${url}/traces/${id}?observation=${id}-openai-chat`);
  const picture = page.locator(".medium img");
  await until("the picture is decoded", () => picture.evaluate(i => i.complete && i.naturalWidth === 24));
  await until("the sound is read", () =>
    page.locator(".medium audio").evaluate(a => a.readyState > 0 && a.duration > 0),
  );
  assert.equal(await page.getByRole("link", { name: "https://pictures.example/harbour.jpg" }).count(), 1);
  const saved = page.waitForEvent("download");
  await page.locator(".medium", { hasText: "application/pdf" }).getByRole("button", { name: "Save" }).click();
  const file = await saved;
  assert.equal(file.suggestedFilename(), "map.pdf");
  assert.match(await readFile(await file.path(), "latin1"), /^%PDF-1\.4/);
  assert.deepEqual(
    asked.filter(a => !a.startsWith(url) && !/^(data|blob):/.test(a)),
    [],
  );
  assert.deepEqual(problems, []);
  await context.close();
});

test("media that mean harm are only saved: no picture, no page, no script", async () => {
  const own = `harm-${randomUUID()}`;
  const script = "<script>parent.owned=1;window.owned=1</script>";
  const in64 = text => Buffer.from(text).toString("base64");
  const uris = [
    `data:image/svg+xml;base64,${in64(`<svg xmlns="http://www.w3.org/2000/svg" onload="window.owned=1">${script}</svg>`)}`,
    `data:text/html;base64,${in64(script)}`,
    `data:image/png" onerror="window.owned=1;base64,AAAA`,
    `data:text/html,${script}`,
    "javascript:window.owned=1",
  ];
  const input = [{ role: "user", content: uris.map(u => ({ type: "image_url", image_url: { url: u } })) }];
  await send(
    [
      ["trace_create", { id: own, name: "harm" }],
      [
        "observation_create",
        { id: `${own}-o`, trace_id: own, name: "call", type: "generation", input, output: script },
      ],
    ],
    own,
  );
  const { context, page, problems } = await opened(own, `${own}-o`);
  await page.locator(".medium").nth(4).waitFor();
  await openAll(page);
  const found = await page.evaluate(() => ({
    owned: window.owned,
    foreign: document.querySelectorAll("#app script, #app img, #app iframe, #app object, #app embed, #app audio")
      .length,
    links: [...document.querySelectorAll("#app a[href]")].map(a => a.href).filter(h => !/^https?:/.test(h)),
  }));
  assert.deepEqual(found, { owned: undefined, foreign: 0, links: [] });
  const saved = page.waitForEvent("download");
  await page.locator(".medium").first().getByRole("button", { name: "Save" }).click();
  assert.equal((await saved).suggestedFilename(), "medium.bin");
  assert.deepEqual(problems, []);
  await context.close();
});

/** agent sends the last calls of an agent that sends all it has said with each of n calls, about 90 KB with the last. */
async function agent(n, sent) {
  const own = `agent-${randomUUID()}`;
  const history = [
    { role: "system", content: "You look things up." },
    { role: "user", content: "Find it." },
  ];
  const events = [["trace_create", { id: own, name: "agent" }]];
  for (let i = 0; i < n; i++) {
    const call = { id: `c${i}`, type: "function", function: { name: "search", arguments: `{"page":${i}}` } };
    const said = { role: "assistant", content: null, tool_calls: [call] };
    const message = i < n - 1 ? said : { role: "assistant", content: "Found it on the last page." };
    const event = [
      "observation_create",
      {
        id: `${own}-${i}`,
        trace_id: own,
        name: `call ${i}`,
        type: "generation",
        start_time: at(i * 10),
        end_time: at(i * 10 + 5),
        input: { model: "m", messages: [...history] },
        output: { choices: [{ index: 0, finish_reason: i < n - 1 ? "tool_calls" : "stop", message }] },
      },
    ];
    if (i >= n - sent) events.push(event);
    const lines = Array.from({ length: 60 }, (_, l) => `row ${i}.${l}`).join("\n");
    history.push(said, { role: "tool", tool_call_id: `c${i}`, content: lines });
  }
  await send(events, own);
  await until("all calls can be queried", async () => (await api(`/v1/traces/${own}`)).observation_count === sent);
  return own;
}

test("a long agent reads like a log: what is new and the answer are on the first screen", async t => {
  const own = await agent(150, 3);
  const { context, page, problems } = await opened(own, `${own}-149`);
  const answer = page.getByText("Found it on the last page.");
  await answer.waitFor();
  const box = await answer.boundingBox();
  t.diagnostic(`150 turns: the answer is at ${Math.round(box.y)} of 800 pixels`);
  assert.ok(box.y + box.height < 800, `the answer ends at ${box.y + box.height}`);
  const earlier = page.getByRole("button", { name: "299 earlier messages" });
  assert.equal(await page.locator(".payload").first().locator(".message").count(), 1, "one message is new");
  await page.getByRole("button", { name: "All 60 lines" }).click();
  await page.getByText("row 148.59").waitFor();
  await earlier.click();
  await until(
    "all of them are there",
    async () => (await page.locator(".payload").first().locator(".message").count()) === 300,
  );
  await page.keyboard.press("k");
  await page.getByRole("article", { name: "call 148", exact: true }).waitFor();
  await page.getByRole("button", { name: "297 earlier messages" }).waitFor();
  assert.deepEqual(problems, []);
  await context.close();

  const small = await opened(own, `${own}-149`, { viewport: narrow });
  await small.page.getByText("Found it on the last page.").scrollIntoViewIfNeeded();
  await small.page.keyboard.press("k");
  await small.page.getByRole("article", { name: "call 148", exact: true }).waitFor();
  const top = await small.page.locator(".detail").evaluate(d => d.getBoundingClientRect().top);
  assert.ok(top >= 0, `narrow: it starts ${top} pixels from the top`);
  assert.deepEqual(small.problems, []);
  await small.context.close();
});

test("the saved page draws the conversation as this one does, without network and without script", async () => {
  const { context, page, problems } = await opened(id, `${id}-openai-chat`);
  await page.getByRole("button", { name: "Download" }).click();
  const saved = page.waitForEvent("download");
  await page.locator(".panel").getByRole("button", { name: "HTML, one file", exact: true }).click();
  const text = await readFile(await (await saved).path(), "utf8");
  await page.locator(".message .role").first().waitFor();
  const onPage = await page.locator(".message .role").allTextContents();
  assert.deepEqual(problems, []);
  await context.close();

  const alone = await browser.newContext({ offline: true });
  const reader = await alone.newPage();
  const complaints = [];
  reader.on("console", m => complaints.push(m.text()));
  const asked = [];
  reader.on("request", r => asked.push(r.url()));
  await reader.setContent(text);
  const call = reader.locator("details", { has: reader.locator(".name", { hasText: "openai-chat" }) });
  await call.locator("summary").first().click();
  assert.deepEqual(await call.locator(".message .role").allTextContents(), onPage);
  await until("the picture is decoded", () => call.locator("img").evaluate(i => i.complete && i.naturalWidth === 24));
  const shown = await saidIn(reader, "body");
  for (const [name, { input, output }] of shapes) assert.deepEqual(lost([input, output], shown), [], name);
  assert.equal(await reader.locator("script, iframe, object, embed").count(), 0);
  assert.deepEqual(
    asked.filter(a => !a.startsWith("data:")),
    [],
  );
  assert.deepEqual(complaints, []);
  await accessible(reader, "the saved page");
  await alone.close();
});
