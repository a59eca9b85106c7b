// Weight normalisation: a layer's weight as a length and a direction, both learned.
import { noGrad } from "../autograd/mode.ts";
import { checkOptions } from "../errors.ts";
import { abs, div, mul } from "../ops/arithmetic.ts";
import { clone } from "../ops/clone.ts";
import { norm } from "../ops/reduce.ts";
import { keep, scope } from "../tensor/scope.ts";
import { normalizeDim } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { AnyModule } from "./module.ts";
import { Parameter } from "./parameter.ts";
import { install, parameterOf, put, uninstall } from "./reparametrization.ts";

/** What `weightNorm` takes. */
export interface WeightNormOptions {
  /** The parameter's property. Default "weight". */
  name?: string;
  /** The dimension along which lengths are apart; null: one length for all of it. Default 0, of outputs. */
  dim?: number | null;
}

/**
 * Replaces a parameter by `weightG`, its lengths, and `weightV`, its direction (`weight_g` and `weight_v` in a state dict): before
 * each forward the weight is weightG weightV / |weightV|. Make the optimizer afterwards. Returns the module.
 * @throws StateError for a module without such a parameter.
 * @see https://arxiv.org/abs/1602.07868 and https://pytorch.org/docs/stable/generated/torch.nn.utils.weight_norm.html
 */
export function weightNorm<M extends AnyModule>(module: M, options: WeightNormOptions = {}): M {
  checkOptions("weightNorm", options, ["name", "dim"]);
  const { name = "weight", dim = 0 } = options;
  const whole = parameterOf("weightNorm", module, name);
  const at = dim === null ? null : normalizeDim("weightNorm", dim, whole.ndim);
  const others = at === null ? undefined : [...whole.shape.keys()].filter((d) => d !== at);
  const lengths = (t: Tensor): Tensor =>
    others?.length === 0 ? abs(t) : norm(t, others, { keepdim: others !== undefined });
  const [g, v] = noGrad(() => [new Parameter(lengths(whole)), new Parameter(clone(whole))] as const);
  Reflect.deleteProperty(module, name);
  put(module, `${name}G`, g);
  put(module, `${name}V`, v);
  const compute = (): Tensor => scope(() => mul(v, div(g, lengths(v))));
  const finish = (): void => {
    const weight = new Parameter(keep(noGrad(compute)));
    for (const property of [name, `${name}G`, `${name}V`]) Reflect.deleteProperty(module, property);
    put(module, name, weight);
    g.dispose();
    v.dispose();
  };
  install(module, name, "removeWeightNorm", { first: noGrad(compute), compute, finish });
  whole.dispose();
  return module;
}

/**
 * Undoes `weightNorm`: the weight is a parameter again, of its present value. Returns the module.
 * @throws StateError where the parameter is not normalised.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.remove_weight_norm.html
 */
export function removeWeightNorm<M extends AnyModule>(module: M, name = "weight"): M {
  return uninstall(module, name, "removeWeightNorm");
}
