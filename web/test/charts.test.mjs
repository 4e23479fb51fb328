// Charts: own ones, what their legends, axes and bars do.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { accessible, api, key, launch, looks, readKey, send, signedIn, sticksOut, until, url } from "./harness.mjs";

const run = randomUUID().slice(0, 8);
const environment = `charts-${run}`;
const name = `Cost by user ${run}`;
const score = `clear, short ${run}`; // needs to be written in a list of metrics

let browser;
before(async () => {
  browser = await launch();
  const now = Date.now() / 1000;
  const events = [];
  for (let i = 0; i < 12; i++) {
    const id = `charts-${run}-${i}`;
    const start = now - 7000 + i * 400;
    events.push(["trace_create", { id, name: `t${i}`, user_id: i % 2 ? "ada" : "bob", environment }, start]);
    events.push([
      "observation_create",
      {
        id: `${id}-o`,
        trace_id: id,
        name: "chat",
        type: "generation",
        environment,
        user_id: i % 2 ? "ada" : "bob",
        model: "m",
        start_time: start,
        end_time: start + (i === 5 ? 3000 : 1),
        total_cost: 0.5,
      },
      start,
    ]);
  }
  for (const [i, value] of [
    [0, 0.25],
    [1, 0.75],
  ])
    events.push(["quality_score_create", { id: `${run}-s${i}`, trace_id: `charts-${run}-${i}`, name: score, value }]);
  await send(events, `charts-${run}-11`);
});
after(async () => {
  for (const c of (await api("/v1/charts")).data) {
    if (c.name.endsWith(run))
      await fetch(`${url}/v1/charts/${encodeURIComponent(c.name)}`, {
        method: "DELETE",
        headers: { "X-API-Key": key },
      });
  }
  await browser.close();
});

test("an own chart is made, drawn from the API's numbers, changed and removed", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/dashboard?environment=${environment}&range=24h`);
  await page.getByRole("button", { name: "Add a chart" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("What", { exact: true }).selectOption({ label: "cost" });
  await page.getByLabel("By", { exact: true }).selectOption("user_id");
  await page.getByLabel("As", { exact: true }).selectOption({ label: "bars" });
  await accessible(page, "the form of a chart");
  await page.getByRole("button", { name: "Save" }).click();
  const card = page.getByRole("region", { name, exact: true });
  await card.getByRole("button", { name: /^ada/ }).waitFor();
  assert.deepEqual((await card.locator(".legend li").allTextContents()).sort(), ["ada$3.00", "bob$3.00"]);
  const saved = (await api("/v1/charts")).data.find(c => c.name === name);
  assert.equal(saved.question, `filter=env%3A${environment}&of=observations&metrics=cost&group_by=user_id`);

  await card.getByRole("button", { name: /^bob/ }).click();
  await card.getByRole("button", { name: /^bob/, pressed: false }).waitFor();
  await card.getByRole("button", { name: "Table" }).click();
  const heads = await card.locator("thead th").allTextContents();
  assert.deepEqual(heads, ["Time", "ada"], "the table has what the chart shows");
  await card
    .locator("tbody tr", { hasText: /\$[1-9]|\$0\.5/ })
    .first()
    .locator("a")
    .click();
  await page.waitForURL(u => u.pathname === "/observations" && u.searchParams.get("filter") === `env:${environment}`);
  await page.locator(".row-link").first().waitFor();
  await page.goBack();

  await page.getByRole("button", { name: `Change the chart ${name}` }).click();
  await page.getByLabel("As", { exact: true }).selectOption({ label: "a table" });
  await page.getByRole("button", { name: "Save" }).click();
  await page
    .getByRole("region", { name: `${name}, table` })
    .getByRole("row", { name: "ada $3.00" })
    .waitFor();
  await accessible(page, "own charts");
  await page.getByRole("button", { name: `Change the chart ${name}` }).click();
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await until("it is gone", async () => !(await api("/v1/charts")).data.some(c => c.name === name));
  await page.getByRole("region", { name, exact: true }).waitFor({ state: "detached" });
  assert.deepEqual(problems, []);
  await context.close();
});

test("a chart is of a score, and has the filter of the dashboard beside its own", async () => {
  const { context, page, problems } = await signedIn(browser);
  const mean = `Mean ${run}`;
  await page.goto(`${url}/dashboard?environment=${environment}&range=24h`);
  await page.getByRole("button", { name: "Add a chart" }).click();
  await page.getByLabel("Name", { exact: true }).fill(mean);
  await page.getByLabel("Of", { exact: true }).selectOption("traces");
  await page.getByLabel("What", { exact: true }).selectOption({ label: "mean of a score" });
  await page.getByLabel("Name of the score").fill(score);
  await page.getByLabel("By", { exact: true }).selectOption("user_id");
  await page.getByLabel("As", { exact: true }).selectOption({ label: "a table" });
  await page.getByRole("button", { name: "Save" }).click();
  const table = page.getByRole("region", { name: `${mean}, table` });
  await table.getByRole("row", { name: "ada 0.75" }).waitFor();
  await table.getByRole("row", { name: "bob 0.25" }).waitFor();
  await page.getByRole("button", { name: `Change the chart ${mean}` }).click();
  assert.equal(await page.getByLabel("Name of the score").inputValue(), score);
  await page.getByRole("button", { name: "Save" }).click();
  await page.goto(`${url}/dashboard?filter=user%3Aada&range=24h`);
  await table.getByRole("row", { name: "ada 0.75" }).waitFor();
  assert.equal(await table.locator("tbody tr").count(), 1, "bob is not of the dashboard's filter");
  assert.deepEqual(problems, []);
  await context.close();
});

test("one that took long does not flatten the others: the axis can be logarithmic, or cut", async () => {
  const { context, page, problems } = await signedIn(browser, looks[3]);
  await page.goto(`${url}/dashboard?environment=${environment}&range=6h`);
  const card = page.getByRole("region", { name: "Latency", exact: true });
  await card.locator("canvas").waitFor();
  const pixels = () => card.locator("canvas").evaluate(c => c.toDataURL());
  const linear = await pixels();
  await card.getByRole("button", { name: "Log" }).click();
  await until("it is drawn on another axis", async () => (await pixels()) !== linear);
  const logarithmic = await pixels();
  await card.getByRole("button", { name: "Log" }).click();
  await card.getByRole("button", { name: "Cut" }).click();
  await until("it is cut", async () => ![linear, logarithmic].includes(await pixels()));
  assert.equal(await sticksOut(page), 0);
  await accessible(page, "charts with other axes");
  assert.deepEqual(problems, []);
  await context.close();
});

test("a click on a bar leads to the traces behind it; who may only read makes no charts", async () => {
  const { context, page, problems } = await signedIn(browser, {}, readKey);
  await page.goto(`${url}/dashboard?environment=${environment}&range=24h`);
  const card = page.getByRole("region", { name: "Traces", exact: true });
  await card.locator("canvas").waitFor();
  assert.equal(await page.getByRole("button", { name: "Add a chart" }).count(), 0);
  const box = await card.locator(".u-over").boundingBox();
  await page.mouse.click(box.x + box.width - 12, box.y + box.height / 2);
  await page.waitForURL(u => u.pathname === "/traces" && u.searchParams.has("from"));
  assert.equal(new URL(page.url()).searchParams.get("filter"), `env:${environment}`);
  assert.deepEqual(problems, []);
  await context.close();
});
