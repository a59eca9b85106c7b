// npm run fuzz: damaged files of every format that the library reads. Each must be read, or refused with a typed error,
// within a time limit and with no more memory than twice the file and 16 MB beside its tensors.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { corpus, fileOf } from "./corpus.ts";

interface Options {
  files: number;
  seed: number;
  from: number;
  minutes?: number;
  limit: number;
  out: string;
}

const options = new Command("fuzz")
  .description("Reads damaged files of every format that the library reads.")
  .option("--files <n>", "how many files", Number, 100_000)
  .option("--seed <n>", "another seed gives other files", Number, 1)
  .option("--from <n>", "the number of the first file, to see one again: --from 1234 --files 1", Number, 0)
  .option("--minutes <n>", "stop after so long", Number)
  .option("--limit <seconds>", "a file that takes longer hangs", Number, 20)
  .option("--out <folder>", "where files that fail are kept", ".cache/fuzz")
  .parse()
  .opts<Options>();

/** What a process may take before its first file. */
const STARTING_MS = 60_000;

const run = fileURLToPath(new URL("../../scripts/run.mjs", import.meta.url));
const child = fileURLToPath(new URL("./child.ts", import.meta.url));
const folder = resolve(options.out);
mkdirSync(folder, { recursive: true });
const samples = await corpus();
const began = Date.now();
const end = options.from + options.files;
const faults: string[] = [];

/** Reads files from `first` on, to the end or to one that hangs or crashes. Gives the next number, and how many were read whole. */
function readFrom(first: number): Promise<{ next: number; parsed: number; stopped: boolean }> {
  return new Promise((settle) => {
    const args = [
      "--expose-gc",
      "--max-old-space-size=512",
      run,
      child,
      String(options.seed),
      String(first),
      String(end),
      folder,
    ];
    const reader = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    let at = first;
    let parsed = 0;
    let since = Date.now() + STARTING_MS;
    let name = "";
    let cause: string | undefined;
    let stopped = false;
    const watch = setInterval(() => {
      stopped = options.minutes !== undefined && Date.now() - began > options.minutes * 60_000;
      if (Date.now() - since > options.limit * 1000) cause = `it takes more than ${options.limit} seconds`;
      if (stopped || cause !== undefined) reader.kill("SIGKILL");
    }, 200);
    createInterface({ input: reader.stdout }).on("line", (line) => {
      const [word, number, rest, ...others] = line.split(" ");
      since = Date.now();
      if (word === "at") [at, parsed, name] = [Number(number), Number(rest), others.join(" ")];
      else if (word === "end") [at, parsed] = [end, Number(number)];
      else {
        faults.push(line);
        console.error(line);
      }
    });
    reader.on("close", (code) => {
      clearInterval(watch);
      if (at < end && !stopped) {
        const path = join(folder, `fuzz-${options.seed}-${at}.bin`);
        writeFileSync(path, fileOf(samples, options.seed, at).bytes);
        faults.push(`fault ${at} "${name}: ${cause ?? `the process ended with code ${code}`} (${path})"`);
        console.error(faults.at(-1));
        at++;
      }
      settle({ next: at, parsed, stopped });
    });
  });
}

let next = options.from;
let parsed = 0;
for (let stopped = false; next < end && !stopped; ) {
  const result = await readFrom(next);
  next = result.next;
  parsed += result.parsed;
  stopped = result.stopped;
}
const seconds = Math.round((Date.now() - began) / 1000);
console.log(
  `fuzz: ${next - options.from} damaged files (seed ${options.seed}) in ${seconds} s: ${parsed} times one was read, ${faults.length} faults`,
);
if (faults.length > 0) {
  console.log(`see one again: npm run fuzz -- --seed ${options.seed} --from NUMBER --files 1`);
  process.exitCode = 1;
}
