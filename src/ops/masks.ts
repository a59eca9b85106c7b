// Masks and counts: maskedFill, maskedSelect, nonzero, bincount, logsumexp, and draws by probability (multinomial).
import { apply1 } from "../autograd/apply.ts";
import { noGrad } from "../autograd/mode.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import { faultCode } from "../gpu/faults.ts";
import { grid1d } from "../gpu/queue.ts";
import { Kernel } from "../kernels/kernel.ts";
import drawWgsl, { WG } from "../kernels/wgsl/draw-index.wgsl";
import { full, tensor, zeros } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { broadcastShapes, normalizeDims, sameShape, show, stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add, eq } from "./arithmetic.ts";
import { binary } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { checkIndex, indexSelect } from "./gather.ts";
import { rand } from "./random.ts";
import { max } from "./reduce.ts";
import { cumsum } from "./scan.ts";
import { scatterAdd } from "./scatter.ts";
import { type Dims, expand, keepdimOf, type ReduceOptions, sum } from "./sum-expand.ts";
import { topk } from "./topk.ts";
import { unary } from "./unary.ts";
import * as unaries from "./unary-rows.ts";
import { view } from "./view.ts";
import { where } from "./where.ts";

/**
 * x with `value` (a number or a scalar tensor of its dtype) where the mask is not 0; the mask broadcasts. f32, i32 or u32.
 * @throws ShapeError, DtypeError for what does not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.masked_fill.html
 */
export function maskedFill(x: Tensor, mask: Tensor, value: Tensor | number): Tensor {
  checkTensor("maskedFill", "input", x);
  checkTensor("maskedFill", "the mask", mask);
  if (typeof value !== "number") {
    checkTensor("maskedFill", "the value (or a number)", value);
    check(value.ndim === 0, () => `[maskedFill] the value must be a scalar, got ${show(value.shape)}: use where`);
  }
  return where(mask, value, x);
}

/** Positions of the elements other than 0 of what was read, row-major. */
function truePositions(data: ArrayLike<number>): number[] {
  const at: number[] = [];
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) at.push(i);
  return at;
}

/**
 * The elements of x where the mask is not 0, in order, [k]; both broadcast. How many there are only the device knows: it waits for the mask,
 * and gives a promise. The gradient reaches x.
 * @see https://pytorch.org/docs/stable/generated/torch.masked_select.html
 */
export async function maskedSelect(x: Tensor, mask: Tensor): Promise<Tensor> {
  checkTensor("maskedSelect", "input", x);
  checkTensor("maskedSelect", "the mask", mask);
  checkDtype("maskedSelect", "input", x.dtype, "f32", "i32", "u32");
  const { device } = x;
  const shape = broadcastShapes("maskedSelect", x.shape, mask.shape);
  const all = scope(() => (sameShape(mask.shape, shape) ? mask.detach() : expand(mask, shape)));
  const [given, data] = [
    scope(() => (sameShape(x.shape, shape) ? view("maskedSelect", x, shape) : expand(x, shape))),
    all.data(),
  ];
  const index = Int32Array.from(truePositions(await data.finally(() => all.dispose())));
  const y = scope(() => indexSelect(view("maskedSelect", given, [given.numel]), 0, tensor(index, { device })));
  given.dispose();
  return y;
}

/**
 * The indices of the elements other than 0, i32 [k, dimensions], row-major. How many there are only the device knows: it waits for it, and
 * gives a promise.
 * @see https://pytorch.org/docs/stable/generated/torch.nonzero.html
 */
export async function nonzero(x: Tensor): Promise<Tensor> {
  checkTensor("nonzero", "input", x);
  const { shape, device } = x;
  const at = truePositions(await x.data());
  const strides = stridesOf(shape);
  const data = Int32Array.from(at.flatMap((i) => shape.map((n, d) => Math.floor(i / (strides[d] ?? 1)) % n)));
  return tensor(data, { shape: [at.length, shape.length], device });
}

/** What `bincount` takes beside the numbers. */
export interface BincountOptions {
  /** f32 of x's shape: what each element counts. Default: 1, and the result is i32. */
  weights?: Tensor | null;
  /** The least length of the result. Default 0. */
  minlength?: number;
}

/**
 * How often each number occurs in `x: i32 [n]`, none of them negative: i32 [largest + 1], or sums of weights, f32. How long that is only the
 * device knows: it waits for it, and gives a promise.
 * @throws ValueError for a negative number, from a later read.
 * @see https://pytorch.org/docs/stable/generated/torch.bincount.html
 */
export async function bincount(x: Tensor, options: BincountOptions = {}): Promise<Tensor> {
  checkTensor("bincount", "input", x);
  checkIndex("bincount", x);
  checkOptions("bincount", options, ["weights", "minlength"]);
  const { weights = null, minlength = 0 } = options;
  checkWhole("bincount", "minlength", minlength, 0);
  check(x.ndim === 1, () => `[bincount] takes one dimension, got ${show(x.shape)}: flatten() it`);
  if (weights !== null) {
    checkTensor("bincount", "weights", weights);
    checkDtype("bincount", "weights", weights.dtype, "f32");
    check(
      sameShape(weights.shape, x.shape),
      () => `[bincount] weights have shape ${show(weights.shape)} but the numbers ${show(x.shape)}`,
    );
  }
  const { device } = x;
  const counted = x.detach();
  const each = weights?.detach() ?? full(x.shape, 1, { dtype: "i32", device });
  const most = scope(() => (x.numel > 0 ? max(x) : full([], -1, { dtype: "i32", device })));
  const read = most.item();
  most.dispose();
  const bins = Math.max(0, (await read) + 1, minlength);
  const y = noGrad(() => scope(() => scatterAdd(zeros([bins], { dtype: each.dtype, device }), 0, counted, each)));
  counted.dispose();
  each.dispose();
  return y;
}

/**
 * log(sum(exp(x))) over `dim` (one dimension or several) without overflow. f32.
 * @throws ShapeError where there is no such dimension.
 * @see https://pytorch.org/docs/stable/generated/torch.logsumexp.html
 */
export function logsumexp(x: Tensor, dim: Dims, options: ReduceOptions = {}): Tensor {
  checkTensor("logsumexp", "input", x);
  checkDtype("logsumexp", "input", x.dtype, "f32");
  const keepdim = keepdimOf("logsumexp", options);
  const dims = normalizeDims("logsumexp", Array.isArray(dim) && dim.length === 0 ? undefined : dim, x.ndim);
  return scope(() => {
    if (dims.some((d) => x.shape[d] === 0)) return unary(unaries.log, sum(unary(unaries.exp, x), dims, { keepdim }));
    const most = noGrad(() => max(x, dims, { keepdim: true }));
    // Infinities stay out of the differences, where they would be NaN.
    const shift = where(eq(unary(unaries.abs, most), Number.POSITIVE_INFINITY), 0, most);
    const whole = unary(unaries.log, sum(unary(unaries.exp, binary(binaries.sub, x, shift)), dims, { keepdim }));
    return add(whole, keepdim ? shift : view("logsumexp", shift, whole.shape));
  });
}

const drawKernel = new Kernel(drawWgsl);
const drawFault = faultCode(
  (row) =>
    new ValueError(
      `[multinomial] the probabilities of row ${row} add up to no positive number: give numbers that are not negative, and not all 0`,
    ),
);

/** Positions drawn by running sums of probabilities and uniform numbers. */
const drawOp: Op<readonly [sums: Tensor, uniform: Tensor]> = {
  name: "multinomial",
  infer: ([, u]) => [{ shape: u.shape, dtype: "i32" }],
  forward(run, [c, u], [y]) {
    const n = u.numel;
    const params = { n, length: c.shape.at(-1) ?? 1, draws: u.shape.at(-1) ?? 1, fault: drawFault };
    drawKernel.launch(run, { c, u, y, faults: run.queue.faults }, params, grid1d(n, WG));
  },
  ...withoutGradient,
};

/** What `multinomial` takes beside the probabilities and the number of draws. */
export interface MultinomialOptions {
  /** Whether a position may be drawn again. Default false. */
  replacement?: boolean;
}

/**
 * Positions drawn with probabilities that are proportional to `p: f32 [n]` or [rows, n]: i32 [draws] or [rows, draws], from wgrad's random
 * numbers.
 * @throws ValueError for more draws than positions without replacement; at the next read, for a row whose probabilities add up to no
 * positive number. Without replacement those of probability 0 come last.
 * @see https://pytorch.org/docs/stable/generated/torch.multinomial.html
 */
export function multinomial(p: Tensor, draws: number, options: MultinomialOptions = {}): Tensor {
  checkTensor("multinomial", "the probabilities", p);
  checkDtype("multinomial", "the probabilities", p.dtype, "f32");
  checkOptions("multinomial", options, ["replacement"]);
  checkWhole("multinomial", "the number of draws", draws, 1);
  const { replacement = false } = options;
  check(
    typeof replacement === "boolean",
    () => `[multinomial] replacement is true or false, got ${told(replacement)}`,
    ValueError,
  );
  const n = p.shape.at(-1) ?? 0;
  check(
    (p.ndim === 1 || p.ndim === 2) && n > 0,
    () => `[multinomial] takes probabilities [n] or [rows, n], got ${show(p.shape)}`,
  );
  check(
    replacement || draws <= n,
    () => `[multinomial] ${draws} of ${n} positions cannot be drawn without replacement`,
    ValueError,
  );
  const { device, shape } = p;
  return noGrad(() =>
    scope(() => {
      const sums = cumsum(p, -1);
      if (replacement) return apply1(drawOp, [sums, rand([...shape.slice(0, -1), draws], { device })], undefined);
      // The first of so many clocks that ring at these rates (Efraimidis and Spirakis, Weighted random sampling with a reservoir, 2006):
      // the largest p / e, e exponentially distributed.
      const e = unary(
        unaries.affine,
        unary(unaries.log, unary(unaries.affine, rand(shape, { device }), { scale: -1, offset: 1 })),
        {
          scale: -1,
          offset: 2 ** -40,
        },
      );
      const { indices } = topk(binary(binaries.div, p, e), draws);
      // Looks at the sums.
      apply1(drawOp, [sums, zeros([...shape.slice(0, -1), 1], { device })], undefined);
      return indices;
    }),
  );
}
