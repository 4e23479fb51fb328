// Ctrl-K: anywhere by keys alone.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { accessible, api, launch, looks, readKey, send, signedIn, sticksOut, until, url } from "./harness.mjs";

const run = randomUUID().slice(0, 8);
const trace = `go/${run} <b>`; // needs to be written in an address
const ids = { observation: `go-o-${run}`, score: `go-s-${run}`, event: `go-e-${run}` };
const user = `zoe-${run}`;
const session = `zoo-${run}`;

let browser;
before(async () => {
  browser = await launch();
  await send(
    [
      ["trace_create", { id: trace, name: `gone to ${run}`, user_id: user, session_id: session }],
      ["observation_create", { id: ids.observation, trace_id: trace, name: "a step", type: "tool" }],
      [
        "quality_score_create",
        { id: ids.score, trace_id: trace, observation_id: ids.observation, name: "fit", value: 1 },
      ],
    ],
    trace,
  );
  const event = { event_id: ids.event, event_type: "trace_create", payload: { id: `${trace}-e`, name: "x" } };
  await api("/v1/telemetry/batch", { method: "POST", body: JSON.stringify({ events: [event] }) });
  await until(
    "the score can be queried",
    async () => (await api(`/v1/scores?filter=id:${ids.score}`)).data.length === 1,
  );
});
after(() => browser.close());

const input = page => page.getByRole("combobox", { name: "Go to a page, an id, a user or a session" });
const option = (page, name) => page.getByRole("option", { name });

async function open(page, keys = "Control+k") {
  await page.keyboard.press(keys);
  await input(page).waitFor();
}

async function go(page, text, name) {
  await open(page);
  await page.keyboard.insertText(text);
  await option(page, name).first().waitFor();
  await until("it is the chosen one", async () => {
    const chosen = page.locator('[role=option][aria-selected="true"]');
    if ((await chosen.count()) === 1 && name.test((await chosen.textContent()) ?? "")) return true;
    await page.keyboard.press("ArrowDown");
    return false;
  });
  await page.keyboard.press("Enter");
  await input(page).waitFor({ state: "detached" });
}

test("an id that is pasted leads to what has it, a name to its page", async () => {
  const { context, page, problems } = await signedIn(browser, {}, readKey);
  await page.goto(`${url}/traces`);
  await page.getByRole("heading", { name: "Traces" }).waitFor();
  await go(page, trace, /^Trace/);
  await page.waitForURL(u => decodeURIComponent(u.pathname) === `/traces/${trace}`);
  await page.getByRole("heading", { name: `gone to ${run}`, level: 1 }).waitFor();
  await go(page, "dash", /^Page ?Dashboard/);
  await page.waitForURL(u => u.pathname === "/dashboard");
  await go(page, ids.observation, /^Observation/);
  await page.waitForURL(u => u.searchParams.get("observation") === ids.observation);
  await go(page, user.slice(0, -2), /^User/);
  await page.waitForURL(u => u.pathname === `/users/${user}`);
  await go(page, session.slice(0, -1), /^Session/);
  await page.waitForURL(u => u.pathname === `/sessions/${session}`);
  await go(page, ids.score, /^Score/);
  await page.waitForURL(
    u => decodeURIComponent(u.pathname) === `/traces/${trace}` && u.searchParams.has("observation"),
  );
  await go(page, ids.event, /^Event/);
  await page.locator(".audit-lookup .badge", { hasText: "stored" }).waitFor();
  await go(page, `${url}/sessions/${session}`, /^Address/);
  await page.waitForURL(u => u.pathname === `/sessions/${session}`);
  await open(page);
  await option(page, new RegExp(`^Recent ?${user}`)).waitFor();
  await page.keyboard.press("Escape");
  await input(page).waitFor({ state: "detached" });
  assert.deepEqual(problems, []);
  await context.close();
});

test("it opens from within a field, says when there is nothing, and gives the focus back", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/traces`);
  await page.locator(".row").first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("abc");
  await open(page, "Meta+k");
  await page.keyboard.type(`nothing of it ${run}`);
  await page.getByText("Nothing of that name, and nothing with that id.").waitFor();
  await page.keyboard.press("Escape");
  await until("the line has the focus again", () =>
    page.evaluate(() => document.activeElement?.getAttribute("aria-label") === "Filter, or words to search for"),
  );
  assert.equal(await page.getByRole("combobox").inputValue(), "abc");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("Ctrl K").waitFor();
  await page.keyboard.press("Control+k");
  assert.equal(await input(page).count(), 0, "not over another dialog");
  assert.deepEqual(problems, []);
  await context.close();
});

test("it is accessible, wide and narrow, light and dark", async () => {
  for (const look of looks) {
    const { context, page, problems } = await signedIn(browser, look);
    await page.goto(`${url}/traces`);
    await page.locator(".row").first().waitFor();
    if (look.viewport.width < 800) await page.getByRole("button", { name: "Go to", exact: true }).click();
    else await page.getByRole("button", { name: /^Go to/ }).click();
    await input(page).fill(user);
    await option(page, /^User/).waitFor();
    await accessible(page, `the palette, ${look.name}`);
    assert.equal(await sticksOut(page), 0);
    await option(page, /^User/).click();
    await page.waitForURL(u => u.pathname === `/users/${user}`);
    assert.deepEqual(problems, []);
    await context.close();
  }
});
