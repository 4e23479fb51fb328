// Builds the page into site/app: hashed assets, each also compressed, and the
// index that names them. The Go package beside this file embeds that directory.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const out = new URL("./site/app/", import.meta.url).pathname;
const assets = join(out, "assets");
rmSync(out, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });

const common = {
  absWorkingDir: new URL(".", import.meta.url).pathname,
  bundle: true,
  minify: true,
  write: false,
  outdir: assets,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  target: ["chrome109", "firefox115", "safari16.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
};
// What is wanted later is loaded then: each import() is a file of its own.
const app = await build({
  ...common,
  entryPoints: { app: "src/main.tsx" },
  format: "esm",
  splitting: true,
  metafile: true,
});
// The theme is there before anything is painted, so it is no module: these wait.
const rest = await build({
  ...common,
  entryPoints: { theme: "src/theme-first.ts", style: "style/index.css" },
  format: "iife",
});

const named = {};
let weight = 0;
const files = [...app.outputFiles, ...rest.outputFiles];
for (const file of files) {
  const name = basename(file.path);
  named[name.split("-")[0]] = name;
  weight += write(join(assets, name), file.contents);
}
// The parts that the first screen needs are asked for at once, not after each other.
const entry = Object.values(app.metafile.outputs).find(o => o.entryPoint === "src/main.tsx");
const parts = entry.imports.filter(i => i.kind === "import-statement").map(i => basename(i.path));

const icon = readFileSync(new URL("./src/icon.svg", import.meta.url));
const iconName = `icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8)}.svg`;
weight += write(join(assets, iconName), icon);

// The page may be served below any path, so its files are named from where the
// address stands: beside a list's, one step up from one that is below a list.
weight += write(join(out, "index.html"), index(""));
weight += write(join(out, "below.html"), index("../"));
console.log(`web: ${files.length + 3} files, ${(weight / 1024).toFixed(1)} KiB compressed with gzip`);

// index is the page that loads all else; up leads from its address to the root.
function index(up) {
  return Buffer.from(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Brokle</title>
<link rel="icon" href="${up}assets/${iconName}" type="image/svg+xml">
<link rel="stylesheet" href="${up}assets/${named.style}">
<script src="${up}assets/${named.theme}"></script>
${parts.map(p => `<link rel="modulepreload" href="${up}assets/${p}">\n`).join("")}<script src="${up}assets/${named.app}" type="module"></script>
</head>
<body>
<div id="app"></div>
<noscript>This page needs JavaScript. The same data is at /v1/traces, with a key.</noscript>
</body>
</html>
`);
}

// write stores a file and its compressed forms; it returns the size with gzip.
function write(path, contents) {
  const gz = gzipSync(contents, { level: 9 });
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: contents.length };
  writeFileSync(path, contents);
  writeFileSync(`${path}.gz`, gz);
  writeFileSync(`${path}.br`, brotliCompressSync(contents, { params }));
  return gz.length;
}
