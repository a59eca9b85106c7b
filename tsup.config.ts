// The build: dist/node (ESM and CJS, one file an entry plus what they share), dist/browser (ESM, file by file) and dist/types.
import { defineConfig } from "tsup";
import { emitTypes } from "./scripts/emit-types.ts";
import { fileByFile } from "./scripts/file-by-file.ts";
import { esbuild as wgsl } from "./scripts/wgsl-plugin.mjs";

export default defineConfig([
  {
    name: "node",
    entry: { index: "src/index.ts", node: "src/node/index.ts" },
    outDir: "dist/node",
    format: ["esm", "cjs"],
    platform: "node",
    target: "node20",
    splitting: true,
    clean: true,
    esbuildPlugins: [wgsl()],
    onSuccess: async () => emitTypes("dist/types"),
  },
  {
    // One output a source file: an application's bundler then leaves out whole files, their kernels included. In a single
    // file it would keep every namespace object (`nn`, `vision`) and every kernel that is made at module scope.
    name: "browser",
    entry: ["src/**/*.ts", "!src/**/*.d.ts", "!src/node/**"],
    outDir: "dist/browser",
    format: ["esm"],
    platform: "browser",
    target: "es2022",
    splitting: false,
    clean: true,
    esbuildPlugins: [wgsl(), fileByFile()],
  },
]);
