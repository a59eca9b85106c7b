// Layers in a row that run as one operation, where nobody looks between them.
import { gradEnabled } from "../autograd/mode.ts";
import { conv2dNorm } from "../ops/conv-norm.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ReLU } from "./activation-layers.ts";
import { chain, type Step } from "./chain.ts";
import { Conv2d } from "./conv-layers.ts";
import type { Module } from "./module.ts";
import { BatchNorm2d } from "./norm-layers.ts";

/** Whether a module is a layer as it was made: neither hooked nor a subclass with another forward. */
function isPlain<M extends Module>(
  module: Module | undefined,
  Layer: abstract new (...args: never[]) => M,
): module is M {
  return module instanceof Layer && !module.hooked && module.forward === Layer.prototype.forward;
}

/**
 * relu(norm(x) + residual). Fused where the two are the layers that they were made as and have no hooks; a layer put in
 * their place runs on its own.
 */
export function normRelu(norm: Module, relu: Module, x: Tensor, residual: Tensor | null = null): Tensor {
  if (isPlain(norm, BatchNorm2d) && isPlain(relu, ReLU)) return norm.forwardRelu(x, residual);
  return scope(() => {
    const y = norm.forward(x);
    return relu.forward(residual ? y.add(residual) : y);
  });
}

/** norm(conv(x)) in one pass, for evaluation; null where the layers, their mode or a gradient do not allow it. */
function evaluated(conv: Module, norm: Module, x: Tensor, relu: boolean, residual: Tensor | null): Tensor | null {
  if (!isPlain(conv, Conv2d) || !isPlain(norm, BatchNorm2d) || norm.training || conv.bias) return null;
  const { weight, bias, runningMean, runningVar, eps } = norm;
  if (!weight || !bias || !runningMean || !runningVar) return null;
  if (gradEnabled() && [x, conv.weight, weight, bias, residual].some((t) => t?.requiresGrad)) return null;
  const statistics = { weight, bias, runningMean, runningVar };
  return conv2dNorm(x, conv.weight, statistics, { ...conv.options, eps, relu, residual });
}

/** relu(norm(conv(x)) + residual): one operation in evaluation, else two. */
export function convNormRelu(
  conv: Module,
  norm: Module,
  relu: Module,
  x: Tensor,
  residual: Tensor | null = null,
): Tensor {
  const fused = isPlain(relu, ReLU) ? evaluated(conv, norm, x, true, residual) : null;
  return fused ?? chain(x, [conv, (y) => normRelu(norm, relu, y, residual)]);
}

/** The steps of modules in a row: convolutions with the batch norm and the ReLU behind them, batch norms with their ReLU. */
export function* fuse(modules: Iterable<Module>): Generator<Step> {
  const list = [...modules];
  for (let i = 0; i < list.length; i++) {
    const [module, next, third] = list.slice(i, i + 3) as [Module, Module?, Module?];
    if (isPlain(module, Conv2d) && isPlain(next, BatchNorm2d)) {
      const relu = isPlain(third, ReLU) ? third : null;
      i += relu ? 2 : 1;
      yield relu
        ? (x) => convNormRelu(module, next, relu, x)
        : (x) => evaluated(module, next, x, false, null) ?? chain(x, [module, next]);
    } else if (isPlain(module, BatchNorm2d) && isPlain(next, ReLU)) {
      i++;
      yield (x) => module.forwardRelu(x);
    } else if (isPlain(module, Conv2d) && isPlain(next, ReLU)) {
      i++;
      yield (x) => module.forwardRelu(x);
    } else yield module;
  }
}
