// Lion: steps of one size in the direction that the sign of a momentum gives.
import { Optimizer, type ParamsInput } from "./optimizer.ts";
import { withDefaults } from "./optimizer-options.ts";
import { UpdateRule } from "./update-rule.ts";

/** Hyper-parameters of Lion, for all parameters or for each group. */
export interface LionOptions {
  /** The learning rate. Default 1e-4. Three to ten times smaller than AdamW's, as every element takes a whole step. */
  lr: number;
  /** The part of the momentum in a step, and the decay of the momentum itself. Default [0.9, 0.99]. */
  betas: readonly [number, number];
  /** Shrinks the parameter (decoupled). Default 0. */
  weightDecay: number;
}

const lion = new UpdateRule<LionOptions>({
  name: "lion",
  state: ["expAvg"],
  hyper: ({ lr, betas: [beta1, beta2], weightDecay }) => ({
    lr,
    beta1,
    mix1: 1 - beta1,
    beta2,
    mix2: 1 - beta2,
    keep: 1 - lr * weightDecay,
  }),
  wgsl: `p = h.keep * p - h.lr * sign(h.beta1 * expAvg + h.mix1 * g);
    expAvg = h.beta2 * expAvg + h.mix2 * g;`,
});

/**
 * Lion, algorithm 2 of its paper. PyTorch has none.
 * @see https://arxiv.org/abs/2302.06675
 * @throws ValueError for a hyper-parameter out of range.
 */
export class Lion extends Optimizer<LionOptions> {
  constructor(params: ParamsInput<LionOptions>, options: Partial<LionOptions> = {}) {
    super(params, withDefaults("Lion", { lr: 1e-4, betas: [0.9, 0.99] as const, weightDecay: 0 }, options));
  }

  protected override rule(): UpdateRule<LionOptions> {
    return lion;
  }
}
