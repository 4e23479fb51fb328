// Alerts: made in the form and from a chart, seen, tried, their log read, changed and removed.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import {
  accessible,
  api,
  key,
  launch,
  looks,
  readKey,
  send,
  shot,
  signedIn,
  sticksOut,
  until,
  url,
} from "./harness.mjs";

const run = randomUUID().slice(0, 8);
const environment = `alerts-${run}`;
const name = `errors-${run}`;

let browser;
before(async () => {
  browser = await launch();
  const now = Date.now() / 1000 - 120;
  const events = [];
  for (let i = 0; i < 10; i++) {
    const id = `${run}-${i}`;
    events.push(["trace_create", { id, name: "t", environment }, now]);
    events.push([
      "observation_create",
      {
        id: `${id}-o`,
        trace_id: id,
        name: "chat",
        type: "generation",
        environment,
        model: i < 5 ? "a" : "b",
        level: i < 3 ? "ERROR" : "DEFAULT",
        start_time: now,
      },
      now,
    ]);
  }
  await send(events, `${run}-9`);
});
after(async () => {
  const remove = path => fetch(url + path, { method: "DELETE", headers: { "X-API-Key": key } });
  for (const a of (await api("/v1/alerts")).data) if (a.name.includes(run)) await remove(`/v1/alerts/${a.name}`);
  for (const c of (await api("/v1/charts")).data)
    if (c.name.includes(run)) await remove(`/v1/charts/${encodeURIComponent(c.name)}`);
  await browser.close();
});

test("an alert is made by keys alone, shows how it stands, is tried, changed and removed", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/alerts`);
  await page.getByRole("button", { name: "Add an alert" }).focus();
  await page.keyboard.press("Enter");
  const form = page.getByRole("dialog", { name: "Add an alert" });
  await form.getByLabel("Name", { exact: true }).fill("Not A Name");
  await form.getByLabel("What", { exact: true }).selectOption({ label: "share that failed" });
  await form.getByLabel("Filter", { exact: true }).fill(`env:${environment}`);
  await form.getByLabel("Over", { exact: true }).selectOption("15m");
  await form.getByLabel("Warning", { exact: true }).fill("0.9");
  await form.getByLabel("Alert", { exact: true }).fill("0.2");
  await form.getByRole("button", { name: "Add a destination" }).click();
  await form.getByLabel("Address 1").fill("https://hooks.invalid/services/secret");
  await form.getByText("More", { exact: true }).click();
  await accessible(page, "the form of an alert");
  await form.getByLabel("Alert", { exact: true }).press("Enter");
  await form.getByRole("alert").getByText("name: it has 1 to 64").waitFor();
  await form.getByText("warning: it is less than alert").waitFor();
  await form.getByLabel("Name", { exact: true }).fill(name);
  await form.getByLabel("Warning", { exact: true }).fill("0.1");
  await form.getByRole("button", { name: "Save" }).click();
  const secret = page.getByRole("dialog", { name: "The alert is set" });
  assert.match(await secret.locator(".key-secret code").textContent(), /^whsec_[A-Za-z0-9+/]{43}=$/);
  await secret.getByRole("button", { name: "I have it" }).click();

  const row = page.getByRole("listitem", { name, exact: true });
  await row.getByText("30 %", { exact: false }).first().waitFor();
  await row.locator(".badge", { hasText: "alert" }).waitFor();
  assert.match(await row.textContent(), /warning > 10 ?%, alert > 20 ?%/);
  const kept = (await api("/v1/alerts")).data.find(a => a.name === name);
  assert.equal(kept.question, `filter=env%3A${environment}&of=observations&metrics=error_rate`);
  assert.equal(kept.destinations[0].url, "https://hooks.invalid/********");
  await accessible(page, "alerts");

  await until("it was tried to send", async () => (await api(`/v1/alerts/${name}/deliveries`)).data[0]?.attempts > 0);
  await row.getByRole("button", { name: `Log of ${name}` }).click();
  const log = page.getByRole("dialog", { name: `What was sent of ${name}` });
  await log
    .getByRole("listitem")
    .filter({ hasText: /pending alert.*to webhook https:\/\/hooks\.invalid\/\*{8} \d+ attempt/ })
    .waitFor();
  await accessible(page, "the log of an alert");
  await page.keyboard.press("Escape");

  await row.getByRole("button", { name: `Test ${name}` }).click();
  const trial = page.getByRole("dialog", { name: `${name}, now` });
  await trial.getByText("Nothing would be told").waitFor();
  await trial.getByRole("button", { name: "Send a test" }).click();
  await trial.getByText("not taken").waitFor();
  await accessible(page, "a test of an alert");
  await page.keyboard.press("Escape");

  await row.getByRole("button", { name: `Change ${name}` }).click();
  const change = page.getByRole("dialog", { name: `Change ${name}` });
  assert.equal(await change.getByLabel("Filter", { exact: true }).inputValue(), `env:${environment}`);
  await change.getByLabel("By", { exact: true }).selectOption("model");
  await change.getByLabel("Alert", { exact: true }).fill("0.7");
  await change.getByRole("button", { name: "Save" }).click();
  await row.getByText("model a: 60").waitFor();
  await row.getByText("model b: 0").waitFor();
  await row.locator(".alert-head .badge", { hasText: "warning" }).waitFor();
  const changed = (await api("/v1/alerts")).data.find(a => a.name === name);
  assert.equal(changed.destinations[0].id, kept.destinations[0].id, "the destination, with what is masked, stayed");

  await row.getByRole("button", { name: `Remove ${name}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await row.waitFor({ state: "detached" });
  assert.ok(!(await api("/v1/alerts")).data.some(a => a.name === name));
  assert.deepEqual(
    problems.filter(p => !p.includes("400")),
    [],
  );
  await context.close();
});

test("an own chart's question becomes an alert's", async () => {
  const { context, page, problems } = await signedIn(browser);
  const chart = `Cost by model ${run}`;
  const question = `filter=env%3A${environment}&of=observations&metrics=latency_p95&group_by=model`;
  await api(`/v1/charts/${encodeURIComponent(chart)}`, {
    method: "PUT",
    body: JSON.stringify({ question, look: "line" }),
  });
  await page.goto(`${url}/dashboard`);
  await page.getByRole("link", { name: `Alert on the chart ${chart}` }).click();
  const form = page.getByRole("dialog", { name: "Add an alert" });
  assert.equal(await form.getByLabel("Name", { exact: true }).inputValue(), `cost-by-model-${run}`);
  assert.equal(await form.getByLabel("What", { exact: true }).inputValue(), "latency_p95");
  await form.getByText("In milliseconds.").waitFor();
  await form.getByLabel("Alert", { exact: true }).fill("1000000");
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByRole("listitem", { name: `cost-by-model-${run}`, exact: true }).waitFor();
  assert.equal(new URL(page.url()).search, "");
  const kept = (await api("/v1/alerts")).data.find(a => a.name === `cost-by-model-${run}`);
  assert.equal(kept.question, question);
  assert.deepEqual(problems, []);
  await context.close();
});

test("alerts fit a telephone and the dark, and who may only read sees no buttons", async () => {
  await api(`/v1/alerts/seen-${run}`, {
    method: "PUT",
    body: JSON.stringify({
      question: `filter=env:${environment}&metrics=error_rate&group_by=model`,
      window: "15m",
      comparison: "above",
      alert: 0.5,
      description: "Look at the log of the model's provider.",
    }),
  });
  await until("it was looked at", async () => (await api(`/v1/alerts/seen-${run}`)).at !== null);
  for (const [i, look] of looks.entries()) {
    const { context, page, problems } = await signedIn(browser, look);
    await page.goto(`${url}/alerts`);
    const row = page.getByRole("listitem", { name: `seen-${run}`, exact: true });
    await row.getByText("model a: 60").waitFor();
    assert.equal(await sticksOut(page), 0);
    await accessible(page, `alerts, look ${i}`);
    await shot(page, `alerts-${i}`);
    await page.getByRole("button", { name: `Change seen-${run}` }).click();
    await page.getByRole("dialog").getByText("More", { exact: true }).click();
    await accessible(page, `the form, look ${i}`);
    await shot(page, `alertform-${i}`);
    assert.equal(await sticksOut(page), 0);
    assert.deepEqual(problems, []);
    await context.close();
  }
  const { context, page, problems } = await signedIn(browser, {}, readKey);
  await page.goto(`${url}/alerts?ask=metrics%3Dcost`);
  const row = page.getByRole("listitem", { name: `seen-${run}`, exact: true });
  await row.waitFor();
  assert.deepEqual(await row.getByRole("button").allTextContents(), ["Log"]);
  assert.equal(await page.getByRole("button", { name: "Add an alert" }).count(), 0);
  assert.equal(await page.getByRole("dialog").count(), 0);
  assert.deepEqual(problems, []);
  await context.close();
});
