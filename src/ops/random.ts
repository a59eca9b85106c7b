// Random numbers: each operation takes a stream, from which the device computes every element by its position.
import { type Op, withoutGradient } from "../autograd/op.ts";
import { checkTensor, runInto } from "../autograd/run.ts";
import { check, checkNumber, checkWhole, told, ValueError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import { inParts } from "../kernels/binding-parts.ts";
import { Kernel } from "../kernels/kernel.ts";
import randomWgsl, { WG } from "../kernels/wgsl/random.wgsl";
import { checkCreation, checkRoom, fromHost, type TensorOptions } from "../tensor/create.ts";
import { permutation, rngShift, seedWords, takeStream } from "../tensor/random-state.ts";
import { checkShape, type Shape, type ShapeInput } from "../tensor/shape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";

/** The numbers that a draw uses by name, see random.wgsl. */
export interface Numbers {
  readonly a?: number;
  readonly b?: number;
  readonly low?: number;
  readonly range?: number;
  readonly scale?: number;
  readonly offset?: number;
  readonly least?: number;
  readonly most?: number;
}

export interface RandomOp extends Op<readonly [], Numbers & { readonly stream: number }> {
  readonly dtype: "f32" | "i32";
}

const kernel = new Kernel(randomWgsl);

/** `body`: what four elements are computed of the four words r, as WGSL of a function's body; `tag` names it. */
export function randomOp(name: string, dtype: RandomOp["dtype"], body: string, tag = name): RandomOp {
  const variant = kernel.variant({ T: dtype, draw: `fn draw(r: vec4u) -> vec4<T> { ${body} }` }, tag);
  return {
    name,
    dtype,
    infer: () => {
      throw new Error(`[${name}] fills tensors that exist: use runInto`);
    },
    forward(run, _, [y], { stream, a = 0, b = 0, low = 0, range = 0, scale = 1, offset = 0, least = 0, most = 0 }) {
      const shift = rngShift(run.device);
      const [seed_low, seed_high] = seedWords();
      inParts(run.device.info, [y.numel], (part, count, first) => {
        const n = Math.ceil(count / 4);
        const words = { n, first: first / 4, seed_low, seed_high, stream };
        const params = { ...words, a, b, low, range, scale, offset, least, most };
        variant.launch(run, { shift, y: part(y) }, params, grid1d(n, WG));
      });
    },
    ...withoutGradient,
  };
}

const UNIFORM = "return unit(r) * (p.b - p.a) + p.a;";
const randOp = randomOp("rand", "f32", UNIFORM, "uniform");
const uniformOp = randomOp("uniform", "f32", UNIFORM);
// Box and Muller: two uniform numbers, the first in (0, 1], give two normal ones.
const randnOp = randomOp(
  "randn",
  "f32",
  `let u = (vec2f(r.xz >> vec2u(8u)) + 1.0) * 5.9604644775390625e-8;
    let radius = sqrt(-2.0 * log(u));
    let angle = 6.283185307 * unit(r).yw;
    return vec4f(radius.x * cos(angle.x), radius.x * sin(angle.x), radius.y * cos(angle.y), radius.y * sin(angle.y));`,
);
// low + floor(word / 2^32 * range).
const randintOp = randomOp(
  "randint",
  "i32",
  `return bitcast<vec4i>(vec4u(p.low) + vec4u(
      multiply(r.x, p.range).x, multiply(r.y, p.range).x, multiply(r.z, p.range).x, multiply(r.w, p.range).x));`,
);
const bernoulliOp = randomOp("bernoulli", "f32", "return select(vec4f(), vec4f(p.b), unit(r) < vec4f(p.a));");

const OPTIONS = ["requiresGrad", "device"];
const DEVICE = ["device"];
export type RandomOptions = Pick<TensorOptions, "device" | "requiresGrad">;

/** A new tensor of what the operation draws from a stream of its own. */
export function random<S extends Shape>(op: RandomOp, shape: S, numbers: Numbers, options: RandomOptions): Tensor<S> {
  checkShape(op.name, shape);
  checkCreation(op.name, options, OPTIONS);
  const y = empty(shape, op.dtype, options.device) as Tensor<S>;
  runInto(op, [], { ...numbers, stream: takeStream() }, [y]);
  if (options.requiresGrad) y.requiresGrad = true;
  return y;
}

/** Uniform numbers in [0, 1), f32. @see https://pytorch.org/docs/stable/generated/torch.rand.html */
export const rand = <const S extends ShapeInput>(shape: S, options: RandomOptions = {}): Tensor<S> =>
  random(randOp, shape, { a: 0, b: 1 }, options);

/** Uniform numbers in [low, high), f32. */
export const uniform = <const S extends ShapeInput>(
  shape: S,
  low: number,
  high: number,
  options: RandomOptions = {},
): Tensor<S> => random(uniformOp, shape, { a: low, b: high }, options);

/** Normal numbers of mean 0 and variance 1, f32. @see https://pytorch.org/docs/stable/generated/torch.randn.html */
export const randn = <const S extends ShapeInput>(shape: S, options: RandomOptions = {}): Tensor<S> =>
  random(randnOp, shape, {}, options);

function like<S extends Shape>(op: string, x: Tensor<S>, options: RandomOptions): RandomOptions {
  checkTensor(op, "input", x);
  checkCreation(op, options, OPTIONS);
  return { device: x.device, ...options };
}

/** Uniform numbers in [0, 1) of x's shape, f32. @see https://pytorch.org/docs/stable/generated/torch.rand_like.html */
export const randLike = <S extends Shape>(x: Tensor<S>, options: RandomOptions = {}): Tensor<S> => {
  const given = like("randLike", x, options);
  return rand<S>(x.shape, given);
};

/** Normal numbers of mean 0 and variance 1 of x's shape, f32. @see https://pytorch.org/docs/stable/generated/torch.randn_like.html */
export const randnLike = <S extends Shape>(x: Tensor<S>, options: RandomOptions = {}): Tensor<S> => {
  const given = like("randnLike", x, options);
  return randn<S>(x.shape, given);
};

/** Whole numbers in [low, high), i32. @see https://pytorch.org/docs/stable/generated/torch.randint.html */
export function randint<const S extends ShapeInput>(
  low: number,
  high: number,
  shape: S,
  options: Pick<RandomOptions, "device"> = {},
): Tensor<S> {
  checkCreation("randint", options, DEVICE);
  check(
    Number.isInteger(low) && Number.isInteger(high) && low < high && low >= -(2 ** 31) && high <= 2 ** 31,
    () => `[randint] needs whole numbers low < high that fit i32, got ${told(low)} and ${told(high)}`,
    ValueError,
  );
  check(high - low < 2 ** 32, () => `[randint] the range ${low} to ${high} is too wide: at most 2^32 - 1`, ValueError);
  return random(randintOp, shape, { low, range: high - low }, options);
}

/** `scale` with probability p, else 0, f32: a dropout mask is `bernoulli(shape, 1 - p, 1 / (1 - p))`. */
export function bernoulli<const S extends ShapeInput>(
  shape: S,
  p: number,
  scale = 1,
  options: RandomOptions = {},
): Tensor<S> {
  checkNumber("bernoulli", "the probability", p, 0, 1);
  checkNumber("bernoulli", "scale", scale);
  return random(bernoulliOp, shape, { a: p, b: scale }, options);
}

/** The numbers 0 to n - 1 in random order, i32 [n]. @see https://pytorch.org/docs/stable/generated/torch.randperm.html */
export const randperm = (n: number, options: Pick<RandomOptions, "device"> = {}): Tensor<[number]> => {
  checkCreation("randperm", options, DEVICE);
  checkWhole("randperm", "the count", n, 0);
  checkRoom("randperm", n, options.device);
  return fromHost(permutation(n), [n], "i32", options);
};
