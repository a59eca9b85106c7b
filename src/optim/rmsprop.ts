// RMSprop: steps scaled by a running mean square of the gradient.
import { Optimizer, type ParamsInput } from "./optimizer.ts";
import { withDefaults } from "./optimizer-options.ts";
import { UpdateRule } from "./update-rule.ts";

/** Hyper-parameters of RMSprop, for all parameters or for each group. */
export interface RMSpropOptions {
  /** The learning rate. Default 1e-2. */
  lr: number;
  /** Decay of the running mean square. Default 0.99. */
  alpha: number;
  /** Added to the denominator. Default 1e-8. */
  eps: number;
  /** Added to the gradient (L2). Default 0. */
  weightDecay: number;
  /** Of the scaled steps. Default 0. */
  momentum: number;
  /** Divide by the running standard deviation, the mean subtracted. Default false. */
  centered: boolean;
}

const rmsprop = (centered: boolean, momentum: boolean) =>
  new UpdateRule<RMSpropOptions>({
    name: `rmsprop${centered ? " centered" : ""}${momentum ? " momentum" : ""}`,
    state: ["squareAvg", ...(momentum ? ["momentumBuffer"] : []), ...(centered ? ["gradAvg"] : [])],
    hyper: ({ lr, alpha, eps, weightDecay, momentum }) => ({ lr, alpha, mix: 1 - alpha, eps, weightDecay, momentum }),
    // The variance is at least 0 but for rounding.
    wgsl: `let d = h.weightDecay * p + g;
      squareAvg = h.alpha * squareAvg + h.mix * d * d;
      ${centered ? "gradAvg = h.alpha * gradAvg + h.mix * d;" : ""}
      let square = ${centered ? "max(squareAvg - gradAvg * gradAvg, vec4f())" : "squareAvg"};
      let step = d / (sqrt(square) + h.eps);
      ${momentum ? "momentumBuffer = h.momentum * momentumBuffer + step;" : ""}
      p -= h.lr * ${momentum ? "momentumBuffer" : "step"};`,
  });

const plain = { still: rmsprop(false, false), moving: rmsprop(false, true) };
const centred = { still: rmsprop(true, false), moving: rmsprop(true, true) };

/**
 * RMSprop, with momentum, and with the mean of the gradient subtracted where `centered` is set.
 * @see https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf, https://arxiv.org/abs/1308.0850 (centered) and
 * https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
 * @throws ValueError for a hyper-parameter out of range.
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(params: ParamsInput<RMSpropOptions>, options: Partial<RMSpropOptions> = {}) {
    super(
      params,
      withDefaults(
        "RMSprop",
        { lr: 1e-2, alpha: 0.99, eps: 1e-8, weightDecay: 0, momentum: 0, centered: false },
        options,
      ),
    );
  }

  protected override rule({ centered, momentum }: RMSpropOptions): UpdateRule<RMSpropOptions> {
    const rules = centered ? centred : plain;
    return momentum === 0 ? rules.still : rules.moving;
  }
}
