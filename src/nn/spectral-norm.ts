// Spectral normalisation: a layer's weight divided by its largest singular value, as discriminators of GANs have it.
import { noGrad } from "../autograd/mode.ts";
import { check, checkNumber, checkOptions, checkWhole, ShapeError } from "../errors.ts";
import { div } from "../ops/arithmetic.ts";
import { normalize } from "../ops/distances.ts";
import { matmul } from "../ops/matmul.ts";
import { permute } from "../ops/movement.ts";
import { randn } from "../ops/random.ts";
import { reshape } from "../ops/view.ts";
import { copy_ } from "../tensor/copy.ts";
import { keep, scope } from "../tensor/scope.ts";
import { normalizeDim, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { AnyModule } from "./module.ts";
import { Parameter } from "./parameter.ts";
import { install, parameterOf, put, uninstall } from "./reparametrization.ts";

/** What `spectralNorm` takes. */
export interface SpectralNormOptions {
  /** The parameter's property. Default "weight". */
  name?: string;
  /** Steps of the power iteration in each forward in training. Default 1. */
  nPowerIterations?: number;
  /** The least norm that is divided by. Default 1e-12. */
  eps?: number;
  /** The dimension of outputs, the rows of the matrix; the others are its columns. Default 1 for transposed convolutions, else 0. */
  dim?: number;
}

/**
 * Divides a parameter by its spectral norm u W v before each forward. It becomes `weightOrig`, trained, with the buffers `weightU` and
 * `weightV` (`weight_orig`, `weight_u`, `weight_v` in a state dict, as in PyTorch's `spectral_norm`): estimates of the first
 * singular vectors, which each forward in training improves by power iteration. They start random. Returns the module.
 * @throws StateError for a module without such a parameter, ShapeError for one of no dimensions or elements.
 * @see https://arxiv.org/abs/1802.05957 and https://pytorch.org/docs/stable/generated/torch.nn.utils.spectral_norm.html
 */
export function spectralNorm<M extends AnyModule>(module: M, options: SpectralNormOptions = {}): M {
  checkOptions("spectralNorm", options, ["name", "nPowerIterations", "eps", "dim"]);
  const { name = "weight", nPowerIterations = 1, eps = 1e-12 } = options;
  const whole = parameterOf("spectralNorm", module, name);
  checkWhole("spectralNorm", "nPowerIterations", nPowerIterations, 1);
  checkNumber("spectralNorm", "eps", eps);
  check(
    whole.ndim > 0 && whole.numel > 0,
    () => `[spectralNorm] ${name} of shape ${show(whole.shape)} must have a dimension, and elements`,
    ShapeError,
  );
  const transposed: unknown = Reflect.get(module, "transposed");
  const at = normalizeDim("spectralNorm", options.dim ?? (transposed === true ? 1 : 0), whole.ndim);
  const order = [at, ...[...whole.shape.keys()].filter((d) => d !== at)];
  const height = whole.shape[at] ?? 1;
  const matrix = () => reshape(at === 0 ? whole : permute(whole, order), [height, -1]);
  const unit = (t: Tensor) => normalize(t, { dim: 0, eps });
  const start = (n: number) => noGrad(() => scope(() => unit(randn([n], { device: whole.device }))));
  const u = start(height);
  const v = start(whole.numel / height);

  Reflect.deleteProperty(module, name);
  put(module, `${name}Orig`, whole);
  for (const [property, vector] of [[`${name}U`, u] as const, [`${name}V`, v] as const]) {
    put(module, property, vector);
    module.registerBuffer(property, vector);
  }

  /** The singular vectors by one call's power iteration: tensors of their own, since the tape may hold them beyond the next one. */
  const iterate = (): [Tensor, Tensor] =>
    noGrad(() => {
      const w = matrix();
      let [left, right] = [u, v] as [Tensor, Tensor];
      for (let i = 0; i < nPowerIterations; i++) {
        right = unit(matmul(left, w));
        left = unit(matmul(w, right));
      }
      copy_(u, left);
      copy_(v, right);
      return [left, right];
    });
  const normalized = (train: boolean): Tensor =>
    scope(() => {
      const [left, right] = train ? iterate() : [u, v];
      return div(whole, matmul(left, matmul(matrix(), right)));
    });
  const finish = (): void => {
    const weight = new Parameter(keep(noGrad(() => normalized(false))));
    for (const property of [name, `${name}Orig`, `${name}U`, `${name}V`]) Reflect.deleteProperty(module, property);
    put(module, name, weight);
    for (const t of [whole, u, v]) t.dispose();
  };
  const compute = () => normalized(module.training);
  // As in PyTorch, until the first forward it is what it was.
  install(module, name, "removeSpectralNorm", { first: whole.detach(), compute, finish });
  return module;
}

/**
 * Undoes `spectralNorm`: the weight is a parameter again, of its present value. Returns the module.
 * @throws StateError where the parameter is not normalised.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.remove_spectral_norm.html
 */
export const removeSpectralNorm = <M extends AnyModule>(module: M, name = "weight"): M =>
  uninstall(module, name, "removeSpectralNorm");
