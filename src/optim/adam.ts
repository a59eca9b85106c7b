// Adam and AdamW: steps scaled by running moments of the gradient.
import { Optimizer, type ParamsInput } from "./optimizer.ts";
import { withDefaults } from "./optimizer-options.ts";
import { UpdateRule } from "./update-rule.ts";

/** Hyper-parameters of Adam and AdamW, for all parameters or for each group. */
export interface AdamOptions {
  /** The learning rate. Default 1e-3. */
  lr: number;
  /** Decay of the running mean and of the running mean square. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the denominator. Default 1e-8. */
  eps: number;
  /** Adam: added to the gradient (L2), default 0. AdamW: shrinks the parameter (decoupled), default 0.01. */
  weightDecay: number;
  /** Divide by the largest mean square so far. Default false. */
  amsgrad: boolean;
}

/** The rules with and without AMSGrad; `decoupled` is AdamW's. */
const adam = (decoupled: boolean, amsgrad: boolean) =>
  new UpdateRule<AdamOptions>({
    name: amsgrad ? "amsgrad" : "adam",
    state: ["expAvg", "expAvgSq", ...(amsgrad ? ["maxExpAvgSq"] : [])],
    hyper: ({ lr, betas: [beta1, beta2], eps, weightDecay }, step) => ({
      stepSize: lr / (1 - beta1 ** step),
      beta1,
      mix1: 1 - beta1,
      beta2,
      mix2: 1 - beta2,
      eps,
      scale: 1 / Math.sqrt(1 - beta2 ** step),
      l2: decoupled ? 0 : weightDecay,
      keep: decoupled ? 1 - lr * weightDecay : 1,
    }),
    wgsl: `let d = h.l2 * p + g;
      expAvg = h.beta1 * expAvg + h.mix1 * d;
      expAvgSq = h.beta2 * expAvgSq + h.mix2 * d * d;
      ${amsgrad ? "maxExpAvgSq = max(maxExpAvgSq, expAvgSq);" : ""}
      p = h.keep * p - h.stepSize * expAvg / (sqrt(${amsgrad ? "maxExpAvgSq" : "expAvgSq"}) * h.scale + h.eps);`,
  });

const l2 = { plain: adam(false, false), amsgrad: adam(false, true) };
const decoupled = { plain: adam(true, false), amsgrad: adam(true, true) };

const defaults: AdamOptions = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, amsgrad: false };

/**
 * Adam with bias correction by each parameter's own step count; `weightDecay` is L2, added to the gradient.
 * @see https://arxiv.org/abs/1412.6980 and https://pytorch.org/docs/stable/generated/torch.optim.Adam.html
 * @throws ValueError for a hyper-parameter out of range.
 */
export class Adam extends Optimizer<AdamOptions> {
  constructor(params: ParamsInput<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, withDefaults("Adam", defaults, options));
  }

  protected override rule({ amsgrad }: AdamOptions): UpdateRule<AdamOptions> {
    return amsgrad ? l2.amsgrad : l2.plain;
  }
}

/**
 * Adam whose weight decay shrinks the parameters directly instead of passing through the moments.
 * @see https://arxiv.org/abs/1711.05101 and https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html
 * @throws ValueError for a hyper-parameter out of range.
 */
export class AdamW extends Adam {
  constructor(params: ParamsInput<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, withDefaults("AdamW", { ...defaults, weightDecay: 0.01 }, options));
  }

  protected override rule({ amsgrad }: AdamOptions): UpdateRule<AdamOptions> {
    return amsgrad ? decoupled.amsgrad : decoupled.plain;
  }
}
