// The bar of filters: one line for the grammar, the same as the chips and the address; and texts in lists.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { accessible, all, api, launch, looks, send, shot, signedIn, sticksOut, until, url } from "./harness.mjs";

const run = randomUUID().slice(0, 8);
const env = `f${run}`;
const word = `quokka${run}`;

let browser;
before(async () => {
  browser = await launch();
  const payload = more => ({ environment: env, ...more });
  await send(
    [
      [
        "trace_create",
        payload({
          id: `${run}-1`,
          name: "Check one",
          user_id: "u 1",
          input: `before the ${word} <b>and</b> after`,
          metadata: { tier: "gold" },
        }),
      ],
      [
        "observation_create",
        payload({
          id: `${run}-o1`,
          trace_id: `${run}-1`,
          name: "charge",
          type: "tool",
          level: "ERROR",
          latency_ms: 2500,
          status_message: "declined",
        }),
      ],
      [
        "trace_create",
        payload({ id: `${run}-2`, name: "pay", user_id: "u2", input: "nothing of it", output: "an end" }),
      ],
      [
        "observation_create",
        payload({
          id: `${run}-o2`,
          trace_id: `${run}-2`,
          name: "answer",
          type: "generation",
          model: "m-1",
          latency_ms: 90,
          total_cost: 2,
          input: `also ${word}`,
        }),
      ],
      ["trace_create", payload({ id: `${run}-3`, name: "third" })],
    ],
    `${run}-3`,
  );
});
after(() => browser.close());

const hrefs = page =>
  page.locator(".row .row-link").evaluateAll(links => links.map(a => decodeURIComponent(a.pathname.split("/")[2])));
const ids = numbers => numbers.map(n => `${run}-${n}`);

async function at(path, options) {
  const opened = await signedIn(browser, options);
  await opened.page.goto(url + path);
  return opened;
}

const shows = (page, want) =>
  until(`the rows are ${want}`, async () => (await hrefs(page)).sort().join() === ids(want).sort().join());

test("a line of the grammar is typed, completed, changed and taken back by keys alone", async () => {
  const { context, page, problems } = await at(`/traces?range=all&environment=${env}`);
  await shows(page, [1, 2, 3]);
  await page.keyboard.press("/");
  await page.keyboard.type("typ");
  await page.getByRole("option", { name: /^type:/ }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const line = page.getByRole("combobox");
  assert.equal(await line.inputValue(), "type:");
  const tool = page.getByRole("option", { name: /^tool/ });
  await tool.waitFor();
  assert.equal((await tool.textContent()).trim(), "tool1", "the count is of what the other terms leave");
  await page.keyboard.type("to");
  await until(
    "generation is no suggestion any more",
    async () => (await page.getByRole("option", { name: /^generation/ }).count()) === 0,
  );
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  await shows(page, [1]);
  assert.equal(new URL(page.url()).searchParams.get("filter"), `env:${env} type:tool`);
  assert.equal(
    new URL(page.url()).searchParams.has("environment"),
    false,
    "what addresses had before is in the filter now",
  );
  await page.keyboard.press("Backspace"); // the last term comes back to be changed
  assert.equal(await line.inputValue(), "type:tool");
  await page.keyboard.press("Home");
  await page.keyboard.type("-");
  await page.keyboard.press("Enter");
  await shows(page, [2, 3]);
  await page.keyboard.type("name:*A* -has:error");
  await page.keyboard.press("Enter");
  await shows(page, [2]);
  await page.reload();
  await shows(page, [2]);
  await page.getByRole("button", { name: "Remove the filter name:*A*" }).focus();
  await page.keyboard.press("Enter");
  await shows(page, [2, 3]);
  await page.goBack();
  await shows(page, [2]);
  await page.getByRole("button", { name: "Clear" }).click();
  await page.waitForURL(u => !u.searchParams.has("filter"));
  assert.deepEqual(problems, []);
  await context.close();
});

test("what cannot be read is said with its place, and nothing else is", async () => {
  const { context, page, problems } = await at(
    `/traces?range=all&filter=${encodeURIComponent(`env:${env} levle:error`)}`,
  );
  const alert = page.getByRole("alert");
  await alert.waitFor();
  assert.equal(await page.getByRole("alert").count(), 1);
  assert.match(await alert.textContent(), /levle.*there is no field "levle".*Expected: level\./);
  assert.equal(await alert.locator("mark").textContent(), "levle");
  assert.equal(await page.locator(".chip-wrong").textContent(), "levle:error");
  await accessible(page, "a filter that is wrong");
  await page.getByRole("button", { name: "Change the filter levle:error" }).click();
  await page.getByRole("combobox").fill("level:error");
  await page.keyboard.press("Enter");
  await shows(page, [1]);
  assert.equal(await page.getByRole("alert").count(), 0);
  assert.deepEqual(
    problems.filter(p => !p.includes("400")),
    [],
  );
  await context.close();
});

test("a value of a list is a click away from a filter, and a key", async () => {
  const { context, page, problems } = await at(`/traces?range=all&filter=env:${env}`);
  await shows(page, [1, 2, 3]);
  const cell = page.locator(".row", { hasText: "Check one" }).getByRole("gridcell", { name: /^u 1/ });
  await cell.hover();
  await cell.getByRole("button", { name: 'Filter by user:"u 1"' }).click();
  await shows(page, [1]);
  await page.goBack();
  await shows(page, [1, 2, 3]);
  await page.locator(".row", { hasText: "pay" }).focus();
  await page.keyboard.press("f");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "name:pay", exact: true }).waitFor();
  await accessible(page, "the values of a row");
  await dialog.getByRole("button", { name: "not name:pay" }).click();
  await shows(page, [1, 3]);
  assert.equal(new URL(page.url()).searchParams.get("filter"), `env:${env} -name:pay`);
  assert.deepEqual(problems, []);
  await context.close();
});

test("lists show what went in and out, and words that were searched for are marked, as text", async () => {
  const { context, page, problems } = await at(`/traces?range=all&filter=${encodeURIComponent(`env:${env} ${word}`)}`);
  await shows(page, [1, 2]);
  await page.locator(".row mark").first().waitFor();
  assert.deepEqual(await page.locator(".row mark").allTextContents(), [word, word]);
  await page.getByText(`before the ${word} <b>and</b> after`).waitFor();
  await page.goto(`${url}/traces?range=all&filter=env:${env}`);
  await page.getByText("nothing of it").waitFor();
  await page.getByText("an end").waitFor();
  assert.equal(await page.locator(".row mark").count(), 0);
  assert.deepEqual(problems, []);
  await context.close();
});

test("observations are a list of their own: slowest calls, failed tools, dearest prompts", async () => {
  const { context, page, problems } = await at("/traces");
  await page.getByRole("link", { name: "Observations" }).click();
  await page.waitForURL(u => u.pathname === "/observations");
  await page.locator(".row").first().waitFor();
  for (const [name, query] of [
    ["Slowest calls", "filter=has:model&sort=-latency_ms"],
    ["Dearest prompts", "filter=has:cost&sort=-total_cost"],
    ["Failed tools", `filter=${encodeURIComponent("type:tool level:error")}&sort=-start_time`],
  ]) {
    await page.getByRole("button", { name }).click();
    const range = new URL(page.url()).searchParams.get("range") ?? "24h";
    assert.equal(range, "24h");
    const from = new Date(Date.now() - 86_400_000).toISOString();
    const want = (await all(`/v1/observations?${query}&from=${from}`)).slice(0, 5).map(o => o.name || o.id);
    await until(`${name} are those of the API`, async () => {
      const got = await page.locator(".row .row-link").allTextContents();
      return got.slice(0, 5).join() === want.join();
    });
    assert.equal(await page.getByRole("button", { name }).getAttribute("aria-pressed"), "true");
  }
  await page.goto(`${url}/observations?range=all&filter=env:${env}`);
  await page.getByText("declined").waitFor();
  await page.locator(".row", { hasText: "charge" }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(u => u.pathname === `/traces/${run}-1` && u.searchParams.get("observation") === `${run}-o1`);
  assert.deepEqual(problems, []);
  await context.close();
});

for (const look of looks) {
  test(`the bar and the list of observations, ${look.name}`, async () => {
    const { context, page, problems } = await at(
      "/observations?range=all&filter=type:tool+-level:error+has:user",
      look,
    );
    await page.locator(".row").first().waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("l");
    await page.getByRole("option").first().waitFor();
    await page.keyboard.press("ArrowDown");
    await shot(page, `filters-${look.name}`);
    await accessible(page, `the bar with its list, ${look.name}`);
    assert.equal(await sticksOut(page), 0, "nothing sticks out");
    assert.deepEqual(problems, []);
    await context.close();
  });
}

test("the page asks for what the bar says, and no more often than it must", async () => {
  const { context, page } = await signedIn(browser);
  const asked = [];
  page.on("request", r => {
    if (r.url().includes("/v1/traces?")) asked.push(new URL(r.url()).searchParams);
  });
  await page.goto(`${url}/traces?range=all&filter=env:${env}`);
  await shows(page, [1, 2, 3]);
  await page.getByText("an end").waitFor();
  const lists = asked.filter(q => q.get("limit") === "100");
  assert.deepEqual(
    lists.map(q => [q.get("filter"), q.get("previews")]),
    [
      [`env:${env}`, null],
      [`env:${env}`, "true"],
    ],
  );
  assert.equal((await api(`/v1/traces?filter=env:${env}`)).data.length, 3);
  await context.close();
});
