// Payloads that would be scripts stay text, wherever they are shown.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { launch, send, signedIn, until, url } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const attacks = [
  "<script>window.owned=1</script>",
  '"><img src=x onerror="window.owned=1">',
  "<svg onload=window.owned=1>",
  "[click](javascript:window.owned=1)",
  "![picture](https://elsewhere.example/pixel.png)",
  "<iframe srcdoc='<script>parent.owned=1</script>'></iframe>",
  "{{constructor.constructor('window.owned=1')()}}",
  "`</code></pre><script>window.owned=1</script>`",
  "__proto__",
];

test("script in every field stays text", async () => {
  const id = `hostile-${randomUUID()}`;
  const all = attacks.join(" ");
  const tree = Object.fromEntries(attacks.map(a => [a, { [a]: a }]));
  const start = new Date().toISOString();
  await send(
    [
      [
        "trace_create",
        {
          id,
          name: all,
          user_id: attacks[1],
          session_id: attacks[0],
          tags: attacks,
          metadata: tree,
          input: all,
          output: tree,
          version: attacks[1],
          release: attacks[0],
        },
      ],
      [
        "observation_create",
        {
          id: `${id}-o`,
          trace_id: id,
          name: all,
          type: attacks[0],
          model: attacks[1],
          provider: attacks[2],
          level: "ERROR",
          status_message: all,
          start_time: start,
          version: attacks[0],
          model_parameters: tree,
          metadata: tree,
          tags: attacks,
          input: {
            messages: [
              { role: attacks[0], name: attacks[1], content: all },
              {
                role: "assistant",
                content: all,
                tool_calls: [{ id: attacks[1], function: { name: attacks[0], arguments: JSON.stringify(tree) } }],
              },
            ],
          },
          output: { role: "assistant", content: attacks.join("\n\n") },
        },
      ],
      [
        "quality_score_create",
        {
          id: `${id}-s`,
          trace_id: id,
          observation_id: `${id}-o`,
          name: attacks[0],
          string_value: attacks[1],
          data_type: "CATEGORICAL",
          comment: all,
          evaluator_name: attacks[2],
          author_user_id: attacks[1],
        },
      ],
    ],
    id,
  );
  const { context, page, problems } = await signedIn(browser);
  const outside = [];
  page.on("request", r => {
    if (!r.url().startsWith(url) && !r.url().startsWith("blob:")) outside.push(r.url());
  });
  const clean = async where => {
    const found = await page.evaluate(() => ({
      owned: window.owned,
      foreign: [...document.querySelectorAll("#app script, #app iframe, #app img, #app object, #app embed")].map(
        e => e.outerHTML,
      ),
      handlers: [...document.querySelectorAll("#app *")]
        .filter(e => [...e.attributes].some(a => a.name.startsWith("on")))
        .map(e => e.outerHTML),
      links: [...document.querySelectorAll("#app a[href]")].map(a => a.href).filter(h => !/^https?:/.test(h)),
    }));
    assert.deepEqual(found, { owned: undefined, foreign: [], handlers: [], links: [] }, where);
  };
  await page.goto(`${url}/traces?range=1h`);
  await until(
    "the hostile trace is in the list",
    async () => (await page.locator(".row", { hasText: "window.owned" }).count()) > 0,
  );
  await clean("list");
  await page.goto(`${url}/traces?range=1h&user_id=${encodeURIComponent(attacks[1])}`);
  await page.locator(".chip").waitFor();
  await clean("chips");
  for (const observation of ["", `&observation=${id}-o`]) {
    await page.goto(`${url}/traces/${id}?x=${encodeURIComponent(attacks[1])}${observation}`);
    await page.getByRole("treegrid").waitFor();
    for (const mode of ["Formatted", "JSON", "Markdown", "Raw"]) {
      await page.getByRole("button", { name: mode, exact: true }).click();
      await clean(`trace, ${mode}`);
    }
    for (const tab of ["Metadata", "Scores"]) {
      await page.getByRole("tab", { name: new RegExp(tab) }).click();
      await page.locator(".tab-panel").waitFor();
      await clean(`trace, ${tab}`);
    }
    await page.getByRole("tab", { name: "Input and output" }).click();
  }
  assert.ok(
    (await page.locator("body").textContent()).includes("<script>window.owned=1</script>"),
    "the text itself is shown",
  );
  assert.deepEqual(outside, []);
  assert.deepEqual(problems, []);
  await context.close();
});

test("the page allows no script but its own", async () => {
  const res = await fetch(`${url}/traces`);
  const policy = res.headers.get("content-security-policy");
  for (const rule of [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ]) {
    assert.ok(policy.includes(rule), `${rule} in ${policy}`);
  }
  assert.equal(res.headers.get("x-content-type-options"), "nosniff");
  const text = await res.text();
  assert.ok(!/<script>|<style>| style=| on\w+=/.test(text), "nothing inline");
});
