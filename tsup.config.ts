// The build: dist/node (for Node, bundled: ESM, which CommonJS requires), dist/browser (ESM), dist/browser-production (the same
// with short error messages) and dist/types.
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join, posix } from "node:path";
import type { Plugin } from "esbuild";
import { defineConfig, type Options } from "tsup";
import { emitTypes } from "./scripts/emit-types.ts";
import { fileByFile } from "./scripts/file-by-file.ts";
import { pureCalls } from "./scripts/pure-calls.ts";
import { shortErrors } from "./scripts/short-errors.ts";
import { sourcePlugin } from "./scripts/source-plugin.ts";
import { allKernels, esbuild as wgsl } from "./scripts/wgsl-plugin.mjs";

const KERNELS = "./kernels/wgsl.js";
const entries = ["src/**/*.ts", "!src/**/*.d.ts"];
/** What browsers may import, by its name in dist/node: `wgrad`, `wgrad/mini` and so on. */
const ENTRIES = {
  index: "index",
  data: "data/index",
  mini: "mini",
  nn: "nn/index",
  onnx: "onnx/index",
  optim: "optim/index",
  vision: "vision/index",
};

/** A build for browsers; `kernels` is where the module with all kernels is, seen from its index. */
function browser(name: string, kernels: string, plugins: Plugin[]): Options {
  const outDir = `dist/${name}`;
  return {
    name,
    entry: [...entries, "!src/node/**"],
    outDir,
    format: ["esm"],
    platform: "browser",
    target: "es2022",
    splitting: false,
    clean: true,
    esbuildPlugins: [
      ...plugins,
      fileByFile({ platform: "src/gpu/browser-platform", kernels: posix.join("..", kernels) }),
      wgsl(),
    ],
    onSuccess: async () => {
      if (kernels === KERNELS) await writeFile(`${outDir}/${KERNELS}`, await allKernels());
      // Imported before all else, the kernels come first in a bundle and leave its code in one piece: 1 % less gzipped.
      for (const path of Object.values(ENTRIES).map((path) => `${outDir}/${path}.js`)) {
        const from = posix.relative(posix.dirname(path), posix.join(outDir, kernels));
        await writeFile(
          path,
          `import "${from.startsWith(".") ? from : `./${from}`}";\n${await readFile(path, "utf8")}`,
        );
      }
      // Of a file that holds types alone nothing is left, and nobody imports it.
      for (const entry of await readdir(outDir, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        if (entry.isFile() && (await stat(path)).size === 0) await rm(path);
      }
    },
  };
}

export default defineConfig([
  {
    name: "node",
    entry: Object.fromEntries(
      Object.entries({ ...ENTRIES, node: "node/index" }).map(([name, path]) => [name, `src/${path}.ts`]),
    ),
    outDir: "dist/node",
    format: ["esm"],
    platform: "node",
    target: "node20",
    // The entries share one Tensor class and one set of errors.
    splitting: true,
    clean: true,
    esbuildPlugins: [wgsl()],
    onSuccess: async () => {
      // CommonJS gets the same modules, hence one `Tensor` however many ways a program imports it. Node 20.19 can require them.
      for (const name of [...Object.keys(ENTRIES), "node"])
        await writeFile(`dist/node/${name}.cjs`, `module.exports = require("./${name}.js");\n`);
      emitTypes("dist/types");
    },
  },
  // File by file: an application's bundler then leaves out whole files, their kernels included. In a single file it would
  // keep every namespace object (`nn`, `vision`) and every kernel that is made at module scope.
  browser("browser", KERNELS, [sourcePlugin(pureCalls)]),
  // The same with short messages, for bundlers that build for production. It shares the other's kernels.
  browser("browser-production", "../browser/kernels/wgsl.js", [sourcePlugin(pureCalls, shortErrors)]),
]);
