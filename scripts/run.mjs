// Runs a TypeScript file of this repository (examples, benchmarks) straight from source: node scripts/run.mjs FILE ARGS
import { register } from "node:module";
import { pathToFileURL } from "node:url";
import { register as registerTsx } from "tsx/esm/api";

registerTsx();
register("./wgsl-plugin.mjs", import.meta.url);
const [file, ...args] = process.argv.slice(2);
if (!file) throw new Error("usage: node scripts/run.mjs FILE [ARGS]");
process.argv = [process.argv[0], file, ...args];
await import(pathToFileURL(file).href);
