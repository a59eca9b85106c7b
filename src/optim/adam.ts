// Adam and AdamW: steps scaled by running moments of the gradient.
import { check, ValueError } from "../errors.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
import adamWgsl from "../kernels/wgsl/adam.wgsl";
import amsgradWgsl from "../kernels/wgsl/adam-amsgrad.wgsl";
import type { Update } from "./bundle.ts";
import { Optimizer, type ParamsInput } from "./optimizer.ts";

export interface AdamOptions {
  /** Default 1e-3. */
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

const plain: Update = { shader: new Kernel("adam", adamWgsl).variant(), slots: 3, state: ["expAvg", "expAvgSq"] };
const withMaximum: Update = {
  shader: new Kernel("adam_amsgrad", amsgradWgsl).variant(),
  slots: 2,
  state: ["expAvg", "expAvgSq", "maxExpAvgSq"],
};

const defaults: AdamOptions = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, amsgrad: false };

/**
 * Adam with bias correction by each parameter's own step count; `weightDecay` is L2, added to the gradient.
 * @see https://arxiv.org/abs/1412.6980 and https://pytorch.org/docs/stable/generated/torch.optim.Adam.html
 * @throws ValueError for a hyper-parameter out of range.
 */
export class Adam extends Optimizer<AdamOptions> {
  constructor(params: ParamsInput<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, { ...defaults, ...options });
  }

  protected override checkOptions({ lr, betas, eps, weightDecay }: AdamOptions): void {
    for (const [name, value] of Object.entries({ lr, eps, weightDecay })) {
      check(value >= 0, () => `[${this.name}] ${name} must not be negative, got ${value}`, ValueError);
    }
    check(
      betas.every((beta) => beta >= 0 && beta < 1),
      () => `[${this.name}] betas must be in [0, 1), got ${betas.join(", ")}`,
      ValueError,
    );
  }

  protected override hyper(group: AdamOptions, step: number): number[] {
    const { lr, betas, eps, weightDecay } = group;
    const [beta1, beta2] = betas;
    const stepSize = lr / (1 - beta1 ** step);
    const scale = 1 / Math.sqrt(1 - beta2 ** step);
    return [stepSize, beta1, 1 - beta1, beta2, 1 - beta2, scale, eps, ...this.decay(lr, weightDecay)];
  }

  /** What the gradient takes of the parameter, and what the step keeps of it. */
  protected decay(_lr: number, weightDecay: number): [l2: number, keep: number] {
    return [weightDecay, 1];
  }

  protected override update({ amsgrad }: AdamOptions): Update {
    return amsgrad ? withMaximum : plain;
  }
}

/**
 * Adam whose weight decay shrinks the parameters directly instead of passing through the moments.
 * @see https://arxiv.org/abs/1711.05101 and https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html
 * @throws ValueError for a hyper-parameter out of range.
 */
export class AdamW extends Adam {
  constructor(params: ParamsInput<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, { weightDecay: 0.01, ...options });
  }

  protected override decay(lr: number, weightDecay: number): [l2: number, keep: number] {
    return [0, 1 - lr * weightDecay];
  }
}
