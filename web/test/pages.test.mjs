// Dashboard, sessions, users and scores: what is on screen is what the API
// answers, over data of an environment that only this test sends to.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { accessible, all, api, launch, looks, send, signedIn, sticksOut, until, url } from "./harness.mjs";

const run = randomUUID().slice(0, 8);
const environment = `pages-${run}`;
const user = `user/${run} é`; // needs to be written in an address
const session = `session ${run}`;
const TURNS = 4;
const begin = Date.now() - 3 * 3_600_000;
const iso = ms => new Date(ms).toISOString();
const whole = n => new Intl.NumberFormat("en-US").format(n);

let browser;
before(async () => {
  browser = await launch();
  const events = [];
  const history = [];
  for (let i = 0; i < TURNS; i++) {
    const id = `${run}-t${i}`;
    const at = begin + i * 20 * 60_000;
    const turn = { trace_id: id, environment };
    history.push({ role: "user", content: `question ${i} <b>${run}</b>` });
    const answer = { role: "assistant", content: `answer ${i} of ${run}` };
    events.push([
      "trace_create",
      {
        id,
        name: `turn ${i}`,
        user_id: user,
        session_id: session,
        environment,
        start_time: iso(at),
        end_time: iso(at + 1000 * (i + 1)),
        input: { messages: [...history] },
        output: answer,
      },
    ]);
    events.push([
      "observation_create",
      {
        ...turn,
        id: `${id}-o`,
        name: "reply",
        type: "generation",
        model: i % 2 ? "model-b" : "model-a",
        start_time: iso(at),
        end_time: iso(at + 1000 * (i + 1)),
        level: i === 1 ? "ERROR" : "DEFAULT",
        usage: { total_tokens: 100 * (i + 1) },
        total_cost: 0.25 * (i + 1),
      },
    ]);
    const score = { ...turn, observation_id: `${id}-o` };
    events.push([
      "quality_score_create",
      { ...score, id: `${id}-n`, name: `clear ${run}`, value: i / 4, data_type: "NUMERIC" },
      at / 1000,
    ]);
    events.push([
      "quality_score_create",
      {
        ...score,
        id: `${id}-c`,
        name: `tone ${run}`,
        string_value: i === 3 ? "curt" : "kind",
        data_type: "CATEGORICAL",
      },
      at / 1000,
    ]);
    events.push([
      "quality_score_create",
      { ...score, id: `${id}-b`, name: `right ${run}`, value: i > 0, data_type: "BOOLEAN" },
      at / 1000,
    ]);
    history.push(answer);
  }
  await send(events, `${run}-t${TURNS - 1}`);
  await until(
    "all scores can be queried",
    async () => (await api(`/v1/scores?environment=${environment}`)).data.length === 3 * TURNS,
  );
});
after(() => browser.close());

async function at(path, options) {
  const opened = await signedIn(browser, options);
  await opened.page.goto(url + path);
  return opened;
}

/** tile is the number of a tile. */
const tile = (page, title) =>
  page
    .locator(".tile", { has: page.getByText(title, { exact: true }) })
    .locator("strong")
    .textContent();

/** table reads a table: one list of texts per row. */
const table = (page, label) =>
  page
    .getByLabel(`${label}, table`)
    .locator("tbody tr")
    .evaluateAll(rows => rows.map(r => [...r.cells].map(c => c.textContent)));

/** numbers reads the values of a chart, as its table has them: one list per time, the newest first. */
async function numbers(page, title) {
  const card = page.getByRole("region", { name: title, exact: true });
  await card.getByRole("button", { name: "Table" }).click();
  const rows = await table(page, title);
  await card.getByRole("button", { name: "Table" }).click();
  return rows.map(r => r.slice(1));
}

test("the dashboard's numbers are the API's", async () => {
  const { context, page, problems } = await at(`/dashboard?environment=${environment}`);
  await page.locator(".tile").first().waitFor();
  const [total] = (
    await api(`/v1/stats?of=traces&environment=${environment}&metrics=count,error_rate,latency_p50,tokens,cost`)
  ).data;
  assert.deepEqual([total.count, total.error_rate, total.tokens, total.cost], [TURNS, 1 / TURNS, 1000, 2.5]);
  assert.equal(await tile(page, "Traces"), whole(total.count));
  assert.equal(await tile(page, "Failed traces"), "25 %");
  assert.equal(await tile(page, "Latency p50"), `${total.latency_p50 / 1000} s`);
  assert.equal(await tile(page, "Tokens"), whole(total.tokens));
  assert.equal(await tile(page, "Cost"), `$${total.cost.toFixed(2)}`);
  const models = await table(page, "By model");
  assert.deepEqual(
    models.map(r => [r[0], r[1], r[2], r[6], r[7]]),
    [
      ["model-b", "2", "50 %", "600", "$1.50"],
      ["model-a", "2", "0 %", "400", "$1.00"],
    ],
  );
  assert.deepEqual(
    (await table(page, "By environment")).map(r => [r[0], r[1], r[7]]),
    [[environment, "4", "$2.50"]],
  );
  const sum = (rows, i) => rows.reduce((n, r) => n + Number(r[i].replace("$", "")), 0);
  const volume = await numbers(page, "Traces");
  assert.deepEqual([sum(volume, 0), sum(volume, 1)], [3, 1], "not failed and failed over time");
  const costs = await numbers(page, "Cost by model");
  assert.deepEqual([sum(costs, 0), sum(costs, 1)], [1.5, 1], "cost by model over time");
  assert.deepEqual(problems, []);
  await context.close();
});

test("dragging over a chart looks closer, and a model leads to its traces", async () => {
  const { context, page, problems } = await at(`/dashboard?environment=${environment}&range=6h`);
  const plot = page.locator(".chart-plot .u-over").first();
  await plot.waitFor();
  const box = await plot.boundingBox();
  await page.mouse.move(box.x + box.width * 0.4, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.99, box.y + 40, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(u => u.searchParams.has("from") && u.searchParams.has("to") && !u.searchParams.has("range"));
  await page.getByRole("link", { name: "model-a" }).click();
  await page.waitForURL(
    u => u.pathname === "/traces" && u.searchParams.get("model") === "model-a" && u.searchParams.has("from"),
  );
  assert.deepEqual(problems, []);
  await context.close();
});

test("the list of sessions is the API's, sorted, filtered and paged", async () => {
  const { context, page, problems } = await at(`/sessions?range=all`);
  const ids = () => page.locator(".row .row-link").allTextContents();
  await page.locator(".row").first().waitFor();
  assert.deepEqual(
    (await ids()).slice(0, 10),
    (await api("/v1/sessions?limit=10")).data.map(s => s.id),
  );
  await page.getByRole("button", { name: "Cost" }).click();
  await page.waitForURL(u => u.searchParams.get("sort") === "-total_cost");
  const dearest = (await api("/v1/sessions?limit=10&sort=-total_cost")).data.map(s => s.id);
  await until("the dearest stands first", async () => (await ids())[0] === dearest[0]);
  assert.deepEqual((await ids()).slice(0, 10), dearest);
  const every = await all("/v1/sessions");
  await until("all pages were read", async () => {
    await page.locator(".table").evaluate(t => t.scrollTo(0, t.scrollHeight));
    return (await page.getByText(`${whole(every.length)} shown`, { exact: true }).count()) === 1;
  });
  await page.goto(`${url}/sessions?environment=${environment}`);
  await page.locator(".row").first().waitFor();
  const row = page.locator(".row");
  assert.equal(await row.count(), 1);
  const cells = await row.getByRole("gridcell").allTextContents();
  assert.deepEqual(cells.slice(2, 5), [session, user, environment]); // behind the box by which it is selected
  assert.deepEqual(cells.slice(6, 11), ["4", "4", "1", "1,000", "$2.50"]);
  await row.focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(u => u.pathname === `/sessions/${encodeURIComponent(session)}`);
  assert.deepEqual(problems, []);
  await context.close();
});

test("a session is one conversation, each message once, with links to its traces", async () => {
  const { context, page, problems } = await at(`/sessions/${encodeURIComponent(session)}`);
  await page.locator(".turn").first().waitFor();
  assert.equal(await tile(page, "Traces"), "4");
  assert.equal(await tile(page, "Cost"), "$2.50");
  assert.deepEqual(
    await page.locator(".turn-head .row-link").allTextContents(),
    [0, 1, 2, 3].map(i => `turn ${i}`),
  );
  const expected = [0, 1, 2, 3].flatMap(i => [`user question ${i} <b>${run}</b>`, `assistant answer ${i} of ${run}`]);
  const said = async () => (await page.locator(".message").allInnerTexts()).map(t => t.replace(/\s+/g, " ").trim());
  assert.deepEqual(await said(), expected);
  await page.locator(".turn").nth(1).getByRole("button", { name: "2 messages from before" }).click();
  assert.deepEqual((await said()).slice(2, 6), [...expected.slice(0, 2), ...expected.slice(2, 4)]);
  await page.getByRole("link", { name: "turn 2" }).click();
  await page.waitForURL(u => u.pathname === `/traces/${run}-t2`);
  assert.deepEqual(problems, []);
  await context.close();
});

test("a long session is shown page by page", async () => {
  const id = `long-${run}`;
  const traces = Array.from({ length: 203 }, (_, i) => [
    "trace_create",
    { id: `${id}-${i}`, name: `n${i}`, session_id: id, environment: `${environment}-long`, input: `say ${i}` },
    begin / 1000 + i,
  ]);
  await send(traces, `${id}-202`);
  await until("all of it can be queried", async () => (await api(`/v1/sessions/${id}`)).trace_count === 203);
  const { context, page, problems } = await at(`/sessions/${id}`);
  await page.getByText("200 of 203 traces").waitFor();
  await page.getByRole("button", { name: "Show more" }).click();
  await until("the rest is there", async () => (await page.locator(".turn").count()) === 203);
  assert.equal(await page.getByRole("button", { name: "Show more" }).count(), 0);
  assert.deepEqual(
    await page.locator(".turn-head .row-link").allTextContents(),
    traces.map(t => t[1].name),
  );
  assert.deepEqual(problems, []);
  await context.close();
});

test("users, and one of them", async () => {
  const { context, page, problems } = await at("/users?range=all&sort=-trace_count");
  await page.locator(".row").first().waitFor();
  assert.deepEqual(
    (await page.locator(".row .row-link").allTextContents()).slice(0, 10),
    (await api("/v1/users?limit=10&sort=-trace_count")).data.map(u => u.id),
  );
  await page.goto(`${url}/users?environment=${environment}`);
  await page.locator(".row").first().waitFor();
  const cells = await page.locator(".row").getByRole("gridcell").allTextContents();
  assert.deepEqual(cells.slice(2, 9), [user, "1", "4", "4", "1", "1,000", "$2.50"]);
  await page.getByRole("link", { name: user }).click();
  await page.waitForURL(u => u.pathname === `/users/${encodeURIComponent(user)}`);
  await page.locator(".tile").first().waitFor();
  assert.equal(await tile(page, "Traces"), "4");
  assert.equal(await tile(page, "Sessions"), "1");
  assert.equal(await tile(page, "Cost"), "$2.50");
  const costs = await numbers(page, "Cost");
  const sum = i => costs.reduce((n, r) => n + Number(r[i].replace("$", "")), 0);
  assert.deepEqual([sum(0), sum(1)], [1.5, 1]);
  await page.locator(".row").first().waitFor();
  assert.deepEqual(await page.locator(".row .row-link").allTextContents(), [session]);
  await page.getByRole("group").getByRole("button", { name: "Traces" }).click();
  await page.waitForURL(u => u.searchParams.get("tab") === "traces");
  await until("the traces are there", async () => (await page.locator(".row").count()) === TURNS);
  assert.deepEqual(
    await page.locator(".row .row-link").allTextContents(),
    [3, 2, 1, 0].map(i => `turn ${i}`),
  );
  assert.deepEqual(problems, []);
  await context.close();
});

test("scores that are numbers, yes or no, and words", async () => {
  const { context, page, problems } = await at(`/scores?environment=${environment}&range=6h`);
  const names = page.locator(".score-name");
  await names.first().waitFor();
  assert.equal(await names.count(), 3);
  const choose = async name => {
    await page.getByRole("button", { name: `${name} ${run}` }).click();
    await page.waitForURL(u => u.searchParams.get("name") === `${name} ${run}`);
    await page.getByLabel("Distribution, table").waitFor();
  };
  await choose("clear");
  await until("the mean is there", async () => (await table(page, "By model"))[0]?.[0] === "model-b");
  assert.deepEqual(await table(page, "By model"), [
    ["model-b", "2", "0.5"],
    ["model-a", "2", "0.25"],
  ]);
  const buckets = (
    await api(`/v1/stats?of=scores&environment=${environment}&name=clear%20${run}&group_by=value_bucket`)
  ).data;
  const shown = await table(page, "Distribution");
  assert.deepEqual(
    shown.filter(r => r[1] !== "0").map(r => [r[0].split(" ")[0], r[1]]),
    buckets.map(b => [b.value_bucket.toFixed(1), String(b.count)]),
  );
  assert.equal(shown.length, 8, "buckets without scores between the first and the last are there");
  const over = (await numbers(page, "Mean over time")).map(r => r[0]).filter(v => v !== "–");
  assert.deepEqual(over, ["0.75", "0.5", "0.25", "0"]);
  await choose("right");
  await until("yes and no are there", async () => (await table(page, "Distribution"))[0]?.[0] === "yes");
  assert.deepEqual(await table(page, "Distribution"), [
    ["yes", "3", "75 %"],
    ["no", "1", "25 %"],
  ]);
  assert.deepEqual(await table(page, "By model"), [
    ["model-b", "2", "100 %"],
    ["model-a", "2", "50 %"],
  ]);
  await choose("tone");
  await until("the words are there", async () => (await table(page, "Distribution"))[0]?.[0] === "kind");
  assert.deepEqual(await table(page, "Distribution"), [
    ["kind", "3", "75 %"],
    ["curt", "1", "25 %"],
  ]);
  assert.deepEqual((await table(page, "By model")).sort(), [
    ["model-a", "2", "100 %", "0 %"],
    ["model-b", "2", "50 %", "50 %"],
  ]);
  await until("the single scores are there", async () => (await page.locator(".row").count()) === TURNS);
  assert.equal(await page.locator(".row strong").first().textContent(), "curt");
  await page.locator(".row a").first().click();
  await page.waitForURL(u => u.pathname === `/traces/${run}-t3` && u.searchParams.get("observation") === `${run}-t3-o`);
  assert.deepEqual(problems, []);
  await context.close();
});

test("a score of traces is told by the models that its traces used", async () => {
  const { context, page, problems } = await at("/scores?range=all&name=resolved&environment=production");
  await page.getByRole("heading", { name: "By model, of the traces that used it" }).waitFor();
  const models = (
    await api("/v1/stats?of=observations&group_by=model&metrics=count&environment=production")
  ).data.filter(r => r.model);
  assert.ok(models.length > 0 && models.length <= 8, "the sample has a few models");
  const expected = [];
  for (const { model } of models) {
    const asked = `environment=production&model=${encodeURIComponent(model)}&metrics=score_count:resolved,score_avg:resolved`;
    const [row] = (await api(`/v1/stats?of=traces&${asked}`)).data;
    if (row["score_count:resolved"] > 0)
      expected.push([model, whole(row["score_count:resolved"]), row["score_avg:resolved"]]);
  }
  expected.sort((a, b) => b[2] - a[2]);
  const shown = await table(page, "By model");
  assert.deepEqual(
    shown.map(r => r.slice(0, 2)),
    expected.map(r => r.slice(0, 2)),
  );
  for (const [i, [, , mean]] of expected.entries())
    assert.ok(Math.abs(Number.parseFloat(shown[i][2]) - 100 * mean) < 0.5);
  assert.deepEqual(problems, []);
  await context.close();
});

test("nothing in this time, nothing that passes, and a failure each say so", async () => {
  const { context, page } = await at("/users?from=1999-01-01T00:00:00Z&to=1999-01-02T00:00:00Z");
  for (const [path, what] of [
    ["/users", "users"],
    ["/sessions", "sessions"],
    ["/scores", "scores"],
    ["/dashboard", "traces"],
  ]) {
    await page.goto(`${url}${path}?from=1999-01-01T00:00:00Z&to=1999-01-02T00:00:00Z`);
    await page.getByRole("heading", { name: `No ${what} in this time` }).waitFor();
    await page.goto(`${url}${path}?environment=nowhere`);
    await page.getByRole("heading", { name: `No ${what} pass these filters` }).waitFor();
    await page.getByRole("button", { name: "Remove the filters" }).click();
    await page.waitForURL(u => !u.searchParams.has("environment"));
  }
  await page.goto(`${url}/sessions/none-${run}`);
  await page.getByRole("alert").waitFor();
  let broken = true;
  await page.route("**/v1/stats?*", route => (broken ? route.fulfill({ status: 500, body: "" }) : route.continue()));
  await page.goto(`${url}/dashboard?environment=${environment}`);
  await page.getByRole("alert").waitFor();
  broken = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator(".tile").first().waitFor();
  assert.equal(await page.getByRole("alert").count(), 0);
  await context.close();
});

test("while the server is away a page asks again by itself", async () => {
  const { context, page } = await at("/settings");
  let here = false;
  const away = { dashboard: route => route.abort(), traces: route => route.fulfill({ status: 502, body: "proxy" }) };
  await page.route("**/v1/stats?*", route => (here ? route.continue() : away.dashboard(route)));
  await page.route("**/v1/traces?*", route => (here ? route.continue() : away.traces(route)));
  for (const [path, there] of [
    [`/dashboard?environment=${environment}`, ".tile"],
    [`/traces?environment=${environment}&range=all`, ".row-link"],
  ]) {
    here = false;
    await page.goto(url + path);
    await page.getByRole("alert").getByText("Asking again").first().waitFor();
    here = true;
    await page.locator(there).first().waitFor();
    await until("nothing is said any more", async () => (await page.getByRole("alert").count()) === 0);
  }
  await context.close();
});

test("an address that is none is answered by the page, also deep below", async () => {
  const { context, page } = await at("/settings");
  for (const path of ["/nowhere", "/nowhere/", "/traces/a/b", "/a/b/c/d"]) {
    const answer = await page.goto(url + path);
    assert.equal(answer.status(), 404, path);
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
  }
  await page.getByRole("link", { name: "To the traces", exact: true }).click();
  await page.getByRole("heading", { name: "Traces" }).waitFor();
  await context.close();
});

test("a project without any trace is shown how to send one, on a telephone too", async () => {
  const { context, page, problems } = await signedIn(browser, looks[2]);
  // No other project is at hand: the one question that tells "never" from "not now" is answered for it.
  await page.route("**/v1/traces?limit=1", route => route.fulfill({ json: { data: [], next_cursor: null } }));
  for (const [path, what] of [
    ["/users", "users"],
    ["/sessions", "sessions"],
    ["/scores", "scores"],
    ["/dashboard", "traces"],
  ]) {
    await page.goto(`${url}${path}?from=1999-01-01T00:00:00Z&to=1999-01-02T00:00:00Z`);
    await page.getByRole("heading", { name: `No ${what} yet` }).waitFor();
    assert.match(await page.locator(".code-block").textContent(), /StartGeneration/);
    assert.equal(await sticksOut(page), 0, path);
  }
  for (const [by, has] of [
    ["Python", /OTLPSpanExporter/],
    ["OpenTelemetry", /OTEL_EXPORTER_OTLP_ENDPOINT/],
    ["curl", /observation_create/],
    ["Go", /StartGeneration/],
  ]) {
    await page.getByRole("button", { name: by, exact: true }).click();
    const code = await page.locator(".code-block").textContent();
    assert.match(code, has);
    assert.ok(code.includes(url), `${by}: it names this server`);
    assert.equal(await sticksOut(page), 0, by);
  }
  await accessible(page, "how to send one");
  assert.deepEqual(problems, []);
  await context.close();
});

test("a chart's numbers as a table are accessible", async () => {
  for (const look of looks) {
    const { context, page, problems } = await at(`/dashboard?environment=${environment}`, look);
    await page.locator(".chart").first().waitFor();
    for (const button of await page.getByRole("button", { name: "Table", exact: true }).all()) await button.click();
    await accessible(page, `dashboard as tables, ${look.name}`);
    assert.equal(await sticksOut(page), 0);
    assert.deepEqual(problems, []);
    await context.close();
  }
});

test("days are those of the browser's zone, and an event of the far future does not stretch a time that ends now", async () => {
  const own = `zone-${randomUUID().slice(0, 8)}`;
  const of = (name, time) => ["trace_create", { id: `${own}-${name}`, name, environment: own }, time / 1000];
  const midnight = Date.parse("2026-01-11T00:00:00+09:00");
  await send(
    [
      of("future", Date.now() + 35 * 86_400_000),
      of("before", midnight - 1000),
      of("after", midnight),
      of("now", Date.now()),
    ],
    `${own}-now`,
  );
  await until("all can be queried", async () => (await api(`/v1/traces?environment=${own}`)).data.length === 4);
  const hours = await at(`/dashboard?environment=${own}&range=24h`);
  assert.equal(await tile(hours.page, "Traces"), "1");
  const shown = await numbers(hours.page, "Traces");
  assert.ok(shown.length >= 24 && shown.length <= 60, `${shown.length} buckets`);
  assert.deepEqual(hours.problems, []);
  await hours.context.close();

  const query = `environment=${own}&from=2025-12-01T00:00:00Z&to=2026-01-31T00:00:00Z`;
  const tokyo = await at(`/dashboard?${query}`, { timezoneId: "Asia/Tokyo" });
  const days = await numbers(tokyo.page, "Traces"); // the newest first: 31 January is the first
  assert.deepEqual(
    days.map(r => r[0]).filter(n => n !== "0"),
    ["1", "1"],
    "one before and one after midnight of Tokyo",
  );
  assert.deepEqual(tokyo.problems, []);
  await tokyo.context.close();
});
