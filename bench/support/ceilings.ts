// What the adapter gives at most: multiply-adds in registers, and bytes copied. Measured in the same process as the rest.
import type { Device } from "../../src/gpu/device.ts";
import { Kernel } from "../../src/kernels/kernel.ts";
import { empty } from "../../src/tensor/tensor.ts";
import copyWgsl from "../wgsl/copy.wgsl";
import fmaWgsl from "../wgsl/fma.wgsl";
import { measure, type Timing } from "./measure.ts";
import { record, replayer } from "./replay.ts";

export interface Ceilings {
  /** GFLOP/s of the best number of chains. */
  readonly gflops: number;
  /** GB/s, read and written together, of buffers far larger than a CPU's cache. */
  readonly gbps: number;
  /** The same of buffers of 1 MiB, which a cache holds. */
  readonly cachedGbps: number;
  readonly detail: Readonly<Record<string, Timing & { readonly rate: number }>>;
}

const WORKGROUP = 64;
const PER_LANE = 8;
const CHAINS = [8, 16] as const;
const UNROLL = 16;
const TOGETHER = [8, 64] as const;
const MIB = 2 ** 20;

const fma = new Kernel(fmaWgsl);
const copy = new Kernel(copyWgsl);

export async function measureCeilings(device: Device): Promise<Ceilings> {
  const detail: Record<string, Timing & { rate: number }> = {};
  const add = async (name: string, work: number, fn: () => void) => {
    const timing = await measure(name, replayer(device, await record(device, fn)), { samples: 7 });
    // The best sample: a ceiling is what can be had, not what is had on average.
    const rate = work / timing.min / 1e6;
    detail[name] = { ...timing, rate };
    return rate;
  };

  // Enough work that a GPU is busy for a millisecond and a CPU for not much more than fifty.
  const groups = device.info.isSoftware ? 128 : 8192;
  const rounds = 512;
  const sink = empty([groups * WORKGROUP], "f32", device);
  const rates: number[] = [];
  for (const chains of CHAINS) {
    const variant = fma.variant({ CHAINS: `${chains}u`, UNROLL: `${UNROLL}u` });
    const flop = groups * WORKGROUP * rounds * UNROLL * chains * 2;
    const run = () => variant.launch(device, { result: sink }, { a: 0.999, b: 0.001, rounds }, [groups]);
    rates.push(await add(`fma, ${chains} chains`, flop, run));
  }
  sink.dispose();

  const bandwidth = async (bytes: number) => {
    const [source, dest] = [empty([bytes / 4], "f32", device), empty([bytes / 4], "f32", device)];
    const grid = [bytes / 16 / WORKGROUP / PER_LANE] as const;
    const rates: number[] = [];
    for (const together of TOGETHER) {
      const variant = copy.variant({ PER_LANE: `${PER_LANE}u`, TOGETHER: `${together}u` });
      const name = `copy, ${bytes / MIB} MiB, ${together} lanes side by side`;
      rates.push(await add(name, 2 * bytes, () => variant.launch(device, { source, dest }, null, grid)));
    }
    for (const t of [source, dest]) t.dispose();
    return Math.max(...rates);
  };
  const cachedGbps = await bandwidth(MIB);
  const gbps = await bandwidth(64 * MIB);
  return { gflops: Math.max(...rates), gbps, cachedGbps, detail };
}
