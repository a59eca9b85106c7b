// matmul and linear: products of batches of matrices that are read, and written, through strides, with what follows them.
import { apply1 } from "../autograd/apply.ts";
import { noGrad } from "../autograd/mode.ts";
import type { Application, Following, Op } from "../autograd/op.ts";
import { deviceOf, type Run } from "../autograd/run.ts";
import { check } from "../errors.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import { bindingElements, partOf, ranges } from "../kernels/binding-parts.ts";
import { type Epilogue, type EpilogueBuffers, noEpilogue } from "../kernels/epilogue.ts";
import { LONG, launchMatmul, matmulTiles, partsOf } from "../kernels/matmul-plan.ts";
import type { MatmulShape, MatrixStrides } from "../kernels/matmul-shape.ts";
import { reduceInto } from "../kernels/reduction-plan.ts";
import * as reductions from "../kernels/reductions.ts";
import { mergeDims } from "../kernels/strided-walk.ts";
import { launchBest, magnitude, type Way } from "../kernels/variants.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { broadcastShapes, type Shape, sameShape, show, sizeOf, stridesOf } from "../tensor/shape.ts";
import type { Storage } from "../tensor/storage.ts";
import { empty, type Spec, Tensor } from "../tensor/tensor.ts";
import { type AbsorbedActivation, asActivation, asAddition, behindActivation } from "./absorb.ts";
import { binary } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { add_ } from "./inplace.ts";
import { expand, sumTo } from "./sum-expand.ts";
import { reshape } from "./view.ts";

/** A tensor's elements read in another order: a shape of at least two dimensions, and a stride for each. */
export interface View {
  readonly shape: Shape;
  readonly strides: readonly number[];
}

const contiguous = (shape: Shape): View => ({ shape, strides: stridesOf(shape) });
const swapLast = <T>(list: readonly T[]): T[] => [...list.slice(0, -2), ...list.slice(-1), ...list.slice(-2, -1)];
/** The last two dimensions swapped. */
const transposed = ({ shape, strides }: View): View => ({ shape: swapLast(shape), strides: swapLast(strides) });

interface MatmulAttrs {
  readonly a: View;
  readonly b: View;
  /** How the product [..., M, N] lies in the result, and the result's own shape. */
  readonly c: View;
  readonly shape: Shape;
  readonly activation: AbsorbedActivation | null;
  /** Keep what the activation is given, for its gradient. */
  readonly keepsPre: boolean;
}

const matrixOf = (list: readonly number[]): readonly [number, number] => [list.at(-2) ?? 1, list.at(-1) ?? 1];

/** Strides of a view's batch as if it had the (broadcast) batch `to`. */
function batchStrides({ shape, strides }: View, to: Shape): number[] {
  const added = to.length - (shape.length - 2);
  return to.map((_, i) => (i < added || shape[i - added] === 1 ? 0 : (strides[i - added] ?? 0)));
}

/** The product as the kernels take it; null where its batch has more than two levels. */
function planned({ a, b, c }: Pick<MatmulAttrs, "a" | "b" | "c">): MatmulShape | null {
  const batch = c.shape.slice(0, -2);
  const merged = mergeDims(
    "matmul",
    batch,
    [a, b, c].map((view) => batchStrides(view, batch)),
  );
  if (merged.shape.length > 2) return null;
  const at = ({ strides }: View, i: number): MatrixStrides => {
    const levels = merged.strides[i] ?? [];
    const [inner = 0, outer = 0] = [...levels].reverse();
    return [...matrixOf(strides), outer, inner];
  };
  const [inner = 1, outer = 1] = [...merged.shape].reverse();
  const [m, n] = matrixOf(c.shape);
  return { m, n, k: matrixOf(a.shape)[1], outer, inner, a: at(a, 0), b: at(b, 1), c: at(c, 2) };
}

/** Whether each tensor of a product fits into one binding. */
const fits = (info: DeviceInfo, shapes: readonly Shape[]): boolean =>
  Math.max(...shapes.map(sizeOf)) <= bindingElements(info);

/** Whether it sums in parts, which are added up in a pass that takes nothing in. */
function isLong(attrs: Pick<MatmulAttrs, "a" | "b" | "c">): boolean {
  const shape = planned(attrs);
  return shape !== null && partsOf(shape) > 1;
}

/** What a product reads and writes; all storages hold tensors of f32. */
interface ProductBuffers {
  readonly a: Storage;
  readonly b: Storage;
  readonly c: Storage;
  readonly end: Omit<Epilogue, keyof EpilogueBuffers> & { readonly [K in keyof EpilogueBuffers]: Storage | null };
}

/** Records a product with the tile that is best for it. A long sum in parts needs all of c written. */
export function launchProduct(run: Run, shape: MatmulShape, io: ProductBuffers): void {
  const parts = partsOf(shape);
  const elements = shape.m * shape.n * shape.outer * shape.inner;
  const ways = matmulTiles(shape, run.device.info).map(
    (tile): Way<typeof io> => ({
      name: tile.name,
      launch: (on, { end, ...buffers }) => {
        if (parts === 1) return launchMatmul(on, tile, shape, buffers, end);
        const sums = on.scratch([parts, elements]);
        launchMatmul(on, tile, shape, { ...buffers, c: sums }, noEpilogue, { parts, part: elements });
        const whole = new Tensor(buffers.c.retain(), [elements], "f32");
        reduceInto(on, reductions.sum, sums, whole, [0]);
        whole.dispose();
      },
    }),
  );
  const storages = [io.a, io.b, io.c, io.end.bias, io.end.residual, io.end.pre].filter((s) => s !== null);
  launchBest(run, "matmul", classOf(shape), { ways, io, storages });
}

type MatmulInputs = readonly [a: Tensor, b: Tensor, bias: Tensor | null, residual: Tensor | null];
type Pre = readonly Tensor[];

/** activation(A B + bias + residual): bias by column, residual of the result's shape. */
export const matmulOp: Op<MatmulInputs, MatmulAttrs, readonly [Tensor], Pre> = {
  name: "matmul",
  required: 2,
  aux: ({ keepsPre }) => (keepsPre ? 1 : 0),
  infer([a, b], { shape, keepsPre }) {
    checkDtype("matmul", "first operand", a.dtype, "f32");
    checkDtype("matmul", "second operand", b.dtype, "f32");
    const c: Spec = { shape, dtype: "f32" };
    return keepsPre ? [c, c] : [c];
  },
  forward(run, [a, b, bias, residual], [c, pre], attrs) {
    const shape = planned(attrs);
    check(shape !== null, () => `[matmul] batches ${show(attrs.c.shape)} of operands in this order are not supported`);
    if (!fits(run.device.info, [a.shape, b.shape, c.shape])) return launchParts(run, shape, a, b, c);
    const stored = (t: Tensor | null | undefined): Storage | null => t?.storage ?? null;
    launchProduct(run, shape, {
      a: a.storage,
      b: b.storage,
      c: c.storage,
      end: {
        ...noEpilogue,
        bias: stored(bias),
        residual: stored(residual),
        pre: stored(pre),
        activation: attrs.activation,
      },
    });
  },
  saves: ([a, b], { activation, keepsPre }) => ({
    inputs: [...(b ? [0] : []), ...(a ? [1] : [])],
    outputs: activation?.row.saves === "y" ? [0] : keepsPre ? [1] : [],
  }),
  connectsKept: true,
  vjp([dy, dpre], c) {
    const { a, b, c: view } = c.attrs;
    const dc = behindActivation(c.attrs.activation, dy, (what) => c.output(what === "y" ? 0 : 1) ?? null, dpre);
    // With A and B as they are read: dA = dC B^T and dB = A^T dC, written as A and B lie.
    const da = () => into(dc, c.input(1), view, transposed(b), a, c.inputSpecs[0].shape);
    const db = () => into(c.input(0), dc, transposed(a), view, b, c.inputSpecs[1].shape);
    const [, , bias, residual] = c.inputSpecs;
    return [
      c.needs[0] ? da() : null,
      c.needs[1] ? db() : null,
      c.needs[2] && bias ? sumTo(dc, bias.shape) : null,
      c.needs[3] && residual ? dc : null,
    ];
  },
  absorb({ inputs: [a, b, bias, residual], attrs, outputs: [y] }, next, recorded) {
    if (attrs.activation || !y || isLong(attrs)) return null;
    const shapes = [a.shape, b.shape, y.shape];
    if (!sameShape(stridesOf(attrs.c.shape), attrs.c.strides) || !fits(a.device.info, shapes)) return null;
    const added = asAddition(next);
    if (added && !bias && !residual && sameShape(added.shape, y.shape.slice(-1))) {
      return { op: matmulOp, inputs: [a, b, added, null], attrs };
    }
    if (added && !residual && sameShape(added.shape, y.shape)) {
      return { op: matmulOp, inputs: [a, b, bias, added], attrs };
    }
    const activation = asActivation(next);
    if (!activation) return null;
    const keepsPre = recorded && activation.row.saves === "x";
    return { op: matmulOp, inputs: [a, b, bias, residual], attrs: { ...attrs, activation, keepsPre } };
  },
};

/**
 * The product `next` on a tensor x whose elements lie, in the order in which it reads them, these strides apart; null where it
 * is no product, or one that cannot read them so.
 */
export function withStrides(next: Following, x: Tensor, shape: Shape, strides: readonly number[]): Application | null {
  const { op, inputs, at } = next;
  if (op !== matmulOp || at > 1) return null;
  // Of this op, so its attributes and inputs are these.
  const attrs = next.attrs as MatmulAttrs;
  const given = inputs as MatmulInputs;
  const operand = at === 0 ? attrs.a : attrs.b;
  // Neither flattened nor turned round already, nor repeated.
  const whole = sameShape(operand.shape, shape) && sameShape(operand.strides, stridesOf(shape));
  if (!whole || !sameShape(shape.slice(0, -2), attrs.c.shape.slice(0, -2))) return null;
  const read: View = { shape, strides };
  const [a, b, bias, residual] = given;
  const turned = at === 0 ? { ...attrs, a: read } : { ...attrs, b: read };
  if (!planned(turned) || !fits(x.device.info, [a.shape, b.shape, attrs.shape])) return null;
  return { op: matmulOp, inputs: at === 0 ? [x, b, bias, residual] : [a, x, bias, residual], attrs: turned };
}

/** The class of shapes for which one variant is best. */
const classOf = ({ m, n, k, outer, inner, a, b }: MatmulShape): string =>
  [m, n, k, outer * inner].map(magnitude).join(".") + (a[1] === 1 ? "" : "a") + (b[1] === 1 ? "" : "b");

const plain = { activation: null, keepsPre: false };

const product = (a: Tensor, b: Tensor, views: Pick<MatmulAttrs, "a" | "b" | "c">, shape: Shape): Tensor =>
  apply1(matmulOp, [a, b, null, null], { ...views, shape, ...plain });

/** The gradient of an operand that was read as `view`, of a tensor of shape `shape`: a product, summed where it was repeated. */
function into(a: Tensor, b: Tensor, aView: View, bView: View, view: View, shape: Shape): Tensor {
  // Written row by row: what lies in columns is the transposed product.
  if (matrixOf(view.strides)[1] !== 1) {
    return into(b, a, transposed(bView), transposed(aView), transposed(view), shape);
  }
  const batch = broadcastShapes("matmul", aView.shape.slice(0, -2), bView.shape.slice(0, -2));
  const whole = [...batch, matrixOf(aView.shape)[0], matrixOf(bView.shape)[1]];
  if (sizeOf(whole) === sizeOf(view.shape)) {
    const c = { shape: whole, strides: [...batchStrides(view, batch), ...matrixOf(view.strides)] };
    return product(a, b, { a: aView, b: bView, c }, shape);
  }
  return sumTo(product(a, b, { a: aView, b: bView, c: contiguous(whole) }, whole), shape);
}

/** An operand is larger than a binding may be: blocks of rows of the result, of columns, and of what is summed over. */
function launchParts(run: Run, shape: MatmulShape, a: Tensor, b: Tensor, c: Tensor): void {
  const { m, n, k, outer, inner } = shape;
  const most = bindingElements(run.device.info);
  const [[aRow, aK], [bK, bCol], [cRow, cCol]] = [shape.a, shape.b, shape.c];
  const [tile] = matmulTiles(shape, run.device.info);
  check(outer * inner === 1 && tile !== undefined, () => `[matmul] a batch of matrices exceeds what one binding holds`);
  const [byColumns, byRows] = [aK !== 1, bCol !== 1];
  const rows = c.numel > most || (a.numel > most && !byColumns) ? most / Math.max(n, byColumns ? 1 : k) : m;
  const columns = b.numel > most && byRows ? most / k : n;
  const depth = Math.min(LONG, a.numel > most && byColumns ? most / m : k, b.numel > most && !byRows ? most / n : k);
  const part = (x: Tensor, at: number, last: number) => partOf(x.storage, at, last - at + 1);
  for (const [k0, kCount] of ranges(k, depth)) {
    const target = k0 === 0 ? c : empty(c.shape, "f32", c.device);
    for (const [m0, mCount] of ranges(m, rows)) {
      for (const [n0, nCount] of ranges(n, columns)) {
        const [a0, b0, c0] = [m0 * aRow + k0 * aK, k0 * bK + n0 * bCol, m0 * cRow + n0 * cCol];
        const buffers = {
          a: part(a, a0, a0 + (mCount - 1) * aRow + (kCount - 1) * aK),
          b: part(b, b0, b0 + (kCount - 1) * bK + (nCount - 1) * bCol),
          c: part(target, c0, c0 + (mCount - 1) * cRow + (nCount - 1) * cCol),
        };
        launchMatmul(run, tile, { ...shape, m: mCount, n: nCount, k: kCount }, buffers, noEpilogue);
      }
    }
    if (target === c) continue;
    noGrad(() => add_(c, target));
    target.dispose();
  }
}

/** The operand of a product whose last two dimensions are these; checks that a product of the two exists. */
function checkInner(a: Shape, b: Shape): void {
  const [[, k], [k2]] = [matrixOf(a), matrixOf(b)];
  check(k === k2, () => `[matmul] ${show(a)} has rows of ${k} elements but ${show(b)} has columns of ${k2}`);
}

/**
 * Matrix product with PyTorch's rules: vectors are promoted, leading dimensions broadcast.
 * a: [..., M, K], b: [..., K, N]; result: [..., M, N]. A bias, a residual and an activation that follow at once run in its pass.
 * @throws ShapeError where inner sizes differ or leading dimensions do not broadcast; DtypeError but for f32.
 * @see https://pytorch.org/docs/stable/generated/torch.matmul.html
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  deviceOf("matmul", [a, b]);
  check(
    a.ndim > 0 && b.ndim > 0,
    () => `[matmul] takes at least one dimension, got ${show(a.shape)} and ${show(b.shape)}: use mul`,
  );
  return scope(() => {
    const left = a.ndim === 1 ? reshape(a, [1, a.numel]) : a;
    const right = b.ndim === 1 ? reshape(b, [b.numel, 1]) : b;
    checkInner(left.shape, right.shape);
    const batch = broadcastShapes("matmul", left.shape.slice(0, -2), right.shape.slice(0, -2));
    const whole = [...batch, matrixOf(left.shape)[0], matrixOf(right.shape)[1]];
    const rows = a.ndim > 1 ? whole.slice(-2, -1) : [];
    const shape = [...batch, ...rows, ...(b.ndim > 1 ? whole.slice(-1) : [])];
    if (right.ndim === 2 && left.ndim > 2) {
      // One large product instead of a batch of small ones that share an operand.
      const flat = [sizeOf(left.shape.slice(0, -1)), ...left.shape.slice(-1)];
      const c = contiguous([flat[0] ?? 1, ...right.shape.slice(-1)]);
      return product(left, right, { a: contiguous(flat), b: contiguous(right.shape), c }, shape);
    }
    const views = { a: contiguous(left.shape), b: contiguous(right.shape), c: contiguous(whole) };
    if (planned(views)) return product(left, right, views, shape);
    // A batch that broadcasts at several levels: its dimensions side by side, one after the other.
    return product(full(left, batch), full(right, batch), { ...views, ...viewsOf(batch, left, right) }, shape);
  });
}

const viewsOf = (batch: Shape, a: Tensor, b: Tensor) => ({
  a: contiguous([...batch, ...a.shape.slice(-2)]),
  b: contiguous([...batch, ...b.shape.slice(-2)]),
});
const full = (t: Tensor, batch: Shape): Tensor => expand(t, [...batch, ...t.shape.slice(-2)]);

/**
 * x W^T + b. x: [..., in], weight: [out, in], bias: [out]; result: [..., out]. An activation that follows at once runs in its
 * pass.
 * @throws ShapeError where sizes do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.linear.html
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  deviceOf("linear", [x, weight, bias ?? null], 2);
  const [out = 0, inFeatures = 0] = weight.shape;
  check(weight.ndim === 2, () => `[linear] weight has shape ${show(weight.shape)} but must be [out, in]`);
  check(
    x.ndim > 0 && x.shape.at(-1) === inFeatures,
    () =>
      `[linear] input ${show(x.shape)} has ${x.shape.at(-1)} features but weight ${show(weight.shape)} expects ${inFeatures}`,
  );
  check(
    !bias || sameShape(bias.shape, [out]),
    () => `[linear] bias has shape ${show(bias?.shape ?? [])} but weight ${show(weight.shape)} expects [${out}]`,
  );
  const rows = sizeOf(x.shape.slice(0, -1));
  const shape = [...x.shape.slice(0, -1), out];
  const attrs = {
    a: contiguous([rows, inFeatures]),
    b: transposed(contiguous(weight.shape)),
    c: contiguous([rows, out]),
    shape,
    ...plain,
  };
  const alone = !bias || (fits(x.device.info, [x.shape, weight.shape, shape]) && !isLong(attrs));
  if (alone) return apply1(matmulOp, [x, weight, bias ?? null, null], attrs);
  return scope(() => binary(binaries.add, apply1(matmulOp, [x, weight, null, null], attrs), bias));
}
