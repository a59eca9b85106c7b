// The tests that `npm run test:models` takes: whole model families, too large for every run.
import { defineConfig, mergeConfig } from "vitest/config";
import config from "./vitest.config.ts";

const merged = mergeConfig(config, defineConfig({ test: { maxWorkers: 1, testTimeout: 600_000 } }));
export default { ...merged, test: { ...merged.test, reporters: ["default"], include: ["test/**/*.models.ts"] } };
