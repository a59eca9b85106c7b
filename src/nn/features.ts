// features: what modules inside of a model compute, by their paths.
import { check, StateError, told, ValueError } from "../errors.ts";
import { view } from "../ops/view.ts";
import { keep, scope, track } from "../tensor/scope.ts";
import { Tensor } from "../tensor/tensor.ts";
import { checkModel } from "./freeze.ts";
import type { Module } from "./module.ts";

/**
 * A function that runs the model and gives results of modules inside of it, by path: for feature pyramids, perceptual losses, or
 * looking into a model.
 *
 * ```ts
 * const pyramid = features(resnet18(), ["layer2", "layer4"]);
 * const { layer2, layer4 } = pyramid(x); // x: [N, 3, 224, 224] to [N, 128, 28, 28] and [N, 512, 7, 7]
 * const { low } = features(model, { layer1: "low" })(x); // under names of your own
 * ```
 *
 * The whole model runs, in the mode that it is in; of a module that runs several times the last result counts. Gradients flow
 * through the results, unless it is called under `noGrad`. The results are the caller's to dispose.
 *
 * @throws ValueError for a path that is none of the model's; when called, StateError for a module that did not run or gave no tensor
 * @see https://pytorch.org/vision/stable/feature_extraction.html
 */
export function features<const N extends string, I extends readonly unknown[]>(
  model: Module<I, unknown>,
  paths: readonly N[] | Readonly<Record<string, N>>,
): (...inputs: I) => Record<N, Tensor> {
  checkModel("features", model);
  check(
    typeof paths === "object" && paths !== null,
    () => `[features] takes an array of paths, or names by path, got ${told(paths)}`,
    ValueError,
  );
  const named: [path: string, name: N][] = Array.isArray(paths)
    ? paths.map((path: N) => [path, path])
    : Object.entries(paths);
  const modules = new Map(model.namedModules());
  const watched = named.map(([path, name]) => {
    const module = modules.get(path);
    check(
      module !== undefined,
      () =>
        `[features] ${model.constructor.name} has no module ${told(path)}; its parts are ${Array.from(model.namedChildren(), ([child]) => child).join(", ")}`,
      ValueError,
    );
    check(typeof name === "string", () => `[features] the name for ${path} is a text, got ${told(name)}`, ValueError);
    return { path, name, module };
  });
  return (...inputs) => {
    const results = new Map<N, Tensor>();
    const removals = watched.map(({ path, name, module }) =>
      module.registerForwardHook((_, __, output) => {
        check(
          output instanceof Tensor,
          () => `[features] ${path} gave ${told(output)} in the place of a tensor`,
          StateError,
        );
        results.get(name)?.dispose();
        // A handle that outlives the scopes inside of the model.
        results.set(name, keep(view("features", output, output.shape)));
      }),
    );
    try {
      scope(() => void model.forward(...inputs));
      for (const { path, name } of watched)
        check(results.has(name), () => `[features] ${path} did not run in this forward`, StateError);
    } catch (error) {
      for (const result of results.values()) result.dispose();
      throw error;
    } finally {
      for (const remove of removals) remove();
    }
    for (const result of results.values()) track(result);
    return Object.fromEntries(results) as Record<N, Tensor>;
  };
}
