// NAdam: Adam with Nesterov's momentum, whose decay grows over the first steps.
import { Optimizer, type ParamsInput } from "./optimizer.ts";
import { withDefaults } from "./optimizer-options.ts";
import { UpdateRule } from "./update-rule.ts";

/** Hyper-parameters of NAdam, for all parameters or for each group. */
export interface NAdamOptions {
  /** The learning rate. Default 2e-3. */
  lr: number;
  /** Decay of the running mean and of the running mean square. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the denominator. Default 1e-8. */
  eps: number;
  /** Added to the gradient (L2). Default 0. */
  weightDecay: number;
  /** How fast the momentum grows from half of its value to all of it. Default 4e-3. */
  momentumDecay: number;
}

const nadam = new UpdateRule<NAdamOptions>({
  name: "nadam",
  state: ["expAvg", "expAvgSq"],
  hyper: ({ lr, betas: [beta1, beta2], eps, weightDecay, momentumDecay }, step) => {
    const momentum = (t: number) => beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
    // Of the momenta of all steps so far. Once it is small, 1 minus it is 1.
    let product = 1;
    for (let t = 1; t <= step && product > 1e-20; t++) product *= momentum(t);
    const next = momentum(step + 1);
    return {
      direct: (lr * (1 - momentum(step))) / (1 - product),
      damped: (lr * next) / (1 - product * next),
      beta1,
      mix1: 1 - beta1,
      beta2,
      mix2: 1 - beta2,
      eps,
      weightDecay,
      scale: 1 / Math.sqrt(1 - beta2 ** step),
    };
  },
  wgsl: `let d = h.weightDecay * p + g;
    expAvg = h.beta1 * expAvg + h.mix1 * d;
    expAvgSq = h.beta2 * expAvgSq + h.mix2 * d * d;
    p -= (h.direct * d + h.damped * expAvg) / (sqrt(expAvgSq) * h.scale + h.eps);`,
});

/**
 * Adam with Nesterov momentum.
 * @see https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ and
 * https://pytorch.org/docs/stable/generated/torch.optim.NAdam.html
 * @throws ValueError for a hyper-parameter out of range.
 */
export class NAdam extends Optimizer<NAdamOptions> {
  constructor(params: ParamsInput<NAdamOptions>, options: Partial<NAdamOptions> = {}) {
    super(
      params,
      withDefaults(
        "NAdam",
        { lr: 2e-3, betas: [0.9, 0.999] as const, eps: 1e-8, weightDecay: 0, momentumDecay: 4e-3 },
        options,
      ),
    );
  }

  protected override rule(): UpdateRule<NAdamOptions> {
    return nadam;
  }
}
