// npm run bench:peers: wgrad beside TensorFlow.js, jax-js and PyTorch's CPU build: same shapes, same numbers, same machine.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { init } from "wgrad";
import { bundleBytes } from "./support/bundles.ts";
import { type DriverCache, freshDriverCache, runForJson, runner } from "./support/child.ts";
import { BATCH, type PeerName, type TimedFigure, timedFigures } from "./support/figures.ts";
import { describeMachine, type Machine, machineLine, packageVersion } from "./support/machine.ts";
import type { CapturedFigure, HostFigure } from "./support/own-figures.ts";
import { type ColdReply, type Library, type LibraryName, libraries, PeerProcess } from "./support/peer-process.ts";
import {
  bundleRow,
  capturedRow,
  coldRows,
  hostRows,
  type Outcomes,
  printable,
  type Row,
  timedRow,
  writePage,
} from "./support/peer-report.ts";
import { measureFigure } from "./support/peer-turns.ts";
import { writeResults } from "./support/results.ts";

const OWN = ["cold", "host", "captured", "bundle"];
const keys = [...timedFigures.map((f) => f.key), ...OWN];

interface Options {
  only?: string[];
  skip: string[];
  rounds: number;
  write?: boolean;
  json?: string;
}

const program = new Command("bench:peers")
  .description("Compares wgrad with its peers, each in a process of its own, in interleaved rounds.")
  .option("--only <figures...>", `only figures whose name contains one of these; names: ${keys.join(", ")}`)
  .option("--skip <libraries...>", "leave out tfjs, jax or torch", [])
  .option("--rounds <n>", "rounds a figure; slow libraries run fewer", Number, 5)
  .option("--write", "write docs/performance.md although something was left out")
  .option("--json <path>", "where to write the figures (default: bench/results/peers.json)");
const o = program.parse().opts<Options>();
const wants = (key: string) => o.only?.some((text) => key.includes(text)) ?? true;

const peersFolder = fileURLToPath(new URL("peers", import.meta.url));

/** Installs the peers where their versions are not those of their package.json. */
function installPeers(): Record<string, string> {
  const { dependencies } = JSON.parse(readFileSync(`${peersFolder}/package.json`, "utf8")) as {
    dependencies: Record<string, string>;
  };
  const missing = Object.entries(dependencies).some(([name, version]) => packageVersion(name, peersFolder) !== version);
  if (missing || !existsSync(`${peersFolder}/node_modules`)) {
    console.log("installing the peers into bench/peers (npm install)");
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: peersFolder,
      stdio: "inherit",
    });
  }
  return dependencies;
}

function torchVersion(library: Library): string {
  // Which BLAS does its matrix products: Debian's reference one is many times slower than OpenBLAS.
  const code = `import os, re, torch
blas = re.search(r"\\S*/(lib(openblas|mkl|blas)[^/]*)$", open("/proc/self/maps").read(), re.M)
name = os.path.realpath(blas.group(0)) if blas else ""
print(torch.__version__ + (f" with {name.removeprefix('/usr/lib/')}" if name else ""))`;
  return execFileSync(library.command, ["-c", code], { encoding: "utf8" }).trim();
}

const say = (text: string) => console.log(`[${(performance.now() / 1000).toFixed(0).padStart(4)} s] ${text}`);
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

// First training steps with an empty driver cache, each library in a process that does nothing else.
type ColdOutcome = (ColdReply & { error?: never }) | { error: string };
async function measureCold(library: Library, cache: DriverCache): Promise<ColdOutcome> {
  const peer = new PeerProcess(library, cache.env);
  try {
    const spec = { kind: "train", batch: BATCH } as const;
    const reply = await peer.ask({ do: "cold", spec, steps: 2 }, library.coldTimeoutMs);
    say(
      `${library.title}: first step ${(reply.firstStepMs / 1e3).toFixed(1)} s, peak ${reply.peakRssMiB.toFixed(0)} MiB`,
    );
    return reply;
  } catch (error) {
    say(`${library.title}: first step failed: ${messageOf(error)}`);
    return { error: messageOf(error) };
  } finally {
    await peer.quit();
  }
}

async function measureTimed(all: readonly Library[], caches: ReadonlyMap<LibraryName, DriverCache>) {
  const figures = timedFigures.filter((f) => wants(f.key));
  const results: { figure: TimedFigure; outcomes: Outcomes }[] = [];
  if (figures.length === 0) return results;
  const peers = all.map((library) => new PeerProcess(library, caches.get(library.name)!.env));
  for (const figure of figures) {
    const asked = peers.filter(({ library: { name } }) => name === "wgrad" || (figure.peers?.includes(name) ?? true));
    const outcomes = await measureFigure(asked, figure, o.rounds);
    results.push({ figure, outcomes });
    const summary = Object.entries(outcomes).map(([name, { timing, error, deviation: d }]) => {
      const agrees = d === null ? "" : `, off by ${d.toExponential(0)}`;
      return timing ? `${name} ${timing.median.toFixed(1)} ms${agrees}` : `${name} failed: ${error}`;
    });
    say(`${figure.key}: ${summary.join("; ")}`);
  }
  for (const peer of peers) await peer.quit();
  return results;
}

async function ownFigure(what: "host" | "captured", cache: DriverCache): Promise<unknown> {
  return runForJson(process.execPath, [runner, "bench/worker.ts", what], cache.env, 300_000);
}

async function main(machine: Machine): Promise<void> {
  const all = libraries().filter(({ name }) => !o.skip.includes(name));
  const torch = all.find(({ name }) => name === "torch");
  if (torch) machine = { ...machine, packages: { ...machine.packages, torch: torchVersion(torch) } };
  else if (!o.skip.includes("torch")) say("PyTorch CPU: missing (apt install python3-torch python3-torchvision)");

  // Each library's driver cache is empty for its first step, and kept for the rest.
  const caches = new Map(all.map(({ name }) => [name, freshDriverCache()]));
  const rows: Row[] = [];
  try {
    const cold: Partial<Record<LibraryName, ColdOutcome>> = {};
    if (wants("cold")) {
      for (const library of all) cold[library.name] = await measureCold(library, caches.get(library.name)!);
    }
    const timed = await measureTimed(all, caches);
    const cache = caches.get("wgrad")!;
    const host = wants("host") ? ((await ownFigure("host", cache)) as HostFigure) : null;
    const captured = wants("captured") ? ((await ownFigure("captured", cache)) as CapturedFigure) : null;
    const bundle = wants("bundle") ? await bundleBytes() : null;

    for (const { figure, outcomes } of timed) rows.push(timedRow(figure, outcomes));
    if (wants("cold")) rows.push(...coldRows(cold));
    if (host) rows.push(...hostRows(host.eager, host.captured, host.dispatches));
    if (captured) rows.push(capturedRow(captured));
    if (bundle) rows.push(bundleRow(bundle));
    console.log(`\n${machineLine(machine)}\n\n${printable(rows)}`);
    writeResults("peers", machine, { options: o, rows, cold, timed, host, captured, bundle }, o.json);
  } finally {
    for (const cache of caches.values()) cache.remove();
  }
  if (o.write || (!o.only && o.skip.length === 0)) {
    writePage(rows, machine);
    console.log("written to docs/performance.md");
  } else console.log("docs/performance.md is left alone: this run is not a full one (--write)");
}

const peerNames: readonly string[] = ["tfjs", "jax", "torch"] satisfies PeerName[];
for (const name of o.skip) if (!peerNames.includes(name)) program.error(`no library ${name}: ${peerNames.join(", ")}`);
if (!keys.some(wants)) program.error(`no figure's name contains ${o.only?.join(" or ")}: ${keys.join(", ")}`);
const versions = installPeers();
const device = await init();
const described = describeMachine(device);
device.destroy();
await main({ ...described, packages: { ...described.packages, ...versions } });
