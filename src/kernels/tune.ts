// tune: measures the variants of the matrix kernels that a step launches, and keeps the fastest for each class of shapes.
import { Run } from "../autograd/run.ts";
import { context, within } from "../context.ts";
import { currentDevice, type Device } from "../gpu/device.ts";
import { Profiler } from "../gpu/profile.ts";
import { scope } from "../tensor/scope.ts";
import type { LaunchListener, TunableLaunch, Way } from "./variants.ts";

/** What `tune` takes. */
export interface TuneOptions {
  /** Time to spend, compilation included, in milliseconds. Default 60,000. What is left over is measured next time. */
  budget?: number;
  /** Measure again what is known already. Default false. */
  again?: boolean;
  /** Called for each class of shapes that was measured. Default: nobody is told. */
  onProgress?: (progress: TuneProgress) => void;
}

/** What `tune` found for kernels of one kind on shapes of one class. */
export interface TunedClass {
  /** Kind of kernel and class of shapes. */
  readonly key: string;
  /** The variant that is used from now on. */
  readonly chosen: string;
  /** What it saves of the time of the first, as a median over pairs of samples; 0 for the first itself. */
  readonly saved: number;
  /** Milliseconds on the device by variant, the least of its samples; the first is what is used without tuning. */
  readonly ms: Readonly<Record<string, number>>;
}

/** How far `tune` is. */
export interface TuneProgress {
  /** Classes of shapes that were measured. */
  readonly done: number;
  /** Classes of shapes to measure. */
  readonly total: number;
  /** The one that was measured just now. */
  readonly newest: TunedClass;
}

/** How much faster than the first another variant must be: less is noise, and not worth a pipeline. */
const MARGIN = 0.95;
/** Rounds in which all are measured, and rounds in which the best of them meet the first. */
const ROUNDS = 3;
const FINAL_ROUNDS = 9;
const FINALISTS = 2;
/** A sample repeats short kernels for so long, at most so often. */
const SAMPLE_MS = 4;
const MOST = 1024;

interface Candidate {
  readonly way: Way<unknown>;
  readonly samples: number[];
}

/** What else a machine does only ever adds to a sample: the least is nearest to the kernel. */
const timeOf = ({ samples }: Candidate): number => Math.min(...samples);

const median = (values: readonly number[]): number => [...values].sort((x, y) => x - y)[values.length >> 1] ?? 0;

/** Milliseconds that `times` launches take: on the device where it has timestamps, else with the wait for it. */
async function measure(
  device: Device,
  profiler: Profiler | null,
  launch: TunableLaunch,
  way: Way<unknown>,
  times: number,
): Promise<number> {
  const { queue } = device;
  await queue.idle();
  const start = performance.now();
  queue.profiler = profiler;
  try {
    for (let i = 0; i < times; i++) {
      const run = new Run(device);
      way.launch(run, launch.io);
      run.release();
    }
    await queue.idle();
  } finally {
    queue.profiler = null;
  }
  if (!profiler) return performance.now() - start;
  // From the first begin to the last end: browsers round timestamps, to 0.1 ms, say.
  return Math.max(...(await profiler.times()).map((t) => t.start + t.ns)) / 1e6;
}

/** The candidates, measured, and the one to use; null when there was not enough time to tell. */
interface Comparison {
  readonly candidates: readonly Candidate[];
  readonly chosen: Candidate;
  readonly saved: number;
}

/**
 * Measures the variants in turns. The best of many noisy figures is better than it should be: so the best then meet the
 * first in pairs, and one is taken that was faster in most of them.
 */
async function compare(
  device: Device,
  profiler: Profiler | null,
  launch: TunableLaunch,
  deadline: number,
): Promise<Comparison | null> {
  const late = () => performance.now() > deadline;
  const candidates: Candidate[] = launch.ways.map((way) => ({ way, samples: [] }));
  for (const { way } of candidates) {
    // The first launch of a variant may compile it.
    await measure(device, profiler, launch, way, 1);
    if (late()) return null;
  }
  let times = 1;
  const [first, ...others] = candidates;
  if (!first) return null;
  while (times < MOST && (await measure(device, profiler, launch, first.way, times)) < SAMPLE_MS) times *= 2;
  const sample = async (candidate: Candidate): Promise<number> => {
    const ms = (await measure(device, profiler, launch, candidate.way, times)) / times;
    candidate.samples.push(ms);
    return ms;
  };
  for (let round = 0; round < ROUNDS; round++) {
    const best = Math.min(...candidates.map(timeOf));
    // What is far behind already will not catch up.
    for (const c of candidates) if (round === 0 || timeOf(c) < 2 * best) await sample(c);
    if (late()) return null;
  }
  const finalists = others.sort((a, b) => timeOf(a) - timeOf(b)).slice(0, FINALISTS);
  const ratios = new Map<Candidate, number[]>(finalists.map((c) => [c, []]));
  for (let round = 0; round < FINAL_ROUNDS; round++) {
    for (const [c, list] of ratios) list.push((await sample(c)) / (await sample(first)));
    if (late()) return null;
  }
  let chosen = first;
  let least = MARGIN;
  for (const [c, list] of ratios) {
    if (median(list) < least) [chosen, least] = [c, median(list)];
  }
  return { candidates, chosen, saved: chosen === first ? 0 : 1 - least };
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
  const onLaunch: LaunchListener = (key, launch) => {
    if (launches.has(key) || launch.ways.length < 2 || (device.variants.has(key) && !options.again)) return;
    for (const storage of launch.storages) storage.retain();
    launches.set(key, launch);
  };
  const tuned: TunedClass[] = [];
  const profiler = device.info.features.includes("timestamp-query") ? new Profiler(device.gpu) : null;
  try {
    device.tunings++; // a captured step records again: a replay launches nothing that could be heard
    within({ onLaunch }, () =>
      scope(() => {
        step();
        context.pending?.run(); // what waits would not be heard
      }),
    );
    for (const [key, launch] of launches) {
      const comparison = await compare(device, profiler, launch, deadline);
      if (!comparison) break;
      const ms = Object.fromEntries(comparison.candidates.map((c) => [c.way.name, timeOf(c)]));
      const chosen = comparison.chosen.way.name;
      device.variants.set(key, chosen);
      const newest = { key, chosen, saved: comparison.saved, ms };
      tuned.push(newest);
      options.onProgress?.({ done: tuned.length, total: launches.size, newest });
    }
  } finally {
    for (const { storages } of launches.values()) for (const storage of storages) storage.release();
    profiler?.destroy();
  }
  if (tuned.length > 0) {
    device.tunings++; // captured steps record again, with the new variants
    await device.saveVariants();
  }
  return tuned;
}
