// Datasets and experiments: items are made of traces, of a file and by hand, changed and taken out, and two experiments are laid side by side.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { accessible, api, key, launch, readKey, send, shot, signedIn, sticksOut, until, url } from "./harness.mjs";

const run = randomUUID().slice(0, 8);
const environment = `datasets-${run}`;
const name = `questions ${run}`;
const post = (path, body) => api(path, { method: "POST", body: JSON.stringify(body) }).then(a => a.data);

let browser;
before(async () => {
  browser = await launch();
  await send(
    ["1", "2", "3"].map(n => [
      "trace_create",
      { id: `${run}-${n}`, name: "ask", environment, input: `question ${n}`, output: `answer ${n}` },
    ]),
    `${run}-3`,
  );
});
after(async () => {
  const remove = path => fetch(url + path, { method: "DELETE", headers: { "X-API-Key": key } });
  for (const d of (await api("/v1/datasets?limit=1000")).data)
    if (d.name.includes(run)) await remove(`/v1/datasets/${d.id}`);
  for (const x of (await api("/v1/experiments?limit=1000")).data)
    if (x.name.includes(run)) await remove(`/v1/experiments/${x.id}`);
  await browser.close();
});

test("traces become items of a new dataset, from their list and from the page of one", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/traces?environment=${environment}`);
  await page.getByRole("row", { name: /ask/ }).first().waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.getByText("2 selected").waitFor();
  await page.getByRole("button", { name: "Add to dataset…" }).click();
  const dialog = page.getByRole("dialog", { name: /Add 2 traces to a dataset/ });
  await dialog.getByLabel("Dataset", { exact: true }).selectOption({ label: "A new one…" });
  await dialog.getByLabel("Name of the new dataset").fill(name);
  await accessible(page, "adding to a dataset");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await dialog.getByText("2 added.").waitFor();
  await dialog.getByRole("button", { name: "Close", exact: true }).last().click();
  await page.goto(`${url}/traces/${run}-1`);
  await page.getByRole("tab", { name: /^Scores/ }).click();
  await page.getByRole("button", { name: "Add to dataset…" }).click();
  const one = page.getByRole("dialog", { name: "Add this trace to a dataset" });
  await one.getByLabel("Dataset", { exact: true }).selectOption({ label: name });
  await one.getByRole("button", { name: "Add", exact: true }).click();
  await one.getByText(/1 added|1 there already/).waitFor();
  const { data } = await api(`/v1/datasets/${encodeURIComponent(name)}/items`);
  assert.deepEqual(
    data.map(i => [i.source, i.input.replace(/\d/, "N"), i.expected.replace(/\d/, "N")]),
    data.map(() => ["trace", "question N", "answer N"]),
  );
  assert.ok(data.some(i => i.source_trace_id === `${run}-1`));
  assert.deepEqual(problems, []);
  await context.close();
});

test("a dataset is made of a file, whose wrong rows are named; an item is changed, and taken out", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/datasets`);
  await page.getByRole("button", { name: "New dataset" }).click();
  const form = page.getByRole("dialog", { name: "New dataset" });
  await form.getByLabel("Name", { exact: true }).fill(`${name} of a file`);
  await form.getByLabel(/^Items: a file/).setInputFiles({
    name: "rows.csv",
    mimeType: "text/csv",
    buffer: Buffer.from("id,input,expected\na,one,1\nb,two\nc,three,3\n"),
  });
  await accessible(page, "the form of a dataset");
  await form.getByRole("button", { name: "Make it" }).click();
  const told = page.getByRole("dialog", { name: "Some rows were not taken" });
  await told.getByText("line 3: it has 2 cells, and the head 3").waitFor();
  await told.getByRole("button", { name: "To the dataset" }).click();
  await page.getByRole("heading", { name: `${name} of a file` }).waitFor();
  await page.getByRole("button", { name: "c", exact: true }).click();
  const item = page.getByRole("dialog", { name: "Item c" });
  assert.equal(await item.getByLabel("Expected", { exact: true }).inputValue(), "3");
  await item.getByLabel(/^Input/).fill("three?");
  await item.getByRole("button", { name: "Save" }).click();
  await page.getByText("three?").waitFor();
  await page.getByRole("button", { name: "a", exact: true }).click();
  await page.getByRole("dialog", { name: "Item a" }).getByRole("button", { name: "Take it out" }).click();
  await page.getByRole("cell", { name: "one", exact: true }).waitFor({ state: "detached" });
  await page.getByText(/^1 item, version 3$/).waitFor();
  await page.getByLabel("Version").selectOption({ label: "Version 1: 2 items" });
  await page.getByRole("cell", { name: "one", exact: true }).waitFor();
  const of = `/v1/datasets/${encodeURIComponent(`${name} of a file`)}`;
  const { data } = await api(`${of}/items`);
  assert.deepEqual(
    data.map(i => [i.id, i.input, i.expected, i.source]),
    [["c", "three?", "3", "csv"]],
  );
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("heading", { name: "Datasets", exact: true }).waitFor();
  await until("it is deleted", async () => (await fetch(url + of, { headers: { "X-API-Key": key } })).status === 404);
  assert.deepEqual(problems, []);
  await context.close();
});

test("two experiments stand side by side: what got worse, what got better, and whether that is more than noise", async () => {
  const d = await post("/v1/datasets", { name: `${name} compared` });
  const items = Array.from({ length: 40 }, (_, i) => ({
    id: `i${i}`,
    input: `question ${i}`,
    expected: `answer ${i}`,
  }));
  await post(`/v1/datasets/${d.id}/items`, { items });
  const runs = [];
  for (const [which, right] of [
    ["before", i => i % 4 === 0],
    ["after", i => i % 4 !== 3 && i !== 8],
  ]) {
    const x = await post("/v1/experiments", { name: `${which} ${run}`, dataset_id: d.id, metadata: { model: which } });
    runs.push(x.id);
    await post(`/v1/experiments/${x.id}/items`, {
      items: items.map((it, i) => ({
        dataset_item_id: it.id,
        input: it.input,
        output: right(i) ? it.expected : "no idea",
        scores: [{ name: "exact", value: right(i) ? 1 : 0 }],
      })),
    });
    await api(`/v1/experiments/${x.id}`, { method: "PATCH", body: JSON.stringify({ status: "completed" }) });
  }
  await until(
    "the results can be queried",
    async () => (await api(`/v1/experiments/${runs[1]}`)).data.results === items.length,
  );
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/datasets/${d.id}`);
  await page.getByText(/exact 0\.250 ± 0\.1/).waitFor();
  await accessible(page, "a dataset");
  await shot(page, "dataset");
  await page.getByRole("checkbox", { name: new RegExp(`Compare before ${run}`) }).check();
  await page.getByRole("checkbox", { name: new RegExp(`Compare after ${run}`) }).check();
  await page.getByRole("link", { name: "Compare these two" }).click();
  await page.getByRole("heading", { name: "Compare two experiments" }).waitFor();
  const scores = page.getByRole("region", { name: "Scores of both, table" });
  await scores.getByText("B is better").waitFor();
  const cells = await scores.locator("tbody tr").first().locator("td, th").allTextContents();
  assert.deepEqual(
    [cells[0], cells[1], cells[2], cells[6], cells[7], cells[8]],
    ["exact", "0.2500", "0.7250", "40", "20", "1"],
  );
  const rows = page.getByRole("region", { name: "Items of both, table" });
  const first = await rows.locator("tbody tr").first().textContent();
  assert.match(first, /^i8Worse.*question 8.*exact 1.*answer 8.*exact 0.*no idea/);
  await page.getByLabel("Which items").selectOption({ label: "Better (20)" });
  await until("those that got better are shown", async () => (await rows.locator("tbody tr").count()) === 20);
  await page.getByRole("button", { name: "Swap" }).click();
  await scores.getByText("B is worse").waitFor();
  await page.getByLabel("Which items").selectOption({ label: "All items" });
  await until("all are shown", async () => (await rows.locator("tbody tr").count()) === 40);
  await accessible(page, "two experiments");
  await shot(page, "experiments");
  assert.deepEqual(problems, []);
  await context.close();
  for (const colorScheme of ["dark", "light"]) {
    const small = await signedIn(browser, { viewport: { width: 390, height: 844 }, colorScheme });
    await small.page.goto(`${url}/experiments?a=${runs[0]}&b=${runs[1]}`);
    await small.page.getByText("B is better").waitFor();
    assert.equal(await sticksOut(small.page), 0);
    await accessible(small.page, `two experiments, ${colorScheme}, on a telephone`);
    await shot(small.page, `experiments-narrow-${colorScheme}`);
    await small.context.close();
  }
});

test("who may only read sees datasets and changes nothing", async () => {
  const { context, page, problems } = await signedIn(browser, {}, readKey);
  await page.goto(`${url}/datasets`);
  await page.getByRole("link", { name, exact: true }).click();
  await page.getByRole("heading", { name, exact: true }).waitFor();
  await page.getByText("question").first().waitFor();
  for (const button of ["Add an item", "Delete…", "Import a file", "New dataset"])
    assert.equal(await page.getByText(button, { exact: true }).count(), 0, button);
  assert.deepEqual(problems, []);
  await context.close();
});
