// How soon the page is there when the server keeps many events (BROKLE_EVENTS). What is
// measured is reported; what is asserted is that the rows are right.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { api, key, launch, url } from "../harness.mjs";

const OPENED = 7; // times

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test("the first rows of many events are those of the API", async t => {
  const counted = await api("/v1/stats?of=events&metrics=count");
  assert.ok(counted.data[0].count >= Number(process.env.BROKLE_EVENTS), `${counted.data[0].count} events`);
  const { data } = await api("/v1/traces?limit=1");
  const rows = [];
  const paints = [];
  for (let i = 0; i < OPENED; i++) {
    const context = await browser.newContext(); // an empty cache each time
    await context.request.post(`${url}/v1/session`, { data: { key }, headers: { Origin: url } });
    const page = await context.newPage();
    await page.addInitScript(() => {
      new MutationObserver((_, seen) => {
        if (document.querySelector(".row")) {
          seen.disconnect();
          requestAnimationFrame(() => performance.mark("first-row")); // it is painted with this frame
        }
      }).observe(document, { childList: true, subtree: true });
    });
    await page.goto(`${url}/traces`);
    await page.waitForFunction(() => performance.getEntriesByName("first-row").length > 0);
    assert.match(await page.locator(".row").first().textContent(), new RegExp(data[0].name));
    const [row, paint] = await page.evaluate(() =>
      ["first-row", "first-contentful-paint"].map(
        name => performance.getEntriesByName(name)[0]?.startTime ?? Number.NaN,
      ),
    );
    rows.push(row);
    paints.push(paint);
    await context.close();
  }
  const [least, middle, most] = [0, OPENED >> 1, OPENED - 1].map(i => rows.toSorted((a, b) => a - b)[i].toFixed(0));
  t.diagnostic(
    `${counted.data[0].count} events: first table row after ${middle} ms (${least} to ${most}), first paint after ${paints.toSorted((a, b) => a - b)[OPENED >> 1].toFixed(0)} ms, median of ${OPENED}`,
  );
});
