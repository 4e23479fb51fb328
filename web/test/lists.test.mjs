// Lists: saved views, columns, what is selected and done with many rows, how many there are, and coming back.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import {
  accessible,
  all,
  api,
  key,
  launch,
  looks,
  narrow,
  readKey,
  send,
  signedIn,
  sticksOut,
  until,
  url,
} from "./harness.mjs";

const run = randomUUID().slice(0, 8);
const env = `lists-${run}`;
const MANY = 130;
const traceID = i => `${run}-${String(i).padStart(3, "0")}`;
const score = `right ${run}`;

let browser;
before(async () => {
  browser = await launch();
  const at = Date.now() / 1000 - 3600;
  const events = [];
  for (let i = 0; i < MANY; i++) {
    const id = traceID(i);
    const own = { environment: env, user_id: i < 3 ? `ada-${run}` : `bob-${run}`, session_id: `s${i % 5}-${run}` };
    events.push(["trace_create", { id, name: `list ${i}`, start_time: at + i, ...own }, at + i]);
  }
  for (let i = 0; i < 6; i++) {
    const o = { id: `${traceID(i)}-o`, trace_id: traceID(i), environment: env };
    events.push([
      "observation_create",
      {
        ...o,
        name: `step ${i}`,
        type: "tool",
        start_time: at + i,
        end_time: at + i + 1,
        input: { message: `Is it ${i}?` },
      },
      at + i,
    ]);
    events.push([
      "quality_score_create",
      {
        id: `${run}-s${i}`,
        trace_id: traceID(i),
        ...(i % 2 ? { observation_id: o.id } : {}),
        environment: env,
        name: score,
        value: i > 2,
        data_type: "BOOLEAN",
        comment: i === 4 ? `look ${run}` : "",
      },
      at + i,
    ]);
  }
  await send(events, traceID(MANY - 1));
  await until("all can be queried", async () => {
    const [row] = (await api(`/v1/stats?of=traces&environment=${env}`)).data;
    return row?.count === MANY && (await api(`/v1/scores?environment=${env}`)).data.length === 6;
  });
});
after(async () => {
  for (const v of (await api("/v1/views")).data) {
    if (v.name.includes(run))
      await fetch(`${url}/v1/views/${encodeURIComponent(v.name)}`, { method: "DELETE", headers: { "X-API-Key": key } });
  }
  await browser.close();
});

const mine = (page, more = "") => `/${page}?filter=env:${env}&range=24h${more}`;

async function at(path, options, with_) {
  const opened = await signedIn(browser, options, with_);
  await opened.page.goto(url + path);
  await opened.page.locator(".row").first().waitFor();
  return opened;
}

const names = page => page.locator(".row .row-link").allTextContents();
const heads = page => page.getByRole("columnheader").allTextContents();
const menu = (page, name) => page.getByRole("button", { name, exact: true });
const bar = page => page.getByRole("region", { name: "What is selected" });
const selected = (page, n) => bar(page).getByText(`${n} selected`, { exact: true }).waitFor();

test("a view is saved, has an address, is changed, saved over, renamed and deleted", async () => {
  const { context, page, problems } = await at(mine("traces", "&sort=start_time"));
  const name = `slow <b>${run}</b>`;
  await menu(page, "Columns").click();
  await page.getByRole("checkbox", { name: "Environment" }).check();
  await page.getByRole("checkbox", { name: "Output" }).uncheck();
  await page.keyboard.press("Escape");
  await menu(page, "Views").click();
  await page.getByRole("button", { name: "Save as…" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await accessible(page, "saving a view");
  await page.keyboard.press("Enter");
  await page.waitForURL(u => u.search === `?view=${encodeURIComponent(name).replaceAll("%20", "+")}`);
  const saved = (await api("/v1/views")).data.find(v => v.name === name);
  assert.equal(saved.page, "traces");
  const query = new URLSearchParams(saved.query);
  assert.deepEqual([query.get("filter"), query.get("sort")], [`env:${env}`, "start_time"]);
  assert.ok(saved.columns.some(c => c.key === "environment") && !saved.columns.some(c => c.key === "output"));

  // Another browser, with nothing stored, sees what was saved.
  const other = await at(`/traces?view=${encodeURIComponent(name)}`, {}, readKey);
  await until("the first rows are those of the view", async () => (await names(other.page))[0] === "list 0");
  assert.ok((await heads(other.page)).includes("Environment") && !(await heads(other.page)).includes("Output"));
  await other.page.getByRole("button", { name: `View: ${name}`, exact: true }).click();
  await other.page.getByRole("link", { name }).waitFor();
  for (const act of ["Save as…", "Rename…", "Delete…"])
    assert.equal(await other.page.getByRole("button", { name: act }).count(), 0, `${act} is not for who only reads`);
  await other.page.keyboard.press("Escape");
  await other.page.getByRole("button", { name: `Remove the filter env:${env}` }).click();
  await other.page.getByRole("button", { name: `View: ${name}, changed` }).waitFor();
  assert.ok(new URL(other.page.url()).searchParams.has("view"));
  assert.deepEqual(other.problems, []);
  await other.context.close();

  await page.getByRole("columnheader", { name: "Latency" }).getByRole("button").click();
  const changed = page.getByRole("button", { name: `View: ${name}, changed` });
  await changed.click();
  await accessible(page, "the views");
  await page.getByRole("button", { name: "As it was saved" }).click();
  await page.waitForURL(u => !u.searchParams.has("sort"));
  await page.getByRole("columnheader", { name: "Latency" }).getByRole("button").click();
  await changed.click();
  await page.getByRole("button", { name: "Save over" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  await page.waitForURL(u => u.search === `?view=${encodeURIComponent(name).replaceAll("%20", "+")}`);
  await until("it is saved over", async () =>
    (await api("/v1/views")).data.some(v => v.name === name && v.query.includes("sort=-latency_ms")),
  );

  const renamed = `renamed ${run}`;
  await page.getByRole("button", { name: `View: ${name}`, exact: true }).click();
  await page.getByRole("button", { name: "Rename…" }).click();
  await page.getByLabel("Name", { exact: true }).fill(renamed);
  await page.keyboard.press("Enter");
  await page.waitForURL(u => u.search === `?view=${renamed.replace(" ", "+")}`);
  await until("the old name is gone", async () => !(await api("/v1/views")).data.some(v => v.name === name));
  await page.getByRole("button", { name: `View: ${renamed}`, exact: true }).click();
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await page.waitForURL(u => !u.searchParams.has("view") && u.searchParams.get("sort") === "-latency_ms");
  await until("it is gone", async () => !(await api("/v1/views")).data.some(v => v.name === renamed));

  await page.goto(`${url}/traces?view=${encodeURIComponent(renamed)}`);
  await page.getByRole("alert").getByText(`There is no view “${renamed}” in this project`).waitFor();
  await page.getByRole("button", { name: "Go on without it" }).click();
  await page.waitForURL(u => !u.searchParams.has("view"));
  assert.deepEqual(problems, []);
  await context.close();
});

test("two views have no one name, and one of another list says which it is of", async () => {
  const name = `users ${run}`;
  await api(`/v1/views/${encodeURIComponent(name)}`, {
    method: "PUT",
    body: JSON.stringify({
      page: "users",
      query: `filter=env:${env}&sort=trace_count`,
      columns: [{ key: "id", width: 300 }, { key: "traces" }],
    }),
  });
  const { context, page, problems } = await at(`/users?view=${encodeURIComponent(name)}`);
  assert.deepEqual(await names(page), [`ada-${run}`, `bob-${run}`]);
  assert.deepEqual((await heads(page)).filter(Boolean), ["User", "Traces"]);
  const wide = await page.getByRole("columnheader", { name: "User" }).evaluate(e => e.getBoundingClientRect().width);
  assert.equal(wide, 300, "a view keeps how wide a column is");
  await menu(page, `View: ${name}`).click();
  await page.getByRole("button", { name: "Save as…" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText(`There is a view “${name}” already, of users`).waitFor();
  await page.keyboard.press("Escape");
  await page.goto(`${url}/sessions?view=${encodeURIComponent(name)}`);
  await page.getByRole("alert").getByText("is one of users").waitFor();
  await page.getByRole("link", { name: "Open it" }).click();
  await page.waitForURL(u => u.pathname === "/users");
  await until("the users are there", async () => (await names(page)).length === 2);
  assert.deepEqual(problems, []);
  await context.close();
});

test("columns are made wider by pointer and by keys, and moved, and stay so", async () => {
  const { context, page, problems } = await at(mine("traces"));
  const edge = page.getByRole("separator", { name: "Width of Name" });
  const width = () => page.getByRole("columnheader", { name: "Name" }).evaluate(e => e.getBoundingClientRect().width);
  const first = await width();
  const box = await edge.boundingBox();
  await page.mouse.move(box.x + 4, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + 64, box.y + 12, { steps: 5 });
  await page.mouse.up();
  await until("it is 60 pixels wider", async () => Math.abs((await width()) - first - 60) <= 2);
  assert.equal(new URL(page.url()).searchParams.has("sort"), false, "dragging sorts by nothing");
  await edge.focus();
  await page.keyboard.press("ArrowLeft");
  await until("and 10 less", async () => Math.abs((await width()) - first - 50) <= 2);
  assert.equal(await edge.getAttribute("aria-valuenow"), String(Math.round(first + 50)));

  await menu(page, "Columns").click();
  await page.getByRole("button", { name: "Move Cost up" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.getByText(/^Cost: place \d+ of \d+$/).waitFor();
  const grip = page.locator(".columns-list li", { hasText: "Errors" }).locator(".grip");
  const from = await grip.boundingBox();
  const to = await page.locator(".columns-list li").first().boundingBox();
  await page.mouse.move(from.x + 5, from.y + 8);
  await page.mouse.down();
  await page.mouse.move(from.x + 5, to.y + 4, { steps: 12 });
  await page.mouse.up();
  await page.keyboard.press("Escape");
  const order = (await heads(page)).filter(Boolean);
  assert.equal(order[0], "Errors");
  assert.ok(order.indexOf("Cost") < order.indexOf("Latency"), order.join());
  await page.reload();
  await page.locator(".row").first().waitFor();
  assert.deepEqual((await heads(page)).filter(Boolean), order);
  assert.ok(Math.abs((await width()) - first - 50) <= 2);
  await edge.focus();
  await page.keyboard.press("Enter");
  await until("it is as wide as it was", async () => (await width()) !== first + 50);
  await menu(page, "Columns").click();
  await page.getByRole("button", { name: "As at first" }).click();
  await until("the order is the first one", async () => (await heads(page)).filter(Boolean)[0] === "Time");
  assert.deepEqual(problems, []);
  await context.close();
});

test("how many there are is said beside those that are shown", async () => {
  const { context, page, problems } = await at(mine("traces"));
  await page.getByText(`100 of ${MANY} shown`, { exact: true }).waitFor();
  await page.locator(".table").evaluate(el => el.scrollTo(0, el.scrollHeight));
  await page.getByText(`${MANY} shown`, { exact: true }).waitFor();
  assert.deepEqual(problems, []);
  await context.close();
  const users = await signedIn(browser);
  const counted = users.page.waitForRequest(r => r.url().includes("group_by=user_id"));
  await users.page.route("**/v1/users?*", async r => {
    if (r.request().url().includes("cursor=")) return; // it is on its way
    const answer = await r.fetch();
    await r.fulfill({ json: { ...(await answer.json()), next_cursor: "more" } });
  });
  await users.page.goto(url + mine("users"));
  await counted;
  await users.page.getByText("2 of 2 shown").waitFor();
  await users.context.close();
});

test("rows are selected, exported, tagged, scored and compared by keys", async () => {
  const { context, page, problems } = await at(mine("traces", "&sort=start_time"));
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await selected(page, 1);
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await selected(page, 2);
  assert.equal(
    await bar(page).getByRole("link", { name: "Compare" }).getAttribute("href"),
    `/compare?a=${traceID(0)}&b=${traceID(1)}`,
  );
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("X");
  await selected(page, 4);
  await page.getByLabel("Select row 4", { exact: true }).click();
  await selected(page, 3);
  assert.equal(await page.locator('.row[aria-selected="true"]').count(), 3);

  const file = async (form, all) => {
    await menu(page, "Export these").click();
    const saved = page.waitForEvent("download");
    await bar(page)
      .getByRole("button", { name: all ? `All as ${form}` : form, exact: true })
      .click();
    return readFile(await (await saved).path(), "utf8");
  };
  const lines = (await file("JSON Lines"))
    .trimEnd()
    .split("\n")
    .map(l => JSON.parse(l));
  assert.deepEqual(
    lines.map(l => l.id),
    [0, 1, 2].map(traceID),
  );
  assert.equal((await file("CSV")).trimEnd().split("\r\n").length, 4);
  assert.equal((await file("JSON Lines", true)).trimEnd().split("\n").length, MANY, "all that match");

  await bar(page).getByRole("button", { name: "Tag…" }).click();
  await page.getByLabel("Tag", { exact: true }).fill(`many ${run}`);
  await page.keyboard.press("Enter");
  await bar(page).getByText("3 traces tagged.").waitFor();
  await until("they have the tag", async () => (await api(`/v1/traces?tag=many%20${run}`)).data.length === 3);

  const give = async value => {
    await bar(page).getByRole("button", { name: "Score…" }).click();
    await page.getByLabel("Score", { exact: true }).selectOption("thumbs");
    await page.getByLabel(value, { exact: true }).check();
    await page.keyboard.press("Enter");
    await bar(page).getByText("3 traces scored.").waitFor();
  };
  const given = async () =>
    (await api(`/v1/scores?name=thumbs&environment=${env}`)).data
      .map(s => s.value)
      .sort()
      .join();
  await give("Yes");
  await until("they have the score", async () => (await given()) === "1,1,1");
  await give("No");
  await until("it is changed, not given twice", async () => (await given()) === "0,0,0");
  await bar(page).getByRole("button", { name: "Select none" }).click();
  await bar(page).waitFor({ state: "detached" });

  await page.getByLabel("Select all rows that are read").check();
  await selected(page, 100);
  await page.getByLabel("Select row 1", { exact: true }).click();
  await page.getByLabel("Select row 5", { exact: true }).click({ modifiers: ["Shift"] });
  await selected(page, 100);
  await page.getByRole("button", { name: /^Remove the filter/ }).click();
  await bar(page).waitFor({ state: "detached" });
  assert.deepEqual(problems, []);
  await context.close();
});

test("erasing asks first, says how far it is, and what failed stays selected", async () => {
  const own = `erase-${run}`;
  const ids = [0, 1, 2].map(i => `${own}/${i}`);
  await send(
    ids.map((id, i) => ["trace_create", { id, name: `erase ${i}`, environment: own }, Date.now() / 1000 - 60 + i]),
    ids[2],
  );
  const { context, page } = await at(`/traces?filter=env:${own}&range=24h&sort=start_time`);
  await until("all are there", async () => (await names(page)).length === 3);
  await page.getByLabel("Select all rows that are read").check();
  await bar(page).getByRole("button", { name: "Erase…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("This cannot be undone").waitFor();
  assert.deepEqual((await dialog.locator("code").allTextContents()).sort(), ids);
  await accessible(page, "erasing many");
  const erase = dialog.getByRole("button", { name: "Erase 3 traces" });
  await page.getByLabel("Type 3 to confirm").fill("2");
  assert.ok(await erase.isDisabled());
  await page.keyboard.press("Escape");
  assert.equal((await api(`/v1/traces?environment=${own}`)).data.length, 3, "nothing happens before it is confirmed");

  await page.route(`**/v1/traces?id=${encodeURIComponent(ids[1])}`, r =>
    r.fulfill({ status: 500, json: { error: { code: "internal", message: "It broke." } } }),
  );
  await bar(page).getByRole("button", { name: "Erase…" }).click();
  await page.getByLabel("Type 3 to confirm").fill("3");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("2 of 3 traces erased. 1 trace failed: It broke.").waitFor();
  await until("the list has the one that is left", async () => (await names(page)).join() === "erase 1");
  await selected(page, 1);
  await page.unroute("**/v1/traces?id=*");
  await page.unrouteAll();
  await bar(page).getByRole("button", { name: "Erase…" }).click();
  await page.getByLabel("Type 1 to confirm").fill("1");
  await page.keyboard.press("Enter");
  await bar(page).getByText("1 trace erased.").waitFor();
  assert.equal((await api(`/v1/traces?environment=${own}`)).data.length, 0);
  await context.close();

  const reads = await at(mine("traces"), {}, readKey);
  await reads.page.keyboard.press("j");
  await reads.page.keyboard.press("x");
  await selected(reads.page, 1);
  for (const act of ["Tag…", "Score…", "Erase…"])
    assert.equal(await bar(reads.page).getByRole("button", { name: act }).count(), 0, act);
  await menu(reads.page, "Export these").waitFor();
  assert.deepEqual(reads.problems, []);
  await reads.context.close();
});

test("sessions, users and scores have columns, words to look for, and exports", async () => {
  const { context, page, problems } = await at(mine("users"));
  const file = async form => {
    await menu(page, "Export").click();
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: form, exact: true }).click();
    return readFile(await (await saved).path(), "utf8");
  };
  await page.keyboard.press("/");
  await page.keyboard.type(`da-${run}`);
  await page.keyboard.press("Enter");
  await page.waitForURL(u => u.searchParams.get("filter").endsWith(`user:*da-${run}*`));
  await until("one user is left", async () => (await names(page)).join() === `ada-${run}`);
  assert.match(await file("CSV"), new RegExp(`^id,first_seen,last_seen,session_count.*\r\nada-${run},[^\r]*\r\n$`));

  await page.goto(url + mine("sessions"));
  await until("the sessions are there", async () => (await names(page)).length === 5);
  await menu(page, "Columns").click();
  await page.getByRole("checkbox", { name: "Lasted" }).uncheck();
  assert.ok(await page.getByRole("checkbox", { name: "Session", exact: true }).isDisabled());
  await page.keyboard.press("Escape");
  assert.ok(!(await heads(page)).includes("Lasted"));
  await page.keyboard.press("/");
  await page.keyboard.type(`s3-${run}`);
  await page.keyboard.press("Enter");
  await until("one session is left", async () => (await names(page)).join() === `s3-${run}`);
  const [session] = (await file("JSON Lines"))
    .trimEnd()
    .split("\n")
    .map(l => JSON.parse(l));
  assert.equal(session.trace_count, MANY / 5);

  await page.goto(`${url + mine("scores")}&name=${encodeURIComponent(score)}`);
  await until(
    "scores say what they are of",
    async () => (await page.locator(".row a").allTextContents()).join() === "step 5,list 4,step 3,list 2,step 1,list 0",
  );
  assert.deepEqual(await page.locator(".row strong").allTextContents(), ["yes", "yes", "yes", "no", "no", "no"]);
  await page.getByText("6 shown", { exact: true }).waitFor();
  await page.getByRole("columnheader", { name: "Value" }).getByRole("button").click();
  await page.waitForURL(u => u.searchParams.get("sort") === "-value");
  await menu(page, "Columns").click();
  await page.getByRole("checkbox", { name: "Observation", exact: true }).check();
  await page.keyboard.press("Escape");
  assert.ok((await heads(page)).includes("Observation"));
  const scores = (await file("CSV")).trimEnd().split("\r\n");
  assert.equal(scores.length, 7);
  await page.keyboard.press("/");
  await page.keyboard.type(`ook`);
  await page.keyboard.press("Enter");
  await until("one score is left", async () => (await page.locator(".row a").allTextContents()).join() === "list 4");
  assert.deepEqual(problems, []);
  await context.close();
});

test("back and u lead to the row that was left, in its place, with the focus", async () => {
  const { context, page, problems } = await at(mine("traces"));
  const table = page.locator(".table");
  await until("the second page is read", async () => {
    await table.evaluate(el => el.scrollTo(0, el.scrollHeight));
    return (await page.getByText(`${MANY} shown`, { exact: true }).count()) === 1;
  });
  await table.evaluate(el => el.scrollTo(0, el.scrollHeight));
  const row = page.locator(".row", { has: page.getByRole("link", { name: "list 9", exact: true }) });
  await row.waitFor();
  await row.focus();
  const place = () => row.boundingBox().then(b => b?.y);
  const was = await place();
  await page.keyboard.press("Enter");
  await page.getByRole("treegrid").waitFor();
  await page.goBack();
  const focused = () => page.evaluate(() => document.activeElement?.querySelector(".row-link")?.textContent);
  await until("the row has the focus again", async () => (await focused()) === "list 9");
  assert.ok(Math.abs((await place()) - was) < 2, `${await place()} instead of ${was}`);
  await page.keyboard.press("k");
  await until("the keys go on from there", async () => (await focused()) === "list 10");

  await page.keyboard.press("Enter");
  await page.getByRole("treegrid").waitFor();
  await page.keyboard.press("J");
  await page.getByRole("heading", { name: "list 9", exact: true, level: 1 }).waitFor();
  await until("u leads back", async () => {
    if (new URL(page.url()).pathname === "/traces") return true;
    await page.keyboard.press("u");
    return false;
  });
  await until("to the trace that was looked at last", async () => (await focused()) === "list 9");

  await page.goto(url + mine("sessions"));
  await page.locator(".row").first().waitFor();
  await page.locator(".row").nth(3).locator(".row-link").click();
  await page.locator(".turn").first().waitFor();
  const id = decodeURIComponent(new URL(page.url()).pathname.split("/")[2]);
  await page.goBack();
  await until("sessions, too", async () => (await focused()) === id);
  assert.deepEqual(problems, []);
  await context.close();
});

test("a preview of an input that is one text is that text", async () => {
  const { context, page, problems } = await at(mine("observations", "&sort=start_time"));
  await until(
    "the text is there",
    async () => (await page.locator(".row .preview").first().textContent()) === "Is it 0?",
  );
  assert.deepEqual(problems, []);
  await context.close();
});

test("yes and no are words in a session, too", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/sessions/s0-${run}`);
  await page
    .locator(".turn-head .badge", { hasText: `${score} no` })
    .first()
    .waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});

test("what is selected, columns and views are accessible and within the window", async () => {
  for (const look of looks) {
    const { context, page, problems } = await at(mine("traces"), look);
    await page.getByLabel("Select row 1", { exact: true }).click();
    await page.getByLabel("Select row 2", { exact: true }).click();
    await selected(page, 2);
    await accessible(page, `two rows are selected, ${look.name}`);
    assert.equal(await sticksOut(page), 0);
    for (const name of ["Columns", "Views", "Export these"]) {
      await menu(page, name).click();
      await accessible(page, `${name}, ${look.name}`);
      const panel = await page.locator(".panel:visible").boundingBox();
      assert.ok(panel.x >= 0 && panel.x + panel.width <= look.viewport.width + 1, `${name} is in sight`);
      await page.keyboard.press("Escape");
    }
    await bar(page).getByRole("button", { name: "Score…" }).click();
    await page.getByLabel("Score", { exact: true }).waitFor();
    await accessible(page, `scoring many, ${look.name}`);
    await page.keyboard.press("Escape");
    await page.goto(`${url + mine("scores")}&name=${encodeURIComponent(score)}`);
    await page.locator(".row").first().waitFor();
    await accessible(page, `scores, ${look.name}`);
    assert.equal(await sticksOut(page), 0);
    assert.deepEqual(problems, []);
    await context.close();
  }
});

test("on a telephone the names of scores are whole", async () => {
  const { context, page, problems } = await signedIn(browser, { viewport: narrow });
  await page.goto(`${url}/scores?range=all`);
  await page.locator(".score-name").first().waitFor();
  const cut = await page.locator(".score-name").evaluateAll(cards => {
    const list = cards[0].closest("ul").getBoundingClientRect();
    return cards.filter(c => {
      const box = c.getBoundingClientRect();
      const inside = box.top < list.bottom && box.bottom > list.bottom + 1;
      const small = x => x.scrollWidth > x.clientWidth + 1 || x.scrollHeight > x.clientHeight + 1;
      return inside || c.scrollHeight > c.clientHeight + 1 || [...c.children].some(small);
    }).length;
  });
  assert.equal(cut, 0);
  assert.deepEqual(problems, []);
  await context.close();
});

test("all of the sessions that match are exported, though a part of them is read", async () => {
  const every = await all("/v1/sessions");
  const { context, page, problems } = await at("/sessions?range=all");
  await page.getByLabel("Select row 1", { exact: true }).click();
  await selected(page, 1);
  await menu(page, "Export these").click();
  const saved = page.waitForEvent("download");
  await bar(page).getByRole("button", { name: "All as CSV" }).click();
  const text = await readFile(await (await saved).path(), "utf8");
  assert.equal(text.trimEnd().split("\r\n").length, every.length + 1);
  assert.deepEqual(problems, []);
  await context.close();
});
