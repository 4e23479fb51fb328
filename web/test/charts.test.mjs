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
    if (c.name.includes(run))
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

test("the period before stands beside this one, with what has changed in words", async () => {
  const own = `before-${run}`;
  const now = Date.now();
  const of = (i, ago, cost, seconds) => [
    [
      "trace_create",
      {
        id: `${own}-${i}`,
        name: "x",
        environment: own,
        start_time: now / 1000 - ago,
        end_time: now / 1000 - ago + seconds,
      },
    ],
    [
      "observation_create",
      {
        id: `${own}-${i}-o`,
        trace_id: `${own}-${i}`,
        type: "generation",
        name: "call",
        model: i % 2 ? "m-odd" : "m-even",
        environment: own,
        start_time: now / 1000 - ago,
        end_time: now / 1000 - ago + seconds,
        total_cost: cost,
      },
    ],
  ];
  // Six hours: three traces now, two in the six hours before, one before that.
  const ago = h => h * 3600;
  const all = [
    of(0, ago(1), 1, 3),
    of(1, ago(2), 1, 3),
    of(2, ago(3), 1, 3),
    of(3, ago(7), 2, 2),
    of(4, ago(8), 4, 2),
    of(5, ago(14), 8, 2),
  ];
  await send(all.flat(), `${own}-5`);
  const chart = `Own ${own}`;
  await api(`/v1/charts/${encodeURIComponent(chart)}`, {
    method: "PUT",
    body: JSON.stringify({ question: "of=observations&metrics=cost&group_by=model", look: "table" }),
  });
  for (const look of looks) {
    const { context, page, problems } = await signedIn(browser, look);
    await page.goto(`${url}/dashboard?environment=${own}&range=6h`);
    const tile = name => page.locator(".tile", { has: page.getByText(name, { exact: true }) });
    await tile("Traces").waitFor();
    assert.equal(await page.locator(".tile-change").count(), 0);
    await page.getByRole("button", { name: "Previous period" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(u => u.searchParams.get("beside") === "previous");
    await tile("Traces").getByText("50 % more").waitFor();
    assert.match(await tile("Cost").locator(".tile-change").textContent(), /▼ 50 % less/);
    assert.equal(await tile("Cost").locator(".tile-change").getAttribute("title"), "Before: $6.00");
    assert.match(await tile("Latency p50").textContent(), /50 % longer/);
    assert.match(await tile("Failed traces").textContent(), /the same as before/);
    const card = page.getByRole("region", { name: "Traces", exact: true });
    await card.getByRole("button", { name: "Table" }).click();
    const rows = await card.locator("tbody tr").evaluateAll(all => all.map(r => [...r.cells].map(c => c.textContent)));
    assert.deepEqual(await card.locator("thead th").allTextContents(), ["Time", "not failed", "failed", "before"]);
    const before = rows.map(r => r[3]).filter(n => n !== "–" && n !== "0");
    assert.deepEqual(before, ["1", "1"], "those of the six hours before");
    const table = page.getByRole("region", { name: `${chart}, table` });
    await table.getByRole("row", { name: /^m-even \$2\.00 \$4\.00 ▼ 50 % less$/ }).waitFor();
    await accessible(page, `the period before, ${look.name}`);
    assert.equal(await sticksOut(page), 0);
    await page.goto(`${url}/dashboard?environment=${own}&range=all&beside=previous`);
    await tile("Traces").waitFor();
    assert.ok(
      await page.getByRole("button", { name: "Previous period" }).isDisabled(),
      "all time has nothing before it",
    );
    assert.equal(await page.locator(".tile-change").count(), 0);
    assert.deepEqual(problems, []);
    await context.close();
  }
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
