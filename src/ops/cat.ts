// Joining tensors, along a dimension that exists (cat) or a new one (stack); and taking them apart: split, chunk.

import { apply, apply1 } from "../autograd/apply.ts";
import { type Op, savesNothing } from "../autograd/op.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkWhole, DtypeError, told, ValueError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import { allFit } from "../kernels/binding-parts.ts";
import { copyStrided } from "../kernels/copy-strided.ts";
import { Kernel } from "../kernels/kernel.ts";
import { move } from "../kernels/move.ts";
import { inFours, VECTOR } from "../kernels/vectors.ts";
import catWgsl, { PER, WG } from "../kernels/wgsl/cat.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { normalizeDim, sameShape, show, sizeOf, stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { narrow } from "./movement.ts";
import { unsqueeze } from "./view.ts";

const kernel = new Kernel(catWgsl);

/** The first of a list of tensors that may not be empty. */
function firstOf(op: string, tensors: readonly Tensor[]): Tensor {
  check(Array.isArray(tensors), () => `[${op}] takes an array of tensors, got ${told(tensors)}`, ValueError);
  for (const [i, t] of tensors.entries()) checkTensor(op, i, t);
  const [first] = tensors;
  check(first !== undefined, () => `[${op}] needs at least one tensor, got an empty list`, ValueError);
  return first;
}

const catOp: Op<readonly Tensor[], { readonly dim: number }> = {
  name: "cat",
  infer(inputs, { dim }) {
    const first = inputs[0] ?? { shape: [], dtype: "f32" }; // `cat` has seen to it that there is one
    checkDtype("cat", "input", first.dtype, "f32", "i32", "u32");
    let size = 0;
    for (const [i, t] of inputs.entries()) {
      check(
        t.shape.length === first.shape.length && t.shape.every((n, d) => d === dim || n === first.shape[d]),
        () =>
          `[cat] tensor ${i} has shape ${show(t.shape)}, tensor 0 has ${show(first.shape)}: all but dimension ${dim} must agree`,
      );
      check(
        t.dtype === first.dtype,
        () => `[cat] tensor ${i} is ${t.dtype}, tensor 0 is ${first.dtype}: convert with .to(dtype)`,
        DtypeError,
      );
      size += t.shape[dim] ?? 0;
    }
    return [{ shape: first.shape.map((n, d) => (d === dim ? size : n)), dtype: first.dtype }];
  },
  forward(run, inputs, [y], { dim }) {
    const pitch = sizeOf(y.shape.slice(dim));
    let offset = 0;
    for (const x of inputs) {
      const width = sizeOf(x.shape.slice(dim));
      const n = x.numel;
      if (allFit(run.device.info, [x, y])) {
        const vectors = inFours(width, pitch, offset);
        const each = vectors ? 4 : 1;
        const params = { n: n / each, width: width / each, pitch: pitch / each, offset: offset / each };
        kernel.variant(vectors ? { T: VECTOR } : {}).launch(run, { x, y }, params, grid1d(params.n, WG * PER));
      } else {
        const place = { t: y, strides: [pitch, 1], start: offset };
        move(run, [width > 0 ? n / width : 0, width], { t: x, strides: [width, 1], start: 0 }, place);
      }
      offset += width;
    }
  },
  saves: savesNothing,
  vjp: ([dy], { attrs, inputSpecs, needs }) => {
    let start = 0;
    return inputSpecs.map(({ shape }, i) => {
      const size = shape[attrs.dim] ?? 0;
      start += size;
      return needs[i] ? narrow(dy, attrs.dim, start - size, size) : null;
    });
  },
};

/**
 * Joins tensors along `dim`; their other sizes agree.
 * @throws ShapeError, DtypeError. @see https://pytorch.org/docs/stable/generated/torch.cat.html
 */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  const { ndim } = firstOf("cat", tensors);
  check(ndim > 0, () => "[cat] scalars have no dimension to be joined along: use stack");
  return apply1(catOp, tensors, { dim: normalizeDim("cat", dim, ndim) });
}

/** Joins tensors of one shape along a new dimension `dim`. @see https://pytorch.org/docs/stable/generated/torch.stack.html */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  const { shape, ndim } = firstOf("stack", tensors);
  for (const [i, t] of tensors.entries()) {
    check(
      sameShape(t.shape, shape),
      () => `[stack] tensor ${i} has shape ${show(t.shape)} but tensor 0 has ${show(shape)}: all must have one shape`,
    );
  }
  const at = normalizeDim("stack", dim, ndim + 1);
  return scope(() =>
    cat(
      tensors.map((t) => unsqueeze(t, at)),
      at,
    ),
  );
}

/** All parts at once, so that their gradients are put side by side, and not each into zeros of x's size that are then added. */
const splitOp: Op<readonly [Tensor], { readonly dim: number; readonly sizes: readonly number[] }, readonly Tensor[]> = {
  name: "split",
  infer([x], { dim, sizes }) {
    checkDtype("split", "input", x.dtype, "f32", "i32", "u32");
    return sizes.map((size) => ({ shape: x.shape.map((n, d) => (d === dim ? size : n)), dtype: x.dtype }));
  },
  forward(run, [x], parts, { dim, sizes }) {
    const strides = stridesOf(x.shape);
    let start = 0;
    for (const [i, y] of parts.entries()) {
      if (y.numel > 0) copyStrided(run, x, y, strides, start * (strides[dim] ?? 1));
      start += sizes[i] ?? 0;
    }
  },
  saves: savesNothing,
  vjp: (grads, { attrs }) => [cat(grads, attrs.dim)],
};

/** Parts along `dim` of `size` elements each (the last may be smaller), or of the given sizes. */
export function split(x: Tensor, size: number | readonly number[], dim = 0): Tensor[] {
  const d = normalizeDim("split", dim, x.ndim);
  const n = x.shape[d] ?? 0;
  if (!Array.isArray(size)) checkWhole("split", "the size of a part", size, 1);
  const sizes =
    typeof size === "number"
      ? Array.from({ length: Math.max(1, Math.ceil(n / size)) }, (_, i) => Math.min(size, n - i * size))
      : [...size];
  for (const length of sizes) checkWhole("split", "each size", length, 0);
  const total = sizes.reduce((a, b) => a + b, 0);
  check(
    total === n,
    () => `[split] sizes ${show(sizes)} add up to ${total}, but dimension ${d} of ${show(x.shape)} has ${n}`,
  );
  return sizes.length === 0 ? [] : [...apply(splitOp, [x], { dim: d, sizes })];
}

/** At most `chunks` parts along `dim`, all of one size but for the last. */
export function chunk(x: Tensor, chunks: number, dim = 0): Tensor[] {
  checkWhole("chunk", "the number of chunks", chunks, 1);
  const n = x.shape[normalizeDim("chunk", dim, x.ndim)] ?? 0;
  return split(x, Math.max(1, Math.ceil(n / chunks)), dim);
}
