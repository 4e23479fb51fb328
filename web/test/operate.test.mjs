// Ingest and Settings: the audit says what happened, keys are made and revoked.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { accessible, api, key, launch, narrow, readKey, signedIn, sticksOut, until, url } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const number = async (page, title) => {
  const text = await page.locator(".audit-number", { hasText: title }).locator("strong").textContent();
  return Number(text.replaceAll(",", ""));
};

test("the audit counts what is sent: accepted, twice, refused, and why", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/ingest`);
  await page.locator(".audit-number").first().waitFor();
  const before = {
    accepted: await number(page, "Accepted"),
    duplicates: await number(page, "Duplicates"),
    failed: await number(page, "Failed"),
  };
  const id = `audit-${randomUUID()}`;
  const good = { event_id: id, event_type: "trace_create", payload: { id, name: "audited" } };
  const bad = { event_id: `${id}-bad`, event_type: "no_such_type", payload: { id } };
  await api("/v1/telemetry/batch", { method: "POST", body: JSON.stringify({ events: [good, bad] }) });
  await api("/v1/telemetry/batch", { method: "POST", body: JSON.stringify({ events: [good] }) });
  await until("the page has counted them without a reload", async () => {
    const failed = await number(page, "Failed");
    return failed >= before.failed + 1 && (await number(page, "Duplicates")) >= before.duplicates + 1;
  });
  assert.ok((await number(page, "Accepted")) >= before.accepted + 1);
  const audit = await api("/v1/telemetry/audit");
  assert.equal(await number(page, "Failed"), audit.failed_events);
  await page.getByRole("button", { name: /unknown_event_type/ }).click();
  await page.locator(".audit-examples").getByText(`${id}-bad`).waitFor();
  await accessible(page, "ingest with an open reason");
  assert.deepEqual(problems, []);
  await context.close();
});

test("requests that were refused whole are listed: a wrong path, a wrong key", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/ingest`);
  const table = page.getByRole("region", { name: "Refused requests, table" });
  await page.getByRole("heading", { name: "Refused requests" }).waitFor();
  const shown = () =>
    table.locator("tbody tr").evaluateAll(rows => rows.map(r => [...r.cells].map(c => c.textContent)));
  const times = async (...has) => {
    const row = (await shown()).find(cells => has.every(text => cells.some(c => c.includes(text))));
    return row ? Number(row[1].replaceAll(",", "")) : 0;
  };
  const path = ["POST", "/v1/telemetry/…", "404", "not_found", "brokle-python", "one of this project"];
  const wrong = ["POST", "/v1/telemetry/batch", "401", "brokle-js", "none that is known"];
  const before = [await times(...path), await times(...wrong)];
  const post = (to, key_, client) =>
    fetch(url + to, {
      method: "POST",
      headers: { "X-API-Key": key_, "Content-Type": "application/json", "User-Agent": client },
      body: '{"events":[]}',
    }).then(res => res.status);
  assert.equal(await post("/v1/telemetry/batches/mine", key, "brokle-python/0.2.9"), 404);
  assert.equal(await post("/v1/telemetry/batches/mine", key, "brokle-python/0.2.9"), 404);
  assert.equal(await post("/v1/telemetry/batch", "bk_made_up_0123456789abcdef", "brokle-js/0.1"), 401);
  await until("the page shows them without a reload", async () => {
    return (await times(...path)) === before[0] + 2 && (await times(...wrong)) === before[1] + 1;
  });
  assert.ok(!(await table.textContent()).includes("mine"), "nothing that a client made up is shown");
  await page.setViewportSize(narrow);
  await until("nothing sticks out, once charts have followed the window", async () => (await sticksOut(page)) === 0);
  await accessible(page, "refused requests");
  assert.deepEqual(problems, []);
  await context.close();
});

test("a project of which nothing was refused is told so", async () => {
  const { context, page, problems } = await signedIn(browser, {}, readKey); // sees no callers that are unknown
  const none = { data: [], next_cursor: null };
  await page.route("**/v1/ingest/refused", r => r.fulfill({ json: none }));
  await page.goto(`${url}/ingest`);
  await page.getByText("No request was refused").waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});

test("the chart of stored events agrees with the API, and is looked at closer", async () => {
  const { context, page } = await signedIn(browser);
  await page.goto(`${url}/ingest?range=all`);
  await page.locator(".audit-types li").first().waitFor();
  const rows = (await api("/v1/stats?of=events&metrics=count&group_by=event_type")).data;
  const shown = await page.locator(".audit-types li").allTextContents();
  assert.deepEqual(shown.map(s => s.replaceAll(",", "")).sort(), rows.map(r => `${r.event_type} ${r.count}`).sort());
  await page.goto(`${url}/ingest?range=24h`);
  const box = await page.locator(".audit .u-over").boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 22, { steps: 6 });
  await page.mouse.up();
  await page.waitForURL(u => u.searchParams.has("from") && u.searchParams.has("to"));
  await context.close();
});

test("an event is looked up by its id", async () => {
  const id = `looked-up-${randomUUID()}`;
  const event = { event_id: id, event_type: "trace_create", payload: { id, name: "looked up" } };
  await api("/v1/telemetry/batch", { method: "POST", body: JSON.stringify({ events: [event] }) });
  const { context, page } = await signedIn(browser);
  await page.goto(`${url}/ingest`);
  await page.getByLabel("Event id").fill(id);
  await page.keyboard.press("Enter");
  await page.locator(".audit-lookup .badge", { hasText: "stored" }).waitFor();
  await page.getByLabel("Event id").fill("<img src=x onerror=window.owned=1>");
  await page.keyboard.press("Enter");
  await page.getByText("never came to this project").waitFor();
  assert.equal(await page.evaluate(() => window.owned), undefined);
  await context.close();
});

test("a key is made, shown once, works, and is revoked", async () => {
  const { context, page, problems } = await signedIn(browser);
  const name = `page-${randomUUID().slice(0, 8)} <b>x</b>`;
  await page.goto(`${url}/settings`);
  await page.getByRole("button", { name: "Create a key" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel(/^read/).check();
  await accessible(page, "create a key");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  const secret = await page.locator(".key-secret code").textContent();
  assert.match(secret, /^bk_/);
  await accessible(page, "the new key");
  await page.getByRole("button", { name: "I have it" }).click();
  await page.locator(".key-row", { hasText: name }).waitFor();
  assert.ok(!(await page.content()).includes(secret), "the secret is gone from the page");
  await page.reload();
  await page.locator(".key-row", { hasText: name }).waitFor();
  assert.ok(!(await page.content()).includes(secret), "the secret does not come back");
  const status = async () => (await fetch(`${url}/v1/traces?limit=1`, { headers: { "X-API-Key": secret } })).status;
  assert.equal(await status(), 200);
  await page.getByRole("button", { name: `Revoke ${name}` }).click();
  await accessible(page, "revoke a key");
  await page.getByRole("button", { name: "Keep it" }).click();
  assert.equal(await status(), 200, "nothing happens before it is confirmed");
  await page.getByRole("button", { name: `Revoke ${name}` }).click();
  await page.getByRole("button", { name: "Revoke the key" }).click();
  await page.locator(".key-row", { hasText: name }).getByText("revoked", { exact: true }).waitFor();
  await until("the key is refused", async () => (await status()) === 401);
  assert.deepEqual(problems, []);
  await context.close();
});

test("a key without the scope admin is told so, and nothing fails", async () => {
  const { context, page, problems } = await signedIn(browser, {}, readKey);
  await page.goto(`${url}/settings`);
  await page.getByText("This key may not manage keys").waitFor();
  assert.equal(await page.getByRole("button", { name: "Create a key" }).count(), 0);
  await accessible(page, "settings without admin");
  assert.deepEqual(problems, []);
  await context.close();
});

test("settings: the block for a coding agent names this server", async () => {
  const { context, page, problems } = await signedIn(browser, {}, readKey);
  await page.goto(`${url}/settings`);
  const block = page.getByRole("region", { name: /^Settings of/ });
  assert.equal(JSON.parse(await block.textContent()).mcpServers.brokle.url, `${url}/mcp`);
  await page.getByRole("button", { name: "Codex" }).click();
  await page.getByRole("region", { name: "Settings of Codex" }).waitFor();
  assert.match(await block.textContent(), /bearer_token_env_var = "BROKLE_API_KEY"/);
  await accessible(page, "settings of coding agents");
  assert.deepEqual(problems, []);
  await context.close();
});

test("settings: the theme is chosen, and signing out ends the session", async () => {
  const { context, page, problems } = await signedIn(browser, {}, readKey);
  await page.goto(`${url}/settings`);
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole("radio", { name: "Dark" }).check();
  assert.notEqual(await ground(), light);
  await page.waitForLoadState("networkidle");
  await page.getByRole("main").getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("API key", { exact: true }).waitFor();
  assert.equal((await context.cookies()).length, 0);
  assert.deepEqual(problems, []);
  await context.close();
});
