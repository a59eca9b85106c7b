// A library's worker process (see peers/protocol.mjs): asked one thing at a time, with a limit on how long it may take.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { runner } from "./child.ts";
import type { PeerName, Spec } from "./figures.ts";

export type LibraryName = "wgrad" | PeerName;

export interface Library {
  readonly name: LibraryName;
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
  /** How long its first training step may compile. */
  readonly coldTimeoutMs: number;
}

export type Request =
  | { readonly do: "prepare"; readonly spec: Spec }
  | { readonly do: "run"; readonly times: number }
  | { readonly do: "release" }
  | { readonly do: "cold"; readonly spec: Spec; readonly steps: number };

export interface Replies {
  prepare: { readonly firstMs: number; readonly values: readonly number[] };
  run: { readonly ms: number };
  release: Record<string, never>;
  cold: ColdReply;
}
export interface ColdReply {
  readonly firstStepMs: number;
  readonly losses: readonly number[];
  readonly peakRssMiB: number;
}

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const peersFolder = at("peers");

/** A Python that has PyTorch and torchvision, or null. */
function findTorch(): string | null {
  const works = (python: string) => spawnSync(python, ["-c", "import torch, torchvision"]).status === 0;
  return ["python3", "/usr/bin/python3"].find(works) ?? null;
}

/** The libraries that are here; PyTorch is left out where no Python has it. */
export function libraries(): Library[] {
  const script = (name: LibraryName, title: string, file: string, coldTimeoutMs: number): Library => ({
    ...{ name, title, coldTimeoutMs },
    command: process.execPath,
    args: name === "wgrad" ? [runner, at(file)] : [at(file)],
  });
  const found = [
    script("wgrad", "wgrad", "worker.ts", 300_000),
    script("tfjs", "TensorFlow.js", "peers/tfjs.mjs", 300_000),
    script("jax", "jax-js", "peers/jax.mjs", 900_000),
  ];
  const python = findTorch();
  if (python) {
    const args = [at("peers/torch_cpu.py")];
    found.push({ name: "torch", title: "PyTorch CPU", command: python, args, coldTimeoutMs: 120_000 });
  }
  return found;
}

export class PeerProcess {
  readonly library: Library;
  readonly #child: ChildProcess;
  #answer: ((line: object) => void) | null = null;
  #fail: ((error: Error) => void) | null = null;
  #ended: string | null = null;
  #stderr = "";

  constructor(library: Library, env: Readonly<Record<string, string>>) {
    this.library = library;
    const child = spawn(library.command, library.args, {
      cwd: peersFolder,
      // PyTorch's threads would otherwise spin while the others are measured.
      env: { ...process.env, OMP_WAIT_POLICY: "passive", ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    child.stderr.on("data", (chunk) => {
      this.#stderr = `${this.#stderr}${chunk}`.slice(-4000);
    });
    // Drivers and libraries may print to stdout, too.
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (!line.startsWith("{")) return;
      try {
        this.#answer?.(JSON.parse(line) as object);
      } catch {}
    });
    const end = (why: string) => {
      this.#ended ??= why;
      this.#fail?.(new Error(`${why}: ${this.#stderr.trim().split("\n").slice(-3).join(" | ")}`));
    };
    child.on("error", (error) => end(error.message));
    child.on("exit", (code, signal) => end(`the process ended with ${signal ?? code}`));
    // Writing to a process that has just ended: reported by `exit`.
    child.stdin.on("error", () => {});
  }

  get ended(): boolean {
    return this.#ended !== null;
  }

  async ask<R extends Request>(request: R, timeoutMs: number): Promise<Replies[R["do"]]> {
    if (this.#ended) throw new Error(this.#ended);
    let timer: NodeJS.Timeout | undefined;
    try {
      const reply = await new Promise<object>((resolve, reject) => {
        this.#answer = resolve;
        this.#fail = reject;
        timer = setTimeout(() => {
          this.#child.kill("SIGKILL");
          reject(new Error(`no answer to "${request.do}" after ${Math.round(timeoutMs / 1000)} s`));
        }, timeoutMs);
        this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
      });
      if ("error" in reply) throw new Error(String(reply.error));
      return reply as Replies[R["do"]];
    } finally {
      clearTimeout(timer);
      this.#answer = null;
      this.#fail = null;
    }
  }

  /** Ends the process, giving its driver time to write its cache. */
  async quit(): Promise<void> {
    if (this.#ended) return;
    const gone = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    this.#child.stdin!.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 20_000);
    await gone;
    clearTimeout(timer);
  }
}
