// One trace: tree, waterfall, conversation, downloads.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { api, key, launch, send, signedIn, until, url } from "./harness.mjs";

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
  await context.route("**/*", r => {
    asked.push(r.request().url());
    return r.abort();
  });
  const reader = await context.newPage();
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
