// What a measurement was made on: adapter, driver, processor, versions, commit, and how busy the machine was.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, platform, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { Device } from "../../src/gpu/device.ts";

export interface Machine {
  readonly date: string;
  readonly commit: string;
  /** Name and driver as the adapter tells them. */
  readonly adapter: string;
  readonly isSoftware: boolean;
  readonly subgroupSize: number;
  readonly features: readonly string[];
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly packages: Readonly<Record<string, string>>;
  /** Runnable processes over the last minute, before the measurement. */
  readonly load: number;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

function git(...args: string[]): string {
  try {
    return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}

function commit(): string {
  const hash = git("rev-parse", "--short=12", "HEAD");
  if (!hash) return "unknown";
  return git("status", "--porcelain", "--", "src") ? `${hash} with local changes` : hash;
}

/** The version of an installed package, or null. `at`: the folder whose node_modules has it. */
export function packageVersion(name: string, at = root): string | null {
  try {
    const text = readFileSync(`${at}/node_modules/${name}/package.json`, "utf8");
    return String((JSON.parse(text) as { version: unknown }).version);
  } catch {
    return null;
  }
}

export function describeMachine({ info }: Device): Machine {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    commit: commit(),
    adapter: info.name,
    isSoftware: info.isSoftware,
    subgroupSize: info.subgroupSize,
    features: info.features,
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.version,
    packages: { webgpu: packageVersion("webgpu") ?? "unknown" },
    load: loadavg()[0]!,
  };
}

export function machineLine(m: Machine): string {
  const busy = m.load > 0.5 ? `; LOAD ${m.load.toFixed(1)} before the run: absolute numbers are not to be trusted` : "";
  return `${m.adapter}, subgroups of ${m.subgroupSize || "no fixed size"}; ${m.cpu}, ${m.cores} cores; Node ${m.node}, webgpu ${m.packages.webgpu}; commit ${m.commit}${busy}`;
}
