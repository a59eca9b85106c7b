// Imports `.wgsl` files as modules: one loader behind three doors (Vite/Vitest, esbuild/tsup, Node's own module hooks).
// A kernel's default export says what it declares (see src/kernels/reflect.ts) and holds its text; its constants are named
// exports. `import package::lib::rows;` in a kernel is an import of lib/rows.wgsl, whose default export is its text.
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";

const folder = fileURLToPath(new URL("../src/kernels/wgsl/", import.meta.url));
const reflectFile = new URL("../src/kernels/reflect.ts", import.meta.url);

// Not imported: whoever loads this file need not know TypeScript.
const { code } = await transform(await readFile(reflectFile, "utf8"), { loader: "ts" });
const { compact, reflect, withoutComments, withoutDeclarations } = await import(
  `data:text/javascript,${encodeURIComponent(code)}`
);

const IMPORT = /^import package::lib::(\w+);[^\S\n]*\n/gm;

/** A file name as the name of a variable. */
const identifier = (path) => basename(path, ".wgsl").replaceAll("-", "_");
const partPath = (name) => join(folder, "lib", `${name.replaceAll("_", "-")}.wgsl`);
const isPart = (path) => basename(dirname(path)) === "lib";

/** A file's text without its import lines, and the paths of the parts that it imports. */
async function read(path) {
  const text = await readFile(path, "utf8");
  return { text: text.replace(IMPORT, ""), imports: Array.from(text.matchAll(IMPORT), ([, name]) => partPath(name)) };
}

/** The paths of a file, which comes first since directives must, and of its parts, each once. */
async function linkedPaths(path, seen = new Set()) {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const part of (await read(path)).imports) await linkedPaths(part, seen);
  return seen;
}

/** The whole text of a kernel, as it is compiled. */
export async function linked(path) {
  const texts = await Promise.all(Array.from(await linkedPaths(path), async (p) => (await read(p)).text));
  return texts.join("\n");
}

/** What a kernel declares. Throws an Error that names the file where it does not keep the conventions. */
export async function reflected(path) {
  try {
    return reflect(await linked(path));
  } catch (error) {
    throw new Error(`[wgsl] ${relative(process.cwd(), path)}: ${error.message}`);
  }
}

/** The paths of all kernels, and of the parts that they are linked from. */
export async function kernelPaths() {
  const names = await readdir(folder, { recursive: true });
  const paths = names.filter((name) => name.endsWith(".wgsl")).map((name) => join(folder, name));
  return { kernels: paths.filter((path) => !isPart(path)).sort(), parts: paths.filter(isPart).sort() };
}

/** The paths of all parts that a kernel is linked with, those of its parts included. */
async function partsOf(path) {
  const [, ...parts] = await linkedPaths(path);
  return parts;
}

/**
 * What src/kernels/kernel.ts takes, as the text of an expression. It names the parts and does not spread lists of them:
 * to a bundler that would be an effect, which keeps the kernel in every bundle.
 */
async function sourceText(path, text) {
  const { bindings, params } = compact(await reflected(path));
  const parts = (await partsOf(path)).map((part) => `lib_${identifier(part)}`);
  const fields = [
    `name: ${JSON.stringify(basename(path, ".wgsl"))}`,
    `bindings: ${JSON.stringify(bindings)}`,
    `params: ${JSON.stringify(params)}`,
    `text: [${[JSON.stringify(text), ...parts].join(", ")}]`,
  ];
  return `{ ${fields.join(", ")} }`;
}

/** The text of a module for one file. */
async function moduleText(path) {
  const text = withoutDeclarations((await read(path)).text);
  if (isPart(path)) return `export default ${JSON.stringify(text)};`;
  const parts = await partsOf(path);
  const { constants } = await reflected(path);
  return [
    ...parts.map((part) => `import lib_${identifier(part)} from ${JSON.stringify(specifier(path, part))};`),
    `export default ${await sourceText(path, text)};`,
    ...Object.entries(constants).map(([name, value]) => `export const ${name} = ${value};`),
  ].join("\n");
}

function specifier(from, to) {
  const path = relative(dirname(from), to).replaceAll("\\", "/");
  return path.startsWith(".") ? path : `./${path}`;
}

/**
 * The text of a module with every part and every kernel, stripped, each named as its file; constants are named KERNEL_NAME.
 * Shortest first gzips best.
 */
export async function allKernels() {
  const { kernels, parts } = await kernelPaths();
  const text = async (path) => stripped(withoutDeclarations((await read(path)).text));
  const partLines = await Promise.all(
    parts.map(async (path) => `const lib_${identifier(path)} = ${JSON.stringify(await text(path))};`),
  );
  const kernelLines = await Promise.all(
    kernels.map(async (path) => {
      const { constants } = await reflected(path);
      return [
        `export const ${identifier(path)} = ${await sourceText(path, await text(path))};`,
        ...Object.entries(constants).map(([name, value]) => `export const ${identifier(path)}_${name} = ${value};`),
      ].join("\n");
    }),
  );
  return [...partLines, ...kernelLines.sort((a, b) => a.length - b.length)].join("\n");
}

// One line for each declaration at module scope, which is how src/kernels/specialize.ts finds them. A space stays between
// words, and between operators: without it `a - -b`, or the end of `vec2<f32> =`, would read as another token.
export function stripped(text) {
  return withoutComments(text)
    .replace(/[ \t]+$/gm, "")
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
    build.onLoad({ filter: /\.wgsl$/ }, async ({ path }) => {
      const names = ["default", ...Object.keys((await reflected(path)).constants)];
      const exported = names.map((name) =>
        name === "default" ? `${identifier(path)} as default` : `${identifier(path)}_${name} as ${name}`,
      );
      return { contents: `export { ${exported.join(", ")} } from "#kernels";` };
    });
    build.onResolve({ filter: /^#kernels$/ }, () => ({ path: "kernels", namespace: "wgsl", sideEffects: false }));
    build.onLoad({ filter: /^kernels$/, namespace: "wgsl" }, async () => ({ contents: await allKernels() }));
  },
});

/** Node module hook (see `module.register`). */
export async function load(url, context, next) {
  if (!url.endsWith(".wgsl")) return next(url, context);
  return { format: "module", source: await moduleText(fileURLToPath(url)), shortCircuit: true };
}
