// What came over OpenTelemetry: recorded spans of real libraries, and one that means harm.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { accessible, api, key, launch, narrow, signedIn, sticksOut, until, url } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const recorded = new URL("../../internal/otel/testdata/otlp/", import.meta.url);

async function post(body, type) {
  const headers = { "X-API-Key": key, "Content-Type": type };
  const res = await fetch(`${url}/v1/traces`, { method: "POST", headers, body });
  assert.equal(res.status, 200, await res.clone().text());
}

// When the requests were recorded: traces of now, of which the server may have many, are not among them.
const recordedAt = "from=2026-11-28T16:00:00Z&to=2026-11-28T18:00:00Z&limit=1000";

/** sendCase posts a recorded request and returns the newest observation of that scope that was not there before. */
async function sendCase(name, scope) {
  const list = async () => (await api(`/v1/observations?${recordedAt}`)).data;
  const before = new Set((await list()).map(o => o.id));
  await post(await readFile(new URL(`${name}.traces.pb`, recorded)), "application/x-protobuf");
  let found;
  await until(`${name} can be queried`, async () => {
    found = (await list()).find(o => !before.has(o.id) && o.source.scope === scope);
    return found !== undefined;
  });
  return found;
}

const text = (key, v) => ({ key, value: { stringValue: v } });

/** sendSpan posts a span in JSON, with ids and times of its own, and returns its observation. */
async function sendSpan(span, { scope = { name: "test" }, resource = [] } = {}) {
  const [traceId, spanId] = [randomBytes(16).toString("hex"), randomBytes(8).toString("hex")];
  const [startTimeUnixNano, endTimeUnixNano] = [`${Date.now() - 1000}000000`, `${Date.now()}000000`];
  const spans = [{ traceId, spanId, startTimeUnixNano, endTimeUnixNano, ...span }];
  const body = { resourceSpans: [{ resource: { attributes: resource }, scopeSpans: [{ scope, spans }] }] };
  await post(JSON.stringify(body), "application/json");
  let found = [];
  await until("the span can be queried", async () => {
    found = (await api(`/v1/observations?trace_id=${traceId}`)).data;
    return found.length === 1;
  });
  return found[0];
}

async function opened(o, options) {
  const s = await signedIn(browser, options);
  await s.page.goto(`${url}/traces/${o.trace_id}?observation=${o.id}`);
  await s.page.getByRole("treegrid").waitFor();
  return s;
}

const fact = (page, title) =>
  page.locator(".stats > div").filter({ has: page.locator("dt", { hasText: new RegExp(`^${title}\\??$`) }) });
const value = async (page, title) => (await fact(page, title).locator("dd").textContent()).trim();

test("a call says who answered, what it used, what was not sent and by which rule", async () => {
  const o = await sendCase("I-call6", "openinference.instrumentation.openai");
  const { context, page, problems } = await opened(o);
  assert.equal(await value(page, "Status"), "ok");
  assert.equal(await value(page, "Asked for → answered"), "gpt-4o-mini → gpt-4o-mini-2024-07-18");
  assert.equal(await value(page, "Provider"), "openai");
  assert.match(await value(page, "Tokens"), /^\d+ in \+ \d+ out = \d+$/);
  assert.match(await value(page, "Of the input"), /^80 cache read · cache write not sent/);
  assert.match(await value(page, "Finish"), /^tool_calls/);
  assert.equal(await value(page, "Cost"), "$0.000039 $0.000009 in · $0.000006 cache read · $0.00003 out computed");
  assert.match(await value(page, "Response"), /^chatcmpl/);
  assert.match(await page.locator(".origin").textContent(), /openinference\.instrumentation\.openai 0\.1\.66/);
  assert.doesNotMatch(await page.locator(".trace-facts").textContent(), /without a price/);

  const roles = await page.locator(".message .role").allTextContents();
  assert.deepEqual(roles, ["system", "user", "assistant"]);
  const call = page.locator(".message .call").last();
  await call.locator("code", { hasText: "get_weather" }).waitFor();
  await call.getByText('"Paris"').waitFor();
  await page.getByRole("button", { name: "Raw", exact: true }).click();
  const whole = await api(`/v1/observations/${o.id}?trace_id=${o.trace_id}`);
  assert.deepEqual(JSON.parse(await page.locator(".payload .raw").first().textContent()), whole.input);

  const row = page.getByRole("button", { name: /^Attributes/ });
  assert.equal(await row.getAttribute("aria-expanded"), "false");
  await row.click();
  await page.locator(".folded-body .json-name", { hasText: "openinference.span.kind" }).waitFor();
  await page.getByRole("button", { name: /^Tools offered/ }).click();
  await page.locator(".folded-body code", { hasText: "get_weather" }).waitFor();

  await page.getByRole("button", { name: "Why: Tokens" }).click();
  await page.locator(".rules", { hasText: "llm.token_count.prompt" }).waitFor();
  await accessible(page, "a span, and why");
  const span = await context.request.get(await page.getByRole("link", { name: "Show span" }).evaluate(a => a.href));
  assert.equal((await span.json()).resourceSpans[0].scopeSpans[0].spans[0].spanId, o.id);
  assert.deepEqual(problems, []);
  await context.close();
});

test("a call that was reported twice is one observation, with the other one folded below it", async () => {
  const o = await sendCase("I-call4", "openinference.instrumentation.anthropic");
  await until("the twin is found", async () => {
    const t = await api(`/v1/traces/${o.trace_id}`);
    return t.observations.flatMap(x => [x, ...(x.children ?? [])]).some(x => x.duplicate_of === o.id);
  });
  for (const look of [{}, { viewport: narrow, colorScheme: "dark" }]) {
    const { context, page, problems } = await opened(o, look);
    await page.getByText("1 observation, 1 more report of the same").waitFor();
    assert.equal(await page.locator(".trow").count(), 2, "the twin is folded");
    await page.getByText("+1 same call").waitFor();
    assert.match(await page.locator(".trace-facts").textContent(), /160 tokens/);
    await page.getByRole("link", { name: "com.anthropic.sdk.python" }).click();
    const twin = page.locator(".trow.same");
    await twin.waitFor();
    await page.getByText("The same call as").waitFor();
    await accessible(page, "a twin");
    assert.equal(await sticksOut(page), 0);
    await twin.locator("a").click();
    await page.waitForURL(u => u.searchParams.get("observation") === o.id);
    assert.deepEqual(problems, []);
    await context.close();
  }
});

test("a reader that left, and an error, are told from what went well", async () => {
  const left = {
    name: "chat",
    status: { code: 2 },
    attributes: [
      text("gen_ai.operation.name", "chat"),
      text("gen_ai.request.model", "m"),
      text("error.type", "GeneratorExit"),
    ],
  };
  let s = await opened(await sendSpan(left));
  assert.equal(await value(s.page, "Status"), "aborted GeneratorExit");
  assert.match(await s.page.locator(".trace-facts").textContent(), /aborted/);
  assert.equal(await value(s.page, "Model"), "m");
  assert.equal(await value(s.page, "Tokens"), "not sent");
  assert.deepEqual(s.problems, []);
  await s.context.close();
  s = await opened(await sendCase("I-call5", "openinference.instrumentation.openai"));
  assert.equal(await value(s.page, "Status"), "error RateLimitError");
  assert.equal(await fact(s.page, "Tokens").count(), 0, "a failed call has nothing to send");
  await s.page.getByRole("button", { name: "1 error" }).waitFor();
  assert.deepEqual(s.problems, []);
  await s.context.close();
});

test("a span that means harm stays text, and its numbers keep their digits", async () => {
  const bad = `<img src=x onerror="window.owned=1"><script>window.owned=1</script>`;
  const messages = JSON.stringify([
    {
      role: bad,
      parts: [
        { type: "text", content: bad },
        { type: "reasoning", content: bad },
        { type: "tool_call", id: bad, name: bad, arguments: { [bad]: bad } },
        { type: "uri", modality: "image", mime_type: bad, uri: `javascript:window.owned=1;${bad}` },
      ],
    },
  ]);
  const span = {
    name: bad,
    status: { code: 2, message: bad },
    attributes: [
      text("gen_ai.operation.name", "chat"),
      ...[
        "gen_ai.request.model",
        "gen_ai.response.model",
        "gen_ai.provider.name",
        "gen_ai.response.id",
        "error.type",
      ].map(k => text(k, bad)),
      text("gen_ai.input.messages", messages),
      text("gen_ai.output.messages", messages),
      text("gen_ai.tool.definitions", JSON.stringify([{ name: bad, description: bad, parameters: { [bad]: bad } }])),
      text(bad, bad),
      { key: "exact", value: { intValue: "9223372036854775807" } },
    ],
    events: [{ name: bad, timeUnixNano: `${Date.now()}000000`, attributes: [text(bad, bad)] }],
    links: [{ traceId: "0".repeat(31) + 1, spanId: "0".repeat(15) + 1, attributes: [text(bad, bad)] }],
  };
  const around = { scope: { name: bad, version: bad }, resource: [text("service.name", bad), text(bad, bad)] };
  const { context, page, problems } = await opened(await sendSpan(span, around));
  await page.locator(".message").first().waitFor();
  for (const row of ["Reasoning", "Tools offered", "Attributes", "Resource", "Events", "Links"])
    await page
      .getByRole("button", { name: new RegExp(`^${row}`) })
      .first()
      .click();
  await page.getByText("9223372036854775807").waitFor();
  await page.getByRole("button", { name: "Why: Status" }).click();
  await page.locator(".rules").waitFor();
  await page.getByRole("button", { name: "Every field" }).click();
  const found = await page.evaluate(() => ({
    owned: window.owned,
    foreign: document.querySelectorAll("#app script, #app img, #app iframe").length,
    links: [...document.querySelectorAll("#app a[href]")].map(a => a.href).filter(h => !/^https?:/.test(h)),
  }));
  assert.deepEqual(found, { owned: undefined, foreign: 0, links: [] });
  assert.deepEqual(problems, []);
  await context.close();
});
