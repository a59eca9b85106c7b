// How initialisation writes: in place, off the tape.
import { noGrad } from "../autograd/mode.ts";
import { checkTensor } from "../autograd/run.ts";
import { copy_ } from "../tensor/copy.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Gives a tensor the values that `values` makes, and returns it. */
export function assign<T extends Tensor>(target: T, values: () => Tensor): T {
  checkTensor("init", 0, target);
  noGrad(() => scope(() => copy_(target, values())));
  return target;
}
