// Pretrained weights for a model with other classes: everything is loaded but the last layer.
import { check, told, ValueError } from "../../errors.ts";
import { entriesOf, type LoadResult, type StateDict, type StateDictLike } from "../../nn/load-state-dict.ts";
import { Module } from "../../nn/module.ts";
import { sameShape } from "../../tensor/shape.ts";

/** A model that says which of its layers names the classes. */
export interface Classifier extends Module {
  /** The path of the layer that names the classes, such as "fc". */
  readonly head: string;
}

function checkClassifier(name: string, model: Classifier): void {
  check(
    model instanceof Module && typeof model.head === "string",
    () => `[${name}] got ${told(model)} in the place of a model with a \`head\`, the path of its last layer`,
    ValueError,
  );
}

/**
 * The dict without the last layer's entries where their shapes are not the model's: weights of 1000 classes for a model
 * of ten. Where they fit, all entries.
 */
export function withoutHead(dict: StateDictLike, model: Classifier): StateDict {
  checkClassifier("withoutHead", model);
  const given = entriesOf("withoutHead", dict);
  const mine = [...model.namedParameters()].filter(([name]) => name.startsWith(`${model.head}.`));
  const fits = mine.every(([name, p]) => {
    const shape = given.get(name)?.shape;
    return shape !== undefined && sameShape(shape, p.shape);
  });
  if (fits) return Object.fromEntries(given);
  return Object.fromEntries([...given].filter(([name]) => !name.startsWith(`${model.head}.`)));
}

/**
 * Loads pretrained weights. A last layer for another number of classes is left as it was initialised, and its keys are
 * returned as missing; anything else that does not fit is an error.
 * @throws StateDictError as `loadStateDict` does.
 */
export async function loadPretrained(model: Classifier, dict: StateDictLike): Promise<LoadResult> {
  checkClassifier("loadPretrained", model);
  const rest = withoutHead(dict, model);
  const own = [...model.namedParameters()].filter(([name]) => name.startsWith(`${model.head}.`));
  const missingKeys = own.map(([name]) => name).filter((name) => !(name in rest));
  // The model's own values stand for what is left out, so that all else is checked strictly.
  await model.loadStateDict({ ...Object.fromEntries(own), ...rest });
  return { missingKeys, unexpectedKeys: [] };
}
