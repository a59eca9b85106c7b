// Losses of single elements: mean squared and absolute differences, smooth L1, and cross-entropy of yes-or-no answers.
import { apply1 } from "../autograd/apply.ts";
import { deviceOf } from "../autograd/run.ts";
import { check, checkNumber, checkOptions } from "../errors.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { sameShape, show } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import { activation, LOG1P } from "./activation-rows.ts";
import { binary, binaryOpOf } from "./binary.ts";
import { checkReduction, LOSS_OPTIONS, type LossOptions } from "./losses.ts";
import { mean, sum } from "./reduce.ts";
import { unary } from "./unary.ts";

const SMOOTH_OPTIONS = [...LOSS_OPTIONS, "beta"];

/** Checks both tensors, runs `losses` on them, and reduces what it gives. */
function elementLoss(
  name: string,
  input: Tensor,
  target: Tensor,
  o: LossOptions,
  losses: () => Tensor,
  known = LOSS_OPTIONS,
): Tensor {
  deviceOf(name, [input, target]);
  checkSame(name, input, target);
  checkOptions(name, o, known);
  const { reduction = "mean" } = o;
  checkReduction(name, reduction);
  return scope(() => {
    const each = losses();
    if (reduction === "none") return each;
    return reduction === "mean" ? mean(each) : sum(each);
  });
}

function checkSame(name: string, input: Spec, target: Spec): void {
  checkDtype(name, "input", input.dtype, "f32");
  checkDtype(name, "target", target.dtype, "f32");
  check(
    sameShape(input.shape, target.shape),
    () =>
      `[${name}] target has shape ${show(target.shape)} but input has ${show(input.shape)}: reshape or expand one of them`,
  );
}

/**
 * Squared differences of two f32 tensors of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
 */
export const mseLoss = (input: Tensor, target: Tensor, options: LossOptions = {}): Tensor =>
  elementLoss("mseLoss", input, target, options, () => unary("square", binary("sub", input, target)));

/**
 * Absolute differences of two f32 tensors of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html
 */
export const l1Loss = (input: Tensor, target: Tensor, options: LossOptions = {}): Tensor =>
  elementLoss("l1Loss", input, target, options, () => unary("abs", binary("sub", input, target)));

/**
 * d^2 / (2 beta) for differences d below `beta` (default 1), |d| - beta / 2 above.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.smooth_l1_loss.html
 */
export function smoothL1Loss(
  input: Tensor,
  target: Tensor,
  options: LossOptions & {
    /** The difference at which the square becomes linear. Default 1. */
    beta?: number;
  } = {},
): Tensor {
  const { beta = 1 } = options ?? {};
  checkNumber("smoothL1Loss", "beta", beta, 0);
  const losses = () => activation("smoothL1", binary("sub", input, target), { beta });
  return elementLoss("smoothL1Loss", input, target, options, losses, SMOOTH_OPTIONS);
}

/** log(1 + exp(a)) - a b, in PyTorch's terms: (1 - b) a + log(1 + exp(-a)); NaN for a = -Infinity. */
const logitsLoss = binaryOpOf("binaryCrossEntropyWithLogits", {
  f: `let e = exp_nan(-abs(a));
    let log1p = ${LOG1P};
    return select((1.0 - b) * a + (max(-a, 0.0) + log1p), from_bits(0x7fc00000u), bitcast<u32>(a) == 0xff800000u)`,
  dtypes: ["f32"],
  saves: "both",
  vjp: [
    (dy, c) => binary("mul", binary("sub", unary("sigmoid", c.input(0)), c.input(1)), dy),
    (dy, c) => unary("affine", binary("mul", dy, c.input(0)), { scale: -1, offset: 0 }),
  ],
});

/**
 * Cross-entropy of independent yes-or-no answers: logits of any shape, target probabilities of the same. Stable.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html
 */
export const binaryCrossEntropyWithLogits = (input: Tensor, target: Tensor, options: LossOptions = {}): Tensor =>
  elementLoss("binaryCrossEntropyWithLogits", input, target, options, () =>
    apply1(logitsLoss, [input, target], undefined),
  );
