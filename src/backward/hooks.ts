// Hooks: functions that see, and may replace, a tensor's gradient during backward.
import { pendingOf } from "../autograd/pending.ts";
import { check, checkFunction, StateError } from "../errors.ts";
import { binary } from "../ops/binary.ts";
import { add } from "../ops/binary-rows.ts";
import { keep } from "../tensor/scope.ts";
import type { GradHook, Tensor } from "../tensor/tensor.ts";

/** What `registerHook` returns. */
export interface HookHandle {
  /** Takes the hook out again. Safe to call twice. */
  remove(): void;
}

/**
 * Calls `hook` with the tensor's gradient in each backward; a tensor it returns replaces the gradient. The gradient lives
 * until the hook returns: clone() it to keep it.
 * @throws StateError where the tensor requires no gradient.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.register_hook.html
 */
export function registerHook(t: Tensor, hook: GradHook): HookHandle {
  check(
    t.requiresGrad,
    () => `[registerHook] ${String(t)} does not require a gradient: no hook would ever run`,
    StateError,
  );
  check(
    !pendingOf(t)?.taken,
    () =>
      `[registerHook] ${String(t)} was computed in one pass with what followed, so its gradient is not: register the hook before it is used`,
    StateError,
  );
  checkFunction("registerHook", "the hook", hook);
  const hooks = hooksOf(t);
  hooks.push(hook);
  return {
    remove() {
      const at = hooks.indexOf(hook);
      if (at >= 0) hooks.splice(at, 1);
    },
  };
}

function hooksOf(t: Tensor): GradHook[] {
  const node = t.gradFn;
  if (!node) {
    t.leafHooks ??= [];
    return t.leafHooks;
  }
  node.hooks ??= new Map();
  const list = node.hooks.get(t.outputIndex) ?? [];
  node.hooks.set(t.outputIndex, list);
  return list;
}

/**
 * Lets backward fill `.grad` of a tensor that is no leaf, too.
 * @throws StateError where the tensor requires no gradient.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.retain_grad.html
 */
export function retainGrad(t: Tensor): void {
  if (t.isLeaf) return;
  // The node must not keep the handle alive, or the finalizer would never find it.
  const weak = new WeakRef(t);
  registerHook(t, (grad) => {
    const tensor = weak.deref();
    if (!tensor || tensor.disposed) return undefined;
    tensor.grad = keep(tensor.grad ? binary(add, tensor.grad, grad) : grad.detach());
    return undefined;
  });
}
