// conv2dNorm: a convolution with batch norm by running statistics, residual and ReLU in its epilogue, for evaluation.
import { apply1 } from "../autograd/apply.ts";
import { type OldOp, savesNothing } from "../autograd/op.ts";
import { check } from "../errors.ts";
import { convClass, convTiles, normShader, planForward } from "../kernels/conv.ts";
import { launchBest } from "../kernels/variants.ts";
import { sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type ConvAttrs, type ConvOptions, convAttrs, geometry, inferConv } from "./conv2d.ts";

interface ConvNormAttrs extends ConvAttrs {
  readonly eps: number;
  readonly relu: boolean;
}

/** y from [x, weight, gamma, beta, mean, variance, residual?]. */
export const conv2dNormOp: OldOp<ConvNormAttrs> = {
  name: "conv2dNorm",
  infer([x, w, ...extras], attrs) {
    const [y] = inferConv([x!, w!], attrs);
    for (const [i, what] of ["weight", "bias", "running mean", "running variance"].entries()) {
      const { shape } = extras[i]!;
      check(
        sameShape(shape, [y!.shape[1]!]),
        () => `[conv2dNorm] batch norm's ${what} has shape ${show(shape)} but must be [${y!.shape[1]}]`,
      );
    }
    const residual = extras[4];
    check(
      !residual || sameShape(residual.shape, y!.shape),
      () => `[conv2dNorm] residual has shape ${show(residual!.shape)} but the result has ${show(y!.shape)}`,
    );
    return [y!];
  },
  forward({ queue }, [x, w, gamma, beta, mean, variance, residual], [y], attrs) {
    const g = geometry(x!.shape, w!.shape, attrs);
    // Without a residual the binding still needs a buffer; the kernel does not read it.
    const extras = [beta!, gamma!, mean!, variance!, residual ?? x!].map((t) => t.storage);
    const storages = [w!.storage, x!.storage, ...extras, y!.storage];
    launchBest(y!.device, "conv", convClass(g, g.filters / g.groups, g.channels / g.groups), {
      tiles: convTiles(g, g.channels / g.groups, y!.device.info),
      storages,
      record(tile) {
        const { params, grid } = planForward(g, { ...attrs, residual: residual !== undefined }, tile);
        queue.dispatch(normShader(tile), storages, params, grid);
      },
    });
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

export interface ConvNormOptions extends ConvOptions {
  eps: number;
  /** Default false. */
  relu?: boolean;
  /** Added before the ReLU: the shape of the result. */
  residual?: Tensor | null;
}

/**
 * relu(batchNorm(conv2d(x, weight)) + residual) with running statistics, in the passes over memory of the convolution
 * alone. Without a gradient: for evaluation. x: [N, C, H, W], weight: [filters, C / groups, KH, KW], the others [filters].
 */
export function conv2dNorm(
  x: Tensor,
  weight: Tensor,
  norm: { weight: Tensor; bias: Tensor; runningMean: Tensor; runningVar: Tensor },
  { eps, relu = false, residual = null, ...options }: ConvNormOptions,
): Tensor {
  const inputs = [x, weight, norm.weight, norm.bias, norm.runningMean, norm.runningVar];
  return apply1(conv2dNormOp, residual ? [...inputs, residual] : inputs, { ...convAttrs(options), eps, relu });
}
