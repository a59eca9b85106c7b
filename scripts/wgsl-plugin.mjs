// Imports `.wgsl` files as text: one loader behind three doors (Vite/Vitest, esbuild/tsup, Node's own module hooks).
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The module text of a `.wgsl` file; `strip` drops comments and blank lines, and shortens indentation to one space. */
async function moduleText(path, strip) {
  const text = await readFile(path, "utf8");
  return `export default ${JSON.stringify(strip ? stripped(text) : text)};`;
}

// Not all of the indentation: what starts a line is a declaration at module scope (see src/kernels/specialize.ts).
function stripped(text) {
  const lines = text.split("\n").map((line) =>
    line
      .replace(/\/\/.*/, "")
      .trimEnd()
      .replace(/^\s+/, " "),
  );
  return lines.filter((line) => line !== "").join("\n");
}

/** Vite and Vitest plugin. */
export const vite = () => ({
  name: "wgsl",
  enforce: "pre",
  load: (id) => (id.endsWith(".wgsl") ? moduleText(id, false) : null),
});

/** esbuild and tsup plugin. */
export const esbuild = () => ({
  name: "wgsl",
  setup(build) {
    build.onLoad({ filter: /\.wgsl$/ }, async ({ path }) => ({ contents: await moduleText(path, true), loader: "js" }));
  },
});

/** Node module hook (see `module.register`). */
export async function load(url, context, next) {
  if (!url.endsWith(".wgsl")) return next(url, context);
  return { format: "module", source: await moduleText(fileURLToPath(url), false), shortCircuit: true };
}
