// Two traces beside each other.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { accessible, launch, looks, send, signedIn, sticksOut, url } from "./harness.mjs";

const run = randomUUID().slice(0, 8);
const [one, two, long, longer] = ["one", "two", "long", "longer"].map(n => `compare-${n}-${run}`);
const begin = Date.now() / 1000 - 3600;

let browser;
before(async () => {
  browser = await launch();
  const trace = (id, steps, more) => {
    const events = [["trace_create", { id, name: "answer", output: "done", ...more }, begin]];
    steps.forEach((s, i) => {
      const start = begin + i;
      events.push([
        "observation_create",
        { id: `${id}-${i}`, trace_id: id, type: "generation", start_time: start, end_time: start + 0.5, ...s },
        start,
      ]);
    });
    return send(events, id);
  };
  const plan = { name: "plan", prompt_tokens: 10, completion_tokens: 10, total_cost: 0.001, output: "Look it up." };
  const say = { name: "say", model: "m-1", output: "The sky is <b>green</b> today." };
  await trace(one, [plan, { name: "look up", type: "tool" }, say]);
  await trace(two, [
    { ...plan, completion_tokens: 30, total_cost: 0.002 },
    { ...say, model: "m-2", output: "The sky is <b>blue</b> today." },
    { name: "check", type: "tool" },
  ]);
  const many = n => Array.from({ length: n }, (_, i) => ({ name: `step ${i % 37}`, type: "span" }));
  await trace(long, many(600));
  await trace(longer, many(640).slice(20));
});
after(() => browser.close());

const cells = row => row.locator("th, td").allInnerTexts();

test("steps are aligned, their numbers subtracted, and the words that differ are marked", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/traces/${one}`);
  await page.getByRole("link", { name: "Compare" }).click();
  await page.getByLabel("B", { exact: true }).fill(`${url}/traces/${two}?observation=x`);
  await page.keyboard.press("Enter");
  const steps = page.getByRole("region", { name: "Steps of both" });
  await steps.getByRole("button", { name: "plan" }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get("b"), two);
  const rows = steps.locator("tbody tr");
  const said = [];
  for (let i = 0; i < (await rows.count()); i++) said.push((await cells(rows.nth(i))).map(t => t.trim()));
  const names = said.map(r => r[0].replace(/\s+/g, " "));
  assert.deepEqual(names, ["the trace itself", "plan", "look up only in A", "say", "check only in B"]);
  assert.deepEqual(said[1].slice(4, 10), ["20", "40", "+20 (+100 %)", "$0.001", "$0.002", "+$0.001 (+100 %)"]);
  assert.deepEqual(said[2].slice(2, 4), ["", ""], "nothing is said of what is not there");
  assert.equal(said[3].at(-1), "output, model");
  await steps.getByRole("button", { name: "say" }).focus();
  await page.keyboard.press("Enter");
  const texts = page.getByRole("region", { name: "Texts of the chosen step" });
  assert.equal(await texts.locator("del").textContent(), "green");
  assert.equal(await texts.locator("ins").textContent(), "blue");
  await texts.getByText("<b>").first().waitFor();
  await accessible(page, "two traces");
  await page.getByRole("button", { name: "Swap" }).click();
  await page.waitForURL(u => u.searchParams.get("a") === two);
  await steps.getByText("only in A").first().waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});

test("hundreds of steps stay quick, also on a telephone in the dark", async t => {
  const { context, page, problems } = await signedIn(browser, looks[3]);
  await page.goto(`${url}/compare?a=${long}&b=${longer}`);
  const steps = page.getByRole("region", { name: "Steps of both" });
  await steps.getByRole("button", { name: "step 5" }).first().waitFor();
  t.diagnostic(await page.locator("p.muted.small").first().textContent());
  const before = await page.evaluate(() => performance.now());
  for (let i = 0; i < 20; i++) await page.keyboard.press("j");
  await steps.getByRole("button", { pressed: true }).waitFor();
  t.diagnostic(`20 steps by key in ${Math.round((await page.evaluate(() => performance.now())) - before)} ms`);
  assert.equal(await steps.locator("tbody tr.chosen").count(), 1);
  assert.equal(await sticksOut(page), 0);
  await accessible(page, "two long traces");
  assert.deepEqual(problems, []);
  await context.close();
});

test("a trace that is not there is said to be so", async () => {
  const { context, page } = await signedIn(browser);
  await page.goto(`${url}/compare?a=${one}&b=nowhere-${run}`);
  await page.getByRole("alert").waitFor();
  assert.ok(await page.getByLabel("A", { exact: true }).isVisible());
  await context.close();
});
