import { defineConfig } from "tsup";
import { esbuild as wgsl } from "./scripts/wgsl-plugin.mjs";

export default defineConfig([
  {
    entry: { index: "src/index.ts", node: "src/node/index.ts" },
    outDir: "dist/node",
    format: ["esm", "cjs"],
    platform: "node",
    target: "node20",
    splitting: true,
    dts: true,
    clean: true,
    esbuildPlugins: [wgsl()],
  },
  {
    entry: { index: "src/index.ts" },
    outDir: "dist/browser",
    format: ["esm"],
    platform: "browser",
    target: "es2022",
    splitting: false,
    clean: true,
    esbuildPlugins: [wgsl()],
  },
]);
