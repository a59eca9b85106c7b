// The operations as methods of Tensor, with PyTorch's names in camelCase. One line each: what they do stands in the op's
// own file.
import { type BackwardOptions, backward, provideBackwardKernels } from "../autograd/backward.ts";
import { type HookHandle, registerHook, retainGrad } from "../autograd/hooks.ts";
import { full } from "../tensor/create.ts";
import type { Dtype } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import { type GradHook, Tensor } from "../tensor/tensor.ts";
import * as arithmetic from "./arithmetic.ts";
import { binary } from "./binary.ts";
import { to } from "./cast.ts";
import { clone } from "./clone.ts";
import { gather, indexSelect } from "./gather.ts";
import * as inplace from "./inplace.ts";
import { matmul } from "./matmul.ts";
import * as reduce from "./reduce.ts";
import { logSoftmax, softmax } from "./softmax.ts";
import * as strided from "./strided.ts";
import { argmax, argmin, topk } from "./topk.ts";
import { unary } from "./unary.ts";
import * as views from "./view.ts";

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

declare module "../tensor/tensor.ts" {
  interface Tensor<S extends Shape = Shape> extends TensorMethods<S> {}
}

const methods: TensorMethods & ThisType<Tensor> = {
  matmul(other) {
    return matmul(this, other);
  },
  add(other) {
    return arithmetic.add(this, other);
  },
  sub(other) {
    return arithmetic.sub(this, other);
  },
  mul(other) {
    return arithmetic.mul(this, other);
  },
  div(other) {
    return arithmetic.div(this, other);
  },
  pow(other) {
    return arithmetic.pow(this, other);
  },
  maximum(other) {
    return arithmetic.maximum(this, other);
  },
  minimum(other) {
    return arithmetic.minimum(this, other);
  },
  eq(other) {
    return arithmetic.eq(this, other);
  },
  ne(other) {
    return arithmetic.ne(this, other);
  },
  lt(other) {
    return arithmetic.lt(this, other);
  },
  le(other) {
    return arithmetic.le(this, other);
  },
  gt(other) {
    return arithmetic.gt(this, other);
  },
  ge(other) {
    return arithmetic.ge(this, other);
  },
  neg() {
    return arithmetic.neg(this);
  },
  abs() {
    return arithmetic.abs(this);
  },
  square() {
    return arithmetic.square(this);
  },
  clamp(first: arithmetic.Bounds | number, max?: number) {
    return arithmetic.clamp(this, typeof first === "number" ? { min: first, max } : first);
  },
  exp() {
    return unary("exp", this);
  },
  log() {
    return unary("log", this);
  },
  sqrt() {
    return unary("sqrt", this);
  },
  rsqrt() {
    return unary("rsqrt", this);
  },
  reciprocal() {
    return unary("reciprocal", this);
  },
  sin() {
    return unary("sin", this);
  },
  cos() {
    return unary("cos", this);
  },
  tanh() {
    return unary("tanh", this);
  },
  erf() {
    return unary("erf", this);
  },
  sigmoid() {
    return unary("sigmoid", this);
  },
  relu() {
    return unary("relu", this);
  },
  floor() {
    return unary("floor", this);
  },
  ceil() {
    return unary("ceil", this);
  },
  round() {
    return unary("round", this);
  },
  sign() {
    return unary("sign", this);
  },
  softmax(dim) {
    return softmax(this, dim);
  },
  logSoftmax(dim) {
    return logSoftmax(this, dim);
  },
  sum(dim, options) {
    return reduce.sum(this, dim, options);
  },
  mean(dim, options) {
    return reduce.mean(this, dim, options);
  },
  max(dim, options) {
    return reduce.max(this, dim, options);
  },
  min(dim, options) {
    return reduce.min(this, dim, options);
  },
  var(dim, options) {
    return reduce.variance(this, dim, options);
  },
  std(dim, options) {
    return reduce.std(this, dim, options);
  },
  norm(dim, options) {
    return reduce.norm(this, dim, options);
  },
  all(dim, options) {
    return reduce.all(this, dim, options);
  },
  any(dim, options) {
    return reduce.any(this, dim, options);
  },
  argmax(dim, options) {
    return argmax(this, dim, options);
  },
  argmin(dim, options) {
    return argmin(this, dim, options);
  },
  topk(k, dim, largest) {
    return topk(this, k, dim, largest);
  },
  reshape(shape) {
    return views.reshape(this, shape);
  },
  view(shape) {
    return views.reshape(this, shape);
  },
  flatten(start, end) {
    return views.flatten(this, start, end);
  },
  squeeze(dim) {
    return views.squeeze(this, dim);
  },
  unsqueeze(dim) {
    return views.unsqueeze(this, dim);
  },
  permute(order) {
    return strided.permute(this, order);
  },
  transpose(dim0, dim1) {
    return strided.transpose(this, dim0, dim1);
  },
  t() {
    return strided.t(this);
  },
  expand(shape) {
    return reduce.expand(this, shape);
  },
  broadcastTo(shape) {
    return reduce.expand(this, shape);
  },
  slice(ranges) {
    return strided.slice(this, ranges);
  },
  select(dim, index) {
    return strided.select(this, dim, index);
  },
  narrow(dim, start, length) {
    return strided.narrow(this, dim, start, length);
  },
  split(size, dim) {
    return strided.split(this, size, dim);
  },
  chunk(chunks, dim) {
    return strided.chunk(this, chunks, dim);
  },
  flip(dims) {
    return strided.flip(this, dims);
  },
  pad(padding, value) {
    return strided.pad(this, padding, value);
  },
  gather(dim, index) {
    return gather(this, dim, index);
  },
  indexSelect(dim, index) {
    return indexSelect(this, dim, index);
  },
  clone() {
    return clone(this);
  },
  contiguous() {
    return views.view("contiguous", this, this.shape);
  },
  to(dtype) {
    return to(this, dtype);
  },
  fill_(value) {
    inplace.fill(this, value);
    return this;
  },
  zero_() {
    inplace.fill(this, 0);
    return this;
  },
  copy_(source) {
    inplace.copyInto(this, source);
    return this;
  },
  add_(other) {
    inplace.update("add", this, other);
    return this;
  },
  sub_(other) {
    inplace.update("sub", this, other);
    return this;
  },
  mul_(other) {
    inplace.update("mul", this, other);
    return this;
  },
  div_(other) {
    inplace.update("div", this, other);
    return this;
  },
  backward(gradient, options) {
    backward(this, gradient, options);
  },
  registerHook(hook) {
    return registerHook(this, hook);
  },
  retainGrad() {
    retainGrad(this, (x, y) => binary("add", x, y));
  },
};
for (const [name, value] of Object.entries(methods)) {
  Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
}

/**
 * Gives backward its kernels. `init` calls it, which also ties the methods above to `init`: without such a use a bundler
 * would drop this file, since the package declares that its files have no side effects.
 */
export function provideOps(): void {
  provideBackwardKernels({
    ones: (like) => full(like.shape, 1),
    zeros: (shape) => full(shape, 0),
    add: (x, y) => binary("add", x, y),
  });
}
