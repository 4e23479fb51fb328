// Prompts: made in the form, seen with what versions changed and what they did, labels moved by a button, removed.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { accessible, api, key, launch, narrow, readKey, send, shot, signedIn, sticksOut, url } from "./harness.mjs";

const run = randomUUID().slice(0, 8);
const name = `greeting-${run}`;

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await fetch(`${url}/v1/prompts/${name}`, { method: "DELETE", headers: { "X-API-Key": key } });
  await browser.close();
});

test("a prompt is made, gets a version, and its label is moved", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/prompts`);
  await page.getByRole("button", { name: "Add a prompt" }).click();
  const form = page.getByRole("dialog", { name: "Add a prompt" });
  await form.getByLabel("Name", { exact: true }).fill(name);
  await form.getByLabel("Text", { exact: true }).fill("Hello {{name}}!\nHow can I help?");
  await form.getByLabel("Config, as JSON (optional)").fill("{");
  await accessible(page, "the form of a prompt");
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByText("The config is no JSON.").waitFor();
  await form.getByLabel("Config, as JSON (optional)").fill('{"model": "gpt-4o-mini"}');
  await form.getByRole("button", { name: "Save" }).click();

  await page.getByRole("heading", { name, level: 1 }).waitFor();
  const first = page.getByRole("region", { name: "Version 1" });
  await first.getByText("How can I help?").waitFor();
  await first.getByRole("button", { name: "Move production here" }).click();
  await first.locator(".badge", { hasText: "production" }).waitFor();

  await page.getByRole("button", { name: "Add a version" }).click();
  const change = page.getByRole("dialog", { name: `A version of ${name}` });
  await change.getByLabel("Text", { exact: true }).fill("Hi {{name}}!\nHow can I help?");
  await change.getByLabel("Why (optional)").fill("shorter");
  await change.getByRole("button", { name: "Save" }).click();
  const second = page.getByRole("region", { name: "Version 2" });
  await second.getByText("shorter").waitFor();
  const diff = page.getByRole("region", { name: "Difference of 1 and 2" });
  assert.equal(await diff.locator("del").first().textContent(), "Hello");
  assert.equal(await diff.locator("ins").first().textContent(), "Hi");
  await second.getByRole("button", { name: "Move production here" }).click();
  await second.locator(".badge", { hasText: "production" }).waitFor();
  assert.equal((await api(`/v1/prompts/${name}`)).data.version, 2);
  await second.getByLabel("Another label").fill("staging");
  await second.getByRole("button", { name: "Add the label" }).click();
  await second.getByRole("button", { name: "Take staging away" }).waitFor();
  await accessible(page, "a prompt");
  assert.deepEqual(problems, []);
  await context.close();
});

test("what each version did is beside it, and on a telephone nothing sticks out", async () => {
  const now = Date.now() / 1000 - 60;
  const events = [["trace_create", { id: run, name: "t" }, now]];
  for (let i = 0; i < 4; i++) {
    const version = i < 3 ? 1 : 2;
    events.push([
      "observation_create",
      {
        id: `${run}-${i}`,
        trace_id: run,
        name: "chat",
        type: "generation",
        model: "gpt-4o-mini",
        prompt_name: name,
        prompt_version: version,
        total_cost: 0.5,
        latency_ms: 1000,
        level: i === 0 ? "ERROR" : "DEFAULT",
        start_time: now,
      },
      now,
    ]);
    events.push([
      "quality_score_create",
      { id: `${run}-s${i}`, trace_id: run, observation_id: `${run}-${i}`, name: `good-${run}`, value: version / 2 },
      now,
    ]);
  }
  // Other things have more scores than the calls of this prompt.
  for (let i = 0; i < 40; i++)
    events.push([
      "quality_score_create",
      { id: `${run}-x${i}`, trace_id: run, name: `more-${i % 8}-${run}`, value: 1 },
      now,
    ]);
  await send(events, run);
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/prompts/${name}`);
  const table = page.getByRole("region", { name: "By version, table" });
  const row = table.getByRole("row").filter({ hasText: "1" }).filter({ hasText: "33" });
  await row.waitFor();
  const cells = await row.getByRole("cell").allTextContents();
  assert.equal(cells[0], "3");
  assert.match(cells[1], /33/);
  assert.match(cells[5], /1\.5/);
  assert.ok(cells.includes("0.5"), `the score of version 1: ${cells}`);
  await shot(page, "prompt");
  await table.getByRole("link", { name: /^1/ }).click();
  await page.getByText("chat").first().waitFor();
  assert.match(decodeURIComponent(page.url()), new RegExp(`filter=prompt:${name} prompt_version:1`));
  await page.setViewportSize(narrow);
  for (const path of ["/prompts", `/prompts/${name}`]) {
    await page.goto(url + path);
    await page.getByText(name).first().waitFor();
    assert.equal(await sticksOut(page), 0, path);
  }
  assert.deepEqual(problems, []);
  await context.close();
});

test("who may only read sees prompts and changes none; one is removed", async () => {
  const reader = await signedIn(browser, {}, readKey);
  await reader.page.goto(`${url}/prompts/${name}`);
  await reader.page.getByRole("region", { name: "Version 2" }).waitFor();
  assert.equal(await reader.page.getByRole("button", { name: "Add a version" }).count(), 0);
  assert.equal(await reader.page.getByRole("button", { name: /^Move/ }).count(), 0);
  await reader.context.close();
  const { context, page } = await signedIn(browser);
  await page.goto(`${url}/prompts/${name}`);
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByRole("heading", { name: "Prompts", level: 1 }).waitFor();
  assert.ok(!(await api("/v1/prompts")).data.some(p => p.name === name));
  await context.close();
});
