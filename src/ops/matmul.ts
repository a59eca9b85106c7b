// matmul and linear: batched matrix products whose operands may be transposed.
import { apply1 } from "../autograd/apply.ts";
import { noGrad } from "../autograd/mode.ts";
import type { OldOp } from "../autograd/op.ts";
import { check } from "../errors.ts";
import { bindingElements, partOf, ranges } from "../kernels/binding-parts.ts";
import { gemmKernels, gemmTiles, launchBest, magnitude } from "../kernels/variants.ts";
import subgroupWgsl from "../kernels/wgsl/matmul-subgroup.wgsl";
import workgroupWgsl from "../kernels/wgsl/matmul-workgroup.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { broadcastShapes, type Shape, show, sizeOf } from "../tensor/shape.ts";
import { empty, type Spec, type Tensor } from "../tensor/tensor.ts";
import { binary } from "./binary.ts";
import { update } from "./inplace.ts";
import { expand, sumTo } from "./sum-expand.ts";
import { reshape } from "./view.ts";

/** Read an operand as its transpose (last two dimensions swapped). */
interface MatmulAttrs {
  readonly a: boolean;
  readonly b: boolean;
}

const matmulKernels = gemmKernels("matmul", subgroupWgsl, workgroupWgsl);

/** Multiply-adds below which a product counts little in any step. */
const SMALL_PRODUCT = 2 ** 20;

/** Rows and columns of a matrix (the last two dimensions), after transposition. */
function matrix(shape: Shape, transposed: boolean): [number, number] {
  const [rows, cols] = shape.slice(-2) as [number, number];
  return transposed ? [cols, rows] : [rows, cols];
}

/** C[...] = A[...] B[...] on operands of at least two dimensions, whose leading ones are equal or missing in one operand. */
export const matmulOp: OldOp<MatmulAttrs> = {
  name: "matmul",
  infer(specs, t) {
    const [a, b] = specs as [Spec, Spec];
    checkDtype("matmul", "first operand", a.dtype, "f32");
    checkDtype("matmul", "second operand", b.dtype, "f32");
    const [m, k] = matrix(a.shape, t.a);
    const [k2, n] = matrix(b.shape, t.b);
    const tell = (shape: Shape, transposed: boolean) => show(shape) + (transposed ? " transposed" : "");
    check(
      k === k2,
      () => `[matmul] ${tell(a.shape, t.a)} has rows of ${k} elements but ${tell(b.shape, t.b)} has columns of ${k2}`,
    );
    return [{ shape: [...broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n], dtype: "f32" }];
  },
  forward({ queue }, [a, b], [c], t) {
    const [m, k] = matrix(a!.shape, t.a);
    const [, n] = matrix(b!.shape, t.b);
    const { info } = c!.device;
    const batch = sizeOf(c!.shape.slice(0, -2));
    // A classifier's head: no variant is faster than another there, but the small one compiles in half the time.
    const tiles = gemmTiles(matmulKernels, info, {}, m * n * k < SMALL_PRODUCT ? [16, 2] : [16, 4]);
    const shapeClass = [m, n, k, batch].map(magnitude).join(".") + (t.a ? "a" : "") + (t.b ? "b" : "");
    const most = bindingElements(info);
    const [aRow, aK] = t.a ? ([1, m] as const) : ([k, 1] as const);
    const [bK, bCol] = t.b ? ([1, k] as const) : ([n, 1] as const);
    const strides = [aRow, aK, bK, bCol, a!.ndim > 2 ? m * k : 0, b!.ndim > 2 ? k * n : 0, m * n, n];
    if (batch > 1 || Math.max(a!.numel, b!.numel, c!.numel) <= most) {
      const storages = [a!.storage, b!.storage, c!.storage];
      launchBest(c!.device, "matmul", shapeClass, {
        tiles,
        storages,
        record(tile) {
          const grid = [Math.ceil(n / tile.columns), Math.ceil(m / tile.rows), batch] as const;
          queue.dispatch(tile.shader, storages, [m, n, k, ...strides], grid);
        },
      });
      return;
    }
    const tile = tiles[0]!;
    // An operand is larger than a binding may be: blocks of rows of the result, of columns, and of what is summed over.
    const rows = c!.numel > most || (a!.numel > most && !t.a) ? most / Math.max(n, t.a ? 1 : k) : m;
    const columns = b!.numel > most && t.b ? most / k : n;
    const depth = Math.min(a!.numel > most && t.a ? most / m : k, b!.numel > most && !t.b ? most / n : k);
    const part = (x: Tensor, at: number, last: number) => partOf(x.storage, at, last - at + 1);
    for (const [k0, kCount] of ranges(k, depth)) {
      const target = k0 === 0 ? c! : empty(c!.shape, "f32");
      for (const [m0, mCount] of ranges(m, rows)) {
        for (const [n0, nCount] of ranges(n, columns)) {
          const [a0, b0, c0] = [m0 * aRow + k0 * aK, k0 * bK + n0 * bCol, m0 * n + n0];
          const storages = [
            part(a!, a0, a0 + (mCount - 1) * aRow + (kCount - 1) * aK),
            part(b!, b0, b0 + (kCount - 1) * bK + (nCount - 1) * bCol),
            part(target, c0, c0 + (mCount - 1) * n + nCount - 1),
          ];
          const grid = [Math.ceil(nCount / tile.columns), Math.ceil(mCount / tile.rows)] as const;
          queue.dispatch(tile.shader, storages, [mCount, nCount, kCount, ...strides], grid);
        }
      }
      if (target === c) continue;
      noGrad(() => update("add", c!, target));
      target.dispose();
    }
  },
  saves: ([a, b]) => ({ inputs: [...(b ? [0] : []), ...(a ? [1] : [])], outputs: [] }),
  vjp([dc], c) {
    const { a, b } = c.attrs;
    // With A' and B' the operands as read: dA' = dC B'^T and dB' = A'^T dC; a transposed operand gets the transpose.
    const da = () => (a ? product(c.input(1), dc!, b, true) : product(dc!, c.input(1), false, !b));
    const db = () => (b ? product(dc!, c.input(0), true, a) : product(c.input(0), dc!, !a, false));
    return [
      c.needs[0] ? sumTo(da(), c.inputSpecs[0]!.shape) : null,
      c.needs[1] ? sumTo(db(), c.inputSpecs[1]!.shape) : null,
    ];
  },
};

const product = (a: Tensor, b: Tensor, ta: boolean, tb: boolean): Tensor => apply1(matmulOp, [a, b], { a: ta, b: tb });

/**
 * Matrix product with PyTorch's rules: vectors are promoted, leading dimensions broadcast.
 * a: [..., M, K], b: [..., K, N]; result: [..., M, N].
 * @see https://pytorch.org/docs/stable/generated/torch.matmul.html
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  check(
    a.ndim > 0 && b.ndim > 0,
    () => `[matmul] takes at least one dimension, got ${show(a.shape)} and ${show(b.shape)}: use mul`,
  );
  return scope(() => {
    const left = a.ndim === 1 ? reshape(a, [1, a.numel]) : a;
    const right = b.ndim === 1 ? reshape(b, [b.numel, 1]) : b;
    const [x, y] = alignBatches(left, right);
    let c: Tensor;
    if (x.ndim > 2 && y.ndim === 2) {
      // One large product instead of a batch of small ones that share an operand.
      const flat = product(reshape(x, [-1, x.shape.at(-1)!]), y, false, false);
      c = reshape(flat, [...x.shape.slice(0, -1), y.shape[1]!]);
    } else c = product(x, y, false, false);
    if (a.ndim > 1 && b.ndim > 1) return c;
    const rows = a.ndim > 1 ? [c.shape.at(-2)!] : [];
    return reshape(c, [...c.shape.slice(0, -2), ...rows, ...(b.ndim > 1 ? [c.shape.at(-1)!] : [])]);
  });
}

/** Expands leading dimensions that differ, unless one operand has none. */
function alignBatches(a: Tensor, b: Tensor): [Tensor, Tensor] {
  if (a.ndim === 2 || b.ndim === 2) return [a, b];
  const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  const full = (t: Tensor) => {
    const shape = [...batch, ...t.shape.slice(-2)];
    return show(shape) === show(t.shape) ? t : expand(t, shape);
  };
  return [full(a), full(b)];
}

/**
 * x W^T + b. x: [..., in], weight: [out, in], bias: [out]; result: [..., out].
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.linear.html
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const inFeatures = weight.shape[1];
  check(weight.ndim === 2, () => `[linear] weight has shape ${show(weight.shape)} but must be [out, in]`);
  check(
    x.ndim > 0 && x.shape.at(-1) === inFeatures,
    () =>
      `[linear] input ${show(x.shape)} has ${x.shape.at(-1)} features but weight ${show(weight.shape)} expects ${inFeatures}`,
  );
  return scope(() => {
    const flat = x.ndim === 2 ? x : reshape(x, [-1, inFeatures!]);
    const xw = product(flat, weight, false, true);
    const y = bias ? binary("add", xw, bias) : xw;
    return x.ndim === 2 ? y : reshape(y, [...x.shape.slice(0, -1), weight.shape[0]!]);
  });
}
