// One trace: tree, waterfall, conversation, downloads.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { accessible, api, key, launch, send, signedIn, until, url } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const at = ms => new Date(Date.now() - 60_000 + ms).toISOString();

/** big sends a trace of n observations, each tenth below the root with nine below it. */
async function big(n) {
  const id = `big-${randomUUID()}`;
  const events = [["trace_create", { id, name: "big", user_id: "someone" }]];
  let parent;
  for (let i = 0; i < n; i++) {
    const own = `${id}-${i}`;
    if (i % 10 === 0) parent = own;
    events.push([
      "observation_create",
      {
        id: own,
        trace_id: id,
        name: `step ${i}`,
        type: i % 10 === 0 ? "agent" : "generation",
        ...(i % 10 ? { parent_observation_id: parent } : {}),
        start_time: at(i * 3),
        end_time: at(i * 3 + 25),
        input: { messages: [{ role: "user", content: `question ${i}` }] },
        output: { role: "assistant", content: `answer ${i}` },
      },
    ]);
  }
  for (let i = 0; i < events.length; i += 500) await send(events.slice(i, i + 500), id);
  await until("all of it can be queried", async () => {
    const t = await api(`/v1/traces/${id}`);
    return t.observation_count === n;
  });
  return id;
}

async function opened(id, more = "") {
  const s = await signedIn(browser);
  await s.page.goto(`${url}/traces/${encodeURIComponent(id)}${more}`);
  await s.page.getByRole("treegrid").waitFor();
  return s;
}

test("a thousand observations scroll without jank", async t => {
  const id = await big(1000);
  const { context, page, problems } = await opened(id);
  assert.equal(Number(await page.getByRole("treegrid").getAttribute("aria-rowcount")), 1001);
  assert.ok((await page.locator(".trow").count()) < 80);
  const frames = await page.evaluate(async () => {
    const el = document.querySelector(".timeline-rows");
    const took = [];
    let last = performance.now();
    for (let i = 0; i < 60; i++) {
      el.scrollTop += 400;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      took.push(now - last);
      last = now;
    }
    return took.sort((a, b) => a - b);
  });
  t.diagnostic(
    `scrolling 1000 observations: median frame ${frames[30].toFixed(1)} ms, longest ${frames[59].toFixed(1)} ms`,
  );
  await page.getByLabel("Find in this trace").fill("step 99");
  await until(
    "only matches and what is above them are there",
    async () => Number(await page.getByRole("treegrid").getAttribute("aria-rowcount")) === 1 + 1 + 1 + 10,
  );
  assert.deepEqual(problems, []);
  await context.close();
});

test("rows open, close and are walked by key; the choice is in the address", async () => {
  const id = await big(20);
  const { context, page, problems } = await opened(id);
  const count = async () => Number(await page.getByRole("treegrid").getAttribute("aria-rowcount"));
  assert.equal(await count(), 21);
  await page.getByRole("button", { name: "Close step 0", exact: true }).click();
  assert.equal(await count(), 12);
  await page.getByRole("button", { name: "Open step 0", exact: true }).click();
  assert.equal(await count(), 21);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.waitForURL(u => u.searchParams.get("observation") === `${id}-1`);
  await page.getByRole("article", { name: "step 1" }).getByText("question 1").waitFor();
  await page.keyboard.press("k");
  await page.waitForURL(u => u.searchParams.get("observation") === `${id}-0`);
  await page.keyboard.press("x");
  await until("what is below the chosen row is closed", async () => (await count()) === 12);
  await page.locator(".trow", { hasText: "step 10" }).click();
  const link = page.url();
  await page.goto(`${url}/traces`);
  await page.goto(link);
  await page.getByRole("article", { name: "step 10" }).waitFor();
  await page.getByRole("button", { name: "Look closer" }).click();
  assert.notEqual(await page.locator(".tick").first().textContent(), "0 ms");
  await page.getByRole("button", { name: "All", exact: true }).click();
  assert.equal(await page.locator(".tick").first().textContent(), "0 ms");
  assert.deepEqual(problems, []);
  await context.close();
});

const chat = {
  input: [
    { role: "system", content: "Be **brief**." },
    {
      role: "user",
      content: [
        { type: "text", text: "How warm is it in Kyiv?" },
        { type: "image_url", image_url: { url: "https://pictures.example/x.png" } },
      ],
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Kyiv"}' } }],
    },
    { role: "tool", tool_call_id: "call_1", content: '{"celsius":21}' },
  ],
  output: { choices: [{ message: { role: "assistant", content: "It is **21 °C**.\n\n- warm\n- dry" } }] },
};

test("chat messages are a conversation, and can be seen as JSON, Markdown and raw", async () => {
  const id = `chat-${randomUUID()}`;
  const observation = `${id}-o`;
  await send(
    [
      ["trace_create", { id, name: "weather" }],
      [
        "observation_create",
        {
          id: observation,
          trace_id: id,
          name: "ask",
          type: "generation",
          model: "m",
          ...chat,
          model_parameters: { temperature: 0.5 },
          metadata: { note: "kept" },
        },
      ],
      [
        "observation_complete",
        { id: observation, trace_id: id, usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 } },
      ],
      [
        "quality_score_create",
        {
          id: `${id}-s`,
          trace_id: id,
          observation_id: observation,
          name: "warmth",
          value: 0.75,
          comment: "felt right",
        },
      ],
    ],
    id,
  );
  const { context, page, problems } = await opened(id, `?observation=${observation}`);
  const messages = page.locator(".message");
  assert.deepEqual(await messages.locator(".role").allTextContents(), [
    "system",
    "user",
    "assistant",
    "tool",
    "assistant",
  ]);
  await messages.nth(0).locator("strong", { hasText: "brief" }).waitFor();
  await messages.nth(2).getByText("weather").waitFor();
  await messages.nth(2).getByText('"Kyiv"').waitFor();
  assert.equal(await messages.nth(4).locator("li").count(), 2);
  assert.equal(await page.locator("main img").count(), 0, "pictures of a payload are not fetched");
  await page.getByRole("button", { name: "Raw" }).click();
  assert.deepEqual(JSON.parse(await page.locator(".raw").first().textContent()), chat.input);
  await page.getByRole("button", { name: "JSON", exact: true }).click();
  const node = page.locator(".payload .json-toggle").first();
  await node.click();
  assert.equal(await node.getAttribute("aria-expanded"), "false");
  await page.getByRole("button", { name: "Formatted" }).click();
  await page.getByRole("tab", { name: "Metadata" }).click();
  await page.getByText('"kept"').waitFor();
  await page.getByRole("tab", { name: /Scores/ }).click();
  await page.getByText("felt right").waitFor();
  assert.ok((await page.locator(".stats").textContent()).includes("7 in + 5 out = 12"));
  assert.deepEqual(problems, []);
  await context.close();
});

test("a payload is shown and saved as it was sent", async () => {
  const id = `sent-${randomUUID()}`;
  const digits = "12345678901234567890";
  const said = `{"big":${digits},"price":1.50,"twice":"first","twice":"second"}`;
  const sent = `{"b":${said},"as text":${JSON.stringify(said)}}`;
  const event = { event_id: id, event_type: "trace_create", payload: { id, name: "sent", input: "@", metadata: "@" } };
  await api("/v1/telemetry/batch", {
    method: "POST",
    body: JSON.stringify({ events: [event] }).replaceAll('"@"', () => sent),
  });
  await until("it can be queried", async () => {
    const res = await fetch(`${url}/v1/traces/${id}`, { headers: { "X-API-Key": key } });
    return res.ok;
  });
  const { context, page, problems } = await opened(id);
  for (const mode of ["Formatted", "JSON"]) {
    await page.getByRole("button", { name: mode, exact: true }).click();
    for (const part of [digits, "1.50", '"first"', '"second"'])
      await page.locator(".payload .json").getByText(part, { exact: true }).first().waitFor();
  }
  await page.getByRole("button", { name: "Raw", exact: true }).click();
  assert.equal(await page.locator(".payload .raw").textContent(), sent);
  await page.getByRole("tab", { name: "Metadata" }).click();
  await page.locator(".json").getByText("1.50", { exact: true }).waitFor();

  await page.getByRole("button", { name: "Download" }).click();
  const saved = page.waitForEvent("download");
  await page.locator(".panel").getByRole("button", { name: "JSON", exact: true }).click();
  const res = await fetch(`${url}/v1/traces/${id}`, { headers: { "X-API-Key": key } });
  assert.equal(await readFile(await (await saved).path(), "utf8"), await res.text());
  assert.deepEqual(problems, []);
  await context.close();
});

test("JSON in a text keeps the digits of its numbers", async () => {
  const id = `inside-${randomUUID()}`;
  await send([["trace_create", { id, name: "inside", input: '{"order":98765432109876543210,"rate":2.0}' }]], id);
  const { context, page, problems } = await opened(id);
  for (const mode of ["Formatted", "JSON", "Raw"]) {
    await page.getByRole("button", { name: mode, exact: true }).click();
    await page.locator(".payload").getByText("98765432109876543210").waitFor();
    await page.locator(".payload").getByText("2.0").waitFor();
  }
  assert.deepEqual(problems, []);
  await context.close();
});

test("the history names the events and how late they came", async () => {
  const id = `history-${randomUUID()}`;
  const late = Math.floor(Date.now() / 1000) - 90;
  await send(
    [
      ["trace_create", { id, name: "history" }],
      ["observation_create", { id: `${id}-o`, trace_id: id, name: "step", input: "in" }, late],
      ["observation_update", { id: `${id}-o`, trace_id: id, output: "out" }, late + 1],
    ],
    id,
  );
  const { context, page, problems } = await opened(id, `?observation=${id}-o`);
  await page.getByRole("tab", { name: "History" }).click();
  const lines = page.locator(".history-line");
  await lines.nth(1).waitFor();
  assert.deepEqual(await lines.locator("strong").allTextContents(), ["observation_create", "observation_update"]);
  assert.match(await lines.first().textContent(), /received 1 m (29|3\d) s later/);
  await lines.nth(1).click();
  await page.locator(".history-body").getByText('"out"').waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});

test("what is found in a trace is what a search finds: case, accents, forms, pairs over a line break", async () => {
  const id = `fold-${randomUUID()}`;
  const of = { trace_id: id, type: "span" };
  await send(
    [
      ["trace_create", { id, name: "fold" }],
      ["observation_create", { ...of, id: `${id}-1`, name: "Straße" }],
      ["observation_create", { ...of, id: `${id}-2`, name: "drink", input: "two café" }],
      ["observation_create", { ...of, id: `${id}-3`, name: "検索\nエンジン" }],
      ["observation_create", { ...of, id: `${id}-4`, name: "other" }],
    ],
    id,
  );
  await until("all of it can be queried", async () => (await api(`/v1/traces/${id}`)).observation_count === 4);
  const { context, page, problems } = await opened(id);
  const found = page.locator(".trow:not(:first-child) .trow-name");
  for (const [text, name] of [
    ["STRASSE", "Straße"],
    ["CAFE", "drink"],
    ["索エ", "検索\nエンジン"],
  ]) {
    await page.getByLabel("Find in this trace").fill(text);
    await until(`${text} finds ${name}`, async () => {
      const all = await found.allTextContents();
      return all.length === 1 && all[0] === name;
    });
  }
  assert.deepEqual(problems, []);
  await context.close();
});

test("what an agent carries for the calls below it is marked; a call names its parts, model and end", async () => {
  const id = `counted-${randomUUID()}`;
  const call = { trace_id: id, parent_observation_id: `${id}-a`, start_time: at(0), end_time: at(400) };
  await send(
    [
      ["trace_create", { id, name: "counted" }],
      [
        "observation_create",
        {
          ...call,
          id: `${id}-a`,
          parent_observation_id: "",
          type: "agent",
          name: "agent",
          total_tokens: 360,
          total_cost: 0.5,
        },
      ],
      [
        "observation_create",
        {
          ...call,
          id: `${id}-g`,
          type: "generation",
          name: "call",
          model: "our-mini-2026-01-01",
          requested_model: "our-mini",
          finish_reason: "length",
          prompt_tokens: 300,
          completion_tokens: 60,
          cache_read_tokens: 200,
          cache_write_tokens: 50,
          reasoning_tokens: 40,
          audio_output_tokens: 8,
        },
      ],
    ],
    id,
  );
  await until("both are counted", async () => (await api(`/v1/traces/${id}`)).observation_count === 2);
  const { context, page, problems } = await opened(id, `?observation=${id}-a`);
  const fact = title => page.locator(".stats > div").filter({ has: page.locator("dt", { hasText: title }) });
  await fact("Tokens").getByText("counted in its children").waitFor();
  assert.equal(await fact("Cost").getByText("counted in its children").count(), 0, "nothing below it has a cost");
  await accessible(page, "an agent that is not counted");
  await page.locator(".trow", { hasText: "call" }).click();
  await page.getByRole("article", { name: "call" }).waitFor();
  const text = async title => (await fact(title).locator("dd").textContent()).trim();
  assert.equal(await text("Tokens"), "300 in + 60 out = 360");
  assert.equal(await text("Of the input"), "200 cache read · 50 cache write");
  assert.equal(await text("Of the output"), "40 reasoning · 8 audio");
  assert.equal(await text("Asked for"), "our-mini → our-mini-2026-01-01");
  assert.equal(await text("Finish"), "length");
  assert.equal(await text("Cost"), "– no price for the model");
  assert.equal(await page.getByText("counted in its children").count(), 0);
  assert.deepEqual(problems, []);
  await context.close();
});

test("an end before the start is no latency, and says why", async () => {
  const id = `clocks-${randomUUID()}`;
  const timed = { start_time: at(5000), end_time: at(1000) };
  const name = `clocks ${id.slice(-8)}`;
  await send(
    [
      ["trace_create", { id, name, ...timed }],
      ["observation_create", { id: `${id}-o`, trace_id: id, name: "step", ...timed }],
    ],
    id,
  );
  await until("it is complete", async () => (await api(`/v1/traces/${id}`)).observation_count === 1);
  const reason = (await api(`/v1/traces/${id}`)).observations[0].latency_reason;
  assert.match(reason, /before/);
  const { context, page, problems } = await opened(id, `?observation=${id}-o`);
  const latency = page.locator(".stats > div").filter({ has: page.locator("dt", { hasText: "Latency" }) });
  assert.equal(await latency.locator("dd").textContent(), `– ${reason}`);
  for (const bar of await page.locator(".bar-text").all()) {
    assert.equal(await bar.textContent(), "–");
    assert.equal(await bar.getAttribute("title"), reason);
  }
  assert.equal(await page.locator(".trace-facts").getByTitle(reason).textContent(), "–");
  await page.goto(`${url}/traces?name=${encodeURIComponent(name)}&range=all`);
  await page.locator(".row").getByTitle(reason).first().waitFor();
  assert.equal(await page.locator(".row").getByText("open", { exact: true }).count(), 0);
  assert.deepEqual(problems, []);
  await context.close();
});

test("one observation id in two traces: each has its own history, and its address alone says that there are more", async () => {
  const own = `twice-${randomUUID()}`;
  const traces = ["old", "new"].map(n => `${own}-${n}`);
  for (const [i, id] of traces.entries()) {
    const first = Math.floor(Date.now() / 1000) - 100 + 10 * i;
    await send(
      [
        ["trace_create", { id, name: id }, first],
        ["observation_create", { id: own, trace_id: id, name: "step", input: `said in ${id}` }, first],
      ],
      id,
    );
    await until("it is complete", async () => (await api(`/v1/traces/${id}`)).observation_count === 1);
  }
  for (const id of traces) {
    const { context, page, problems } = await opened(id, `?observation=${own}`);
    await page.getByRole("tab", { name: "History" }).click();
    await page.locator(".history-line").first().click();
    await page.locator(".history-body").getByText(`said in ${id}`).waitFor();
    assert.equal(await page.locator(".history-line").count(), 1);
    assert.deepEqual(problems, []);
    await context.close();
  }
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/observations/${own}`);
  await page.getByText("Other traces have an observation of this id").waitFor();
  await accessible(page, "an id of several traces");
  await page.getByRole("link", { name: traces[1], exact: true }).click();
  await page.waitForURL(u => u.pathname === `/traces/${traces[1]}` && u.searchParams.get("observation") === own);
  await page.goto(`${url}/observations/${own}?trace_id=${traces[0]}`);
  await page.waitForURL(u => u.pathname === `/traces/${traces[0]}` && u.searchParams.get("observation") === own);
  await page.getByRole("article", { name: "step" }).waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});

test("downloads: the API's JSON, and a page that needs nothing else", async () => {
  const id = `saved-${randomUUID()}`;
  await send(
    [
      ["trace_create", { id, name: "<b>saved</b>", input: "</pre><script>document.title='owned'</script>" }],
      ["observation_create", { id: `${id}-o`, trace_id: id, name: '"><img src=x onerror=alert(1)>', output: "fine" }],
    ],
    id,
  );
  const { context, page, problems } = await opened(id);
  const files = {};
  for (const form of ["JSON", "HTML, one file"]) {
    await page.getByRole("button", { name: "Download" }).click();
    const saved = page.waitForEvent("download");
    await page.locator(".panel").getByRole("button", { name: form, exact: true }).click();
    files[form] = await readFile(await (await saved).path(), "utf8");
  }
  assert.deepEqual(JSON.parse(files.JSON), await api(`/v1/traces/${id}`));
  const text = files["HTML, one file"];
  assert.ok(!/<script|<img|<b>/i.test(text), "markup of a payload is markup of the file");
  const asked = [];
  const reader = await context.newPage();
  await reader.route("**/*", r => {
    asked.push(r.request().url());
    return r.abort();
  });
  await reader.setContent(text);
  assert.equal(await reader.title(), "<b>saved</b>");
  assert.equal(await reader.locator("details").count(), 1);
  assert.deepEqual(asked, []);
  assert.deepEqual(problems, []);
  await context.close();
});

test("a trace that is not there says so", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/traces/there-is-no-such-trace`);
  await page.getByRole("alert").waitFor();
  await page.getByRole("link", { name: "To the traces", exact: true }).click();
  await page.getByRole("grid", { name: "Traces" }).waitFor();
  assert.equal(problems.filter(p => !p.includes("404")).length, 0, problems.join("\n"));
  await context.close();
});
