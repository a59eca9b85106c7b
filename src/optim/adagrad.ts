// Adagrad: steps scaled by the sum of all squared gradients so far.
import { Optimizer, type ParamsInput } from "./optimizer.ts";
import { withDefaults } from "./optimizer-options.ts";
import { UpdateRule } from "./update-rule.ts";

/** Hyper-parameters of Adagrad, for all parameters or for each group. */
export interface AdagradOptions {
  /** The learning rate. Default 1e-2. */
  lr: number;
  /** Divides the learning rate of a parameter's step t, counted from 0, by 1 + t * lrDecay. Default 0. */
  lrDecay: number;
  /** Added to the gradient (L2). Default 0. */
  weightDecay: number;
  /** The sum before the first step. Default 0. */
  initialAccumulatorValue: number;
  /** Added to the denominator. Default 1e-10. */
  eps: number;
}

const adagrad = new UpdateRule<AdagradOptions>({
  name: "adagrad",
  state: ["sum"],
  hyper: ({ lr, lrDecay, weightDecay, initialAccumulatorValue, eps }, step) => ({
    lr: lr / (1 + (step - 1) * lrDecay),
    weightDecay,
    eps,
    initial: step === 1 ? initialAccumulatorValue : 0,
  }),
  wgsl: `let d = h.weightDecay * p + g;
    sum += h.initial + d * d;
    p -= h.lr * d / (sqrt(sum) + h.eps);`,
});

/**
 * Adagrad.
 * @see https://jmlr.org/papers/v12/duchi11a.html and https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html
 * @throws ValueError for a hyper-parameter out of range.
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(params: ParamsInput<AdagradOptions>, options: Partial<AdagradOptions> = {}) {
    super(
      params,
      withDefaults(
        "Adagrad",
        { lr: 1e-2, lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 0, eps: 1e-10 },
        options,
      ),
    );
  }

  protected override rule(): UpdateRule<AdagradOptions> {
    return adagrad;
  }
}
