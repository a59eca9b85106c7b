// Further operations in place, as functions: the operation's result is copied over the tensor, off the tape.
import { noGrad } from "../autograd/mode.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, ShapeError } from "../errors.ts";
import { scope } from "../tensor/scope.ts";
import { sameShape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Bounds, clamp, type Operand } from "./arithmetic.ts";
import { checkOffTape, copy_ } from "./inplace.ts";
import { maskedFill } from "./masks.ts";
import { indexAdd, scatter, scatterAdd } from "./scatter.ts";
import { lerp } from "./two-sided.ts";

/** target = result(), of the same shape. */
function become<T extends Tensor>(name: string, target: T, others: readonly unknown[], result: () => Tensor): T {
  checkTensor(name, "the tensor", target);
  checkOffTape(name, target, ...others.filter((t) => t instanceof Tensor));
  noGrad(() =>
    scope(() => {
      const y = result();
      check(
        sameShape(y.shape, target.shape),
        () =>
          `[${name}] the result has shape ${show(y.shape)}, and a tensor of shape ${show(target.shape)} cannot grow in place`,
        ShapeError,
      );
      copy_(target, y);
    }),
  );
  return target;
}

/**
 * target = `lerp(target, end, weight)`, in place and off the tape. Returns target.
 * @throws StateError where the tape is recorded and one of them requires a gradient: wrap it in `noGrad`.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.lerp_.html
 */
export const lerp_ = <T extends Tensor>(target: T, end: Tensor, weight: Operand): T =>
  become("lerp_", target, [end, weight], () => lerp(target, end, weight));

/**
 * target = its elements between the bounds, in place and off the tape. Returns target.
 * @throws StateError where the tape is recorded and target requires a gradient: wrap it in `noGrad`.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.clamp_.html
 */
export const clamp_ = <T extends Tensor>(target: T, bounds: Bounds): T =>
  become("clamp_", target, [], () => clamp(target, bounds));

/**
 * target = `maskedFill(target, mask, value)`, in place and off the tape. Returns target.
 * @throws StateError where the tape is recorded and target requires a gradient: wrap it in `noGrad`.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.masked_fill_.html
 */
export const maskedFill_ = <T extends Tensor>(target: T, mask: Tensor, value: Tensor | number): T =>
  become("maskedFill_", target, [mask, value], () => maskedFill(target, mask, value));

/**
 * target = `scatter(target, dim, index, source)`, in place and off the tape. Returns target.
 * @throws StateError where the tape is recorded and one of them requires a gradient: wrap it in `noGrad`.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.scatter_.html
 */
export const scatter_ = <T extends Tensor>(target: T, dim: number, index: Tensor, source: Tensor | number): T =>
  become("scatter_", target, [source], () => scatter(target, dim, index, source));

/**
 * target = `scatterAdd(target, dim, index, source)`, in place and off the tape. Returns target.
 * @throws StateError where the tape is recorded and one of them requires a gradient: wrap it in `noGrad`.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.scatter_add_.html
 */
export const scatterAdd_ = <T extends Tensor>(target: T, dim: number, index: Tensor, source: Tensor): T =>
  become("scatterAdd_", target, [source], () => scatterAdd(target, dim, index, source));

/**
 * target = `indexAdd(target, dim, index, source)`, in place and off the tape. Returns target.
 * @throws StateError where the tape is recorded and one of them requires a gradient: wrap it in `noGrad`.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.index_add_.html
 */
export const indexAdd_ = <T extends Tensor>(target: T, dim: number, index: Tensor, source: Tensor): T =>
  become("indexAdd_", target, [source], () => indexAdd(target, dim, index, source));
