// Budgets on the dashboard: what is on screen is what the API answers, in light and dark, wide and narrow.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { accessible, api, launch, looks, readKey, send, signedIn, sticksOut, until, url } from "./harness.mjs";

const run = randomUUID().slice(0, 8);
const environment = `budgets-${run}`;
const set = list => api("/v1/budgets", { method: "PUT", body: JSON.stringify(list) });
const status = async name => (await api("/v1/budgets")).status.find(b => b.name === name);

// spend sends a call of now; without usd its cost is not known.
const spend = (id, usd) =>
  send(
    [
      ["trace_create", { id: `${run}-${id}`, name: id, environment }],
      [
        "observation_create",
        {
          id: `${run}-${id}-o`,
          trace_id: `${run}-${id}`,
          environment,
          name: "reply",
          type: "generation",
          model: `model-${run}`,
          start_time: new Date().toISOString(),
          ...(usd ? { total_cost: usd } : {}),
        },
      ],
    ],
    `${run}-${id}`,
  );

let browser;
before(async () => {
  browser = await launch();
  await spend("a", 1.5);
  await spend("b");
  await set([
    { name: "over", period: "month", environment, warn: 0.5, stop: 1 },
    { name: "near", period: "day", tz: "Asia/Tokyo", environment, warn: 1, stop: 2 },
    { name: "within", period: "month", model: `model-${run}`, user_id: "<b>nobody</b>", stop: 100 },
  ]);
  await until("all budgets were looked at", async () => (await api("/v1/budgets")).status.every(b => b.at));
});
after(async () => {
  await set([]);
  await browser.close();
});

const rows = page =>
  page
    .getByLabel("Budgets, table")
    .locator("tbody tr")
    .evaluateAll(list => list.map(r => [...r.cells].map(c => c.textContent)));

for (const look of looks) {
  test(`budgets, ${look.name}: what was spent, which levels are reached, and that one is used up`, async () => {
    const { context, page, problems } = await signedIn(browser, look, readKey);
    await page.goto(`${url}/dashboard?environment=${environment}`);
    await page.locator(".tile").first().waitFor();
    const found = await rows(page);
    assert.deepEqual(
      found.map(r => r.slice(1)),
      [
        ["stop", "≥ $1.50", "$0.500", "$1.00", "1"],
        ["warn", "≥ $1.50", "$1.00", "$2.00", "1"],
        ["–", "$0", "–", "$100", "0"],
      ],
    );
    assert.ok(found[0][0].startsWith(`overenvironment ${environment}, `), found[0][0]);
    assert.ok(found[1][0].endsWith("(Asia/Tokyo)"), found[1][0]);
    assert.ok(found[2][0].includes(`user <b>nobody</b>, model model-${run}`), found[2][0]);
    const alert = page.getByRole("alert");
    assert.equal(await alert.locator("p").first().textContent(), "Budget over: ≥ $1.50 of $1.00 spent this month.");
    assert.equal(await alert.locator("p").count(), 2, "only what is used up, and what that means");
    const fills = await page
      .locator(".budgets .share")
      .evaluateAll(bars =>
        bars.map(b => b.querySelector(".share-fill").offsetWidth / b.querySelector(".share-track").offsetWidth),
      );
    assert.ok(fills[0] > 0.99 && fills[1] > 0.7 && fills[1] < 0.8 && fills[2] < 0.01, `bars ${fills}`);
    const cost = page.locator(".tile", { has: page.getByText("Cost", { exact: true }) });
    assert.match(await cost.textContent(), /\$1\.50.*1 calls without a price/);
    await accessible(page, `budgets, ${look.name}`);
    await until("nothing sticks out", async () => (await sticksOut(page)) === 0);
    assert.deepEqual(problems, []);
    await context.close();
  });
}

test("a budget leads to what it counts, and tables are saved as CSV", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/dashboard`);
  await page.getByRole("link", { name: "over" }).click();
  const of = await status("over");
  await page.waitForURL(
    u => u.searchParams.get("environment") === environment && u.searchParams.get("from") === of.period_start,
  );
  await page.getByText("$1.50", { exact: true }).first().waitFor();
  const saved = async name => {
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
    return readFileSync(await file.path(), "utf8")
      .trimEnd()
      .split("\r\n");
  };
  const budgets = await saved("Budgets as CSV");
  assert.equal(budgets.length, 4);
  assert.equal(budgets[0].split(",").slice(0, 7).join(), "name,user_id,model,environment,key_id,key_name,period");
  assert.ok(budgets[1].includes(",0.5,1,1.5,1,false,stop,"), budgets[1]);
  const models = await saved("By model as CSV");
  assert.match(models[0], /^model,cost,cost_cached,cost_input,cost_output,count,.*,unpriced_count$/);
  const cells = Object.fromEntries(models[0].split(",").map((name, i) => [name, models[1].split(",")[i]]));
  assert.deepEqual([cells.model, cells.count, cells.cost, cells.unpriced_count], [`model-${run}`, "2", "1.5", "1"]);
  assert.deepEqual(problems, []);
  await context.close();
});

test("a budget of a key has the key's name, in the table and where it is used up", async () => {
  const list = (await api("/v1/budgets")).budgets;
  const [key] = (await api("/v1/keys")).data;
  await set([{ name: "keyed", period: "month", key_id: key.id, stop: 1 }]);
  await until("it was looked at", async () => (await status("keyed"))?.at);
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/dashboard?environment=${environment}`);
  await page.locator(".tile").first().waitFor();
  const [row] = await rows(page);
  assert.ok(row[0].startsWith(`keyedkey ${key.name || key.id}, `), row[0]);
  if ((await status("keyed")).reached === "stop") {
    const told = await page.getByRole("alert").locator("p").first().textContent();
    assert.ok(told.startsWith(`Budget keyed of the key ${key.name || key.id}: `), told);
  }
  assert.deepEqual(problems, []);
  await context.close();
  await set(list);
});

test("what is spent and what is set is seen without a reload; without budgets there is nothing", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.clock.install();
  await page.goto(`${url}/dashboard?environment=${environment}`);
  await page.getByLabel("Budgets, table").waitFor();
  await set([]);
  await page.clock.fastForward(31_000);
  await page.getByLabel("Budgets, table").waitFor({ state: "detached" });
  assert.equal(await page.getByRole("alert").count(), 0);
  await page.route("**/v1/budgets", r =>
    r.fulfill({ status: 503, json: { error: { code: "unavailable", message: "not now" } } }),
  );
  await page.goto(`${url}/dashboard?environment=${environment}`);
  await page.getByText("not now").waitFor();
  await page.locator(".tile").first().waitFor();
  assert.equal(problems.length, 1, "the 503 alone");
  await context.close();
});
