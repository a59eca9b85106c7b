// Freezing for fine-tuning: which parameters are trained, and whether batch norms take the batch's statistics.
import { check, checkOptions, told, ValueError } from "../errors.ts";
import { type AnyModule, Module } from "./module.ts";
import { BatchNorm } from "./norm-layers.ts";
import type { Parameter } from "./parameter.ts";

/**
 * Parts of a model by their paths: of modules (`"layer4"`, `"layer4.1.conv1"`) or parameters (`"fc.bias"`). `"head"` is the layer
 * that the model's `head` names, where it has one.
 */
export type Paths = string | readonly string[];

/** What `freeze` and `unfreeze` take. */
export interface FreezeOptions {
  /** The parts that are meant. Default: the whole model. */
  only?: Paths;
  /** The parts that stay as they are. Default: none. */
  except?: Paths;
}

/** Throws unless `model` is a module. */
export function checkModel(name: string, model: unknown): asserts model is AnyModule {
  check(model instanceof Module, () => `[${name}] got ${told(model)} in the place of a model`, ValueError);
}

/** The paths as a list, "head" as the model's own path of it. */
export function pathsOf(name: string, what: string, model: AnyModule, given: Paths): string[] {
  const list: readonly unknown[] = typeof given === "string" ? [given] : Array.isArray(given) ? given : [];
  check(
    list.length > 0 || Array.isArray(given),
    () => `[${name}] ${what} must be a path or an array of them, got ${told(given)}`,
    ValueError,
  );
  const head: unknown = Reflect.get(model, "head");
  return list.map((path) => {
    check(typeof path === "string", () => `[${name}] ${what}: a path is a text, got ${told(path)}`, ValueError);
    return path === "head" && typeof head === "string" ? head : path;
  });
}

/** Whether `name` is the path or lies below it. Everything lies below "". */
export const isBelow = (name: string, path: string): boolean =>
  path === "" || name === path || name.startsWith(`${path}.`);

/** The parameters below the paths. Throws `ValueError` for a path that leads to none. */
export function parametersBelow(name: string, what: string, model: AnyModule, given: Paths): Set<Parameter> {
  const named = [...model.namedParameters()];
  const found = new Set<Parameter>();
  for (const path of pathsOf(name, what, model, given)) {
    const below = named.filter(([key]) => isBelow(key, path));
    check(
      below.length > 0,
      () =>
        `[${name}] ${what}: ${model.constructor.name} has no parameter below ${told(path)}; its parts are ${Array.from(model.namedChildren(), ([child]) => child).join(", ")}`,
      ValueError,
    );
    for (const [, parameter] of below) found.add(parameter);
  }
  return found;
}

function setAll(name: string, model: AnyModule, options: FreezeOptions, requiresGrad: boolean): void {
  checkModel(name, model);
  checkOptions(name, options, ["only", "except"]);
  const { only, except = [] } = options;
  const chosen = only === undefined ? model.parameters() : parametersBelow(name, "only", model, only);
  const left = parametersBelow(name, "except", model, except);
  for (const parameter of chosen) if (!left.has(parameter)) parameter.requiresGrad = requiresGrad;
}

/**
 * Freezes parameters: they get no gradients, and optimizers leave them alone. `freeze(model, { except: "head" })` leaves the last
 * layer to train. Batch norms go on updating their running statistics: see `freezeBatchNorm`.
 * @throws ValueError for a path that leads to no parameter.
 * @see https://pytorch.org/tutorials/beginner/transfer_learning_tutorial.html
 */
export function freeze(model: AnyModule, options: FreezeOptions = {}): void {
  setAll("freeze", model, options, false);
}

/**
 * Releases parameters that `freeze` froze: `unfreeze(model, { only: ["layer4", "head"] })`.
 * @throws ValueError for a path that leads to no parameter.
 */
export function unfreeze(model: AnyModule, options: FreezeOptions = {}): void {
  setAll("unfreeze", model, options, true);
}

/** What `freezeBatchNorm` takes. */
export interface FreezeBatchNormOptions {
  /** Whether scale and shift are frozen too, as those of torchvision's FrozenBatchNorm2d are. Default false. */
  affine?: boolean;
}

function batchNormsOf(name: string, model: AnyModule): BatchNorm[] {
  checkModel(name, model);
  return Array.from(model.modules()).filter((module) => module instanceof BatchNorm);
}

/**
 * Holds all batch norms of the model in evaluation mode, through every `train()`: they normalise by their running statistics, and
 * these stay. For small batches, whose statistics are noise, and for frozen backbones, which would drift without it.
 * @see https://pytorch.org/vision/stable/generated/torchvision.ops.FrozenBatchNorm2d.html
 */
export function freezeBatchNorm(model: AnyModule, options: FreezeBatchNormOptions = {}): void {
  const layers = batchNormsOf("freezeBatchNorm", model);
  checkOptions("freezeBatchNorm", options, ["affine"]);
  for (const layer of layers) {
    layer.frozen = true;
    if (options.affine) layer.requiresGrad_(false);
  }
}

/**
 * Undoes `freezeBatchNorm`: batch norms are in the mode that `train()` or `eval()` last gave them. Frozen scales and shifts are
 * `unfreeze`'s.
 */
export function unfreezeBatchNorm(model: AnyModule): void {
  for (const layer of batchNormsOf("unfreezeBatchNorm", model)) layer.frozen = false;
}
