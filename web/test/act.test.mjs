// What a person says of a trace: scores, tags, comments and corrections, by keyboard alone, as events that everybody can read.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { accessible, api, key, launch, looks, readKey, send, signedIn, sticksOut, until, url } from "./harness.mjs";

const run = randomUUID().slice(0, 8);
const trace = `act-${run}`;
const call = `${trace}-call`;
const names = { helpful: `helpful ${run}`, tone: `tone ${run}`, quality: `quality/${run}` };

let browser;
before(async () => {
  browser = await launch();
  const at = Date.now() / 1000;
  await send(
    [
      ["trace_create", { id: trace, name: "answered", tags: ["first"], input: "q", output: "a" }],
      [
        "observation_create",
        {
          id: call,
          trace_id: trace,
          type: "generation",
          name: "chat",
          start_time: at,
          end_time: at + 1,
          output: "The sky is green.",
        },
      ],
    ],
    trace,
  );
});
after(async () => {
  for (const { name } of (await api("/v1/score-definitions")).data) {
    if (!name.endsWith(run)) continue;
    const path = name.includes("/") ? `-?id=${encodeURIComponent(name)}` : encodeURIComponent(name);
    await fetch(`${url}/v1/score-definitions/${path}`, { method: "DELETE", headers: { "X-API-Key": key } });
  }
  await browser.close();
});

const defined = async () => (await api("/v1/score-definitions")).data.filter(d => d.name.endsWith(run));

test("scores are defined in the settings, changed and removed", async () => {
  const { context, page, problems } = await signedIn(browser);
  await page.goto(`${url}/settings`);
  const define = async (name, fill) => {
    await page.getByRole("button", { name: "Define a score" }).click();
    await page.getByLabel("Name").fill(name);
    await fill();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("listitem").getByText(name, { exact: true }).waitFor();
  };
  await define(names.helpful, async () => {});
  await define(names.tone, async () => {
    await page.getByLabel("One of some words").check();
    await page.getByLabel("The words, one a line").fill("kind\ncurt\n\nrude");
    await page.getByLabel("What it means").fill("How it <b>sounds</b>.");
  });
  await page.getByRole("button", { name: "Define a score" }).click();
  await page.getByLabel("Name").fill(names.quality);
  await page.getByLabel("A number").check();
  await page.getByLabel("At least").fill("5");
  await page.getByLabel("At most").fill("1");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").getByText("min: it is below max").waitFor();
  await accessible(page, "a definition that is wrong");
  await page.getByLabel("At least").fill("0");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("listitem").getByText("a number from 0 to 1").waitFor();
  const found = await defined();
  assert.deepEqual(
    found.map(d => [d.name, d.data_type, d.min ?? null, d.max ?? null, d.categories ?? []]).sort(),
    [
      [names.helpful, "BOOLEAN", null, null, []],
      [names.quality, "NUMERIC", 0, 1, []],
      [names.tone, "CATEGORICAL", null, null, ["kind", "curt", "rude"]],
    ].sort(),
  );
  await page.getByRole("button", { name: `Change ${names.tone}` }).click();
  assert.equal(await page.getByLabel("What it means").inputValue(), "How it <b>sounds</b>.");
  await page.getByLabel("What it means").fill("How it sounds.");
  await page.getByRole("button", { name: "Save" }).click();
  await until("it is changed", async () => (await defined()).some(d => d.description === "How it sounds."));
  await accessible(page, "score definitions");
  assert.deepEqual(
    problems.filter(p => !p.includes("400")),
    [],
  );
  await context.close();
});

test("scores, a comment, a correction and tags are given by keyboard alone", async () => {
  const { context, page, problems } = await signedIn(browser);
  const places = (await api("/v1/score-definitions")).data.map(d => d.name);
  const press = name => page.keyboard.press(String(places.indexOf(name) + 1));
  await page.goto(`${url}/traces/${trace}?observation=${encodeURIComponent(call)}`);
  await page.getByRole("heading", { name: "chat" }).waitFor();
  const scores = async () => (await api(`/v1/traces/${trace}`)).score_list;
  const given = async (name, want) =>
    until(`${name} is ${want}`, async () =>
      (await scores()).some(s => s.name === name && (s.string_value || s.value) === want && s.observation_id === call),
    );
  const writing = () =>
    until("a text is written", () => page.evaluate(() => document.activeElement?.tagName === "TEXTAREA"));
  await press(names.helpful);
  await until("the first choice has the focus", () =>
    page.evaluate(() => document.activeElement?.textContent === "Yes"),
  );
  await page.keyboard.press("Enter");
  await given(names.helpful, 1);
  await page.getByRole("button", { name: "Yes", pressed: true }).waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await given(names.helpful, 0);
  await press(names.tone);
  await until("its first word has the focus", () =>
    page.evaluate(() => document.activeElement?.textContent === "kind"),
  );
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await given(names.tone, "curt");
  await press(names.quality);
  await until("the number has the focus", () =>
    page.evaluate(() => document.activeElement?.getAttribute("type") === "number"),
  );
  await page.keyboard.type("0.75");
  await page.keyboard.press("Enter");
  await given(names.quality, 0.75);
  const mine = (await scores()).filter(s => Object.values(names).includes(s.name));
  assert.equal(mine.length, 3, "a score that is changed is no second one");
  for (const s of mine) assert.deepEqual([s.source, s.author_user_id !== ""], ["HUMAN", true]);

  await page.getByRole("button", { name: "Comment…" }).focus();
  await page.keyboard.press("Enter");
  await writing();
  await page.keyboard.type("Look <script>alert(1)</script> here");
  await page.keyboard.press("Control+Enter");
  await page.getByLabel("Comments and corrections").getByText("Look <script>alert(1)</script> here").waitFor();
  await page.getByRole("button", { name: "Corrected output…" }).focus();
  await page.keyboard.press("Enter");
  await writing();
  assert.equal(await page.getByLabel("Corrected output").inputValue(), "The sky is green.");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("The sky is blue.");
  await page.keyboard.press("Control+Enter");
  await page.getByLabel("Comments and corrections").getByText("The sky is blue.").waitFor();
  await accessible(page, "scores and notes");

  await page.goto(`${url}/traces/${trace}`);
  await page.getByRole("tab", { name: /^Scores/ }).click();
  await page.getByLabel("New tag").focus();
  await page.keyboard.type("second");
  await page.keyboard.press("Enter");
  await until("the tag is there", async () => (await api(`/v1/traces/${trace}`)).tags.includes("second"));
  await page.getByRole("button", { name: "Remove the tag second" }).waitFor();
  await page.getByRole("button", { name: "Remove the tag first" }).focus();
  await page.keyboard.press("Enter");
  await until("the other is gone", async () => (await api(`/v1/traces/${trace}`)).tags.join() === "second");
  await page.getByRole("button", { name: "Remove the tag first" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Remove the tag second" }).click();
  await until("none is left", async () => (await api(`/v1/traces/${trace}`)).tags.length === 0);
  const stored = await api(`/v1/traces/${trace}`);
  assert.equal(stored.name, "answered");
  assert.equal(stored.observation_count, 1);
  assert.deepEqual(problems, []);
  await context.close();
});

test("who may only read sees what others said, and no buttons", async () => {
  const { context, page, problems } = await signedIn(browser, looks[3], readKey);
  await page.goto(`${url}/traces/${trace}?observation=${encodeURIComponent(call)}`);
  await page.getByRole("tab", { name: /^Scores/ }).click();
  await page.getByLabel("Comments and corrections").getByText("The sky is blue.").waitFor();
  assert.equal(await page.locator(".act button, .act input, .act textarea").count(), 0);
  await page.keyboard.press("1");
  assert.equal(await page.locator(".give-score").count(), 0);
  assert.equal(await sticksOut(page), 0);
  await accessible(page, "notes of others");
  assert.deepEqual(problems, []);
  await context.close();
});
