// Media that the server has taken out of payloads: shown in place, saved, and put into a saved trace.
import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { accessible, api, launch, looks, send, signedIn, sticksOut, until, url } from "./harness.mjs";
import { palette } from "./png.mjs";

let browser;
const id = `media-${randomUUID()}`;
const hash = bytes => createHash("sha256").update(bytes).digest("hex");
const script = "<script>parent.owned=1;window.owned=1</script>";

const size = 120;
const picture = palette(size, size, randomBytes(size * size * 4));
const sound = wav(randomBytes(16_000));
const map = Buffer.concat([Buffer.from("%PDF-1.4\n"), randomBytes(9000)]);
const drawing = Buffer.from(
  `<svg xmlns="http://www.w3.org/2000/svg" onload="window.owned=1">${script}${"<g/>".repeat(3000)}</svg>`,
);

// wav is a sound of 8000 samples a second, one byte each.
function wav(samples) {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(8000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

const in64 = bytes => bytes.toString("base64");
const content = [
  { type: "text", text: "What is to be seen, and heard?" },
  { type: "image_url", image_url: { url: `data:image/png;base64,${in64(picture)}` } },
  { type: "input_audio", input_audio: { data: in64(sound), format: "wav" } },
  { type: "file", file: { filename: "map.pdf", file_data: `data:application/pdf;base64,${in64(map)}` } },
  { type: "image_url", image_url: { url: `data:image/svg+xml;base64,${in64(drawing)}` } },
];

before(async () => {
  browser = await launch();
  const input = { messages: [{ role: "user", content }] };
  await send(
    [
      ["trace_create", { id, name: "media" }],
      [
        "observation_create",
        { id: `${id}-o`, trace_id: id, name: "look", type: "generation", input, output: "A map." },
      ],
    ],
    id,
  );
  await until("it can be queried", async () => (await api(`/v1/traces/${id}`)).observation_count === 1);
});
after(() => browser.close());

async function opened(options) {
  const s = await signedIn(browser, options);
  await s.page.goto(`${url}/traces/${id}?observation=${id}-o`);
  await s.page.locator(".medium").nth(3).waitFor();
  return s;
}

test("media are read from the server, each as what it is, and nothing else is asked", async () => {
  const { context, page, problems } = await opened();
  const asked = [];
  page.on("request", r => asked.push(r.url()));
  const image = page.locator(".medium img");
  assert.equal(await image.getAttribute("src"), `/v1/media/${hash(picture)}`);
  await until("the picture is decoded", () => image.evaluate((i, n) => i.complete && i.naturalWidth === n, size));
  await until("the sound is read", () =>
    page.locator(".medium audio").evaluate(a => a.readyState > 0 && Math.round(a.duration) === 2),
  );
  assert.equal(await page.locator(".medium img, .medium audio").count(), 2, "a drawing is not drawn");
  for (const [name, bytes, as] of [
    ["application/pdf", map, "map.pdf"],
    ["image/svg+xml", drawing, "medium.bin"],
  ]) {
    const saved = page.waitForEvent("download");
    await page.locator(".medium", { hasText: name }).getByRole("link", { name: "Save" }).click();
    const file = await saved;
    assert.equal(file.suggestedFilename(), as);
    assert.deepEqual(await readFile(await file.path()), bytes);
  }
  await page.goto(`${url}/v1/media/${hash(drawing)}`).catch(e => assert.match(String(e), /Download is starting/));
  assert.equal(await page.evaluate(() => window.owned), undefined);
  assert.deepEqual(
    asked.filter(a => !a.startsWith(url) && !/^(data|blob):/.test(a)),
    [],
  );
  assert.deepEqual(problems, []);
  await context.close();
});

test("a trace saved as one file has its pictures and sounds in it", async () => {
  const { context, page, problems } = await opened();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  await page.locator(".panel").getByRole("button", { name: "HTML, one file", exact: true }).click();
  const file = await readFile(await (await saved).path(), "utf8");
  assert.ok(file.includes(`src="data:image/png;base64,${in64(picture)}"`), "the picture");
  assert.ok(file.includes(`src="data:audio/wav;base64,${in64(sound)}"`), "the sound");
  assert.ok(!file.includes("/v1/media/") && !file.includes("<script") && file.includes("map.pdf"), "the map is named");
  assert.deepEqual(problems, []);
  await context.close();
});

test("what the server has no longer is said to be gone", async () => {
  const { context, page } = await signedIn(browser);
  await page.route(`**/v1/media/${hash(picture)}`, r => r.fulfill({ status: 404 }));
  await page.goto(`${url}/traces/${id}?observation=${id}-o`);
  await page.locator(".medium", { hasText: "image/png" }).getByText("is not on the server").waitFor();
  assert.equal(await page.locator(".medium img").count(), 0);
  await context.close();
});

for (const look of looks) {
  test(`media of the server, ${look.name}`, async () => {
    const { context, page, problems } = await opened(look);
    await accessible(page, `media, ${look.name}`);
    assert.equal(await sticksOut(page), 0);
    assert.deepEqual(problems, []);
    await context.close();
  });
}
