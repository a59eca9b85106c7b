// tune: measures the variants of the matrix kernels that a step launches, and keeps the fastest for each class of shapes.
import { currentDevice, type Device } from "../gpu/device.ts";
import { Profiler } from "../gpu/profile.ts";
import { structureChanged } from "../tensor/leaf_watch.ts";
import { scope } from "../tensor/scope.ts";
import { listenToLaunches, type Tile, type TunableLaunch } from "./gemm.ts";

export interface TuneOptions {
  /** Time to spend, compilation included, in milliseconds. Default 60,000. What is left over is measured next time. */
  budget?: number;
  /** Measure again what is known already. Default false. */
  again?: boolean;
  /** Called for each class of shapes that was measured. */
  onProgress?: (progress: TuneProgress) => void;
}

export interface TunedClass {
  /** Kind of kernel and class of shapes. */
  readonly key: string;
  /** The variant that is used from now on. */
  readonly chosen: string;
  /** Milliseconds on the device by variant, medians; the first is what is used without tuning. */
  readonly ms: Readonly<Record<string, number>>;
}

export interface TuneProgress {
  readonly done: number;
  readonly total: number;
  readonly newest: TunedClass;
}

/** How much faster than the first another variant must be: less is noise. */
const MARGIN = 0.95;
const SAMPLES = 5;
/** A sample repeats short kernels for so long. */
const SAMPLE_MS = 2;

interface Candidate {
  readonly tile: Tile;
  readonly samples: number[];
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/** Milliseconds that one of `times` launches takes: on the device where it has timestamps, else with the wait for it. */
async function measure(device: Device, launch: TunableLaunch, tile: Tile, times: number): Promise<number> {
  const { queue } = device;
  await queue.idle();
  const profiler = device.info.features.includes("timestamp-query") ? new Profiler(device.gpu) : null;
  const start = performance.now();
  queue.profiler = profiler;
  try {
    for (let i = 0; i < times; i++) launch.record(tile);
    await queue.idle();
  } finally {
    queue.profiler = null;
  }
  if (!profiler) return (performance.now() - start) / times;
  const ns = (await profiler.times()).reduce((sum, t) => sum + t.ns, 0);
  return ns / 1e6 / times;
}

/** Measures the variants in turns, until `deadline`. Null when there was not enough time for all of them. */
async function compare(device: Device, launch: TunableLaunch, deadline: number): Promise<Candidate[] | null> {
  const candidates: Candidate[] = launch.tiles.map((tile) => ({ tile, samples: [] }));
  let times = 1;
  for (const { tile } of candidates) {
    // The first launch of a variant may compile it.
    await measure(device, launch, tile, 1);
    if (performance.now() > deadline) return null;
  }
  times = Math.max(
    1,
    Math.min(64, Math.round(SAMPLE_MS / Math.max(0.01, await measure(device, launch, launch.tiles[0]!, 1)))),
  );
  for (let sample = 0; sample < SAMPLES; sample++) {
    const best = Math.min(...candidates.map((c) => median(c.samples)));
    for (const { tile, samples } of candidates) {
      // What is far behind already will not catch up.
      if (sample > 0 && median(samples) > 1.5 * best) continue;
      samples.push(await measure(device, launch, tile, times));
    }
    if (performance.now() > deadline && sample < 2) return null;
  }
  return candidates;
}

/**
 * Runs `step` once, then measures on this adapter the variants of the matrix products and convolutions that it launched,
 * and uses the fastest for launches of the same class of shapes from now on: in this process, and in Node, where a file in
 * the cache folder keeps them by adapter and driver, in later ones after `init()`. Classes measured before are left alone.
 *
 * Give it a whole training step at the sizes that will be trained: it takes effect once, as always; its results are freed.
 * Afterwards, what it left on the device is computed a few times more, with results that may differ in the last bits.
 * @returns the classes that were measured, with the time of each variant.
 * @throws DataError where the file cannot be written (what was found is in use all the same); what `step` throws.
 */
export async function tune(step: () => unknown, options: TuneOptions = {}): Promise<TunedClass[]> {
  const device = currentDevice();
  const deadline = performance.now() + (options.budget ?? 60_000);
  const launches = new Map<string, TunableLaunch>();
  listenToLaunches((key, launch) => {
    if (launches.has(key) || launch.tiles.length < 2 || (device.variants.has(key) && !options.again)) return;
    for (const storage of launch.storages) storage.retain();
    launches.set(key, launch);
  });
  const tuned: TunedClass[] = [];
  try {
    try {
      scope(() => {
        step();
      });
    } finally {
      listenToLaunches(null);
    }
    for (const [key, launch] of launches) {
      const candidates = await compare(device, launch, deadline);
      if (!candidates) break;
      const ms = Object.fromEntries(candidates.map(({ tile, samples }) => [tile.name, median(samples)]));
      const [first] = candidates as [Candidate];
      const fastest = candidates.reduce((a, b) => (median(b.samples) < median(a.samples) ? b : a));
      const chosen = ms[fastest.tile.name]! < MARGIN * ms[first.tile.name]! ? fastest.tile.name : first.tile.name;
      device.variants.set(key, chosen);
      const newest = { key, chosen, ms };
      tuned.push(newest);
      options.onProgress?.({ done: tuned.length, total: launches.size, newest });
    }
  } finally {
    for (const { storages } of launches.values()) for (const storage of storages) storage.release();
  }
  if (tuned.length > 0) {
    structureChanged(); // captured steps record again, with the new variants
    await device.saveVariants();
  }
  return tuned;
}
