// Questions in SQL: asked by keys alone, drawn, saved, kept in the address, and what is wrong is said.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { accessible, launch, looks, readKey, send, shot, signedIn, sticksOut, url } from "./harness.mjs";

const run = randomUUID().slice(0, 8);

let browser;
before(async () => {
  browser = await launch();
  const now = Date.now() / 1000 - 7200;
  const events = [];
  for (let i = 0; i < 6; i++) {
    events.push([
      "observation_create",
      {
        id: `${run}-${i}`,
        trace_id: `${run}-t${i}`,
        name: run,
        type: "generation",
        model: i < 4 ? "a" : "b",
        start_time: now + i * 600,
        total_cost: 0.5,
      },
      now,
    ]);
  }
  await send(events, `${run}-t5`);
});
after(() => browser.close());

test("a question is asked by keys, has a table and a chart, and is in the address", async () => {
  const { context, page, problems } = await signedIn(browser, {}, readKey);
  await page.goto(`${url}/sql`);
  const field = page.getByLabel(/^One SELECT/);
  await field.focus();
  await page.keyboard.insertText(
    `select model, count(*) as calls, sum(counted_cost) as cost from observations where name = '${run}' group by 1 order by 1`,
  );
  await page.keyboard.press("Control+Enter");
  const table = page.getByRole("region", { name: "Answer, table" });
  await table.getByRole("row", { name: "a 4 2" }).waitFor();
  await table.getByRole("row", { name: "b 2 1" }).waitFor();
  await page.getByRole("region", { name: "Chart, table" }).getByRole("row", { name: "a 4" }).waitFor();
  assert.match(new URL(page.url()).searchParams.get("sql"), /group by 1/);
  await page.reload();
  await table.getByRole("row", { name: "a 4 2" }).waitFor();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "CSV" }).click();
  assert.equal((await saved).suggestedFilename(), "answer.csv");
  await accessible(page, "the answer in SQL");

  await field.fill(
    `select date_trunc('hour', start_time) as hour, count(*) as calls from observations where name = '${run}' group by 1 order by 1`,
  );
  await page.getByRole("button", { name: "Ask" }).click();
  await page.locator(".uplot canvas").waitFor();
  await page.goBack();
  await table.getByRole("row", { name: "a 4 2" }).waitFor();

  await field.fill("select * from nothing");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText(/there is no view "nothing"/).waitFor();
  await accessible(page, "an error in SQL");
  assert.deepEqual(
    problems.filter(p => !/400/.test(p)),
    [],
  );
  await context.close();
});

test("a question to begin with is chosen", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/sql`);
  await page
    .getByLabel("Questions to begin with")
    .selectOption({ label: "What did each model cost, and how often was it called?" });
  await page.getByRole("region", { name: "Answer, table" }).waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});

for (const look of looks) {
  test(`it fits: ${look.name}`, async () => {
    const { context, page, problems } = await signedIn(browser, {
      viewport: look.viewport,
      colorScheme: look.colorScheme,
    });
    await page.goto(
      `${url}/sql?sql=${encodeURIComponent(`select model, count(*) as calls, sum(counted_cost) as cost from observations where name = '${run}' group by 1 order by 1`)}`,
    );
    await page.getByRole("region", { name: "Answer, table" }).waitFor();
    assert.equal(await sticksOut(page), 0);
    await shot(page, `sql-${look.name}`);
    assert.deepEqual(problems, []);
    await context.close();
  });
}
