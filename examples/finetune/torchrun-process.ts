// Finding torchrun, starting it, reading what its rank 0 prints, and ending it with all of its processes.
import { execFile, spawn } from "node:child_process";
import { access, constants, open, readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { WgradError } from "wgrad";
import type { EpochRecord } from "./run-folder.ts";

/** torchrun is not there, or failed. */
export class TorchrunError extends WgradError {
  override get name(): string {
    return "TorchrunError";
  }
}

/** What torchrun_runner.py prints, a JSON object a line. */
export type RunnerEvent =
  | {
      readonly event: "start";
      readonly torch: string;
      readonly torchvision: string;
      readonly device: string;
      readonly backend: string;
      readonly processes: number;
    }
  | { readonly event: "epoch"; readonly epoch: number; readonly phase: EpochRecord["phase"] }
  | { readonly event: "batch"; readonly images: number }
  | { readonly event: "result"; readonly record: EpochRecord; readonly iterations: readonly number[] };

/** A command, and the arguments that come first. */
export type Launcher = readonly [command: string, ...args: string[]];

const INSTALL =
  "Install PyTorch 1.13 or newer with torchvision, by `pip install torch torchvision` or on Debian and Ubuntu by " +
  "`apt install python3-torch python3-torchvision`; --python COMMAND names another interpreter";

/** torchrun, or the interpreter that has it as a module. Throws a TorchrunError where there is none, or no PyTorch. */
export async function findLauncher(python?: string): Promise<Launcher> {
  if (python === undefined) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const path = join(folder, "torchrun");
      const isThere = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (isThere) return [path];
    }
  }
  const command = python ?? "python3";
  try {
    await promisify(execFile)(command, ["-c", "import torch.distributed.run, torchvision"]);
  } catch (error) {
    const text = String(error);
    const what = text.includes("ENOENT") ? "is not there" : (missingModule(text) ?? `failed: ${lastLines(text, 3)}`);
    const looked = python === undefined ? "There is no torchrun on the PATH, and " : "";
    throw new TorchrunError(`--engine torchrun needs PyTorch. ${looked}${command} ${what}. ${INSTALL}`, {
      cause: error,
    });
  }
  return [command, "-m", "torch.distributed.run"];
}

export interface Launch {
  readonly launcher: Launcher;
  /** What torchrun starts, and its arguments. */
  readonly script: readonly string[];
  readonly nproc: number;
  readonly nnodes: number;
  /** `host:port` of this machine, where there are several. */
  readonly master?: string | undefined;
  /** Where the processes' stderr goes. */
  readonly errors: string;
}

/**
 * What processes print goes where torchrun's own output goes, for which the default stands; but PyTorch 1.13 on Python 3.11
 * fails with that default, since an enumeration there no longer lists its zero. A word on process 9 spares it the search.
 */
const OUTPUT = ["--redirects", "9:0", "--tee", "9:0"];

/** torchrun's command line on the machine of that number. */
export function commandLine({ launcher, script, nproc, nnodes, master = "" }: Launch, node: number): string[] {
  const [host = "", port = ""] = master.split(":");
  const place =
    nnodes > 1
      ? ["--node_rank", `${node}`, "--master_addr", host, "--master_port", port]
      : // Port 0: any that is free.
        ["--rdzv_backend", "c10d", "--rdzv_endpoint", "localhost:0"];
  return [...launcher, "--nnodes", `${nnodes}`, "--nproc_per_node", `${nproc}`, ...place, ...OUTPUT, ...script];
}

/**
 * Runs until torchrun ends: true, or false where Ctrl-C (or SIGTERM) ended it. `onEvent` gets what rank 0 says, `onStop` is
 * called when the signal comes. Throws a TorchrunError where it failed.
 */
export async function runTorchrun(
  launch: Launch,
  onEvent: (event: RunnerEvent) => void | Promise<void>,
  onStop: () => void,
): Promise<boolean> {
  const [command = "", ...args] = commandLine(launch, 0);
  const errors = await open(launch.errors, "w");
  // PyTorch gives each process all cores if there is one, and one core if there are several.
  const threads = Math.max(1, Math.floor(availableParallelism() / launch.nproc));
  const child = spawn(command, args, {
    // A process group of its own: Ctrl-C reaches this process alone, and a signal from here all of those.
    detached: true,
    stdio: ["ignore", "pipe", errors.fd],
    env: { OMP_NUM_THREADS: `${threads}`, ...process.env },
  });
  const ended = new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(signal ?? `code ${code}`));
  });
  ended.catch(() => {});
  const signalAll = (signal: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // They are gone.
    }
  };
  let stopped = false;
  let last: NodeJS.Timeout | undefined;
  const stop = () => {
    stopped = true;
    onStop();
    signalAll("SIGTERM");
    last = setTimeout(signalAll, 10_000, "SIGKILL");
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stop);
  try {
    for await (const line of createInterface({ input: child.stdout ?? Readable.from([]) })) {
      if (line.startsWith('{"event":')) await onEvent(JSON.parse(line) as RunnerEvent);
    }
    const how = await ended;
    if (stopped) return false;
    if (how !== "code 0") throw failure(how, await readFile(launch.errors, "utf8"), launch.errors);
    return true;
  } finally {
    clearTimeout(last);
    signalAll("SIGKILL");
    for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, stop);
    await errors.close();
  }
}

/** What the first process that failed said, rather than what torchrun says of it. */
function failure(how: string, text: string, path: string): TorchrunError {
  const missing = missingModule(text);
  if (missing) return new TorchrunError(`torchrun's Python ${missing}. ${INSTALL}`);
  const said = /^(?:\w+\.)*\w*(?:Error|Exception)\b.*$/m.exec(text)?.[0] ?? lastLines(text, 5);
  return new TorchrunError(`torchrun ended with ${how}: ${said}\n(all that it said is in ${path})`);
}

function missingModule(text: string): string | undefined {
  const name = /No module named '?((?:torch|torchvision|numpy)\b[\w.]*)/.exec(text)?.[1];
  return name && `has no module ${name}`;
}

const lastLines = (text: string, n: number): string => text.trim().split("\n").slice(-n).join("\n");
