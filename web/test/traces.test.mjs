// The list of traces: what is on screen is what the API answers.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { all, api, launch, narrow, send, signedIn, until, url } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** rows are the keys of the rows in the document, in the order they stand. */
const names = page => page.locator(".row .row-link").allTextContents();
const hrefs = page =>
  page.locator(".row .row-link").evaluateAll(links => links.map(a => decodeURIComponent(a.pathname.split("/")[2])));

async function list(path = "/traces?range=all", options) {
  const opened = await signedIn(browser, options);
  await opened.page.goto(url + path);
  await opened.page.locator(".row").first().waitFor();
  return opened;
}

test("the first rows are those of the API", async () => {
  const { context, page, problems } = await list();
  const answer = await api("/v1/traces?limit=20");
  assert.deepEqual(
    (await hrefs(page)).slice(0, 20),
    answer.data.map(t => t.id),
  );
  assert.deepEqual(problems, []);
  await context.close();
});

test("a filter is chosen, stands in the address, and goes", async () => {
  const { context, page, problems } = await list();
  const models = (await api("/v1/stats?group_by=model&metrics=count")).data.filter(r => /^[\w.-]+$/.test(r.model));
  const model = models.sort((a, b) => a.count - b.count)[0].model;
  await page.getByRole("button", { name: "Add a filter" }).click();
  await page.locator(".panel .item", { hasText: /^model/ }).click();
  await page.keyboard.type(model.slice(0, 4));
  await page.getByRole("option", { name: model }).first().click();
  await page.waitForURL(u => u.searchParams.get("filter") === `model:${model}`);
  const expected = await all(`/v1/traces?model=${encodeURIComponent(model)}`);
  await until("the filtered rows are there", async () => (await hrefs(page))[0] === expected[0]?.id);
  await page.reload();
  await page.getByRole("button", { name: `Change the filter model:${model}` }).waitFor();
  await until("the filtered rows are there after a reload", async () => (await hrefs(page))[0] === expected[0]?.id);
  await page.getByRole("button", { name: `Remove the filter model:${model}` }).click();
  await page.waitForURL(u => !u.searchParams.has("filter"));
  assert.deepEqual(problems, []);
  await context.close();
});

test("numbers and scores are filters too", async () => {
  const { context, page, problems } = await list("/traces?range=all&min_latency_ms=1&score=helpfulness%3E%3D0.8");
  const expected = await api(`/v1/traces?min_latency_ms=1&limit=5&score=${encodeURIComponent("helpfulness>=0.8")}`);
  assert.deepEqual(
    (await hrefs(page)).slice(0, 5),
    expected.data.map(t => t.id),
  );
  await page.getByRole("button", { name: "Change the filter latency:>=1" }).waitFor();
  await page.getByRole("button", { name: "Change the filter score.helpfulness:>=0.8" }).waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});

test("the search looks at name, input and output", async () => {
  const word = `zebra${randomUUID().slice(0, 8)}`;
  const id = `trace-${word}`;
  await send([["trace_create", { id, name: "searched", input: `Where is the ${word}?` }]], id);
  const { context, page, problems } = await list();
  await page.keyboard.press("/");
  await page.keyboard.type(word);
  await page.keyboard.press("Enter");
  await page.waitForURL(u => u.searchParams.get("filter") === word);
  await until("only the trace that was searched for is there", async () => (await hrefs(page)).join() === id);
  assert.deepEqual(problems, []);
  await context.close();
});

test("a click on a column sorts by it, another one turns the order", async () => {
  const { context, page, problems } = await list();
  for (const [sort, pressed] of [
    ["-latency_ms", 1],
    ["latency_ms", 2],
  ]) {
    await page.getByRole("columnheader", { name: "Latency" }).getByRole("button").click();
    await page.waitForURL(u => u.searchParams.get("sort") === sort);
    const expected = await api(`/v1/traces?limit=10&sort=${sort}`);
    await until(
      `sorted by ${sort} after ${pressed} clicks`,
      async () => (await hrefs(page)).slice(0, 10).join() === expected.data.map(t => t.id).join(),
    );
  }
  await page.locator('[role=columnheader][aria-sort="ascending"]').waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});

test("scrolling reads page after page to the end, and the document stays small", async () => {
  const { context, page, problems } = await list("/traces?range=all&sort=start_time");
  const expected = await all("/v1/traces?sort=start_time");
  const last = expected.at(-1).id;
  await until("the last row is there", async () => {
    await page.locator(".table").evaluate(el => el.scrollTo(0, el.scrollHeight));
    return (await hrefs(page)).at(-1) === last;
  });
  const count = Number(await page.locator(".table").getAttribute("aria-rowcount")) - 1;
  assert.equal(count, expected.length);
  const inDocument = await page.locator(".row").count();
  assert.ok(inDocument < 120, `${inDocument} rows in the document`);
  assert.deepEqual(problems, []);
  await context.close();
});

test("dragging over the histogram looks at that time", async () => {
  const { context, page, problems } = await list(recent);
  const box = await page.locator(".u-over").boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 22, { steps: 6 });
  await page.mouse.up();
  await page.waitForURL(u => u.searchParams.has("from") && u.searchParams.has("to"));
  const q = new URL(page.url()).searchParams;
  const hours = (Date.parse(q.get("to")) - Date.parse(q.get("from"))) / 3_600_000;
  assert.ok(hours > 6 && hours < 9, `${hours} hours`);
  await page.getByRole("button", { name: /^Time:/ }).click();
  await page.getByRole("button", { name: "Last 7 days" }).click();
  await page.waitForURL(u => u.searchParams.get("range") === "7d" && !u.searchParams.has("from"));
  assert.deepEqual(problems, []);
  await context.close();
});

test("Live leaves the rows where they stand: those of the next page do not jump to the top", async () => {
  const { context, page, problems } = await list();
  const newest = (await api("/v1/traces?limit=200")).data;
  assert.equal(newest.length, 200, "more traces than one page of the list has");
  const answered = page.waitForResponse(r => r.url().includes("limit=200"));
  await page.getByRole("button", { name: "Live", exact: true }).click();
  await answered;
  await page.getByText("100+ shown").waitFor();
  assert.deepEqual(
    (await hrefs(page)).slice(0, 20),
    newest.slice(0, 20).map(t => t.id),
  );
  assert.deepEqual(problems, []);
  await context.close();
});

// Without what other tests dated ahead, which stays on top.
const recent = "/traces?range=24h&environment=default";

test("a trace that comes in live stands on top without a reload", async () => {
  const { context, page, problems } = await list(recent);
  await page.getByRole("button", { name: "Live", exact: true }).click();
  await page.waitForURL(u => u.searchParams.get("live") === "1");
  const name = `live ${randomUUID()}`;
  await send([["trace_create", { id: name, name, user_id: "someone" }]], name);
  await until("the new trace is the first row", async () => (await names(page))[0] === name);
  await page.getByRole("button", { name: "Live", exact: true }).click();
  // A server without the stream is polled; the browser itself notes the 404.
  assert.deepEqual(
    problems.filter(p => !p.includes("/v1/telemetry/stream")),
    [],
  );
  await context.close();
});

/** held keeps the page's requests for a path waiting until they are released; seen is the first one's arrival. */
async function held(page, path) {
  let release, arrived;
  const released = new Promise(f => {
    release = f;
  });
  const seen = new Promise(f => {
    arrived = f;
  });
  await page.route(path, async route => {
    arrived();
    await released;
    await route.continue().catch(() => {}); // the page may have given up
  });
  return { seen, release };
}

test("a trace that came before the stream was open is shown, too", async () => {
  const { context, page, problems } = await list(recent);
  const stream = await held(page, "**/v1/telemetry/stream");
  const first = page.waitForResponse(r => r.url().includes("limit=200"));
  await page.getByRole("button", { name: "Live", exact: true }).click();
  await stream.seen;
  await (await first).finished(); // what is shown is older than the trace
  const name = `early ${randomUUID()}`;
  await send([["trace_create", { id: name, name }]], name);
  stream.release();
  await until("the trace is the first row", async () => (await names(page))[0] === name);
  assert.deepEqual(problems, []);
  await context.close();
});

test("a trace that comes while the list is being asked for is shown, too", async () => {
  const { context, page, problems } = await list(recent);
  const open = page.waitForResponse(r => r.url().includes("/v1/telemetry/stream"));
  let answered;
  const asked = new Promise(f => {
    answered = f;
  });
  const name = `between ${randomUUID()}`;
  await page.route(
    "**/v1/traces?*limit=200*",
    async route => {
      const old = await route.fetch(); // without the trace
      await open;
      await send([["trace_create", { id: name, name }]], name);
      await new Promise(f => setTimeout(f, 6000)); // longer than the page asks again by itself after an event
      await route.fulfill({ response: old });
      answered();
    },
    { times: 1 },
  );
  await page.getByRole("button", { name: "Live", exact: true }).click();
  await asked;
  await until("the trace is the first row", async () => (await names(page))[0] === name);
  assert.deepEqual(problems, []);
  await context.close();
});

test("columns are chosen, and the choice stays", async () => {
  const { context, page, problems } = await list();
  assert.equal(await page.getByRole("columnheader", { name: "Environment" }).count(), 0);
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("checkbox", { name: "Environment" }).check();
  await page.getByRole("checkbox", { name: "User" }).uncheck();
  await page.reload();
  await page.getByRole("columnheader", { name: "Environment" }).waitFor();
  assert.equal(await page.getByRole("columnheader", { name: "User" }).count(), 0);
  assert.deepEqual(problems, []);
  await context.close();
});

test("an export holds everything the filter finds", async () => {
  const id = `formula-${randomUUID()}`;
  await send([["trace_create", { id, name: '=HYPERLINK("x","y")', user_id: id }]], id);
  const { context, page, problems } = await list("/traces?range=all&has_error=false");
  const expected = await all("/v1/traces?has_error=false");
  const files = {};
  for (const form of ["JSON Lines", "CSV"]) {
    await page.getByRole("button", { name: "Export" }).click();
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: form }).click();
    files[form] = await readFile(await (await saved).path(), "utf8");
  }
  const lines = files["JSON Lines"]
    .trimEnd()
    .split("\n")
    .map(l => JSON.parse(l));
  assert.deepEqual(lines, expected);
  assert.equal(files.CSV.trimEnd().split("\r\n").length, expected.length + 1);
  assert.ok(files.CSV.includes(`${id},"'=HYPERLINK(""x"",""y"")",`), "a text that begins with = is no formula");
  assert.deepEqual(problems, []);
  await context.close();
});

test("the keyboard walks the list, opens a trace and comes back", async () => {
  const { context, page, problems } = await list();
  const ids = await hrefs(page);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await until("the second row has the focus", () =>
    page.evaluate(() => document.activeElement?.getAttribute("data-at") === "1"),
  );
  await page.keyboard.press("Enter");
  await page.waitForURL(u => decodeURIComponent(u.pathname) === `/traces/${ids[1]}`);
  await page.getByRole("treegrid").waitFor();
  await page.keyboard.press("J");
  await page.waitForURL(u => decodeURIComponent(u.pathname) === `/traces/${ids[2]}`);
  await page.getByRole("treegrid").waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("Next trace of the list").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" }); // while it is open, keys are its own
  // On a slow machine the trace of before is on screen for a moment after the address has changed: a page that is being replaced hears no keys.
  await until("u leads back to the list", async () => {
    if (new URL(page.url()).pathname === "/traces") return true;
    await page.keyboard.press("u");
    return false;
  });
  assert.deepEqual(problems, []);
  await context.close();
});

test("a telephone sees two-line rows and nothing sticks out", async () => {
  const { context, page, problems } = await list("/traces?range=all", { viewport: narrow });
  assert.ok((await page.locator(".row-compact").count()) > 5);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), narrow.width);
  await page.getByRole("button", { name: "Navigation" }).click();
  await page.getByRole("link", { name: "Traces", exact: true }).click();
  assert.deepEqual(problems, []);
  await context.close();
});

test("nothing found offers a way on", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/traces?user_id=nobody-has-this-id&range=1h`);
  await page.getByRole("heading", { name: "No trace passes these filters" }).waitFor();
  await page.getByRole("button", { name: "Remove the filters" }).click();
  await page.waitForURL(u => !u.searchParams.has("user_id"));
  assert.deepEqual(problems, []);
  await context.close();
});
