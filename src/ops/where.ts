// where: elementwise choice between two tensors.
import { apply1 } from "../autograd/apply.ts";
import type { OldOp } from "../autograd/op.ts";
import { check, DtypeError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
import { broadcastStrides, eightWords, mergeDims } from "../kernels/strided-walk.ts";
import whereWgsl from "../kernels/wgsl/where.wgsl";
import { full } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { broadcastShapes } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { sumTo } from "./sum-expand.ts";

const kernel = new Kernel("where", whereWgsl);
const WG = 64;

const whereOp: OldOp = {
  name: "where",
  infer([c, a, b]) {
    checkDtype("where", "condition", c!.dtype, "i32", "u32", "f32");
    checkDtype("where", "input", a!.dtype, "f32", "i32", "u32");
    check(
      a!.dtype === b!.dtype,
      () => `[where] chooses between tensors of one dtype, got ${a!.dtype} and ${b!.dtype}: convert with .to(dtype)`,
      DtypeError,
    );
    const shape = broadcastShapes("where", broadcastShapes("where", c!.shape, a!.shape), b!.shape);
    return [{ shape, dtype: a!.dtype }];
  },
  forward({ queue }, inputs, [y]) {
    const walk = mergeDims(
      "where",
      y!.shape,
      inputs.map((t) => broadcastStrides(t.shape, y!.shape)),
    );
    const truth = inputs[0]!.dtype === "f32" ? 0x7fffffff : 0xffffffff;
    queue.dispatch(
      kernel.variant(),
      [...inputs.map((t) => t.storage), y!.storage],
      [y!.numel, walk.shape.length, truth, 0, ...[walk.shape, ...walk.strides].flatMap(eightWords)],
      grid1d(y!.numel, WG),
    );
  },
  saves: () => ({ inputs: [0], outputs: [] }),
  vjp: ([dy], c) => {
    const zero = full([], 0);
    const part = (i: 1 | 2) => {
      const chosen = i === 1 ? [c.input(0), dy!, zero] : [c.input(0), zero, dy!];
      return c.needs[i] ? sumTo(apply1(whereOp, chosen, undefined), c.inputSpecs[i]!.shape) : null;
    };
    return [null, part(1), part(2)];
  },
};

/**
 * a where `condition` is not 0, else b; all three broadcast. A number stands for a tensor of the other one's dtype.
 * @see https://pytorch.org/docs/stable/generated/torch.where.html
 */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  return scope(() => {
    const dtype = typeof a !== "number" ? a.dtype : typeof b !== "number" ? b.dtype : "f32";
    const x = typeof a === "number" ? full([], a, { dtype }) : a;
    const y = typeof b === "number" ? full([], b, { dtype }) : b;
    return apply1(whereOp, [condition, x, y], undefined);
  });
}
