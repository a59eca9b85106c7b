// Stochastic gradient descent with momentum.
import { check, ValueError } from "../errors.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
import sgdWgsl from "../kernels/wgsl/sgd.wgsl";
import momentumWgsl from "../kernels/wgsl/sgd-momentum.wgsl";
import type { Update } from "./bundle.ts";
import { Optimizer, type ParamsInput } from "./optimizer.ts";

export interface SGDOptions {
  lr: number;
  momentum: number;
  /** Default 0. The momentum takes 1 - dampening of each gradient after the first. */
  dampening: number;
  weightDecay: number;
  /** Default false; needs a momentum, and no dampening. */
  nesterov: boolean;
}

const plain: Update = { shader: new Kernel("sgd", sgdWgsl).variant(), slots: 3, state: [] };
const withMomentum: Update = {
  shader: new Kernel("sgd_momentum", momentumWgsl).variant(),
  slots: 3,
  state: ["momentumBuffer"],
};

/**
 * SGD with momentum, Nesterov momentum and L2 weight decay.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.SGD.html
 * @throws ValueError for a hyper-parameter out of range.
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: ParamsInput<SGDOptions>, options: Partial<SGDOptions> & { lr: number }) {
    super(params, { momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, ...options });
  }

  protected override checkOptions({ lr, momentum, dampening, weightDecay, nesterov }: SGDOptions): void {
    for (const [name, value] of Object.entries({ lr, momentum, weightDecay })) {
      check(value >= 0, () => `[SGD] ${name} must not be negative, got ${value}`, ValueError);
    }
    check(
      !nesterov || (momentum > 0 && dampening === 0),
      () =>
        `[SGD] nesterov needs a momentum above 0 and no dampening, got momentum ${momentum}, dampening ${dampening}`,
      ValueError,
    );
  }

  protected override hyper(group: SGDOptions, step: number): number[] {
    const { lr, momentum, dampening, weightDecay, nesterov } = group;
    const mix = step === 1 ? 1 : 1 - dampening;
    return [lr, weightDecay, momentum, mix, nesterov ? 1 : 0, nesterov ? momentum : 1];
  }

  protected override update({ momentum }: SGDOptions): Update {
    return momentum === 0 ? plain : withMomentum;
  }
}
