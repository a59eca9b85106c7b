// Stochastic gradient descent with momentum.
import { check, ValueError } from "../errors.ts";
import { Optimizer, type ParamGroup, type ParamsInput } from "./optimizer.ts";
import { withDefaults } from "./optimizer-options.ts";
import { UpdateRule } from "./update-rule.ts";

/** Hyper-parameters of SGD, for all parameters or for each group. */
export interface SGDOptions {
  /** The learning rate. No default. */
  lr: number;
  /** Part of the last step that is kept. Default 0. */
  momentum: number;
  /** The momentum takes 1 - dampening of each gradient after the first. Default 0. */
  dampening: number;
  /** Added to the gradient (L2). Default 0. */
  weightDecay: number;
  /** Look ahead by the momentum, which is needed, without dampening. Default false. */
  nesterov: boolean;
}

const plain = new UpdateRule<SGDOptions>({
  name: "sgd",
  state: [],
  hyper: ({ lr, weightDecay }) => ({ lr, weightDecay }),
  wgsl: "p -= h.lr * (h.weightDecay * p + g);",
});

const withMomentum = new UpdateRule<SGDOptions>({
  name: "sgd momentum",
  state: ["momentumBuffer"],
  hyper: ({ lr, momentum, dampening, weightDecay, nesterov }, step) => {
    const [direct, damped] = nesterov ? [1, momentum] : [0, 1];
    return { lr, weightDecay, momentum, mix: step === 1 ? 1 : 1 - dampening, direct, damped };
  },
  wgsl: `let d = h.weightDecay * p + g;
    momentumBuffer = h.momentum * momentumBuffer + h.mix * d;
    p -= h.lr * (h.direct * d + h.damped * momentumBuffer);`,
});

/**
 * SGD with momentum, Nesterov momentum and L2 weight decay.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.SGD.html
 * @throws ValueError for a hyper-parameter out of range.
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: ParamsInput<SGDOptions>, options: Partial<SGDOptions> & Pick<SGDOptions, "lr">) {
    super(params, withDefaults("SGD", { momentum: 0, dampening: 0, weightDecay: 0, nesterov: false }, options, ["lr"]));
  }

  protected override checkGroup({ momentum, dampening, nesterov }: ParamGroup<SGDOptions>): void {
    check(
      !nesterov || (momentum > 0 && dampening === 0),
      () =>
        `[SGD] nesterov needs a momentum above 0 and no dampening, got momentum ${momentum}, dampening ${dampening}`,
      ValueError,
    );
  }

  protected override rule({ momentum }: SGDOptions): UpdateRule<SGDOptions> {
    return momentum === 0 ? plain : withMomentum;
  }
}
