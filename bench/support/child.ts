// Measurements that need a process of their own: a cold driver cache, peak memory.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A folder for the driver's shader cache, empty at first; `env` points the driver there. */
export interface DriverCache {
  readonly env: Readonly<Record<string, string>>;
  remove(): void;
}

export function freshDriverCache(): DriverCache {
  const folder = mkdtempSync(join(tmpdir(), "wgrad-bench-"));
  // Mesa's own variable, and the root of caches for whatever else keeps one.
  const env = { MESA_SHADER_CACHE_DIR: join(folder, "mesa"), XDG_CACHE_HOME: join(folder, "cache") };
  return { env, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export const runner = fileURLToPath(new URL("../../scripts/run.mjs", import.meta.url));

/** Runs a command and parses the last line of what it prints as JSON. Rejects with its output when it fails. */
export function runForJson(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`no result after ${Math.round(timeoutMs / 1000)} s`));
    }, timeoutMs);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      const last = out.trim().split("\n").at(-1) ?? "";
      try {
        if (code === 0) return resolve(JSON.parse(last));
      } catch {}
      reject(new Error(`exit ${code}: ${`${out}\n${err}`.trim().split("\n").slice(-5).join(" | ")}`));
    });
  });
}
