// Loads modules of the page's source, which is TypeScript, as the bundle has them.
import { build } from "esbuild";

const root = new URL("../..", import.meta.url).pathname;

/** source imports modules of src by their paths there, as one bundle: what they share is the same. They must not need a browser. */
export async function source(...paths) {
  const { outputFiles } = await build({
    stdin: { contents: paths.map(p => `export * from "./src/${p}";`).join("\n"), resolveDir: root },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    absWorkingDir: root,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
