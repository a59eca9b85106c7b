// The tests that `npm run test:torchrun` takes: they need Python with PyTorch and torchvision, and fail where there is none.
import { defineConfig, mergeConfig } from "vitest/config";
import config from "./vitest.config.ts";

const merged = mergeConfig(config, defineConfig({ test: { maxWorkers: 1, testTimeout: 600_000 } }));
export default { ...merged, test: { ...merged.test, reporters: ["default"], include: ["test/**/*.torchrun.ts"] } };
