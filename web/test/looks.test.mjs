// Every page in light and dark, wide and narrow: accessible, and a picture of
// each for docs/img when BROKLE_SHOTS names that directory. Also what it weighs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, api, key, launch, looks, shot, signedIn, sticksOut, url } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const first = async list => encodeURIComponent((await api(`/v1/${list}?limit=1&sort=-trace_count`)).data[0].id);
const charts = page => page.locator(".chart canvas").first().waitFor();

const places = [
  { name: "dashboard", path: () => "/dashboard", ready: charts },
  { name: "sessions", path: () => "/sessions", ready: page => page.locator(".row").first().waitFor() },
  {
    name: "session",
    path: async () => `/sessions/${await first("sessions")}`,
    ready: page => page.locator(".turn").first().waitFor(),
  },
  { name: "users", path: () => "/users", ready: page => page.locator(".row").first().waitFor() },
  { name: "user", path: async () => `/users/${await first("users")}`, ready: charts },
  { name: "scores", path: () => "/scores?name=helpfulness", ready: charts },
  {
    name: "traces",
    path: () => "/traces",
    ready: async page => {
      await page.locator(".row").first().waitFor();
      await page.locator(".histogram .u-over").waitFor();
    },
  },
  {
    name: "trace",
    path: async () => {
      const reply =
        (await api("/v1/observations?name=reply&limit=200")).data.find(o => o.level !== "ERROR") ??
        (await api("/v1/observations?limit=1")).data[0];
      return `/traces/${encodeURIComponent(reply.trace_id)}?observation=${encodeURIComponent(reply.id)}&live=0`; // a stream is never idle
    },
    ready: page => page.getByRole("treegrid").waitFor(),
  },
  {
    name: "ingest",
    path: () => "/ingest",
    ready: page => page.locator(".audit .u-over").waitFor(),
  },
  {
    name: "settings",
    path: () => "/settings",
    ready: page => page.getByRole("heading", { name: "Appearance" }).waitFor(),
  },
];

for (const look of looks) {
  for (const place of places) {
    test(`${place.name}, ${look.name}`, async () => {
      const { context, page, problems } = await signedIn(browser, look);
      await page.goto(url + (await place.path()));
      await place.ready(page);
      await page.waitForLoadState("networkidle");
      await shot(page, `${place.name}-${look.name}`);
      await accessible(page, `${place.name}, ${look.name}`);
      assert.equal(await sticksOut(page), 0, "nothing sticks out");
      assert.deepEqual(problems, []);
      await context.close();
    });
  }
}

test("sign-in and open menus are accessible", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ colorScheme });
    const out = await context.newPage();
    await out.goto(url);
    await out.getByLabel("API key", { exact: true }).waitFor();
    await accessible(out, `sign-in, ${colorScheme}`);
    await context.close();
    const { context: own, page } = await signedIn(browser, { colorScheme });
    await page.goto(`${url}/traces?environment=production&min_latency_ms=1`);
    await page.locator(".row").first().waitFor();
    for (const name of ["Add a filter", /^Time:/, "Columns", "Export", "Theme"]) {
      await page.getByRole("button", { name }).click();
      await accessible(page, `menu ${name}, ${colorScheme}`);
      await page.keyboard.press("Escape");
    }
    await page.keyboard.press("?");
    await accessible(page, `keys, ${colorScheme}`);
    await own.close();
  }
});

test("what it weighs and how soon it is there", async t => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await context.request.post(`${url}/v1/session`, { data: { key }, headers: { Origin: url } });
  await page.goto(`${url}/traces`);
  await page.locator(".row").first().waitFor();
  const times = await page.evaluate(() => {
    const first = performance.now();
    const files = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const bytes = files.filter(f => !f.name.includes("/v1/")).reduce((sum, f) => sum + f.encodedBodySize, 0);
    return { first, bytes, paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0 };
  });
  t.diagnostic(
    `page weight ${(times.bytes / 1024).toFixed(1)} KiB, first paint ${times.paint.toFixed(0)} ms, first row at most ${times.first.toFixed(0)} ms`,
  );
  assert.ok(times.bytes > 20 * 1024 && times.bytes < 200 * 1024, `${times.bytes} bytes`);
  await context.close();
});
