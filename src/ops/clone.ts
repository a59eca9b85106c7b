// clone: the same elements in storage of their own.
import { apply1 } from "../autograd/apply.ts";
import { type Op, savesNothing } from "../autograd/op.ts";
import type { Tensor } from "../tensor/tensor.ts";

const cloneOp: Op = {
  name: "clone",
  infer: ([x]) => [x],
  forward({ queue }, [x], [y]) {
    if (x.numel > 0) queue.copy(x.storage, y.storage);
  },
  saves: savesNothing,
  vjp: ([dy]) => [dy],
};

/** A differentiable copy. @see https://pytorch.org/docs/stable/generated/torch.clone.html */
export const clone = (x: Tensor): Tensor => apply1(cloneOp, [x], undefined);
