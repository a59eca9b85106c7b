// Local response normalization: each element by the mean square of its neighbours among the channels.
import { checkTensor } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, checkWhole } from "../errors.ts";
import { scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { div, pow, square } from "./arithmetic.ts";
import { checkAxis, makeTaps, throughTaps } from "./taps.ts";
import { unary } from "./unary.ts";
import * as unaries from "./unary-rows.ts";

/** What `localResponseNorm` takes beside the number of channels. */
export interface LocalResponseNormOptions {
  /** Factor of the mean square. Default 1e-4. */
  alpha?: number;
  /** Exponent. Default 0.75. */
  beta?: number;
  /** What is added to it. Default 1. */
  k?: number;
}

/** Checks them, and fills in what is left out. */
export function checkNorm(name: string, size: number, options: LocalResponseNormOptions) {
  checkOptions(name, options, ["alpha", "beta", "k"]);
  checkWhole(name, "size", size, 1);
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  checkNumber(name, "alpha", alpha);
  checkNumber(name, "beta", beta);
  checkNumber(name, "k", k);
  return { alpha, beta, k };
}

/**
 * x / (k + alpha mean)^beta, where mean is that of the squares in `size` channels around, zeros beyond the first and last.
 * x: [N, C, ...].
 * @throws ShapeError for fewer than three dimensions, as PyTorch.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.local_response_norm.html
 */
export function localResponseNorm(x: Tensor, size: number, options: LocalResponseNormOptions = {}): Tensor {
  const name = "localResponseNorm";
  checkTensor(name, "input", x);
  const { alpha, beta, k } = checkNorm(name, size, options);
  check(
    x.ndim >= 3,
    () => `[${name}] input has shape ${show(x.shape)} but must be [N, C, ...] of at least 3 dimensions`,
  );
  const channels = x.shape[1] ?? 0;
  checkAxis(name, channels);
  const before = Math.floor(size / 2);
  const most = Math.max(1, Math.min(size, channels));
  const window = makeTaps(channels, channels, most, (o, put) => {
    for (let i = Math.max(0, o - before); i < Math.min(channels, o - before + size); i++) put(i, 1 / size);
  });
  return scope(() => {
    const axes = [window, ...x.shape.slice(2).map(() => null)];
    const scale = unary(unaries.affine, throughTaps(name, square(x), axes), { scale: alpha, offset: k });
    return div(x, pow(scale, beta));
  });
}
