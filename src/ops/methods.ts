// The operations as methods of Tensor. One line each: what they do stands in the op's own file.
import { type BackwardOptions, backward, provideBackwardKernels } from "../autograd/backward.ts";
import { full } from "../tensor/create.ts";
import { Tensor } from "../tensor/tensor.ts";
import { binary } from "./binary.ts";

declare module "../tensor/tensor.ts" {
  interface Tensor {
    /** See `backward` in autograd/backward.ts. */
    backward(gradient?: Tensor | null, options?: BackwardOptions): void;
  }
}

Tensor.prototype.backward = function (gradient, options) {
  backward(this, gradient, options);
};

provideBackwardKernels({
  ones: (like) => full(like.shape, 1),
  zeros: (shape) => full(shape, 0),
  add: (a, b) => binary("add", a, b),
});
