// chain: steps one after another, each intermediate result freed as soon as the next one is there.
import { discard, scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A module or a function. */
export type Step = { forward(x: Tensor): Tensor } | ((x: Tensor) => Tensor);

/**
 * `steps` applied in order to `x`. What a step returns is freed after the following one, unless the tape needs it: an
 * evaluation pass holds two activations at a time, not all. Frees only what was made inside.
 */
export function chain(x: Tensor, steps: Iterable<Step>): Tensor {
  return scope(() => {
    let y = x;
    for (const step of steps) {
      const next = typeof step === "function" ? step(y) : step.forward(y);
      if (next !== y) discard(y);
      y = next;
    }
    return y;
  });
}
