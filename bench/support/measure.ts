// Timing of device work: repetitions between two waits for the device, sampled by tinybench; medians and quartiles.
import { Bench } from "tinybench";

/** Milliseconds for one repetition. */
export interface Timing {
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
  readonly min: number;
  readonly samples: number;
  /** Repetitions in a sample. */
  readonly batch: number;
}

export interface MeasureOptions {
  /** A sample repeats the work until it takes this long, so that the wait at its end counts little. Default 20 ms. */
  readonly sampleMs?: number;
  /** Default 9. */
  readonly samples?: number;
  /** No more samples after this time, but at least 3. Default 2000 ms. */
  readonly budgetMs?: number;
}

const MIN_SAMPLES = 3;
const MAX_BATCH = 2000;

/** `run(n)` does the work n times and resolves when the device has finished it. The first call compiles: it is not counted. */
export type Run = (times: number) => Promise<void>;

async function time(run: Run, times: number): Promise<number> {
  const start = performance.now();
  await run(times);
  return (performance.now() - start) / times;
}

export async function measure(name: string, run: Run, options: MeasureOptions = {}): Promise<Timing> {
  const { sampleMs = 20, samples = 9, budgetMs = 2000 } = options;
  await run(1);
  // Two steps: a single repetition of a short kernel is mostly the wait.
  const rough = await time(run, 1);
  const guess = clamp(Math.ceil(sampleMs / 4 / rough), MAX_BATCH);
  const each = guess > 1 ? await time(run, guess) : rough;
  const batch = clamp(Math.ceil(sampleMs / each), MAX_BATCH);
  const affordable = Math.floor(budgetMs / (each * batch));
  const bench = new Bench({
    iterations: Math.max(MIN_SAMPLES, Math.min(samples, affordable)),
    time: 0,
    warmup: false,
    retainSamples: true,
    throws: true,
  });
  bench.add(name, async () => ({ overriddenDuration: await time(run, batch) }), { async: true });
  const [task] = await bench.run();
  const { result } = task!;
  if (result.state !== "completed") throw new Error(`${name}: the measurement ended as ${result.state}`);
  return { ...summarize(result.latency.samples ?? []), batch };
}

/** Times pieces of work in turns, so that what disturbs the machine disturbs all: each takes one sample a round. */
export async function measureInTurns(runs: readonly Run[], options: MeasureOptions = {}): Promise<Timing[]> {
  const { sampleMs = 20, samples = 9, budgetMs = 2000 } = options;
  const batches: number[] = [];
  for (const run of runs) batches.push(clamp(Math.ceil(sampleMs / (await time(run, 1))), MAX_BATCH));
  const values = runs.map((): number[] => []);
  const start = performance.now();
  for (let round = 0; round < samples; round++) {
    if (round >= MIN_SAMPLES && performance.now() - start > budgetMs * runs.length) break;
    for (let turn = 0; turn < runs.length; turn++) {
      const i = (round + turn) % runs.length;
      values[i]!.push(await time(runs[i]!, batches[i]!));
    }
  }
  return values.map((list, i) => ({ ...summarize(list), batch: batches[i]! }));
}

const clamp = (n: number, most: number) => Math.max(1, Math.min(most, n));

export function summarize(values: readonly number[]): Omit<Timing, "batch"> {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => quantile(sorted, q);
  return { median: at(0.5), q1: at(0.25), q3: at(0.75), min: at(0), samples: sorted.length };
}

/** Linear interpolation between neighbours, as numpy does it. */
function quantile(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below + (above - below) * (position % 1);
}
