// The build: dist/node (ESM for Node, bundled), dist/cjs (CommonJS for Node), dist/browser (ESM) and dist/types.
import { readFile, writeFile } from "node:fs/promises";
import { defineConfig } from "tsup";
import { emitTypes } from "./scripts/emit-types.ts";
import { fileByFile } from "./scripts/file-by-file.ts";
import { allKernels, esbuild as wgsl } from "./scripts/wgsl-plugin.mjs";

const entries = ["src/**/*.ts", "!src/**/*.d.ts"];

export default defineConfig([
  {
    name: "node",
    entry: { index: "src/index.ts", node: "src/node/index.ts" },
    outDir: "dist/node",
    format: ["esm"],
    platform: "node",
    target: "node20",
    // The two entries share one Tensor class and one set of errors.
    splitting: true,
    clean: true,
    esbuildPlugins: [wgsl()],
    onSuccess: async () => emitTypes("dist/types"),
  },
  {
    // File by file, since splitting a CommonJS bundle is left to a rewriter that mistakes locals for exports of their name.
    name: "cjs",
    entry: entries,
    outDir: "dist/cjs",
    format: ["cjs"],
    platform: "node",
    target: "node20",
    splitting: false,
    clean: true,
    esbuildPlugins: [wgsl(), fileByFile({ ending: ".cjs", platform: "../node/node-platform" })],
  },
  {
    // File by file: an application's bundler then leaves out whole files, their kernels included. In a single file it would
    // keep every namespace object (`nn`, `vision`) and every kernel that is made at module scope.
    name: "browser",
    entry: [...entries, "!src/node/**"],
    outDir: "dist/browser",
    format: ["esm"],
    platform: "browser",
    target: "es2022",
    splitting: false,
    clean: true,
    esbuildPlugins: [
      fileByFile({ ending: ".js", platform: "./browser-platform", kernels: "../kernels/wgsl.js" }),
      wgsl(),
    ],
    onSuccess: async () => {
      await writeFile("dist/browser/kernels/wgsl.js", await allKernels());
      // Imported before all else, the kernels come first in a bundle and leave its code in one piece: 1 % less gzipped.
      const index = await readFile("dist/browser/index.js", "utf8");
      await writeFile("dist/browser/index.js", `import "./kernels/wgsl.js";\n${index}`);
    },
  },
]);
