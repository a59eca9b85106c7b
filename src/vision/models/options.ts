// What the builders of models share: options with defaults filled in, checked before a model takes its memory.
import { checkNumber, checkOptions, checkWhole } from "../../errors.ts";

/** What every model takes. */
export interface ModelOptions {
  /** Outputs of the last layer. Default 1000. */
  numClasses?: number;
}

/** What models with dropout take. */
export interface DropoutOptions extends ModelOptions {
  /** Probability of the dropout before the last layers. Default 0.5, or as the model says. */
  dropout?: number;
}

/** The number of classes. */
export function classesOf(
  name: string,
  options: ModelOptions,
  known: readonly string[] = ["numClasses"],
  classes = 1000,
): number {
  checkOptions(name, options, known);
  const { numClasses = classes } = options;
  checkWhole(name, "numClasses", numClasses, 1);
  return numClasses;
}

/** The number of classes, and the probability of dropout. */
export function droppedOf(name: string, options: DropoutOptions, most = 0.5): Required<DropoutOptions> {
  const numClasses = classesOf(name, options, ["numClasses", "dropout"]);
  const { dropout = most } = options;
  checkNumber(name, "dropout", dropout, 0, 1);
  return { numClasses, dropout };
}
