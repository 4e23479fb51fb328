// What every test of the page needs: a browser, a signed-in page whose console
// is listened to, and the API to compare with. BROKLE_URL and BROKLE_KEY name
// the server (see internal/e2e).
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { palette } from "./png.mjs";

export const url = process.env.BROKLE_URL ?? "";
export const key = process.env.BROKLE_KEY ?? "";
export const readKey = process.env.BROKLE_READ_KEY ?? ""; // has the scope read and no other
assert.ok(
  url && key && readKey,
  "BROKLE_URL, BROKLE_KEY and BROKLE_READ_KEY say where the server is; `make e2e` sets them",
);

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** launch starts Debian's chromium with an empty profile; BROKLE_CHROMIUM names another one. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.BROKLE_CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--force-color-profile=srgb",
    ],
  });
}

export const wide = { width: 1280, height: 800 };
export const narrow = { width: 390, height: 844 };

/** signedIn opens a page of a new, signed-in person; with_ is the key. problems collects what the console complains of. */
export async function signedIn(browser, options = {}, with_ = key) {
  const context = await browser.newContext({ viewport: wide, colorScheme: "light", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const problems = listen(page);
  const press = page.keyboard.press.bind(page.keyboard);
  page.keyboard.press = async (...keys) => {
    await painted(page);
    await press(...keys);
  };
  await context.request.post(`${url}/v1/session`, { data: { key: with_ }, headers: { Origin: url } });
  return { context, page, problems };
}

/** painted waits until what is there was painted: what a page listens to is set up after that, and no person presses a key before. */
export async function painted(page) {
  await page.evaluate(() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))).catch(() => {});
}

/** listen collects errors of the console and of scripts. */
export function listen(page) {
  const problems = [];
  page.on("console", m => {
    if (m.type() === "error" || m.type() === "warning") problems.push(`${m.text()} (${m.location().url})`);
  });
  page.on("pageerror", e => problems.push(String(e)));
  return problems;
}

/** api asks the server directly, with the key. */
export async function api(path, init = {}) {
  const res = await fetch(url + path, { ...init, headers: { "X-API-Key": key, "Content-Type": "application/json" } });
  assert.ok(res.ok, `${path}: ${res.status}`);
  return res.json();
}

/** all reads every row of a list. */
export async function all(path) {
  const rows = [];
  let cursor = "";
  do {
    const page = await api(
      `${path}${path.includes("?") ? "&" : "?"}limit=1000${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    rows.push(...page.data);
    cursor = page.next_cursor ?? "";
  } while (cursor);
  return rows;
}

/** send posts events ([type, payload, seconds?]) and waits until the trace can be queried. */
export async function send(events, traceID) {
  const body = {
    events: events.map(([event_type, payload, timestamp]) => ({
      event_id: randomUUID(),
      event_type,
      payload,
      ...(timestamp ? { timestamp } : {}),
    })),
  };
  const answer = await api("/v1/telemetry/batch", { method: "POST", body: JSON.stringify(body) });
  assert.equal(answer.failed_events, 0, JSON.stringify(answer.errors));
  await until(`trace ${traceID} can be queried`, async () => {
    const res = await fetch(`${url}/v1/traces/${encodeURIComponent(traceID)}`, { headers: { "X-API-Key": key } });
    return res.ok && (await res.json()).name !== "";
  });
}

/** until waits for a condition, at most 20 seconds. */
export async function until(what, holds) {
  const end = Date.now() + 20_000;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `waited in vain until ${what}`);
    await new Promise(f => setTimeout(f, 25));
  }
}

/** accessible runs axe-core and fails on what it calls serious or critical. */
export async function accessible(page, where) {
  await page.evaluate(axeSource); // through the debugger: the policy of the page allows no script of others
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const bad = found.violations.filter(v => v.impact === "serious" || v.impact === "critical");
  const said = bad.map(
    v =>
      `${v.id}: ${v.help}\n${v.nodes
        .map(n => `    ${n.html.slice(0, 160)} ${n.failureSummary ?? ""}`)
        .slice(0, 4)
        .join("\n")}`,
  );
  assert.equal(bad.length, 0, `${where}\n${said.join("\n")}`);
}

/** sticksOut is by how many pixels a page is wider than its window; what scrolls by itself does not count. */
export function sticksOut(page) {
  return page.evaluate(() => {
    const by = e => (e ? Math.max(0, e.scrollWidth - e.clientWidth) : 0);
    return by(document.documentElement) + by(document.querySelector("main"));
  });
}

/** shot keeps a picture of the page, when BROKLE_SHOTS names a directory. */
export async function shot(page, name) {
  const dir = process.env.BROKLE_SHOTS;
  if (!dir) return;
  mkdirSync(dir, { recursive: true });
  const picture = await page.screenshot({ animations: "disabled" });
  const blank = await page.context().newPage(); // the page's own policy would not load it
  const { width, height, pixels } = await blank.evaluate(async source => {
    const image = new Image();
    image.src = `data:image/png;base64,${source}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    const { data } = canvas.getImageData(0, 0, image.width, image.height);
    let text = "";
    for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
    return { width: image.width, height: image.height, pixels: btoa(text) };
  }, picture.toString("base64"));
  await blank.close();
  writeFileSync(join(dir, `${name}.png`), palette(width, height, Buffer.from(pixels, "base64")));
}

/** looks are the four ways a page is looked at. */
export const looks = [
  { name: "light-wide", viewport: wide, colorScheme: "light" },
  { name: "dark-wide", viewport: wide, colorScheme: "dark" },
  { name: "light-narrow", viewport: narrow, colorScheme: "light" },
  { name: "dark-narrow", viewport: narrow, colorScheme: "dark" },
];
