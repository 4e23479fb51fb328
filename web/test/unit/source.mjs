// Loads modules of the page's source, which is TypeScript, as the bundle has them.
import { build } from "esbuild";

/** source imports a module of src by its path there; it must not need a browser. */
export async function source(path) {
  const { outputFiles } = await build({
    entryPoints: [new URL(`../../src/${path}`, import.meta.url).pathname],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    absWorkingDir: new URL("../..", import.meta.url).pathname,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
