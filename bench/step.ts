// npm run bench:step: whole training steps and forward passes, eager and captured; where the time and the memory go.
import { Command, Option } from "commander";
import { init, memory, type Tensor } from "wgrad";
import type { Device } from "../src/gpu/device.ts";
import { type DriverCache, freshDriverCache, runForJson, runner } from "./support/child.ts";
import { type HostTime, hostTimeOf } from "./support/host-time.ts";
import { describeMachine, machineLine } from "./support/machine.ts";
import { measureInTurns, type Timing } from "./support/measure.ts";
import { canProfile, profile, type Share, sumBy } from "./support/profiling.ts";
import { writeResults } from "./support/results.ts";
import { percent, significant, textTable } from "./support/table.ts";
import { type ModelName, modelNames, models, type Workload, workload } from "./support/training.ts";

interface Options {
  models: string;
  batch: number;
  largeBatch?: number;
  samples: number;
  budget: number;
  cold: boolean;
  json?: string;
  profile?: true;
  top: number;
  adapter: "auto" | "high-performance" | "low-power" | "software";
  child?: string;
}

const program = new Command("bench:step")
  .description("Times training steps (Adam) and forward passes of whole models.")
  .option("--models <names>", `of ${modelNames.join(", ")}; comma-separated`, "resnet18,cifarAlexnet")
  .option("--batch <n>", "images of 32x32 in a batch", Number, 32)
  .option("--large-batch <n>", "images of 224x224 in a batch (default: 4 on a software adapter, else 64)", Number)
  .option("--samples <n>", "samples a figure", Number, 9)
  .option("--budget <ms>", "time a figure, beyond its first three samples", Number, 5000)
  .option("--no-cold", "leave out the processes that measure a first step with an empty driver cache, and peak memory")
  .option("--profile", "device time by kernel and by op, from timestamp queries")
  .option("--top <n>", "kernels to list with --profile", Number, 15)
  .option("--json <path>", "where to write the figures (default: bench/results/step.json)")
  .addOption(
    new Option("--adapter <kind>", "adapter to take")
      .choices(["auto", "high-performance", "low-power", "software"])
      .default("auto"),
  )
  .addOption(new Option("--child <model>").hideHelp());

/** What a process measures that does nothing but train. */
interface ChildResult {
  readonly initMs: number;
  readonly setupMs: number;
  /** From calling the first step to its loss on the host, pipelines compiled on the way. */
  readonly firstStepMs: number;
  readonly secondStepMs: number;
  readonly pipelines: number;
  readonly peakRssMiB: number;
}

/** Counters of one steady step. */
interface Counts {
  readonly dispatches: number;
  readonly submits: number;
  readonly bindGroups: number;
  readonly writes: number;
  readonly buffersCreated: number;
  readonly bytesAllocated: number;
}

interface Figure {
  readonly mode: string;
  readonly step: Timing;
  /** The synchronous part: what the step's call takes while the device is idle. */
  readonly host: HostTime;
  readonly counts: Counts;
  readonly byKernel: readonly Share[] | null;
  readonly byOp: readonly Share[] | null;
}

const o = program.parse().opts<Options>();

function batchOf(name: ModelName, isSoftware: boolean): number {
  return models[name].size > 32 ? (o.largeBatch ?? (isSoftware ? 4 : 64)) : o.batch;
}

async function child(name: ModelName): Promise<ChildResult> {
  const times: number[] = [performance.now()];
  const lap = () => times.push(performance.now());
  const device = await init({ adapter: o.adapter });
  lap();
  const work = await workload(name, batchOf(name, device.info.isSoftware));
  await device.sync();
  lap();
  for (let i = 0; i < 4; i++) {
    const loss = work.trainCaptured(work.x, work.y);
    await loss.item();
    loss.dispose();
    lap();
  }
  const took = (i: number) => times[i + 1]! - times[i]!;
  return {
    ...{ initMs: took(0), setupMs: took(1), firstStepMs: took(2), secondStepMs: took(3) },
    pipelines: device.pipelines.requested,
    peakRssMiB: process.resourceUsage().maxRSS / 1024,
  };
}

function counters(device: Device) {
  const { stats } = device.queue;
  const { pool } = device;
  return { ...stats, buffersCreated: pool.created, bytesAllocated: pool.allocatedBytes };
}

/** A step in two modes, timed in turns; then, each by itself, the host's part and the counters of one more step. */
async function measureModes(device: Device, modes: Readonly<Record<string, () => Tensor>>): Promise<Figure[]> {
  const runs = Object.values(modes).map((step) => async (times: number) => {
    for (let i = 0; i < times; i++) {
      step().dispose();
      // As a training loop should: a few steps in flight.
      await device.queue.idle(3);
    }
    await device.sync();
  });
  for (const run of runs) await run(3);
  const timings = await measureInTurns(runs, { samples: o.samples, budgetMs: o.budget });
  const figures: Figure[] = [];
  for (const [i, [mode, step]] of Object.entries(modes).entries()) {
    const timing = timings[i]!;
    const once = () => step().dispose();
    const host = await hostTimeOf(device, once, Math.max(3, Math.min(o.samples, Math.ceil(o.budget / timing.median))));
    const before = counters(device);
    once();
    await device.sync();
    const after = counters(device);
    const counts: Counts = {
      dispatches: after.dispatches - before.dispatches,
      submits: after.submits - before.submits,
      bindGroups: after.bindGroups - before.bindGroups,
      writes: after.writes - before.writes,
      buffersCreated: after.buffersCreated - before.buffersCreated,
      bytesAllocated: after.bytesAllocated - before.bytesAllocated,
    };
    const times = o.profile ? await profile(device, () => runs[i]!(1)) : null;
    figures.push({
      ...{ mode, step: timing, host, counts },
      byKernel: times && sumBy(times, "kernel"),
      byOp: times && sumBy(times, "op"),
    });
  }
  return figures;
}

async function measureModel(device: Device, name: ModelName) {
  const batch = batchOf(name, device.info.isSoftware);
  const cache = o.cold ? freshDriverCache() : null;
  const cold = cache && (await measureChild(name, cache));
  const warm = cache && (await measureChild(name, cache));
  cache?.remove();

  const pipelinesBefore = device.pipelines.requested;
  const work: Workload = await workload(name, batch);
  memory({ resetPeak: true });
  const training = await measureModes(device, {
    "train, eager": () => work.train(),
    "train, captured": () => work.trainCaptured(work.x, work.y),
  });
  const trainPipelines = device.pipelines.requested - pipelinesBefore;
  const peakBytes = memory({ resetPeak: true }).peakBytes;
  work.model.eval();
  const inference = await measureModes(device, {
    "inference, eager": () => work.infer(),
    "inference, captured": () => work.inferCaptured(work.x),
  });
  const { pooledBytes } = memory();
  work.dispose();
  return { name, batch, figures: [...training, ...inference], cold, warm, trainPipelines, peakBytes, pooledBytes };
}

async function measureChild(name: ModelName, cache: DriverCache): Promise<ChildResult> {
  const args = [runner, "bench/step.ts", "--child", name, "--batch", String(o.batch), "--adapter", o.adapter];
  if (o.largeBatch) args.push("--large-batch", String(o.largeBatch));
  return (await runForJson(process.execPath, args, cache.env, 600_000)) as ChildResult;
}

const MIB = 2 ** 20;

function print({ name, batch, ...m }: Awaited<ReturnType<typeof measureModel>>): void {
  const { size } = models[name];
  console.log(`${name}, batch of ${batch} at ${size}x${size}`);
  const rows = m.figures.map(({ mode, step, host, counts: c }) => {
    const hostMs = host.cpuMs ?? host.ms;
    return [
      ...[mode, step.median, `${significant(step.q1)}-${significant(step.q3)}`, step.median / batch],
      ...[hostMs, host.ms, Math.max(0, step.median - host.ms), (1000 * hostMs) / c.dispatches],
      ...[c.dispatches, c.submits, c.writes, c.bindGroups, c.buffersCreated, c.bytesAllocated / MIB].map(String),
    ];
  });
  console.log(
    textTable(
      [
        ...["step", "ms", "quartiles", "ms/image", "host cpu ms", "host ms", "wait ms", "host us/dispatch"],
        ...["dispatches", "submits", "writes", "bind groups", "buffers made", "MiB allocated"],
      ],
      rows,
    ),
  );
  console.log(
    `pipelines: ${m.trainPipelines} for training; live tensors at most ${significant(m.peakBytes / MIB)} MiB, pool ${significant(m.pooledBytes / MIB)} MiB`,
  );
  for (const [what, c] of [
    ["empty driver cache", m.cold],
    ["warm driver cache", m.warm],
  ] as const) {
    if (!c) continue;
    console.log(
      `own process, ${what}: init ${significant(c.initMs / 1e3)} s, model ${significant(c.setupMs / 1e3)} s, first step ${significant(c.firstStepMs / 1e3)} s, second ${significant(c.secondStepMs)} ms; ${c.pipelines} pipelines; peak resident memory ${significant(c.peakRssMiB)} MiB`,
    );
  }
  for (const { mode, byKernel, byOp } of m.figures) {
    if (!byKernel || !byOp) continue;
    const total = byKernel.reduce((sum, k) => sum + k.ms, 0);
    console.log(`\n${mode}: ${significant(total)} ms on the device`);
    const table = (what: string, shares: readonly Share[]) =>
      textTable(
        [what, "ms", "share", "dispatches"],
        shares.map((s) => [s.name || "(none)", s.ms, percent(s.share), String(s.calls)]),
      );
    console.log(table("op", byOp));
    console.log(table("kernel", byKernel.slice(0, o.top)));
  }
  console.log();
}

const isModel = (name: string): name is ModelName => name in models;

if (o.child && isModel(o.child)) {
  console.log(JSON.stringify(await child(o.child)));
} else {
  const names = o.models.split(",").map((name) => {
    if (!isModel(name)) return program.error(`no model ${name}: choose from ${modelNames.join(", ")}`);
    return name;
  });
  const device = await init({ adapter: o.adapter });
  const machine = describeMachine(device);
  console.log(`${machineLine(machine)}\n`);
  if (o.profile && !canProfile(device)) program.error("this adapter has no timestamp queries: leave out --profile");
  const results: Awaited<ReturnType<typeof measureModel>>[] = [];
  for (const name of names) {
    try {
      const result = await measureModel(device, name);
      print(result);
      results.push(result);
    } catch (error) {
      console.log(`${name}: failed: ${error instanceof Error ? error.message : error}\n`);
      process.exitCode = 1;
    }
  }
  writeResults("step", machine, { options: o, results }, o.json);
}
