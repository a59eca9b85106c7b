// Imports `.wgsl` files as text: one loader behind three doors (Vite/Vitest, esbuild/tsup, Node's own module hooks).
import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const folder = new URL("../src/kernels/wgsl/", import.meta.url);

/** A file name as the name of a variable. */
const identifier = (path) => basename(path, ".wgsl").replaceAll("-", "_");

const moduleText = async (path) => `export default ${JSON.stringify(await readFile(path, "utf8"))};`;

/** The text of a module with every kernel, each stripped and named as its file. Shortest first gzips best. */
export async function allKernels() {
  const constant = async (file) =>
    `export const ${identifier(file)} = ${JSON.stringify(stripped(await readFile(new URL(file, folder), "utf8")))};\n`;
  const texts = await Promise.all((await readdir(folder)).map(constant));
  return texts.sort((a, b) => a.length - b.length).join("");
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
  load: (id) => (id.endsWith(".wgsl") ? moduleText(id) : null),
});

/**
 * esbuild and tsup plugin. All kernels come from one module, `#kernels`: side by side they repeat each other, where gzip,
 * which looks back 32 KB, finds it. A bundler leaves out those that nobody imports.
 */
export const esbuild = () => ({
  name: "wgsl",
  setup(build) {
    build.onLoad({ filter: /\.wgsl$/ }, ({ path }) => ({
      contents: `export { ${identifier(path)} as default } from "#kernels";`,
    }));
    build.onResolve({ filter: /^#kernels$/ }, () => ({ path: "kernels", namespace: "wgsl", sideEffects: false }));
    build.onLoad({ filter: /^kernels$/, namespace: "wgsl" }, async () => ({ contents: await allKernels() }));
  },
});

/** Node module hook (see `module.register`). */
export async function load(url, context, next) {
  if (!url.endsWith(".wgsl")) return next(url, context);
  return { format: "module", source: await moduleText(fileURLToPath(url)), shortCircuit: true };
}
