// Pretrained weights for a model with other classes: everything is loaded but the last layer.
import { check, told, ValueError } from "../../errors.ts";
import { entriesOf, type LoadResult, type StateDict, type StateDictLike } from "../../nn/load-state-dict.ts";
import { type AnyModule, Module } from "../../nn/module.ts";
import { sameShape } from "../../tensor/shape.ts";
import { withoutLegacyNames } from "./legacy-names.ts";

/** A model that says which of its layers names the classes. */
export interface Classifier extends AnyModule {
  /** The path of the layer that names the classes, such as "fc". */
  readonly head: string;
  /**
   * Paths of the layers that name them in auxiliary heads, such as "aux1.fc2", or of heads that the model was made without. Default:
   * it never has any.
   */
  readonly auxiliaryHeads?: readonly string[];
}

/** Throws unless the model is one with a head. */
export function checkClassifier(name: string, model: Classifier): void {
  check(
    model instanceof Module && typeof model.head === "string",
    () => `[${name}] got ${told(model)} in the place of a model with a \`head\`, the path of its last layer`,
    ValueError,
  );
}

/** Whether an entry belongs to a layer that names the classes. */
const isOfHead = (model: Classifier, name: string): boolean =>
  [model.head, ...(model.auxiliaryHeads ?? [])].some((path) => name.startsWith(`${path}.`));

/**
 * The dict without the last layer's entries where their shapes are not the model's: weights of 1000 classes for a model
 * of ten. Where they fit, all entries. So for each auxiliary head; one that the model was made without is left out.
 */
export function withoutHead(dict: StateDictLike, model: Classifier): StateDict {
  checkClassifier("withoutHead", model);
  const given = entriesOf("withoutHead", dict);
  const named = [...model.namedParameters()];
  for (const path of [model.head, ...(model.auxiliaryHeads ?? [])]) {
    const mine = named.filter(([name]) => name.startsWith(`${path}.`));
    const fits = mine.every(([name, p]) => {
      const shape = given.get(name)?.shape;
      return shape !== undefined && sameShape(shape, p.shape);
    });
    if (fits && (mine.length > 0 || path === model.head)) continue;
    for (const name of given.keys()) if (name.startsWith(`${path}.`)) given.delete(name);
  }
  return Object.fromEntries(given);
}

/**
 * Loads pretrained weights. A last layer for another number of classes, that of an auxiliary head too, is left as it was
 * initialised, and its keys are returned as missing. Weights of auxiliary heads that the model was made without are left out.
 * Anything else that does not fit is an error.
 * Names of earlier versions of torchvision, which some published files have, are today's.
 * @throws StateDictError as `loadStateDict` does.
 */
export async function loadPretrained(model: Classifier, dict: StateDictLike): Promise<LoadResult> {
  checkClassifier("loadPretrained", model);
  const known = new Set(Array.from([...model.namedParameters(), ...model.namedBuffers()], ([name]) => name));
  const given = Object.fromEntries(entriesOf("loadPretrained", dict));
  const rest = withoutHead(withoutLegacyNames(given, known), model);
  const own = [...model.namedParameters()].filter(([name]) => isOfHead(model, name));
  const missingKeys = own.map(([name]) => name).filter((name) => !(name in rest));
  // The model's own values stand for what is left out, so that all else is checked strictly.
  await model.loadStateDict({ ...Object.fromEntries(own), ...rest });
  return { missingKeys, unexpectedKeys: [] };
}
