// Reductions over any dimensions: amax, amin, and what is composed of sums.
import { apply1 } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { check } from "../errors.ts";
import { reduceInto } from "../kernels/reduce.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { binary } from "./binary.ts";
import { type Dims, keptShape, type ReduceAttrs, type ReduceOptions, reduced, sum } from "./sum.ts";
import { view } from "./view.ts";

export { type Dims, expand, mean, type ReduceOptions, sum, sumTo } from "./sum.ts";

/** amax and amin: the gradient is shared evenly among equal extremes, as PyTorch's amax does. */
function extremeOp(kind: "max" | "min"): Op<ReduceAttrs> {
  return {
    name: kind,
    infer([x], { dims, shape }) {
      checkDtype(kind, "input", x!.dtype, "f32", "i32", "u32");
      check(
        dims.every((d) => x!.shape[d]! > 0),
        () => `[${kind}] input ${show(x!.shape)} has no elements along dimensions ${show(dims)}`,
      );
      return [{ shape, dtype: x!.dtype }];
    },
    forward: (queue, [x], [y], { dims }) => reduceInto(queue, kind, x!, y!, dims),
    saves: () => ({ inputs: [0], outputs: [0] }),
    vjp: ([dy], c) => {
      const shape = keptShape(c.inputSpecs[0]!.shape, c.attrs.dims);
      const ties = binary("equalMask", c.input(0), view(kind, c.output(0), shape));
      const share = binary("div", view(kind, dy!, shape), sum(ties, c.attrs.dims, { keepdim: true }));
      return [binary("mul", ties, share)];
    },
  };
}
const maxOp = extremeOp("max");
const minOp = extremeOp("min");

/** Largest element over `dims`. @see https://pytorch.org/docs/stable/generated/torch.amax.html */
export const max = (x: Tensor, dims?: Dims, options: ReduceOptions = {}): Tensor =>
  apply1(maxOp, [x], reduced("max", x, dims, options));

/** Smallest element over `dims`. @see https://pytorch.org/docs/stable/generated/torch.amin.html */
export const min = (x: Tensor, dims?: Dims, options: ReduceOptions = {}): Tensor =>
  apply1(minOp, [x], reduced("min", x, dims, options));
