// What random numbers depend on: one seed, and a stream number for each random operation (see ops/random.ts).
import { context } from "../context.ts";
import { check, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import type { PooledBuffer } from "../gpu/pool.ts";
import type { Binding } from "../gpu/queue.ts";
import { shuffled } from "./philox.ts";

/** All that random numbers depend on. Save it with a checkpoint to go on with the same ones. */
export interface RngState {
  /** What `manualSeed` set, or what the program started with. */
  readonly seed: number;
  /** Random operations since the seed was set. */
  readonly streams: number;
}

/**
 * Starts the random numbers anew: after the same seed, the same operations draw the same numbers on every adapter (the
 * bits and uniform numbers exactly; normal ones to the precision of the adapter's log and cos).
 * @throws ValueError unless `value` is a whole number from 0 to 2^53 - 1.
 */
export function manualSeed(value: number): void {
  checkWhole("manualSeed", "the seed", value, 0, Number.MAX_SAFE_INTEGER);
  Object.assign(context.random, { seed: value, streams: 0 });
}

/**
 * The present state of the random numbers, see `setRngState`.
 * @see https://pytorch.org/docs/stable/generated/torch.get_rng_state.html
 */
export const getRngState = (): RngState => ({ ...context.random });

/**
 * Goes on with the random numbers from a state that `getRngState` gave, such as one saved with a checkpoint.
 * @throws ValueError for any other state.
 * @see https://pytorch.org/docs/stable/generated/torch.set_rng_state.html
 */
export function setRngState(state: RngState): void {
  checkOptions("setRngState", state, ["seed", "streams"]);
  checkWhole("setRngState", "streams", state.streams, 0);
  manualSeed(state.seed);
  context.random.streams = state.streams;
}

/** The stream of the next random operation. */
export const takeStream = (): number => context.random.streams++;
/** How many streams were taken. */
export const streamCount = (): number => context.random.streams;
/** Counts streams that a replayed step draws from without asking. */
export function advanceStreams(n: number): void {
  context.random.streams += n;
}

/** The seed as the two words that kernels take. */
export const seedWords = (): [low: number, high: number] => {
  const { seed } = context.random;
  return [seed >>> 0, Math.floor(seed / 2 ** 32)];
};

const shifts = new WeakMap<Device, Binding>();

/**
 * One u32 on the device that kernels add to their stream number: 0 but while a captured step is replayed, which writes
 * there how many streams were taken since it was recorded.
 */
export function rngShift(device: Device): Binding {
  const known = shifts.get(device);
  if (known) return known;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  // Of its own, not from the pool: WebGPU starts it at zero, and no recording may own it.
  const gpu = device.gpu.createBuffer({ size: 256, usage });
  const buffer: PooledBuffer = { id: -2, gpu, device: device.gpu, size: 256, lastUse: 0 };
  const shift = { buffer, offset: 0, bytes: 12 };
  shifts.set(device, shift);
  return shift;
}

/** The numbers 0 to n - 1 in random order, on the host. Takes a stream, as the random operations do. */
export function permutation(n: number): Int32Array<ArrayBuffer> {
  check(
    Number.isInteger(n) && n >= 0,
    () => `[randperm] n must be a whole number, not negative, got ${told(n)}`,
    ValueError,
  );
  return shuffled(n, seedWords(), takeStream());
}
