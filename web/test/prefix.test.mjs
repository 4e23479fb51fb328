// The page behind a proxy that serves the server below a path of its own: all
// that the page asks for stays below it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer, request } from "node:http";
import { after, before, test } from "node:test";
import { key, launch, listen, send, until, url, wide } from "./harness.mjs";

const PREFIX = "/tools/brokle";
const run = randomUUID().slice(0, 8);
const id = `prefix/${run}`; // needs to be written in an address
const name = `below a prefix ${run}`;

let browser;
let proxy;
let outside = []; // what was asked for that is not below the prefix
let passed = []; // what was, without it

before(async () => {
  browser = await launch();
  proxy = createServer((req, res) => {
    if (!req.url.startsWith(`${PREFIX}/`)) {
      outside.push(req.url);
      res.writeHead(404).end();
      return;
    }
    const path = req.url.slice(PREFIX.length);
    passed.push(path);
    const up = request(url + path, { method: req.method, headers: req.headers }, answer => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
    });
    up.on("error", () => res.destroy());
    res.on("close", () => up.destroy());
    req.pipe(up);
  });
  await new Promise(listening => proxy.listen(0, "127.0.0.1", listening));
  await send([["trace_create", { id, name, session_id: "s" }]], id);
});
after(async () => {
  await browser.close();
  proxy.closeAllConnections();
  await new Promise(closed => proxy.close(closed));
});

const home = () => `http://127.0.0.1:${proxy.address().port}${PREFIX}`;

async function opened() {
  outside = [];
  passed = [];
  const context = await browser.newContext({ viewport: wide });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  return { context, page, problems: listen(page) };
}

test("below a prefix: signing in, lists, a trace, its address, the stream and signing out", async () => {
  const { context, page, problems } = await opened();
  await page.goto(`${home()}/`);
  await page.getByLabel("API key", { exact: true }).fill(key);
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name }).waitFor();
  assert.equal(new URL(page.url()).pathname, `${PREFIX}/traces`);
  const [cookie] = await context.cookies();
  assert.ok(cookie.path.startsWith(PREFIX), `the cookie goes to all below ${cookie.path}`);

  await page.getByRole("button", { name: "Live", exact: true }).click();
  await until("the stream was asked for", () => passed.some(p => p.startsWith("/v1/telemetry/stream")));

  await page.getByRole("link", { name }).click();
  await page.getByRole("heading", { name, level: 1 }).waitFor();
  assert.equal(new URL(page.url()).pathname, `${PREFIX}/traces/${encodeURIComponent(id)}`);
  await page.reload(); // the address of a trace is deeper than that of a list
  await page.getByRole("heading", { name, level: 1 }).waitFor();
  await page.keyboard.press("u");
  await page.getByRole("heading", { name: "Traces", exact: true }).waitFor();

  const pages = page.getByRole("navigation", { name: "Pages" });
  for (const view of ["Dashboard", "Sessions", "Users", "Scores", "Ingest", "Settings"]) {
    await pages.getByRole("link", { name: view }).click();
    await page.getByRole("heading", { name: view, level: 1 }).waitFor();
    assert.equal(new URL(page.url()).pathname, `${PREFIX}/${view.toLowerCase()}`);
    assert.equal(await pages.getByRole("link", { name: view }).getAttribute("aria-current"), "page");
  }
  await page.goBack();
  await page.getByRole("heading", { name: "Ingest", level: 1 }).waitFor();

  await page.getByRole("button", { name: /Signed in to/ }).click();
  await page.waitForLoadState("networkidle");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("API key", { exact: true }).waitFor();
  assert.deepEqual(await context.cookies(), []);
  assert.deepEqual(outside, []);
  assert.deepEqual(problems, []);
  await context.close();
});

test("below a prefix: a link signs in, to a page that is deeper, too", async () => {
  const made = await fetch(`${home()}/v1/session/link`, { method: "POST", headers: { "X-API-Key": key } });
  const { path } = await made.json();
  const { context, page, problems } = await opened();
  await page.goto(home() + path);
  await page.getByRole("heading", { name: "Traces", exact: true }).waitFor();
  await page.goto(`${home()}/traces/${encodeURIComponent(id)}`);
  await page.getByRole("heading", { name, level: 1 }).waitFor();
  assert.deepEqual(outside, []);
  assert.deepEqual(problems, []);
  await context.close();
});
