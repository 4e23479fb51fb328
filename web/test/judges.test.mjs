// Judges: made in the form, seen with what they have done, changed and removed; who may only read changes none.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { accessible, api, key, launch, narrow, readKey, shot, signedIn, sticksOut, url } from "./harness.mjs";

const name = `helpful-${randomUUID().slice(0, 8)}`;

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await fetch(`${url}/v1/judges/${name}`, { method: "DELETE", headers: { "X-API-Key": key } });
  await browser.close();
});

test("a judge is made, told what is wrong with it, changed and removed", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/alerts`);
  await page.getByRole("button", { name: "Add a judge" }).click();
  const form = page.getByRole("dialog", { name: "Add a judge" });
  await form.getByLabel("Name", { exact: true }).fill(name);
  await form.getByLabel("Which traces (a filter; empty: all)").fill(`name:nobody-${name}`);
  await form.getByLabel("Score", { exact: true }).fill("helpful");
  await form
    .getByLabel("Endpoint, in the shape of OpenAI's chat completions")
    .fill("http://127.0.0.1:1/v1/chat/completions");
  await form.getByLabel("Model", { exact: true }).fill("gpt-4o-mini");
  await form.getByLabel("US dollars a day, at most (empty: no bound)").fill("2");
  await accessible(page, "the form of a judge");
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByRole("alert").getByText("--judge-private").waitFor();
  await form
    .getByLabel("Endpoint, in the shape of OpenAI's chat completions")
    .fill("https://judge.invalid/v1/chat/completions");
  await form.getByLabel("Key (sent as a bearer token; not shown again)").fill("sk-secret");
  await form.getByRole("button", { name: "Save" }).click();

  const row = page.getByRole("listitem", { name, exact: true });
  await row.getByText("0 judged").waitFor();
  assert.match(
    await row.textContent(),
    /helpful of 100 ?% of name:nobody.* by gpt-4o-mini, today 0 of 1,?000 calls, .*0.* of \$2/,
  );
  await accessible(page, "judges");
  await shot(page, "judges");
  await row.getByRole("button", { name: `Change ${name}` }).click();
  const change = page.getByRole("dialog", { name: `Change ${name}` });
  await change.getByLabel("Its values").selectOption("BOOLEAN");
  await change.getByLabel("Share of these that is judged, 0 to 1").fill("0.25");
  await change.getByLabel("Disabled").check();
  await change.getByRole("button", { name: "Save" }).click();
  await row.locator(".badge", { hasText: "disabled" }).waitFor();
  const kept = await api(`/v1/judges/${name}`);
  assert.equal(kept.sample, 0.25);
  assert.equal(kept.score.data_type, "BOOLEAN");
  assert.equal(kept.key, "********", "the key stayed");
  assert.equal(kept.url, "https://judge.invalid/********");
  await page.setViewportSize(narrow);
  assert.equal(await sticksOut(page), 0);
  assert.deepEqual(
    problems.filter(p => !p.includes("400")),
    [],
  );
  await context.close();
});

test("who may only read sees them; one is removed", async () => {
  const reader = await signedIn(browser, {}, readKey);
  await reader.page.goto(`${url}/alerts`);
  await reader.page.getByRole("listitem", { name, exact: true }).waitFor();
  assert.equal(await reader.page.getByRole("button", { name: /judge/ }).count(), 0);
  await reader.context.close();
  const { context, page } = await signedIn(browser);
  await page.goto(`${url}/alerts`);
  const row = page.getByRole("listitem", { name, exact: true });
  await row.getByRole("button", { name: `Remove ${name}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await row.waitFor({ state: "detached" });
  assert.ok(!(await api("/v1/judges")).data.some(j => j.name === name));
  await context.close();
});
