// oneHot: classes as vectors of zeros with a one.
import { apply1 } from "../autograd/apply.ts";
import { checkTensor } from "../autograd/run.ts";
import { checkWhole } from "../errors.ts";
import { zeros } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkIndex } from "./gather.ts";
import { scatterOp } from "./scatter.ts";
import { unsqueeze } from "./view.ts";

/**
 * i32 [..., numClasses]: 1 at the class that each element of `x: i32 [...]` names, else 0.
 * @throws ValueError for a class out of range, at the next read or sync().
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.one_hot.html
 */
export function oneHot(x: Tensor, numClasses: number): Tensor {
  checkTensor("oneHot", "input", x);
  checkIndex("oneHot", x);
  checkWhole("oneHot", "numClasses, which only the device could find out,", numClasses, 1);
  return scope(() => {
    const none = zeros([...x.shape, numClasses], { dtype: "i32", device: x.device });
    const attrs = { op: "oneHot", dim: x.ndim, sum: false, oneList: false, value: 1 } as const;
    return apply1(scatterOp, [none, unsqueeze(x, -1), null], attrs);
  });
}
