// Imports `.wgsl` files as text: one loader behind three doors (Vite/Vitest, esbuild/tsup, Node's own module hooks).
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The module text of a `.wgsl` file; `strip` drops comments and indentation, which a bundle need not carry. */
async function moduleText(path, strip) {
  let text = await readFile(path, "utf8");
  if (strip)
    text = text
      .replace(/\/\/.*$/gm, "")
      .replace(/^\s+|\s+$/gm, "")
      .replace(/\n+/g, "\n");
  return `export default ${JSON.stringify(text)};`;
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
