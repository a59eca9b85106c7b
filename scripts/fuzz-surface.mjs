// Calls everything public with wrong arguments, far more often than `npm test` does and from another seed each time.
// Usage: npm run fuzz:surface -- [CALLS] [SEED]
import { startVitest } from "vitest/node";

const [calls = "20000", seed = String(Math.floor(Math.random() * 2 ** 31))] = process.argv.slice(2);
process.env.FUZZ_CALLS = calls;
process.env.FUZZ_SEED = seed;
const vitest = await startVitest("test", ["test/package/fuzz-surface.test.ts"], { watch: false });
await vitest.close();
