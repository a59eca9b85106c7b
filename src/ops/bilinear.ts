// The bilinear form of two inputs: a product of one with the weight, whose results are weighed by the other.
import { checkTensor } from "../autograd/run.ts";
import { check } from "../errors.ts";
import { scope } from "../tensor/scope.ts";
import { sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add, mul } from "./arithmetic.ts";
import { matmul } from "./matmul.ts";
import { permute } from "./movement.ts";
import { sum } from "./reduce.ts";
import { reshape } from "./view.ts";

/**
 * y[o] = sum over i and j of x1[i] weight[o, i, j] x2[j], plus bias[o]. x1: [..., I], x2: [..., J] with the same leading dimensions,
 * weight: [O, I, J], bias: [O] or null. f32.
 * @throws ShapeError for shapes that do not fit together.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.bilinear.html
 */
export function bilinear(x1: Tensor, x2: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  for (const [what, t] of Object.entries({ x1, x2, weight, ...(bias && { bias }) })) checkTensor("bilinear", what, t);
  const [out = 0, in1 = 0, in2 = 0] = weight.shape;
  const batch = x1.shape.slice(0, -1);
  check(
    weight.ndim === 3 && x1.shape.at(-1) === in1 && x2.shape.at(-1) === in2 && sameShape(batch, x2.shape.slice(0, -1)),
    () =>
      `[bilinear] inputs have shapes ${show(x1.shape)} and ${show(x2.shape)} but weight ${show(weight.shape)} expects [..., ${in1}] and [..., ${in2}]`,
  );
  check(
    !bias || sameShape(bias.shape, [out]),
    () => `[bilinear] bias has shape ${show(bias?.shape ?? [])} but weight ${show(weight.shape)} expects [${out}]`,
  );
  return scope(() => {
    const rows = x1.numel / Math.max(in1, 1);
    const products = matmul(reshape(x1, [rows, in1]), reshape(permute(weight, [1, 0, 2]), [in1, out * in2]));
    const y = sum(mul(reshape(products, [rows, out, in2]), reshape(x2, [rows, 1, in2])), -1);
    return reshape(bias ? add(y, bias) : y, [...batch, out]);
  });
}
