// Random numbers: one seed, and a stream number for each random operation, from which the device computes every element.
import { context } from "../context.ts";
import { check, ValueError } from "../errors.ts";
import { currentDevice, type Device } from "../gpu/device.ts";
import type { PooledBuffer } from "../gpu/pool.ts";
import { type Binding, f32Bits, grid1d } from "../gpu/queue.ts";
import { bindingElements, partOf, ranges } from "../kernels/binding-parts.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
import randomWgsl from "../kernels/wgsl/random.wgsl";
import { fromHost, type TensorOptions } from "./create.ts";
import { shuffled } from "./philox.ts";
import { checkShape, type Shape } from "./shape.ts";
import { empty, type Tensor } from "./tensor.ts";

/** All that random numbers depend on. Save it with a checkpoint to go on with the same ones. */
export interface RngState {
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
  check(
    Number.isSafeInteger(value) && value >= 0,
    () => `[manualSeed] the seed must be a whole number from 0 to 2^53 - 1, got ${value}`,
    ValueError,
  );
  Object.assign(context.random, { seed: value, streams: 0 });
}

export const getRngState = (): RngState => ({ ...context.random });

/** @throws ValueError for a state that `getRngState` did not give. */
export function setRngState(state: RngState): void {
  check(
    Number.isSafeInteger(state.streams) && state.streams >= 0,
    () => `[setRngState] streams must be a whole number, got ${state.streams}`,
    ValueError,
  );
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
 * Words on the device that change what random kernels were recorded with: one that they add to their stream number, and two
 * that they xor with the words of the seed. All 0 but while a captured step is replayed.
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

const kernel = new Kernel("random", randomWgsl);
const WG = 64;

/** What a random operation computes of the four words r and its numbers p.a and p.b: WGSL of a function's body. */
interface Draw {
  readonly kind: string;
  readonly dtype: "f32" | "i32";
  readonly body: string;
}
const UNIFORM: Draw = {
  kind: "uniform",
  dtype: "f32",
  body: "return unit(r) * (bitcast<f32>(p.b) - bitcast<f32>(p.a)) + bitcast<f32>(p.a);",
};
// Box and Muller: two uniform numbers, the first in (0, 1], give two normal ones.
const NORMAL: Draw = {
  kind: "normal",
  dtype: "f32",
  body: `let u = (vec2f(r.xz >> vec2u(8u)) + 1.0) * 5.9604644775390625e-8;
    let radius = sqrt(-2.0 * log(u));
    let angle = 6.283185307 * unit(r).yw;
    return vec4f(radius.x * cos(angle.x), radius.x * sin(angle.x), radius.y * cos(angle.y), radius.y * sin(angle.y));`,
};
// low + floor(word / 2^32 * range).
const INTEGER: Draw = {
  kind: "integer",
  dtype: "i32",
  body: `return bitcast<vec4i>(vec4u(p.a) +
      vec4u(multiply(r.x, p.b).x, multiply(r.y, p.b).x, multiply(r.z, p.b).x, multiply(r.w, p.b).x));`,
};
const BERNOULLI: Draw = {
  kind: "bernoulli",
  dtype: "f32",
  body: "return select(vec4f(), vec4f(bitcast<f32>(p.b)), unit(r) < vec4f(bitcast<f32>(p.a)));",
};

function random<S extends Shape>(
  op: string,
  { kind, dtype, body }: Draw,
  shape: S,
  [a, b]: readonly [number, number],
  requiresGrad = false,
): Tensor<S> {
  checkShape(op, shape);
  const device = currentDevice();
  const y = empty(shape, dtype, device) as Tensor<S>;
  const draw = `fn draw(r: vec4u) -> vec4<T> { ${body} }`;
  const shader = kernel.variant({ T: dtype, draw }, kind);
  const stream = takeStream() >>> 0;
  for (const [first, count] of ranges(y.numel, bindingElements(device.info))) {
    const params = [count, first / 4, ...seedWords(), stream, a, b];
    const storages = [rngShift(device), partOf(y.storage, first, count)];
    device.queue.dispatch(shader, storages, params, grid1d(Math.ceil(count / 4), WG));
  }
  if (requiresGrad) y.requiresGrad = true;
  return y;
}

type RandomOptions = Pick<TensorOptions, "requiresGrad">;

/** Uniform numbers in [0, 1), f32. @see https://pytorch.org/docs/stable/generated/torch.rand.html */
export const rand = <S extends Shape>(shape: S, { requiresGrad }: RandomOptions = {}): Tensor<S> =>
  random("rand", UNIFORM, shape, [f32Bits(0), f32Bits(1)], requiresGrad);

/** Uniform numbers in [low, high), f32. */
export const uniform = <S extends Shape>(shape: S, low: number, high: number): Tensor<S> =>
  random("uniform", UNIFORM, shape, [f32Bits(low), f32Bits(high)]);

/** Normal numbers of mean 0 and variance 1, f32. @see https://pytorch.org/docs/stable/generated/torch.randn.html */
export const randn = <S extends Shape>(shape: S, { requiresGrad }: RandomOptions = {}): Tensor<S> =>
  random("randn", NORMAL, shape, [0, 0], requiresGrad);

/** Whole numbers in [low, high), i32. @see https://pytorch.org/docs/stable/generated/torch.randint.html */
export function randint<S extends Shape>(low: number, high: number, shape: S): Tensor<S> {
  check(
    Number.isInteger(low) && Number.isInteger(high) && low < high && low >= -(2 ** 31) && high <= 2 ** 31,
    () => `[randint] needs whole numbers low < high that fit i32, got ${low} and ${high}`,
    ValueError,
  );
  check(high - low < 2 ** 32, () => `[randint] the range ${low} to ${high} is too wide: at most 2^32 - 1`, ValueError);
  return random("randint", INTEGER, shape, [low, high - low]);
}

/** `scale` with probability p, else 0, f32: a dropout mask is `bernoulli(shape, 1 - p, 1 / (1 - p))`. */
export function bernoulli<S extends Shape>(shape: S, p: number, scale = 1): Tensor<S> {
  check(p >= 0 && p <= 1, () => `[bernoulli] the probability must be from 0 to 1, got ${p}`, ValueError);
  return random("bernoulli", BERNOULLI, shape, [f32Bits(p), f32Bits(scale)]);
}

/** The numbers 0 to n - 1 in random order, on the host. Takes a stream, as the random operations do. */
export function permutation(n: number): Int32Array<ArrayBuffer> {
  check(Number.isInteger(n) && n >= 0, () => `[randperm] n must be a whole number, not negative, got ${n}`, ValueError);
  return shuffled(n, seedWords(), takeStream());
}

/** The numbers 0 to n - 1 in random order, i32 [n]. @see https://pytorch.org/docs/stable/generated/torch.randperm.html */
export const randperm = (n: number): Tensor<readonly [number]> => fromHost(permutation(n), [n], "i32");
