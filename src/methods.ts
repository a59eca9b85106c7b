// The operations as methods of Tensor, with PyTorch's names in camelCase. One line each: what they do stands in the op's
// own file.
import { type BackwardOptions, backward } from "./backward/backward.ts";
import { type HookHandle, registerHook, retainGrad } from "./backward/hooks.ts";
import * as arithmetic from "./ops/arithmetic.ts";
import { to } from "./ops/cast.ts";
import { clone } from "./ops/clone.ts";
import { gather, indexSelect } from "./ops/gather.ts";
import * as inplace from "./ops/inplace.ts";
import { matmul } from "./ops/matmul.ts";
import * as strided from "./ops/movement.ts";
import * as reduce from "./ops/reduce.ts";
import { logSoftmax, softmax } from "./ops/softmax.ts";
import { argmax, argmin, topk } from "./ops/topk.ts";
import { type UnaryName, unary } from "./ops/unary.ts";
import * as views from "./ops/view.ts";
import type { Dtype } from "./tensor/dtype.ts";
import type { Shape } from "./tensor/shape.ts";
import { type GradHook, Tensor } from "./tensor/tensor.ts";

type Dims = reduce.Dims;
type Other = arithmetic.Operand;

/** The methods that operations add to `Tensor`. Those that keep the shape give `Tensor<S>`. */
export interface TensorMethods<S extends Shape = Shape> {
  // Arithmetic: `other` is a tensor of the same dtype, broadcast, or a number. f32, i32 and u32 unless said otherwise.
  add(other: Other): Tensor;
  sub(other: Other): Tensor;
  mul(other: Other): Tensor;
  /** True division: f32 only. */
  div(other: Other): Tensor;
  /** f32 only. */
  pow(exponent: Other): Tensor;
  maximum(other: Other): Tensor;
  minimum(other: Other): Tensor;
  /** Comparisons give i32: 1 where they hold, else 0. */
  eq(other: Other): Tensor;
  ne(other: Other): Tensor;
  lt(other: Other): Tensor;
  le(other: Other): Tensor;
  gt(other: Other): Tensor;
  ge(other: Other): Tensor;
  neg(): Tensor<S>;
  abs(): Tensor<S>;
  square(): Tensor<S>;
  /** `clamp({ min, max })` with at least one of them, or `clamp(min, max)`. */
  clamp(bounds: arithmetic.Bounds): Tensor<S>;
  clamp(min: number, max: number): Tensor<S>;

  // Elementwise functions of f32 tensors.
  exp(): Tensor<S>;
  log(): Tensor<S>;
  sqrt(): Tensor<S>;
  rsqrt(): Tensor<S>;
  reciprocal(): Tensor<S>;
  sin(): Tensor<S>;
  cos(): Tensor<S>;
  tanh(): Tensor<S>;
  erf(): Tensor<S>;
  sigmoid(): Tensor<S>;
  relu(): Tensor<S>;
  floor(): Tensor<S>;
  ceil(): Tensor<S>;
  /** To the nearest whole number, halves to the even one. */
  round(): Tensor<S>;
  sign(): Tensor<S>;

  softmax(dim: number): Tensor<S>;
  logSoftmax(dim: number): Tensor<S>;

  /** Matrix product, see `matmul` in ops/matmul.ts. */
  matmul(other: Tensor): Tensor;

  // Reductions over `dim`: one dimension, several, or all of them (undefined).
  sum(dim?: Dims, options?: reduce.ReduceOptions): Tensor;
  mean(dim?: Dims, options?: reduce.ReduceOptions): Tensor;
  /** Largest values, as torch.amax: equal ones share the gradient. Positions: `argmax` or `topk`. */
  max(dim?: Dims, options?: reduce.ReduceOptions): Tensor;
  min(dim?: Dims, options?: reduce.ReduceOptions): Tensor;
  /** Unbiased unless `correction: 0`. */
  var(dim?: Dims, options?: reduce.VarianceOptions): Tensor;
  std(dim?: Dims, options?: reduce.VarianceOptions): Tensor;
  /** Euclidean norm. */
  norm(dim?: Dims, options?: reduce.ReduceOptions): Tensor;
  /** i32: 1 where every element is other than 0. */
  all(dim?: Dims, options?: reduce.ReduceOptions): Tensor;
  /** i32: 1 where some element is other than 0. */
  any(dim?: Dims, options?: reduce.ReduceOptions): Tensor;
  /** Position (i32) of the largest element along `dim`, or in the flattened tensor; the first of equal ones. */
  argmax(dim?: number, options?: reduce.ReduceOptions): Tensor;
  argmin(dim?: number, options?: reduce.ReduceOptions): Tensor;
  topk(k: number, dim?: number, largest?: boolean): { values: Tensor; indices: Tensor };

  // Shape. reshape, view, flatten, squeeze and unsqueeze share storage; the others copy.
  reshape<T extends Shape>(shape: T): Tensor<T>;
  view<T extends Shape>(shape: T): Tensor<T>;
  flatten(start?: number, end?: number): Tensor;
  squeeze(dim?: number | readonly number[]): Tensor;
  unsqueeze(dim: number): Tensor;
  permute(order: readonly number[]): Tensor;
  transpose(dim0: number, dim1: number): Tensor;
  /** The transpose of a matrix (or a tensor of fewer dimensions, unchanged). */
  t(): Tensor;
  expand<T extends Shape>(shape: T): Tensor<T>;
  broadcastTo<T extends Shape>(shape: T): Tensor<T>;
  /** `x.slice([0, [1, -1], null])` is Python's `x[0, 1:-1, :]`. */
  slice(ranges: readonly strided.SliceRange[]): Tensor;
  select(dim: number, index: number): Tensor;
  narrow(dim: number, start: number, length: number): Tensor;
  split(size: number | readonly number[], dim?: number): Tensor[];
  chunk(chunks: number, dim?: number): Tensor[];
  flip(dims: number | readonly number[]): Tensor<S>;
  /** Pairs (before, after) from the last dimension backwards, as torch.nn.functional.pad. */
  pad(padding: readonly number[], value?: number): Tensor;
  gather(dim: number, index: Tensor): Tensor;
  indexSelect(dim: number, index: Tensor): Tensor;

  // Copies and conversions.
  clone(): Tensor<S>;
  /** Another handle on the same storage: tensors are always contiguous. */
  contiguous(): Tensor<S>;
  /** Converts; f16 only stores. */
  to(dtype: Dtype): Tensor<S>;

  // In place, off the tape: refused under grad mode where a gradient is required, see `noGrad`.
  fill_(value: number): this;
  zero_(): this;
  copy_(source: Tensor): this;
  add_(other: Other): this;
  sub_(other: Other): this;
  mul_(other: Other): this;
  div_(other: Other): this;

  // Autograd.
  /** See `backward` in autograd/backward.ts. */
  backward(gradient?: Tensor | null, options?: BackwardOptions): void;
  /** Calls `hook` with the gradient in each backward; a tensor it returns replaces the gradient. */
  registerHook(hook: GradHook): HookHandle;
  /** Lets backward also fill `.grad` of this tensor, although it is no leaf. */
  retainGrad(): void;
}

declare module "./tensor/tensor.ts" {
  interface Tensor<S extends Shape = Shape> extends TensorMethods<S> {}
}

/** The functions behind the methods: each takes the tensor first. */
type Functions = {
  [K in keyof TensorMethods]: TensorMethods[K] extends (...args: infer A) => infer R
    ? (x: Tensor, ...args: A) => R
    : never;
};

const elementwise = (name: UnaryName) => (x: Tensor) => unary(name, x);

const functions: Functions = {
  matmul,
  add: arithmetic.add,
  sub: arithmetic.sub,
  mul: arithmetic.mul,
  div: arithmetic.div,
  pow: arithmetic.pow,
  maximum: arithmetic.maximum,
  minimum: arithmetic.minimum,
  eq: arithmetic.eq,
  ne: arithmetic.ne,
  lt: arithmetic.lt,
  le: arithmetic.le,
  gt: arithmetic.gt,
  ge: arithmetic.ge,
  neg: arithmetic.neg,
  abs: arithmetic.abs,
  square: arithmetic.square,
  clamp: (x, first: arithmetic.Bounds | number, max?: number) =>
    arithmetic.clamp(x, typeof first === "number" ? { min: first, max } : first),
  exp: elementwise("exp"),
  log: elementwise("log"),
  sqrt: elementwise("sqrt"),
  rsqrt: elementwise("rsqrt"),
  reciprocal: elementwise("reciprocal"),
  sin: elementwise("sin"),
  cos: elementwise("cos"),
  tanh: elementwise("tanh"),
  erf: elementwise("erf"),
  sigmoid: elementwise("sigmoid"),
  relu: elementwise("relu"),
  floor: elementwise("floor"),
  ceil: elementwise("ceil"),
  round: elementwise("round"),
  sign: elementwise("sign"),
  softmax,
  logSoftmax,
  sum: reduce.sum,
  mean: reduce.mean,
  max: reduce.max,
  min: reduce.min,
  var: reduce.variance,
  std: reduce.std,
  norm: reduce.norm,
  all: reduce.all,
  any: reduce.any,
  argmax,
  argmin,
  topk,
  reshape: views.reshape,
  view: views.reshape,
  flatten: views.flatten,
  squeeze: views.squeeze,
  unsqueeze: views.unsqueeze,
  permute: strided.permute,
  transpose: strided.transpose,
  t: strided.t,
  expand: reduce.expand,
  broadcastTo: reduce.expand,
  slice: strided.slice,
  select: strided.select,
  narrow: strided.narrow,
  split: strided.split,
  chunk: strided.chunk,
  flip: strided.flip,
  pad: strided.pad,
  gather,
  indexSelect,
  clone,
  contiguous: (x) => views.view("contiguous", x, x.shape),
  to,
  fill_: inplace.fill,
  zero_: (x) => inplace.fill(x, 0),
  copy_: inplace.copyInto,
  add_: (x, other) => inplace.update("add", x, other),
  sub_: (x, other) => inplace.update("sub", x, other),
  mul_: (x, other) => inplace.update("mul", x, other),
  div_: (x, other) => inplace.update("div", x, other),
  backward,
  registerHook,
  retainGrad: (x) => retainGrad(x, arithmetic.add),
};

/**
 * Gives `Tensor` the methods above. Called by `init`, not by this file as it loads: the package declares that its files
 * have no side effects, so a bundler would drop it.
 */
export function provideMethods(): void {
  if (Object.hasOwn(Tensor.prototype, "add")) return;
  for (const [name, run] of Object.entries<(x: Tensor, ...args: never[]) => unknown>(functions)) {
    function value(this: Tensor, ...args: never[]) {
      return run(this, ...args);
    }
    Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
  }
}
