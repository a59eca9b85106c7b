// Weight normalisation: a layer's weight as a length and a direction, both learned.
import { noGrad } from "../autograd/mode.ts";
import { check, checkOptions, StateError, told, ValueError } from "../errors.ts";
import { abs, div, mul } from "../ops/arithmetic.ts";
import { clone } from "../ops/clone.ts";
import { norm } from "../ops/reduce.ts";
import { keep, scope } from "../tensor/scope.ts";
import { normalizeDim } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { uncopied } from "./deep-copy.ts";
import { type AnyModule, Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** What `weightNorm` takes. */
export interface WeightNormOptions {
  /** The parameter's property. Default "weight". */
  name?: string;
  /** The dimension along which lengths are apart; null: one length for all of it. Default 0, of outputs. */
  dim?: number | null;
}

/** How to undo it, by module and property. */
const installed = new WeakMap<AnyModule, Map<string, () => void>>();

function checkNamed(what: string, module: unknown, name: unknown): asserts module is AnyModule {
  check(module instanceof Module, () => `[${what}] takes a module, got ${told(module)}`, ValueError);
  check(
    typeof name === "string" && name !== "",
    () => `[${what}] name must be a property's name, got ${told(name)}`,
    ValueError,
  );
}

function put(module: object, property: string, value: unknown): void {
  Object.defineProperty(module, property, { value, configurable: true, enumerable: true, writable: true });
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
  checkNamed("weightNorm", module, name);
  const whole: unknown = Reflect.get(module, name);
  check(
    whole instanceof Parameter,
    () =>
      `[weightNorm] ${module.constructor.name} has no parameter ${told(name)}${installed.get(module)?.has(name) ? ": it is normalised already" : ""}`,
    StateError,
  );
  const at = dim === null ? null : normalizeDim("weightNorm", dim, whole.ndim);
  const others = at === null ? undefined : [...whole.shape.keys()].filter((d) => d !== at);
  const lengths = (t: Tensor): Tensor =>
    others?.length === 0 ? abs(t) : norm(t, others, { keepdim: others !== undefined });
  const [g, v] = noGrad(() => [new Parameter(lengths(whole)), new Parameter(clone(whole))] as const);
  Reflect.deleteProperty(module, name);
  put(module, `${name}G`, g);
  put(module, `${name}V`, v);
  let last: Tensor | null = null;
  const compute = (): Tensor => scope(() => mul(v, div(g, lengths(v))));
  const refresh = (): void => {
    // What the last forward needs for its gradient, the tape holds.
    last?.dispose();
    last = compute();
    put(module, name, last);
  };
  const unhook = module.registerForwardPreHook(refresh);
  const undo = (): void => {
    unhook();
    last?.dispose();
    const weight = new Parameter(keep(noGrad(compute)));
    for (const property of [name, `${name}G`, `${name}V`]) Reflect.deleteProperty(module, property);
    put(module, name, weight);
    g.dispose();
    v.dispose();
  };
  const undos = installed.get(module) ?? new Map<string, () => void>();
  installed.set(module, undos.set(name, undo));
  uncopied.set(module, "removeWeightNorm() first");
  whole.dispose();
  // Readable before the first forward, too.
  noGrad(refresh);
  return module;
}

/**
 * Undoes `weightNorm`: the weight is a parameter again, of its present value. Returns the module.
 * @throws StateError where the parameter is not normalised.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.remove_weight_norm.html
 */
export function removeWeightNorm<M extends AnyModule>(module: M, name = "weight"): M {
  checkNamed("removeWeightNorm", module, name);
  const undos = installed.get(module);
  const undo = undos?.get(name);
  check(
    undo !== undefined,
    () => `[removeWeightNorm] ${told(name)} of ${module.constructor.name} is not normalised`,
    StateError,
  );
  undos?.delete(name);
  if (undos?.size === 0) uncopied.delete(module);
  undo();
  return module;
}
