// Gradient clipping, by norm and by value, without a readback.

import { noGrad } from "../autograd/mode.ts";
import { check, ValueError } from "../errors.ts";
import { currentDevice } from "../gpu/device.ts";
import { f32Bits } from "../gpu/queue.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
import normWgsl from "../kernels/wgsl/grad-norm.wgsl";
import finishWgsl from "../kernels/wgsl/grad-norm-finish.wgsl";
import { binary } from "../ops/binary.ts";
import { unary } from "../ops/unary.ts";
import { keep } from "../tensor/scope.ts";
import { empty, Tensor } from "../tensor/tensor.ts";

const squares = new Kernel("grad_norm", normWgsl).variant();
const finish = new Kernel("grad_norm_finish", finishWgsl).variant();
/** Elements per workgroup of grad-norm.wgsl. */
const CHUNK = 16_384;

const withGrad = (params: Iterable<Tensor> | Tensor): Tensor[] =>
  (params instanceof Tensor ? [params] : [...params]).filter((p) => p.grad !== null);

// Gradients are replaced, not changed in place: two leaves may share one storage.
function replaceGrad(p: Tensor, change: (grad: Tensor) => Tensor): void {
  p.grad = keep(noGrad(() => change(p.grad!)));
}

/**
 * Scales the gradients of `params` so that their common 2-norm is at most `maxNorm`. Returns that norm before scaling,
 * a tensor of shape []; nothing waits for the device.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
 */
export function clipGradNorm_(params: Iterable<Tensor> | Tensor, maxNorm: number): Tensor {
  check(maxNorm >= 0, () => `[clipGradNorm_] maxNorm must not be negative, got ${maxNorm}`, ValueError);
  const list = withGrad(params);
  const { queue } = currentDevice();
  const counts = list.map((p) => Math.ceil(p.numel / CHUNK));
  const total = counts.reduce((a, b) => a + b, 0);
  const [partial, norm, factor] = [empty([Math.max(total, 1)], "f32"), empty([], "f32"), empty([], "f32")];
  let offset = 0;
  for (const [i, p] of list.entries()) {
    queue.dispatch(squares, [p.grad!.storage, partial.storage], [p.numel, offset], [counts[i]!]);
    offset += counts[i]!;
  }
  queue.dispatch(finish, [partial.storage, norm.storage, factor.storage], [total, f32Bits(maxNorm)], [1]);
  for (const p of list) replaceGrad(p, (grad) => binary("mul", grad, factor));
  partial.dispose();
  factor.dispose();
  return norm;
}

/**
 * Clamps every element of the gradients of `params` to [-clipValue, clipValue].
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html
 */
export function clipGradValue_(params: Iterable<Tensor> | Tensor, clipValue: number): void {
  check(clipValue >= 0, () => `[clipGradValue_] clipValue must not be negative, got ${clipValue}`, ValueError);
  for (const p of withGrad(params))
    replaceGrad(p, (grad) => unary("clamp", grad, { low: -clipValue, high: clipValue }));
}
