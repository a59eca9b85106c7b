// Imports `.wgsl` files as text: one loader behind three doors (Vite/Vitest, esbuild/tsup, Node's own module hooks).
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The module text of a `.wgsl` file; `strip` drops comments and what whitespace nobody needs. */
async function moduleText(path, strip) {
  const text = await readFile(path, "utf8");
  return `export default ${JSON.stringify(strip ? stripped(text) : text)};`;
}

// One line for each declaration at module scope, which is how src/kernels/specialize.ts finds them. A space stays between
// words, and between operators: without it `a - -b`, or the end of `vec2<f32> =`, would read as another token.
export function stripped(text) {
  return text
    .replace(/[ \t]*\/\/.*/g, "")
    .replace(/\s*\n[ \t]+/g, " ")
    .replace(/\s*\n\}/g, "}")
    .replace(/(?<![-+*/%|&^<>=!]) +(?!\w)|(?<!\w) +(?![-+*/%|&^<>=!])/g, "")
    .replace(/\n+/g, "\n")
    .trim();
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
