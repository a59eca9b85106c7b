// Dropout of more than single elements: of channels, of samples, and the one that keeps mean and variance for SELU.
import { checkTensor } from "../autograd/run.ts";
import { check, checkNumber, told, ValueError } from "../errors.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { type Shape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { binary } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { bernoulli } from "./random.ts";
import { unary } from "./unary.ts";
import * as unaries from "./unary-rows.ts";
import { unsqueeze, view } from "./view.ts";

function checkDropout(name: string, x: Tensor, p: number): void {
  checkTensor(name, "input", x);
  checkDtype(name, "input", x.dtype, "f32");
  checkNumber(name, "p", p, 0, 1);
}

/** x times what is 0 with probability p and 1 / (1 - p) otherwise, drawn in `shape`, which broadcasts to x's. */
function dropBy(x: Tensor, p: number, shape: Shape): Tensor {
  if (p === 1) return unary(unaries.affine, x, { scale: 0, offset: 0 });
  return scope(() => binary(binaries.mul, x, bernoulli(shape, 1 - p, 1 / (1 - p), { device: x.device })));
}

/** x with its first two dimensions kept and the rest dropped or kept together. */
function dropChannels(x: Tensor, p: number): Tensor {
  return dropBy(
    x,
    p,
    x.shape.map((d, i) => (i < 2 ? d : 1)),
  );
}

/**
 * In training zeroes each channel of x: [N, C, L] or [C, L] with probability `p` and scales the others by 1 / (1 - p).
 * @throws ValueError unless p is from 0 to 1.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout1d.html
 */
export function dropout1d(x: Tensor, p = 0.5, training = true): Tensor {
  checkDropout("dropout1d", x, p);
  check(
    x.ndim === 2 || x.ndim === 3,
    () => `[dropout1d] input has shape ${show(x.shape)} but must be [N, C, L] or [C, L]`,
  );
  if (!training || p === 0) return x;
  if (x.ndim === 3) return dropChannels(x, p);
  return scope(() => view("dropout1d", dropChannels(unsqueeze(x, 0), p), x.shape));
}

/**
 * In training zeroes each channel of x: [N, C, H, W] (or [N, C, L]) with probability `p` and scales the others by 1 / (1 - p).
 * @throws ValueError unless p is from 0 to 1.
 * @see https://arxiv.org/abs/1411.4280 and https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout2d.html
 */
export function dropout2d(x: Tensor, p = 0.5, training = true): Tensor {
  checkDropout("dropout2d", x, p);
  check(
    x.ndim === 3 || x.ndim === 4,
    () => `[dropout2d] input has shape ${show(x.shape)} but must be [N, C, H, W] or [N, C, L]`,
  );
  return !training || p === 0 ? x : dropChannels(x, p);
}

// What SELU tends to, far below 0.
const ALPHA = 1.7580993408473766;

/**
 * In training sets each element with probability `p` to what SELU tends to below, and maps all so that a mean of 0 and a variance
 * of 1 stay so.
 * @throws ValueError unless p is from 0 to 1.
 * @see https://arxiv.org/abs/1706.02515 and https://pytorch.org/docs/stable/generated/torch.nn.functional.alpha_dropout.html
 */
export function alphaDropout(x: Tensor, p = 0.5, training = false): Tensor {
  checkDropout("alphaDropout", x, p);
  if (!training || p === 0) return x;
  if (p === 1) return unary(unaries.affine, x, { scale: 0, offset: 0 });
  const a = 1 / Math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p));
  return scope(() => {
    const kept = bernoulli(x.shape, 1 - p, 1, { device: x.device });
    const scaled = unary(unaries.affine, kept, { scale: a, offset: 0 });
    return binary(
      binaries.add,
      binary(binaries.mul, x, scaled),
      unary(unaries.affine, kept, { scale: ALPHA * a, offset: ALPHA * a * (p - 1) }),
    );
  });
}

/** What `stochasticDepth` drops: each sample by itself, or the batch as a whole. */
export type StochasticDepthMode = "row" | "batch";

export const checkMode = (name: string, mode: unknown): void =>
  check(
    mode === "row" || mode === "batch",
    () => `[${name}] mode must be "row" or "batch", got ${told(mode)}`,
    ValueError,
  );

/**
 * In training zeroes samples of x: [N, ...] with probability `p` and scales the others by 1 / (1 - p): each by itself ("row"), or
 * all together ("batch"). For a residual block's branch.
 * @throws ValueError unless p is from 0 to 1 and the mode one of the two.
 * @see https://arxiv.org/abs/1603.09382 and https://pytorch.org/vision/stable/generated/torchvision.ops.stochastic_depth.html
 */
export function stochasticDepth(x: Tensor, p: number, mode: StochasticDepthMode, training = true): Tensor {
  checkDropout("stochasticDepth", x, p);
  checkMode("stochasticDepth", mode);
  if (!training || p === 0) return x;
  return dropBy(
    x,
    p,
    x.shape.map((d, i) => (i === 0 && mode === "row" ? d : 1)),
  );
}
