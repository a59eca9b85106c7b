// where: elementwise choice between two tensors.

import { apply1 } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, DtypeError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import { inParts } from "../kernels/binding-parts.ts";
import { broadcastDivisions } from "../kernels/divide.ts";
import { Kernel } from "../kernels/kernel.ts";
import { broadcastStrides, mergeDims, rankOf } from "../kernels/strided-walk.ts";
import whereWgsl, { PER, WG } from "../kernels/wgsl/where.wgsl";
import { full } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { broadcastShapes } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { sumTo } from "./sum-expand.ts";

const kernel = new Kernel(whereWgsl);

const whereOp: Op<readonly [condition: Tensor, a: Tensor, b: Tensor]> = {
  name: "where",
  infer([c, a, b]) {
    checkDtype("where", "condition", c.dtype, "i32", "u32", "f32");
    checkDtype("where", "input", a.dtype, "f32", "i32", "u32");
    check(
      a.dtype === b.dtype,
      () => `[where] chooses between tensors of one dtype, got ${a.dtype} and ${b.dtype}: convert with .to(dtype)`,
      DtypeError,
    );
    const shape = broadcastShapes("where", broadcastShapes("where", c.shape, a.shape), b.shape);
    return [{ shape, dtype: a.dtype }];
  },
  forward(run, [c, a, b], [y]) {
    const walk = mergeDims("where", y.shape, [
      broadcastStrides(c.shape, y.shape),
      broadcastStrides(a.shape, y.shape),
      broadcastStrides(b.shape, y.shape),
    ]);
    const [sc, sa, sb] = walk.strides;
    const { shape } = walk;
    const truth = c.dtype === "f32" ? 0x7fffffff : 0xffffffff;
    const variant = kernel.variant({ RANK: rankOf(walk) });
    inParts(run.device.info, shape, (part, n) => {
      const buffers = { c: part(c), a: part(a), b: part(b), y: part(y) };
      variant.launch(run, buffers, { n, truth, shape, sc, sa, sb }, grid1d(n, WG * PER));
    });
  },
  divisions: (inputs, [y]) => broadcastDivisions(inputs, y.shape),
  saves: () => ({ inputs: [0], outputs: [] }),
  vjp: ([dy], c) => {
    const zero = full([], 0, { device: dy.device });
    const chosen = (a: Tensor, b: Tensor) => apply1(whereOp, [c.input(0), a, b], undefined);
    return [
      null,
      c.needs[1] ? sumTo(chosen(dy, zero), c.inputSpecs[1].shape) : null,
      c.needs[2] ? sumTo(chosen(zero, dy), c.inputSpecs[2].shape) : null,
    ];
  },
};

/**
 * a where `condition` is not 0, else b; all three broadcast. A number stands for a tensor of the other one's dtype.
 * @see https://pytorch.org/docs/stable/generated/torch.where.html
 */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  checkTensor("where", "condition", condition);
  for (const side of [a, b]) if (typeof side !== "number") checkTensor("where", "a side (or a number)", side);
  return scope(() => {
    const { device } = condition;
    const dtype = typeof a !== "number" ? a.dtype : typeof b !== "number" ? b.dtype : "f32";
    const tensorOf = (x: Tensor | number) => (typeof x === "number" ? full([], x, { dtype, device }) : x);
    return apply1(whereOp, [condition, tensorOf(a), tensorOf(b)], undefined);
  });
}
