// Writes a run's figures as JSON, beside what is printed.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Machine } from "./machine.ts";

const folder = fileURLToPath(new URL("../results", import.meta.url));

/** Writes `{ machine, ...figures }` to `path`, by default bench/results/<name>.json, and says so. */
export function writeResults(name: string, machine: Machine, figures: object, path = `${folder}/${name}.json`): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ machine, ...figures }, null, 1)}\n`);
  console.log(`\nwritten to ${relative(process.cwd(), path)}`);
}
