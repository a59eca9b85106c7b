// npm run bench:kernels: every hot kernel over the shapes of ResNet18 and AlexNet, as a share of the adapter's ceiling.
import { Command, Option } from "commander";
import { init } from "wgrad";
import { type Device, useDevice } from "../src/gpu/device.ts";
import type { Batches, Hold, KernelCase } from "./support/cases.ts";
import { type Ceilings, measureCeilings } from "./support/ceilings.ts";
import { layerCases } from "./support/layer-cases.ts";
import { describeMachine, machineLine } from "./support/machine.ts";
import { matrixCases } from "./support/matrix-cases.ts";
import { type MeasureOptions, measure, type Timing } from "./support/measure.ts";
import { canProfile, profile, sumBy } from "./support/profiling.ts";
import { kernelsOf, record, replayer } from "./support/replay.ts";
import { writeResults } from "./support/results.ts";
import { percent, significant, textTable } from "./support/table.ts";

const program = new Command("bench:kernels")
  .description("Times kernels alone: their commands are recorded once and replayed, so that the host counts little.")
  .option("--filter <texts...>", "only kernels whose name or shape contains one of them")
  .option("--batch <n>", "images of 32x32 in a batch", Number, 32)
  .option("--large-batch <n>", "images of 224x224 in a batch (default: 2 on a software adapter, else 32)", Number)
  .option("--samples <n>", "samples a kernel", Number, 9)
  .option("--budget <ms>", "time a kernel, beyond its first three samples", Number, 1500)
  .option("--json <path>", "where to write the figures (default: bench/results/kernels.json)")
  .option("--profile", "device time from timestamp queries, beside the wall's")
  .addOption(
    new Option("--subgroups <mode>", "off: measure each kernel also without subgroups, and print the ratio")
      .choices(["on", "off"])
      .default("on"),
  )
  .addOption(
    new Option("--adapter <kind>", "adapter to take")
      .choices(["auto", "high-performance", "low-power", "software"])
      .default("auto"),
  );

interface Options {
  filter?: string[];
  batch: number;
  largeBatch?: number;
  samples: number;
  budget: number;
  json?: string;
  profile?: true;
  subgroups: "on" | "off";
  adapter: "auto" | "high-performance" | "low-power" | "software";
}

interface Measured {
  readonly timing: Timing;
  /** Milliseconds between timestamps, of one run. */
  readonly deviceMs: number | null;
  readonly kernels: readonly string[];
  readonly dispatches: number;
}

interface Row {
  readonly name: string;
  readonly shape: string;
  readonly flop: number | null;
  readonly bytes: number | null;
  readonly error: string | null;
  readonly measured: Measured | null;
  /** GFLOP/s or GB/s at the median, and its share of the ceiling. */
  readonly rate: number | null;
  readonly share: number | null;
  readonly withoutSubgroups: Measured | null;
}

async function measureCase(device: Device, c: KernelCase, withProfile: boolean, o: MeasureOptions): Promise<Measured> {
  useDevice(device);
  const held: { dispose(): void }[] = [];
  const hold: Hold = (item) => {
    held.push(item);
    return item;
  };
  try {
    const run = c.setup(hold);
    await device.sync();
    // Writes carry hyper-parameters; their data does not change what the kernels cost.
    const commands = (await record(device, run)).filter((command) => command.kind !== "write");
    const replay = replayer(device, commands);
    const timing = await measure(c.name, replay, o);
    let deviceMs: number | null = null;
    if (withProfile) {
      const runs = Math.min(timing.batch, 50);
      deviceMs = sumBy(await profile(device, () => replay(runs)), "kernel", runs).reduce((sum, k) => sum + k.ms, 0);
    }
    const dispatches = commands.filter((command) => command.kind === "dispatch").length;
    return { timing, deviceMs, kernels: kernelsOf(commands), dispatches };
  } finally {
    for (const item of held.reverse()) item.dispose();
  }
}

/** Bytes up to which a kernel's data is taken to stay in a cache from one repetition to the next. */
const CACHED = 4 * 2 ** 20;

function rateOf({ work }: KernelCase, { timing, deviceMs }: Measured, ceilings: Ceilings): [number, number] {
  const ms = deviceMs ?? timing.median;
  if ("flop" in work) {
    const rate = work.flop / ms / 1e6;
    return [rate, rate / ceilings.gflops];
  }
  const rate = work.bytes / ms / 1e6;
  return [rate, rate / (work.bytes <= CACHED ? Math.max(ceilings.gbps, ceilings.cachedGbps) : ceilings.gbps)];
}

function print(rows: readonly Row[], o: Options): void {
  const header = [
    ...["kernel", "shape", "ms", "quartiles"],
    ...(o.profile ? ["device ms"] : []),
    ...["rate", "of ceiling", "dispatches"],
    ...(o.subgroups === "off" ? ["without subgroups"] : []),
    "variant",
  ];
  const cells = rows.map((row) => {
    const { measured: m } = row;
    if (!m) return [row.name, row.shape, ...header.slice(3).map(() => ""), `failed: ${row.error}`];
    const { timing } = m;
    const without = row.withoutSubgroups;
    return [
      ...[row.name, row.shape, timing.median, `${significant(timing.q1)}-${significant(timing.q3)}`],
      ...(o.profile ? [m.deviceMs ?? Number.NaN] : []),
      `${significant(row.rate ?? Number.NaN)} ${row.flop === null ? "GB/s" : "GFLOP/s"}`,
      percent(row.share ?? Number.NaN),
      String(m.dispatches),
      ...(o.subgroups === "off" ? [without ? `${significant(without.timing.median / timing.median)}x` : "same"] : []),
      shorten(m.kernels),
    ];
  });
  console.log(textTable(header, cells));
}

const shorten = (kernels: readonly string[]) =>
  kernels.length > 3 ? `${kernels.slice(0, 3).join(" + ")} + ${kernels.length - 3} more` : kernels.join(" + ");

const o = program.parse().opts<Options>();
const device = await init({ adapter: o.adapter });
const machine = describeMachine(device);
console.log(machineLine(machine));
if (o.profile && !canProfile(device)) program.error("this adapter has no timestamp queries: leave out --profile");
const plain = o.subgroups === "off" ? await init({ adapter: o.adapter, subgroups: false }) : null;

const ceilings = await measureCeilings(device);
console.log(
  `ceilings: ${significant(ceilings.gflops)} GFLOP/s of multiply-adds in registers; copies ${significant(ceilings.gbps)} GB/s at 64 MiB, ${significant(ceilings.cachedGbps)} at 1 MiB (for kernels that move at most 4 MiB)\n`,
);

const batches: Batches = { small: o.batch, large: o.largeBatch ?? (device.info.isSoftware ? 2 : 32) };
const wanted = o.filter ?? [""];
const cases = [...matrixCases(batches), ...layerCases(batches)].filter((c) =>
  wanted.some((text) => `${c.name} ${c.shape}`.includes(text)),
);
if (cases.length === 0) program.error(`no kernel's name or shape contains ${wanted.join(" or ")}`);

const limits: MeasureOptions = { samples: o.samples, budgetMs: o.budget };
const rows: Row[] = [];
for (const [i, c] of cases.entries()) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${i + 1}/${cases.length} ${c.name}`);
  const common = {
    ...{ name: c.name, shape: c.shape },
    flop: "flop" in c.work ? c.work.flop : null,
    bytes: "bytes" in c.work ? c.work.bytes : null,
  };
  try {
    const measured = await measureCase(device, c, o.profile ?? false, limits);
    const other = plain && (await measureCase(plain, c, o.profile ?? false, limits));
    const differs = other !== null && String(other.kernels) !== String(measured.kernels);
    const [rate, share] = rateOf(c, measured, ceilings);
    rows.push({ ...common, error: null, measured, rate, share, withoutSubgroups: differs ? other : null });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    rows.push({ ...common, error: message, measured: null, rate: null, share: null, withoutSubgroups: null });
  }
}
if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
print(rows, o);
writeResults("kernels", machine, { options: o, batches, ceilings, rows }, o.json);
