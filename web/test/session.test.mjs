// Signing in and out.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { key, launch, listen, signedIn, url } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("a wrong key is refused in words, the right one opens the page that was asked for", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const problems = listen(page);
  await page.goto(`${url}/traces?range=7d`);
  await page.getByLabel("API key", { exact: true }).fill("bk_wrong_wrong_wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("not known").waitFor();
  assert.equal(problems.filter(p => !p.includes("401")).length, 0, problems.join("\n"));
  problems.length = 0;
  await page.getByLabel("API key", { exact: true }).fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Traces" }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get("range"), "7d");
  const [cookie] = await context.cookies();
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, "Strict");
  assert.equal(
    await page.evaluate(() => document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)),
    "{}{}",
  );
  assert.deepEqual(problems, []);
  await context.close();
});

test("a link signs in once", async () => {
  const made = await fetch(`${url}/v1/session/link`, { method: "POST", headers: { "X-API-Key": key } });
  assert.equal(made.status, 201);
  const { path } = await made.json();
  const context = await browser.newContext();
  const page = await context.newPage();
  const problems = listen(page);
  await page.goto(url + path);
  await page.getByRole("heading", { name: "Traces" }).waitFor();
  assert.ok(!page.url().includes("token"), page.url());
  assert.deepEqual(problems, []);
  await context.close();

  const again = await browser.newContext();
  const second = await again.newPage();
  await second.goto(url + path);
  await second.getByRole("alert").getByText("the link was used").waitFor();
  await again.close();
});

test("a link that is pasted into the open sign-in signs in", async () => {
  const made = await fetch(`${url}/v1/session/link`, { method: "POST", headers: { "X-API-Key": key } });
  const { path } = await made.json();
  const context = await browser.newContext();
  const page = await context.newPage();
  const problems = listen(page);
  await page.goto(url + path.replace(/#.*/, ""));
  await page.getByLabel("API key", { exact: true }).waitFor();
  await page.goto(url + path); // the same document: only what follows the # is another
  await page.getByRole("heading", { name: "Traces" }).waitFor();
  assert.ok(!page.url().includes("token"), page.url());
  assert.deepEqual(problems, []);
  await context.close();
});

test("signing out ends the session on the server, too", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/traces`);
  await page.getByRole("heading", { name: "Traces" }).waitFor();
  await page.waitForLoadState("networkidle"); // what is asked while the session ends is refused, and the console says so
  const [cookie] = await context.cookies();
  await page.getByRole("button", { name: /^Signed in to/ }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("API key", { exact: true }).waitFor();
  assert.equal((await context.cookies()).length, 0);
  const res = await fetch(`${url}/v1/traces`, { headers: { Cookie: `${cookie.name}=${cookie.value}` } });
  assert.equal(res.status, 401);
  assert.deepEqual(problems, []);
  await context.close();
});

test("another site cannot use the session", async () => {
  const { context } = await signedIn(browser);
  const [cookie] = await context.cookies();
  const Cookie = `${cookie.name}=${cookie.value}`;
  const body = JSON.stringify({ events: [{ event_id: "csrf", event_type: "event_create", payload: {} }] });
  const post = headers =>
    fetch(`${url}/v1/telemetry/batch`, {
      method: "POST",
      body,
      headers: { Cookie, "Content-Type": "application/json", ...headers },
    });
  assert.equal((await post({})).status, 403);
  assert.equal((await post({ Origin: "https://elsewhere.example" })).status, 403);
  assert.equal((await post({ Origin: url, "Sec-Fetch-Site": "cross-site" })).status, 403);
  assert.equal((await post({ Origin: url })).status, 200);
  await context.close();
});

test("the theme follows the system, a choice wins and stays", async () => {
  const { context, page, problems } = await signedIn(browser, { colorScheme: "dark" });
  await page.goto(`${url}/traces`);
  await page.getByRole("heading", { name: "Traces" }).waitFor();
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.getByRole("button", { name: "Theme" }).click();
  await page.getByRole("button", { name: "Light", exact: true }).click();
  const light = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  await page.getByRole("heading", { name: "Traces" }).waitFor();
  assert.equal(await ground(), light);
  await page.keyboard.press("t");
  assert.equal(await ground(), dark);
  assert.deepEqual(problems, []);
  await context.close();
});
