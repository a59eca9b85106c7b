// The operations as methods of Tensor, with PyTorch's names in camelCase: what each does for its users, and the function
// of ops/ behind it.
import { type BackwardOptions, backward } from "./backward/backward.ts";
import { type HookHandle, registerHook, retainGrad } from "./backward/hooks.ts";
import * as arithmetic from "./ops/arithmetic.ts";
import { to } from "./ops/cast.ts";
import { chunk, split } from "./ops/cat.ts";
import { clone } from "./ops/clone.ts";
import * as elementwise from "./ops/elementwise.ts";
import { gather, indexSelect } from "./ops/gather.ts";
import * as inplace from "./ops/inplace.ts";
import { matmul } from "./ops/matmul.ts";
import * as movement from "./ops/movement.ts";
import * as reduce from "./ops/reduce.ts";
import { logSoftmax, softmax } from "./ops/softmax.ts";
import { argmax, argmin, topk } from "./ops/topk.ts";
import * as views from "./ops/view.ts";
import type { Dtype } from "./tensor/dtype.ts";
import { print } from "./tensor/format.ts";
import type { Inferred, Shape, ShapeInput } from "./tensor/shape.ts";
import { type GradHook, Tensor } from "./tensor/tensor.ts";

type Operand = arithmetic.Operand;
type Dims = reduce.Dims;
type ReduceOptions = reduce.ReduceOptions;
type VarianceOptions = reduce.VarianceOptions;

/** The shape type of an operation with `O`: kept with a number or a tensor of this shape type, else not known to TypeScript. */
type Joined<S extends Shape, O> = [O] extends [number | Tensor<S>] ? S : Shape;

/** The methods that operations add to `Tensor`. What keeps the shape gives `Tensor<S>`. */
export interface TensorMethods<S extends Shape = Shape> {
  /**
   * this + other, elementwise; shapes broadcast. f32, i32 or u32.
   * @throws ShapeError where the shapes do not broadcast, DtypeError for a tensor of another dtype.
   * @see https://pytorch.org/docs/stable/generated/torch.add.html
   */
  add<O extends Operand>(other: O): Tensor<Joined<S, O>>;
  /**
   * this - other, elementwise; shapes broadcast. f32, i32 or u32.
   * @throws ShapeError where the shapes do not broadcast, DtypeError for a tensor of another dtype.
   * @see https://pytorch.org/docs/stable/generated/torch.sub.html
   */
  sub<O extends Operand>(other: O): Tensor<Joined<S, O>>;
  /**
   * this * other, elementwise; shapes broadcast. f32, i32 or u32. The matrix product is `matmul`.
   * @throws ShapeError where the shapes do not broadcast, DtypeError for a tensor of another dtype.
   * @see https://pytorch.org/docs/stable/generated/torch.mul.html
   */
  mul<O extends Operand>(other: O): Tensor<Joined<S, O>>;
  /**
   * this / other, elementwise; shapes broadcast. True division: f32 only.
   * @throws ShapeError where the shapes do not broadcast, DtypeError for integers.
   * @see https://pytorch.org/docs/stable/generated/torch.div.html
   */
  div<O extends Operand>(other: O): Tensor<Joined<S, O>>;
  /**
   * this to the power of `exponent`, elementwise; shapes broadcast. f32 only. A negative base needs a whole exponent, else
   * the result is NaN.
   * @throws ShapeError where the shapes do not broadcast, DtypeError for integers.
   * @see https://pytorch.org/docs/stable/generated/torch.pow.html
   */
  pow<O extends Operand>(exponent: O): Tensor<Joined<S, O>>;
  /**
   * The larger of this and other, elementwise, NaN where one is; shapes broadcast. f32, i32 or u32. Equal ones share the
   * gradient.
   * @throws ShapeError where the shapes do not broadcast, DtypeError for a tensor of another dtype.
   * @see https://pytorch.org/docs/stable/generated/torch.maximum.html
   */
  maximum<O extends Operand>(other: O): Tensor<Joined<S, O>>;
  /**
   * The smaller of this and other, elementwise, NaN where one is; shapes broadcast. f32, i32 or u32. Equal ones share the
   * gradient.
   * @throws ShapeError where the shapes do not broadcast, DtypeError for a tensor of another dtype.
   * @see https://pytorch.org/docs/stable/generated/torch.minimum.html
   */
  minimum<O extends Operand>(other: O): Tensor<Joined<S, O>>;
  /**
   * i32: 1 where this = other, else 0; shapes broadcast.
   * @throws ShapeError where the shapes do not broadcast, DtypeError for a tensor of another dtype.
   * @see https://pytorch.org/docs/stable/generated/torch.eq.html
   */
  eq<O extends Operand>(other: O): Tensor<Joined<S, O>>;
  /**
   * i32: 1 where this and other differ, else 0; shapes broadcast.
   * @throws ShapeError where the shapes do not broadcast, DtypeError for a tensor of another dtype.
   * @see https://pytorch.org/docs/stable/generated/torch.ne.html
   */
  ne<O extends Operand>(other: O): Tensor<Joined<S, O>>;
  /**
   * i32: 1 where this < other, else 0; shapes broadcast.
   * @throws ShapeError where the shapes do not broadcast, DtypeError for a tensor of another dtype.
   * @see https://pytorch.org/docs/stable/generated/torch.lt.html
   */
  lt<O extends Operand>(other: O): Tensor<Joined<S, O>>;
  /**
   * i32: 1 where this <= other, else 0; shapes broadcast.
   * @throws ShapeError where the shapes do not broadcast, DtypeError for a tensor of another dtype.
   * @see https://pytorch.org/docs/stable/generated/torch.le.html
   */
  le<O extends Operand>(other: O): Tensor<Joined<S, O>>;
  /**
   * i32: 1 where this > other, else 0; shapes broadcast.
   * @throws ShapeError where the shapes do not broadcast, DtypeError for a tensor of another dtype.
   * @see https://pytorch.org/docs/stable/generated/torch.gt.html
   */
  gt<O extends Operand>(other: O): Tensor<Joined<S, O>>;
  /**
   * i32: 1 where this >= other, else 0; shapes broadcast.
   * @throws ShapeError where the shapes do not broadcast, DtypeError for a tensor of another dtype.
   * @see https://pytorch.org/docs/stable/generated/torch.ge.html
   */
  ge<O extends Operand>(other: O): Tensor<Joined<S, O>>;
  /** -this, elementwise. f32, i32 or u32. @see https://pytorch.org/docs/stable/generated/torch.neg.html */
  neg(): Tensor<S>;
  /** |this|, elementwise. f32, i32 or u32. @see https://pytorch.org/docs/stable/generated/torch.abs.html */
  abs(): Tensor<S>;
  /** this * this, elementwise. f32, i32 or u32. @see https://pytorch.org/docs/stable/generated/torch.square.html */
  square(): Tensor<S>;
  /**
   * min(max(this, min), max), elementwise, with at least one of the bounds: `clamp({ min: 0 })`. f32, i32 or u32. The
   * gradient passes where min <= this <= max.
   * @throws ValueError without a bound.
   * @see https://pytorch.org/docs/stable/generated/torch.clamp.html
   */
  clamp(bounds: arithmetic.Bounds): Tensor<S>;
  /** min(max(this, min), max), elementwise. @see https://pytorch.org/docs/stable/generated/torch.clamp.html */
  clamp(min: number, max: number): Tensor<S>;

  /** e to the power of each element. f32. @see https://pytorch.org/docs/stable/generated/torch.exp.html */
  exp(): Tensor<S>;
  /** Natural logarithm of each element. f32. @see https://pytorch.org/docs/stable/generated/torch.log.html */
  log(): Tensor<S>;
  /** Square root of each element. f32. @see https://pytorch.org/docs/stable/generated/torch.sqrt.html */
  sqrt(): Tensor<S>;
  /** 1 / sqrt(this), elementwise. f32. @see https://pytorch.org/docs/stable/generated/torch.rsqrt.html */
  rsqrt(): Tensor<S>;
  /** 1 / this, elementwise. f32. @see https://pytorch.org/docs/stable/generated/torch.reciprocal.html */
  reciprocal(): Tensor<S>;
  /** Sine of each element, in radians. f32. @see https://pytorch.org/docs/stable/generated/torch.sin.html */
  sin(): Tensor<S>;
  /** Cosine of each element, in radians. f32. @see https://pytorch.org/docs/stable/generated/torch.cos.html */
  cos(): Tensor<S>;
  /** Hyperbolic tangent of each element. f32. @see https://pytorch.org/docs/stable/generated/torch.tanh.html */
  tanh(): Tensor<S>;
  /** Error function of each element. f32. @see https://pytorch.org/docs/stable/generated/torch.erf.html */
  erf(): Tensor<S>;
  /** 1 / (1 + exp(-this)), elementwise. f32. @see https://pytorch.org/docs/stable/generated/torch.sigmoid.html */
  sigmoid(): Tensor<S>;
  /** max(this, 0), elementwise. f32. @see https://pytorch.org/docs/stable/generated/torch.nn.functional.relu.html */
  relu(): Tensor<S>;
  /** The whole number at or below each element. f32. @see https://pytorch.org/docs/stable/generated/torch.floor.html */
  floor(): Tensor<S>;
  /** The whole number at or above each element. f32. @see https://pytorch.org/docs/stable/generated/torch.ceil.html */
  ceil(): Tensor<S>;
  /**
   * The whole number nearest to each element, of two equally near ones the even one. f32.
   * @see https://pytorch.org/docs/stable/generated/torch.round.html
   */
  round(): Tensor<S>;
  /** -1, 0 or 1: the sign of each element. f32. @see https://pytorch.org/docs/stable/generated/torch.sign.html */
  sign(): Tensor<S>;

  /**
   * exp(this) over its sum along `dim`: positive numbers that sum to 1. f32, any shape. Stable for logits of any size.
   * @throws ShapeError where there is no such dimension.
   * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
   */
  softmax(dim: number): Tensor<S>;
  /**
   * The logarithm of `softmax` along `dim`, without taking it of small numbers. f32, any shape.
   * @throws ShapeError where there is no such dimension.
   * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
   */
  logSoftmax(dim: number): Tensor<S>;

  /**
   * Matrix product: this [..., M, K] with other [..., K, N] gives [..., M, N]. Leading dimensions broadcast; a vector [K]
   * counts as a row on the left and as a column on the right, and its dimension is left out of the result. f32.
   * @throws ShapeError where the inner sizes K differ, leading dimensions do not broadcast, or an operand is a scalar.
   * @see https://pytorch.org/docs/stable/generated/torch.matmul.html
   */
  matmul(other: Tensor): Tensor;

  /**
   * Sum over `dim`: one dimension, several, or all of them where left out. f32, i32 (wrapping) or u32.
   * @throws ShapeError where there is no such dimension.
   * @see https://pytorch.org/docs/stable/generated/torch.sum.html
   */
  sum(dim?: Dims, options?: ReduceOptions): Tensor;
  /**
   * Mean over `dim`: one dimension, several, or all of them where left out. f32.
   * @throws ShapeError where there is no such dimension.
   * @see https://pytorch.org/docs/stable/generated/torch.mean.html
   */
  mean(dim?: Dims, options?: ReduceOptions): Tensor;
  /**
   * Largest element over `dim`: one dimension, several, or all of them where left out. f32, i32 or u32. As torch.amax:
   * NaN where an element is, and equal ones share the gradient. For positions: `argmax` or `topk`.
   * @throws ShapeError where there is no such dimension, or no element along it.
   * @see https://pytorch.org/docs/stable/generated/torch.amax.html
   */
  max(dim?: Dims, options?: ReduceOptions): Tensor;
  /**
   * Smallest element over `dim`: one dimension, several, or all of them where left out. f32, i32 or u32. As torch.amin:
   * NaN where an element is, and equal ones share the gradient. For positions: `argmin` or `topk`.
   * @throws ShapeError where there is no such dimension, or no element along it.
   * @see https://pytorch.org/docs/stable/generated/torch.amin.html
   */
  min(dim?: Dims, options?: ReduceOptions): Tensor;
  /**
   * Variance over `dim`: one dimension, several, or all of them where left out. f32. Unbiased unless `correction: 0`.
   * @throws ShapeError where there is no such dimension.
   * @see https://pytorch.org/docs/stable/generated/torch.var.html
   */
  var(dim?: Dims, options?: VarianceOptions): Tensor;
  /**
   * Standard deviation over `dim`: one dimension, several, or all of them where left out. f32. The square root of `var`.
   * @throws ShapeError where there is no such dimension.
   * @see https://pytorch.org/docs/stable/generated/torch.std.html
   */
  std(dim?: Dims, options?: VarianceOptions): Tensor;
  /**
   * Euclidean norm over `dim`: one dimension, several, or all of them where left out. f32.
   * @throws ShapeError where there is no such dimension.
   * @see https://pytorch.org/docs/stable/generated/torch.linalg.vector_norm.html
   */
  norm(dim?: Dims, options?: ReduceOptions): Tensor;
  /**
   * i32: 1 where every element over `dim` (one dimension, several, or all of them) is other than 0, else 0.
   * @throws ShapeError where there is no such dimension, or no element along it.
   * @see https://pytorch.org/docs/stable/generated/torch.all.html
   */
  all(dim?: Dims, options?: ReduceOptions): Tensor;
  /**
   * i32: 1 where some element over `dim` (one dimension, several, or all of them) is other than 0, else 0.
   * @throws ShapeError where there is no such dimension, or no element along it.
   * @see https://pytorch.org/docs/stable/generated/torch.any.html
   */
  any(dim?: Dims, options?: ReduceOptions): Tensor;
  /**
   * Position (i32) of the largest element along `dim`, or in the flattened tensor where it is left out; of equal ones the
   * first, and NaN before any number.
   * @throws ShapeError where there is no such dimension, or no element along it.
   * @see https://pytorch.org/docs/stable/generated/torch.argmax.html
   */
  argmax(dim?: number, options?: ReduceOptions): Tensor;
  /**
   * Position (i32) of the smallest element along `dim`, or in the flattened tensor where it is left out; of equal ones the
   * first, and NaN before any number.
   * @throws ShapeError where there is no such dimension, or no element along it.
   * @see https://pytorch.org/docs/stable/generated/torch.argmin.html
   */
  argmin(dim?: number, options?: ReduceOptions): Tensor;
  /**
   * The `k` largest elements (smallest where `largest` is false) along `dim`, by default the last, best first, and their
   * positions as i32; of equal ones the first. NaN counts as larger than any number. Both have this shape with size k along `dim`.
   * @throws ValueError where k is more than the dimension's size.
   * @see https://pytorch.org/docs/stable/generated/torch.topk.html
   */
  topk(k: number, dim?: number, largest?: boolean): { values: Tensor; indices: Tensor };

  /**
   * The same elements, row-major, under another shape; one size may be -1 and is then inferred. Shares storage.
   * @throws ShapeError where the sizes do not multiply to the same count.
   * @see https://pytorch.org/docs/stable/generated/torch.reshape.html
   */
  reshape<const T extends ShapeInput>(shape: T): Tensor<Inferred<T>>;
  /**
   * As `reshape`, which never copies here: tensors are always contiguous.
   * @throws ShapeError where the sizes do not multiply to the same count.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.view.html
   */
  view<const T extends ShapeInput>(shape: T): Tensor<Inferred<T>>;
  /**
   * Dimensions `start` (default 0) to `end` (default -1, the last), both included, merged into one. Shares storage.
   * @throws ShapeError where there is no such dimension, or `start` comes after `end`.
   * @see https://pytorch.org/docs/stable/generated/torch.flatten.html
   */
  flatten(start?: number, end?: number): Tensor;
  /**
   * Without dimensions of size 1: all such where `dim` is left out, or those of `dim` that have size 1. Shares storage.
   * @throws ShapeError where there is no such dimension.
   * @see https://pytorch.org/docs/stable/generated/torch.squeeze.html
   */
  squeeze(dim?: number | readonly number[]): Tensor;
  /**
   * With a dimension of size 1 inserted before `dim` (-1: at the end). Shares storage.
   * @throws ShapeError where there is no such place.
   * @see https://pytorch.org/docs/stable/generated/torch.unsqueeze.html
   */
  unsqueeze(dim: number): Tensor;
  /**
   * Dimensions in another order: `images.permute([0, 2, 3, 1])` makes [N, H, W, C] of [N, C, H, W]. Copies.
   * @throws ShapeError where `order` does not name each dimension once.
   * @see https://pytorch.org/docs/stable/generated/torch.permute.html
   */
  permute(order: readonly number[]): Tensor;
  /**
   * Two dimensions swapped. Copies.
   * @throws ShapeError where there is no such dimension.
   * @see https://pytorch.org/docs/stable/generated/torch.transpose.html
   */
  transpose(dim0: number, dim1: number): Tensor;
  /**
   * The transpose of a matrix, [M, N] to [N, M]; a tensor of fewer dimensions is unchanged. Copies.
   * @throws ShapeError for more than two dimensions.
   * @see https://pytorch.org/docs/stable/generated/torch.t.html
   */
  t(): Tensor;
  /**
   * Dimensions of size 1, and new leading ones, repeated up to `shape`; -1 keeps a size. Copies.
   * @throws ShapeError where this shape does not broadcast to that.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.expand.html
   */
  expand<const T extends ShapeInput>(shape: T): Tensor<Inferred<T>>;
  /**
   * As `expand`: repeats dimensions of size 1, and new leading ones, up to `shape`. Copies.
   * @throws ShapeError where this shape does not broadcast to that.
   * @see https://pytorch.org/docs/stable/generated/torch.broadcast_to.html
   */
  broadcastTo<const T extends ShapeInput>(shape: T): Tensor<Inferred<T>>;
  /**
   * A part by ranges from the first dimension on: `x.slice([0, [1, -1], null])` is Python's `x[0, 1:-1, :]`, a third number
   * of a range its step. Copies.
   * @throws ShapeError for too many ranges or an index out of range, ValueError for a step below 1.
   * @see https://pytorch.org/docs/stable/tensor_view.html
   */
  slice(ranges: readonly movement.SliceRange[]): Tensor;
  /**
   * The slice at one index of a dimension, which goes away; negative indices count from the end. Copies.
   * @throws ShapeError where there is no such dimension or index.
   * @see https://pytorch.org/docs/stable/generated/torch.select.html
   */
  select(dim: number, index: number): Tensor;
  /**
   * `length` elements of a dimension from `start` on. Copies.
   * @throws ShapeError where there is no such dimension, or not so many elements.
   * @see https://pytorch.org/docs/stable/generated/torch.narrow.html
   */
  narrow(dim: number, start: number, length: number): Tensor;
  /**
   * Parts along `dim` (default 0) of `size` elements each (the last may be smaller), or of the given sizes. Copies.
   * @throws ShapeError where sizes do not add up to the dimension's, ValueError for a size below 1.
   * @see https://pytorch.org/docs/stable/generated/torch.split.html
   */
  split(size: number | readonly number[], dim?: number): Tensor[];
  /**
   * At most `chunks` parts along `dim` (default 0), all of one size but for the last. Copies.
   * @throws ShapeError where there is no such dimension, ValueError for fewer than one part.
   * @see https://pytorch.org/docs/stable/generated/torch.chunk.html
   */
  chunk(chunks: number, dim?: number): Tensor[];
  /**
   * The elements in reverse order along `dims`. Copies.
   * @throws ShapeError where there is no such dimension.
   * @see https://pytorch.org/docs/stable/generated/torch.flip.html
   */
  flip(dims: number | readonly number[]): Tensor<S>;
  /**
   * With `value` (default 0) around it: `padding` holds pairs (before, after) from the last dimension backwards; negative
   * ones crop. Copies.
   * @throws ValueError for an odd number of sizes, or more pairs than dimensions.
   * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
   */
  pad(padding: readonly number[], value?: number): Tensor;
  /**
   * Elements by index: `y[i, j] = this[index[i, j], j]` for `dim` 0. index: i32 with as many dimensions as this; the
   * result has its shape. An index out of range is a ValueError of the next read.
   * @throws ShapeError, DtypeError for an index that does not fit.
   * @see https://pytorch.org/docs/stable/generated/torch.gather.html
   */
  gather(dim: number, index: Tensor): Tensor;
  /**
   * The slices at the positions `index: i32 [k]` of `dim`, such as rows of an embedding table: this shape with size k along
   * `dim`. An index out of range is a ValueError of the next read.
   * @throws ShapeError, DtypeError for an index that does not fit.
   * @see https://pytorch.org/docs/stable/generated/torch.index_select.html
   */
  indexSelect(dim: number, index: Tensor): Tensor;

  /** Prints the elements in rows, long dimensions abbreviated, then dtype and shape, and returns what it printed. */
  print(): Promise<string>;

  /** A copy with storage of its own, on the tape. @see https://pytorch.org/docs/stable/generated/torch.clone.html */
  clone(): Tensor<S>;
  /**
   * Another handle on the same storage: tensors are always contiguous.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.contiguous.html
   */
  contiguous(): Tensor<S>;
  /**
   * The elements as another dtype; floats become integers by rounding toward zero. The gradient ends here unless the dtype
   * stays. f16 holds values only (half the memory): convert it back to f32 to compute.
   * @throws DtypeError between f16 and an integer dtype: go through f32.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.to.html
   */
  to(dtype: Dtype): Tensor<S>;

  /**
   * Sets every element to `value`, in place, off the tape. Returns this.
   * @throws StateError where the tape is recorded and this requires a gradient: wrap it in `noGrad`.
   * @throws DtypeError for f16, or where an integer dtype does not hold the value.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.fill_.html
   */
  fill_(value: number): this;
  /**
   * Sets every element to 0, in place, off the tape. Returns this.
   * @throws StateError where the tape is recorded and this requires a gradient: wrap it in `noGrad`.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.zero_.html
   */
  zero_(): this;
  /**
   * Copies the elements of `source`, a tensor of the same shape and dtype, in place, off the tape. Returns this.
   * @throws StateError where the tape is recorded and either requires a gradient: wrap it in `noGrad`.
   * @throws ShapeError, DtypeError where the two differ.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.copy_.html
   */
  copy_(source: Tensor): this;
  /**
   * this += other, in place, off the tape; `other` is a number, or a tensor of this dtype that broadcasts to this shape.
   * @throws StateError where the tape is recorded and either requires a gradient: wrap it in `noGrad`.
   * @throws ShapeError, DtypeError where `other` does not fit.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.add_.html
   */
  add_(other: Operand): this;
  /**
   * this -= other, in place, off the tape; `other` is a number, or a tensor of this dtype that broadcasts to this shape.
   * @throws StateError where the tape is recorded and either requires a gradient: wrap it in `noGrad`.
   * @throws ShapeError, DtypeError where `other` does not fit.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.sub_.html
   */
  sub_(other: Operand): this;
  /**
   * this *= other, in place, off the tape; `other` is a number, or a tensor of this dtype that broadcasts to this shape.
   * @throws StateError where the tape is recorded and either requires a gradient: wrap it in `noGrad`.
   * @throws ShapeError, DtypeError where `other` does not fit.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.mul_.html
   */
  mul_(other: Operand): this;
  /**
   * this /= other, in place, off the tape; `other` is a number, or a tensor that broadcasts to this shape. f32 only.
   * @throws StateError where the tape is recorded and either requires a gradient: wrap it in `noGrad`.
   * @throws ShapeError, DtypeError where `other` does not fit.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.div_.html
   */
  div_(other: Operand): this;

  /**
   * Adds d(this)/d(leaf) to `.grad` of every leaf that requires it. `gradient`, of this shape, is d(objective)/d(this): 1 by
   * default, for a tensor of one element. Frees the tape behind it unless `retainGraph`.
   * @throws StateError where this requires no gradient, or the tape was freed by an earlier call.
   * @throws ShapeError for more than one element without a gradient, or one of another shape.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.backward.html
   */
  backward(gradient?: Tensor | null, options?: BackwardOptions): void;
  /**
   * Calls `hook` with the gradient of this tensor in each backward; a tensor that it returns replaces the gradient. The
   * gradient lives until the hook returns: `clone()` it to keep it.
   * @throws StateError where this requires no gradient.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.register_hook.html
   */
  registerHook(hook: GradHook): HookHandle;
  /**
   * Lets backward fill `.grad` of this tensor too, although it is no leaf.
   * @throws StateError where this requires no gradient.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.retain_grad.html
   */
  retainGrad(): void;
}

declare module "./tensor/tensor.ts" {
  interface Tensor<S extends Shape = Shape> extends TensorMethods<S> {}
}

/** The method that calls `run` with this tensor and what it is given: at most three arguments, so that no list is made. */
function method<A extends [a?: unknown, b?: unknown, c?: unknown], R>(
  run: (x: Tensor, ...given: A) => R,
): (this: Tensor, ...given: A) => R;
function method(run: (x: Tensor, a: unknown, b: unknown, c: unknown) => unknown) {
  return function (this: Tensor, a: unknown, b: unknown, c: unknown) {
    return run(this, a, b, c);
  };
}

const methods: TensorMethods = {
  add: method(arithmetic.add),
  sub: method(arithmetic.sub),
  mul: method(arithmetic.mul),
  div: method(arithmetic.div),
  pow: method(arithmetic.pow),
  maximum: method(arithmetic.maximum),
  minimum: method(arithmetic.minimum),
  eq: method(arithmetic.eq),
  ne: method(arithmetic.ne),
  lt: method(arithmetic.lt),
  le: method(arithmetic.le),
  gt: method(arithmetic.gt),
  ge: method(arithmetic.ge),
  neg: method(arithmetic.neg),
  abs: method(arithmetic.abs),
  square: method(arithmetic.square),
  clamp: method((x, first: arithmetic.Bounds | number, max?: number) =>
    arithmetic.clamp(x, typeof first === "number" ? { min: first, max } : first),
  ),
  exp: method(elementwise.exp),
  log: method(elementwise.log),
  sqrt: method(elementwise.sqrt),
  rsqrt: method(elementwise.rsqrt),
  reciprocal: method(elementwise.reciprocal),
  sin: method(elementwise.sin),
  cos: method(elementwise.cos),
  tanh: method(elementwise.tanh),
  erf: method(elementwise.erf),
  sigmoid: method(elementwise.sigmoid),
  relu: method(elementwise.relu),
  floor: method(elementwise.floor),
  ceil: method(elementwise.ceil),
  round: method(elementwise.round),
  sign: method(elementwise.sign),
  softmax: method(softmax),
  logSoftmax: method(logSoftmax),
  matmul: method(matmul),
  sum: method(reduce.sum),
  mean: method(reduce.mean),
  max: method(reduce.max),
  min: method(reduce.min),
  var: method(reduce.variance),
  std: method(reduce.std),
  norm: method(reduce.norm),
  all: method(reduce.all),
  any: method(reduce.any),
  argmax: method(argmax),
  argmin: method(argmin),
  topk: method(topk),
  reshape: method(views.reshape),
  view: method(views.reshape),
  flatten: method(views.flatten),
  squeeze: method(views.squeeze),
  unsqueeze: method(views.unsqueeze),
  permute: method(movement.permute),
  transpose: method(movement.transpose),
  t: method(movement.t),
  expand: method(reduce.expand),
  broadcastTo: method(reduce.expand),
  slice: method(movement.slice),
  select: method(movement.select),
  narrow: method(movement.narrow),
  split: method(split),
  chunk: method(chunk),
  flip: method(movement.flip),
  pad: method(movement.pad),
  gather: method(gather),
  indexSelect: method(indexSelect),
  print: method(print),
  clone: method(clone),
  contiguous: method((x) => views.view("contiguous", x, x.shape)),
  to: method(to),
  fill_: method(inplace.fill_),
  zero_: method(inplace.zero_),
  copy_: method(inplace.copy_),
  add_: method(inplace.add_),
  sub_: method(inplace.sub_),
  mul_: method(inplace.mul_),
  div_: method(inplace.div_),
  backward: method(backward),
  registerHook: method(registerHook),
  retainGrad: method(retainGrad),
};

/**
 * Gives `Tensor` the methods above. Called by `init`, not by this file as it loads: the package declares that its files
 * have no side effects, so a bundler would drop it.
 */
export function provideMethods(): void {
  if (Object.hasOwn(Tensor.prototype, "add")) return;
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
  }
}
