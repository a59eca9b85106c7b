// Batch norm and ReLU of a block as one operation, where nobody looks between them.

import { ReLU } from "../../nn/activations.ts";
import type { Module } from "../../nn/module.ts";
import { BatchNorm2d } from "../../nn/norm.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * relu(norm(x) + residual). Fused where the two are the layers that they were made as and have no hooks; a layer put in
 * their place runs on its own.
 */
export function normRelu(norm: Module, relu: Module, x: Tensor, residual: Tensor | null = null): Tensor {
  if (norm instanceof BatchNorm2d && relu instanceof ReLU && !norm.hooked && !relu.hooked) {
    return norm.forwardRelu(x, residual);
  }
  return scope(() => {
    const y = norm.forward(x);
    return relu.forward(residual ? y.add(residual) : y);
  });
}
