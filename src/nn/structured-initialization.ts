// Initialisation of matrices and kernels with a structure: cut-off normal numbers, orthogonal rows, identities, few elements.
import { check, checkNumber, checkWhole, ShapeError, ValueError } from "../errors.ts";
import { div, mul, sub } from "../ops/arithmetic.ts";
import { matmul } from "../ops/matmul.ts";
import { permute } from "../ops/movement.ts";
import { randn } from "../ops/random.ts";
import { truncatedNormal } from "../ops/truncated-normal.ts";
import { reshape } from "../ops/view.ts";
import { fromHost, full } from "../tensor/create.ts";
import { permutation } from "../tensor/random-state.ts";
import { show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { assign } from "./assign.ts";

/**
 * Normal numbers of this mean and standard deviation, of which only those from `a` to `b` are drawn.
 * @see https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.trunc_normal_
 */
export const truncNormal_ = <T extends Tensor>(t: T, mean = 0, std = 1, a = -2, b = 2): T =>
  assign(t, () => {
    checkNumber("init", "mean", mean);
    checkNumber("init", "std", std, 0);
    checkNumber("init", "a", a);
    checkNumber("init", "b", b, a);
    if (std === 0) return full(t.shape, Math.min(Math.max(mean, a), b), { device: t.device });
    return truncatedNormal(t.shape, mean, std, [a, b], { device: t.device });
  });

/** As many as bring the least singular value of a large normal matrix, about 1e-4 of its largest one, to 1. */
const ITERATIONS = 40;

/**
 * A matrix with orthonormal rows or columns, whichever are fewer, times `gain`: t: [rows, ...columns]. All such matrices are equally
 * likely. It is the orthogonal factor of a normal matrix, by the iteration of Newton and Schulz.
 * @throws ShapeError for fewer than two dimensions.
 * @see https://arxiv.org/abs/1312.6120 and https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.orthogonal_
 */
export const orthogonal_ = <T extends Tensor>(t: T, gain = 1): T =>
  assign(t, () => {
    checkNumber("init", "gain", gain);
    check(t.ndim >= 2, () => `[init] orthogonal_ needs at least two dimensions, got ${show(t.shape)}`, ShapeError);
    const rows = t.shape[0] ?? 0;
    const columns = sizeOf(t.shape.slice(1));
    if (t.numel === 0) return full(t.shape, 0, { device: t.device });
    const wide = rows <= columns;
    const short = Math.min(rows, columns);
    const start = randn([short, Math.max(rows, columns)], { device: t.device });
    // The largest singular value exceeds the sum of the two sides' roots by 3 once in 90 draws, and 1.5 x - 0.5 x^3 takes all that
    // are below the root of 3 to 1.
    let x: Tensor = div(start, Math.sqrt(rows) + Math.sqrt(columns) + 3);
    for (let i = 0; i < ITERATIONS; i++) {
      const square = matmul(x, permute(x, [1, 0]));
      const next = sub(mul(x, 1.5), mul(matmul(square, x), 0.5));
      square.dispose();
      x.dispose();
      x = next;
    }
    return reshape(mul(wide ? x : permute(x, [1, 0]), gain), [...t.shape]);
  });

/**
 * 1 on the diagonal of a matrix, else 0.
 * @throws ShapeError for other than two dimensions.
 * @see https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.eye_
 */
export const eye_ = <T extends Tensor>(t: T): T =>
  assign(t, () => {
    check(t.ndim === 2, () => `[init] eye_ takes a matrix, got ${show(t.shape)}`, ShapeError);
    const [rows = 0, columns = 0] = t.shape;
    const values = new Float32Array(rows * columns);
    for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1;
    return fromHost(values, [rows, columns], "f32", { device: t.device });
  });

/**
 * The kernels of a convolution that hands its channels on: t: [out, in, ...kernel] with 1 in the middle of kernel (i, i), else 0; in
 * each of `groups` groups of outputs.
 * @throws ShapeError for other than three to five dimensions, ValueError for outputs that do not make groups of one size.
 * @see https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.dirac_
 */
export const dirac_ = <T extends Tensor>(t: T, groups = 1): T =>
  assign(t, () => {
    checkWhole("init", "groups", groups, 1);
    check(
      t.ndim >= 3 && t.ndim <= 5,
      () => `[init] dirac_ takes the weight of a convolution, [out, in, ...kernel], got ${show(t.shape)}`,
      ShapeError,
    );
    const [outputs = 0, inputs = 0, ...kernel] = t.shape;
    check(
      outputs % groups === 0,
      () => `[init] dirac_: ${outputs} outputs do not make ${groups} groups of one size`,
      ValueError,
    );
    const taps = sizeOf(kernel);
    const middle = kernel.reduce((at, size) => at * size + Math.floor(size / 2), 0);
    const values = new Float32Array(t.numel);
    const each = outputs / groups;
    for (let group = 0; group < groups; group++) {
      for (let i = 0; i < Math.min(each, inputs); i++) values[((group * each + i) * inputs + i) * taps + middle] = 1;
    }
    return fromHost(values, t.shape, "f32", { device: t.device });
  });

/**
 * Normal numbers of standard deviation `std`, of which in each column a share of `sparsity` (rounded up) is 0: t: [rows, columns].
 * @throws ShapeError for other than two dimensions.
 * @see https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.sparse_
 */
export const sparse_ = <T extends Tensor>(t: T, sparsity: number, std = 0.01): T =>
  assign(t, () => {
    checkNumber("init", "sparsity", sparsity, 0, 1);
    checkNumber("init", "std", std, 0);
    check(t.ndim === 2, () => `[init] sparse_ takes a matrix, got ${show(t.shape)}`, ShapeError);
    const [rows = 0, columns = 0] = t.shape;
    const { device } = t;
    const zeros = Math.ceil(sparsity * rows);
    const mask = new Float32Array(rows * columns).fill(1);
    for (let column = 0; column < columns; column++)
      for (const row of permutation(rows).subarray(0, zeros)) mask[row * columns + column] = 0;
    return mul(mul(randn(t.shape, { device }), std), fromHost(mask, [rows, columns], "f32", { device }));
  });
