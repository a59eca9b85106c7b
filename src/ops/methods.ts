// The operations as methods of Tensor. One line each: what they do stands in the op's own file.
import { type BackwardOptions, backward, provideBackwardKernels } from "../autograd/backward.ts";
import { full } from "../tensor/create.ts";
import type { Shape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { binary } from "./binary.ts";
import { view } from "./view.ts";

declare module "../tensor/tensor.ts" {
  interface Tensor<S extends Shape = Shape> {
    /** See `backward` in autograd/backward.ts. */
    backward(gradient?: Tensor | null, options?: BackwardOptions): void;
    /** The tensor itself: tensors are always contiguous. */
    contiguous(): Tensor<S>;
  }
}

Tensor.prototype.backward = function (gradient, options) {
  backward(this, gradient, options);
};
Tensor.prototype.contiguous = function () {
  return view("contiguous", this, this.shape);
};

/**
 * Gives backward its kernels. `init` calls it, which also ties the methods above to `init`: without such a use a bundler
 * would drop this file, since the package declares that its files have no side effects.
 */
export function provideOps(): void {
  provideBackwardKernels({
    ones: (like) => full(like.shape, 1),
    zeros: (shape) => full(shape, 0),
    add: (a, b) => binary("add", a, b),
  });
}
