import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { vite as wgsl } from "./scripts/wgsl-plugin.mjs";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [wgsl()],
  resolve: {
    alias: [
      { find: /^wgrad$/, replacement: at("./src/index.ts") },
      { find: /^wgrad\/mini$/, replacement: at("./src/mini.ts") },
      { find: /^wgrad\/(data|nn|node|onnx|optim|vision)$/, replacement: at("./src/$1/index.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // Test files share the adapter, which may be a software one: more workers than two only wait for each other.
    maxWorkers: 2,
    // CI reads the counts (scripts/test-counts.mjs).
    reporters: process.env.CI ? ["default", ["json", { outputFile: ".cache/vitest.json" }]] : ["default"],
    // Not the user's: what is cached there, say tuned variants of kernels, must not decide what is tested.
    env: { WGRAD_CACHE: at("./.cache/wgrad") },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
