// backward: reverse-mode differentiation over the tape, accumulating into the leaves' `.grad`.

import { noGrad } from "../autograd/mode.ts";
import { deviceOf } from "../autograd/run.ts";
import { context } from "../context.ts";
import { check, checkOptions, DtypeError, ShapeError, StateError } from "../errors.ts";
import { binary } from "../ops/binary.ts";
import * as binaries from "../ops/binary-rows.ts";
import { full } from "../tensor/create.ts";
import { keep, scope } from "../tensor/scope.ts";
import { sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { deriveOf, propagate, runHooks, topological } from "./propagate.ts";

/** What `backward` takes. */
export interface BackwardOptions {
  /** Keep the saved tensors, so that backward can run again through the same graph. Default false. */
  retainGraph?: boolean;
}

/**
 * Adds d(root)/d(leaf) to `.grad` of every leaf that requires it; `gradient` (default 1, for one element only) is
 * d(objective)/d(root), of root's shape. Frees the tape behind it unless `retainGraph`.
 * @throws StateError where nothing requires a gradient or the tape is freed; ShapeError, DtypeError or DeviceError for a
 * `gradient` that does not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.backward.html
 */
export function backward(root: Tensor, gradient?: Tensor | null, options: BackwardOptions = {}): void {
  checkOptions("backward", options, ["retainGraph"]);
  if (gradient != null) deviceOf("backward", [root, gradient]);
  check(
    root.requiresGrad,
    () => "[backward] the tensor does not require a gradient: no input or parameter that requires one led to it",
    StateError,
  );
  check(
    gradient != null || root.numel === 1,
    () => `[backward] needs one element or a gradient argument: the tensor has shape ${show(root.shape)}`,
  );
  if (gradient) checkGradient(root, gradient);
  noGrad(() =>
    scope(() =>
      run(
        root,
        gradient ? gradient.detach() : full(root.shape, 1, { device: root.device }),
        options.retainGraph ?? false,
      ),
    ),
  );
}

function checkGradient(root: Tensor, gradient: Tensor): void {
  check(
    sameShape(gradient.shape, root.shape),
    () => `[backward] gradient has shape ${show(gradient.shape)} but the tensor has ${show(root.shape)}`,
    ShapeError,
  );
  check(
    gradient.dtype === root.dtype,
    () => `[backward] gradient is ${gradient.dtype} but the tensor is ${root.dtype}`,
    DtypeError,
  );
}

function run(root: Tensor, seed: Tensor, retainGraph: boolean): void {
  propagate([[root, seed]], root.gradFn ? topological([root.gradFn]) : [], {
    retainGraph,
    derive: deriveOf,
    atLeaf: accumulate,
  });
}

function accumulate(leaf: Tensor, grad: Tensor): void {
  if (leaf.disposed) {
    grad.dispose();
    return;
  }
  context.capture?.accumulating(leaf);
  const hooked = runHooks(leaf.leafHooks, grad);
  const before = leaf.swapGrad(null);
  try {
    // A new handle each time: the old gradient may be shared with whoever read it.
    leaf.swapGrad(keep(before ? binary(binaries.add, before, hooked) : hooked.detach()));
  } catch (error) {
    leaf.swapGrad(before);
    throw error;
  }
  before?.dispose();
  hooked.dispose();
}
