// The names of `nn.utils`: parameters as one vector, weight and spectral normalisation.
import { noGrad } from "../autograd/mode.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, listed, ValueError } from "../errors.ts";
import { cat } from "../ops/cat.ts";
import { narrow } from "../ops/movement.ts";
import { reshape } from "../ops/view.ts";
import { copy_ } from "../tensor/copy.ts";
import { scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

export { removeSpectralNorm, type SpectralNormOptions, spectralNorm } from "./spectral-norm.ts";
export { removeWeightNorm, type WeightNormOptions, weightNorm } from "./weight-norm.ts";

function tensorsOf(name: string, parameters: Iterable<Tensor>): Tensor[] {
  const list = listed(name, "parameters: pass model.parameters(), or an array of them", parameters);
  for (const [i, p] of list.entries()) checkTensor(name, i, p);
  check(list.length > 0, () => `[${name}] got no parameters`, ValueError);
  return list;
}

/**
 * All parameters as one vector, in their order. Differentiable. f32, [elements].
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.parameters_to_vector.html
 */
export function parametersToVector(parameters: Iterable<Tensor>): Tensor {
  const list = tensorsOf("parametersToVector", parameters);
  return scope(() => cat(list.map((p) => reshape(p, [-1]))));
}

/**
 * Copies the elements of a vector into the parameters, in their order.
 * @throws ValueError for a vector of another size.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.vector_to_parameters.html
 */
export function vectorToParameters(vector: Tensor, parameters: Iterable<Tensor>): void {
  checkTensor("vectorToParameters", "vector", vector);
  const list = tensorsOf("vectorToParameters", parameters);
  const elements = list.reduce((n, p) => n + p.numel, 0);
  check(
    vector.ndim === 1 && vector.numel === elements,
    () => `[vectorToParameters] vector has shape ${show(vector.shape)} but the parameters have ${elements} elements`,
    ValueError,
  );
  noGrad(() =>
    scope(() => {
      let at = 0;
      for (const p of list) {
        copy_(p, reshape(narrow(vector, 0, at, p.numel), [...p.shape]));
        at += p.numel;
      }
    }),
  );
}
