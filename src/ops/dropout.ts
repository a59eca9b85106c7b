// Dropout: zeroes random elements while training.
import { checkTensor } from "../autograd/run.ts";
import { checkNumber } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { binary } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { bernoulli } from "./random.ts";
import { unary } from "./unary.ts";
import * as unaries from "./unary-rows.ts";

/**
 * In training zeroes each element of x with probability `p` and scales the others by 1 / (1 - p); otherwise x itself.
 * The tape keeps the mask, not x.
 * @throws ValueError unless p is from 0 to 1.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html
 */
export function dropout(x: Tensor, p = 0.5, training = true): Tensor {
  checkTensor("dropout", "input", x);
  checkNumber("dropout", "p", p, 0, 1);
  if (!training || p === 0) return x;
  if (p === 1) return unary(unaries.affine, x, { scale: 0, offset: 0 });
  const mask = bernoulli(x.shape, 1 - p, 1 / (1 - p), { device: x.device });
  const y = binary(binaries.mul, x, mask);
  mask.dispose();
  return y;
}
