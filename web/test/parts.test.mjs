// A trace comes in parts: its tree first, what was sent when it is looked at, and steps as they happen.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { accessible, api, launch, send, signedIn, until, url } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const long = "x".repeat(50_000);
const message = (role, content) => ({ role, content });

/** agent sends a trace of turns calls, each with all messages before it. */
async function agent(turns) {
  const id = `parts-${randomUUID()}`;
  const said = [message("system", "be kind"), message("user", `begin ${long}`)];
  const events = [
    ["trace_create", { id, name: "agent", input: "asked for a refund", output: "done", metadata: { plan: "gold" } }],
  ];
  for (let i = 0; i < turns; i++) {
    const output = message("assistant", `turn ${i} says zanzibar${i}`);
    events.push([
      "observation_create",
      {
        id: `${id}-${i}`,
        trace_id: id,
        name: `call ${i}`,
        type: "generation",
        start_time: new Date(Date.now() - 60_000 + i * 100).toISOString(),
        end_time: new Date(Date.now() - 60_000 + i * 100 + 50).toISOString(),
        input: { messages: [...said] },
        output,
        model_parameters: { temperature: 0.25 },
      },
    ]);
    said.push(output, message("user", `go on ${i}`));
  }
  await send(events, id);
  await until("all of it can be queried", async () => (await api(`/v1/traces/${id}`)).observation_count === turns);
  return id;
}

/** opened opens a trace, and notes what the page asks for. */
async function opened(id, more = "") {
  const s = await signedIn(browser);
  const asked = [];
  s.page.on("response", async r => {
    const { pathname, searchParams } = new URL(r.url());
    if (pathname.startsWith("/v1/traces/") || pathname.startsWith("/v1/observations")) {
      asked.push({ path: pathname, params: searchParams, bytes: (await r.text()).length });
    }
  });
  await s.page.goto(`${url}/traces/${encodeURIComponent(id)}${more}`);
  await s.page.getByRole("treegrid").waitFor();
  return { ...s, asked };
}

test("the tree comes without what was sent, which comes when it is looked at, with what a call before had", async () => {
  const id = await agent(8);
  const { context, page, problems, asked } = await opened(id);
  await page.getByText("asked for a refund").waitFor();
  assert.deepEqual(
    asked.map(a => a.params.get("fields")),
    ["tree", "trace"],
    "nothing is asked of an observation that nobody looks at",
  );
  assert.ok(asked[0].bytes < 20_000, `the tree takes ${asked[0].bytes} bytes`);
  await page.getByRole("tab", { name: "Metadata" }).click();
  await page.getByText('"gold"').waitFor();
  await page.getByRole("tab", { name: "Input and output" }).click();

  await page.locator(".trow", { hasText: "call 7" }).click();
  const call = page.getByRole("article", { name: "call 7" });
  await call.getByText("turn 7 says zanzibar7").waitFor();
  await call.getByRole("button", { name: /^\d+ earlier messages/ }).waitFor();
  assert.match(await call.getByRole("button", { name: /earlier messages/ }).textContent(), /15 earlier messages/);
  await call.locator("dt", { hasText: "temperature" }).waitFor();
  const observations = () => asked.filter(a => a.path.startsWith("/v1/observations/")).map(a => a.path.slice(-1));
  assert.deepEqual(observations(), ["7", "6"], "the call, and the one that had its messages");
  await page.keyboard.press("k");
  await page.getByRole("article", { name: "call 6" }).getByText("turn 6 says zanzibar6").waitFor();
  await until(
    "its own messages were there, only those of the one before are asked for",
    async () => observations().join() === "7,6,5",
  );
  assert.deepEqual(problems, []);
  await context.close();
});

test("find looks in what was sent, marks the words and goes from one to the next", async () => {
  const id = await agent(6);
  const { context, page, problems } = await opened(id);
  const marked = () =>
    page.evaluate(() => [...(CSS.highlights.get("found") ?? [])].map(range => range.toString().toLowerCase()));
  await page.getByLabel("Find in this trace").fill("ZANZIBAR3");
  // It is said in call 3, and those after it repeat it.
  await page.getByText("3 found", { exact: true }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("article", { name: "call 3" }).waitFor();
  await until("the word is marked", async () => (await marked()).join() === "zanzibar3");
  await page.getByText("1 of 3 found", { exact: true }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("article", { name: "call 4" }).getByText("turn 4 says zanzibar4").waitFor();
  assert.deepEqual(await marked(), [], "it stands in the messages that are folded");
  await page.getByRole("button", { name: /earlier messages/ }).click();
  await until("what is opened is marked, too", async () => (await marked()).join() === "zanzibar3");
  await accessible(page, "a trace in which something was found");
  await page.getByLabel("Find in this trace").fill("nowhere-to-be-found");
  await page.getByText("0 found", { exact: true }).waitFor();
  await page.getByLabel("Find in this trace").fill("");
  await until("nothing is marked", async () => (await marked()).length === 0);
  assert.deepEqual(problems, []);
  await context.close();
});

test("an open trace is followed live", async () => {
  const id = `live-${randomUUID()}`;
  const now = ms => new Date(Date.now() + ms).toISOString();
  await send(
    [
      ["trace_create", { id, name: "under way" }],
      ["observation_create", { id: `${id}-root`, trace_id: id, name: "agent", type: "agent", start_time: now(-500) }],
    ],
    id,
  );
  await until("it can be queried", async () => (await api(`/v1/traces/${id}`)).observation_count === 1);
  const { context, page, problems } = await opened(id, `?observation=${id}-root`);
  const live = page.getByRole("button", { name: "Live", exact: true });
  assert.equal(await live.getAttribute("aria-pressed"), "true", "a step has not ended");
  const of = { trace_id: id, parent_observation_id: `${id}-root` };
  await send(
    [
      [
        "observation_create",
        { ...of, id: `${id}-1`, name: "looked up", type: "tool", start_time: now(-300), end_time: now(-200) },
      ],
    ],
    id,
  );
  await page.locator(".trow", { hasText: "looked up" }).waitFor();
  await page.getByRole("article", { name: "agent" }).waitFor();
  await send([["observation_update", { id: `${id}-root`, trace_id: id, output: "half an answer" }]], id);
  await page.getByText("half an answer").waitFor();
  await send(
    [["observation_complete", { id: `${id}-root`, trace_id: id, output: "the whole answer", end_time: now(0) }]],
    id,
  );
  await page.getByText("the whole answer").waitFor();
  await page.keyboard.press("l");
  await page.waitForURL(u => u.searchParams.get("live") === "0");
  assert.equal(await live.getAttribute("aria-pressed"), "false");
  await accessible(page, "a trace that is not followed");
  assert.deepEqual(problems, []);
  await context.close();

  const over = await opened(id);
  assert.equal(
    await over.page.getByRole("button", { name: "Live", exact: true }).getAttribute("aria-pressed"),
    "false",
    "all has ended",
  );
  assert.deepEqual(over.problems, []);
  await over.context.close();
});

test("a trace of 50 MB opens as one of 50 KB does", async t => {
  const sizes = { small: 340, large: 340_000 };
  const ids = {};
  for (const [name, size] of Object.entries(sizes)) {
    const id = `${name}-${randomUUID()}`;
    ids[name] = id;
    await send([["trace_create", { id, name }]], id);
    for (let i = 0; i < 150; i += 10) {
      const steps = Array.from({ length: 10 }, (_, j) => {
        const time = new Date(Date.now() - 60_000 + i + j).toISOString();
        const input = `${name} ${i + j} `.padEnd(size, "some words ");
        return [
          "observation_create",
          { id: `${id}-${i + j}`, trace_id: id, name: "step", start_time: time, end_time: time, input },
        ];
      });
      await send(steps, id);
    }
    await until("all of it can be queried", async () => {
      const tree = await api(`/v1/traces/${id}?fields=tree`);
      return tree.observation_count === 150;
    });
  }
  const took = { small: [], large: [] };
  const bytes = {};
  for (let round = 0; round < 5; round++) {
    for (const [name, id] of Object.entries(ids)) {
      const { context, page, problems, asked } = await opened(id, `?observation=${id}-7`);
      await page.getByRole("article", { name: "step" }).getByText(`${name} 7 `).first().waitFor();
      took[name].push(
        await page.evaluate(
          () => performance.getEntriesByType("resource").find(r => r.name.includes("fields=tree")).duration,
        ),
      );
      bytes[name] = asked.find(a => a.params.get("fields") === "tree").bytes;
      assert.deepEqual(problems, []);
      await context.close();
    }
  }
  const median = list => list.sort((a, b) => a - b)[2].toFixed(1);
  t.diagnostic(`until the tree is there: ${median(took.large)} ms of 50 MB, ${median(took.small)} ms of 50 KB`);
  assert.ok(
    bytes.large < 1.1 * bytes.small,
    `${bytes.large} bytes for the tree of 50 MB, ${bytes.small} for that of 50 KB`,
  );
});
