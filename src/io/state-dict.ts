// Finds the named weights in what a checkpoint holds.
import { FormatError } from "../errors.ts";
import { describe } from "./pickle.ts";
import type { RawTensor } from "./raw.ts";

/** Keys under which training scripts store the weights beside the epoch, the optimizer and so on. */
const WRAPPERS = ["state_dict", "model_state_dict", "model"];
/** What DataParallel and torch.compile put before every name. */
const PREFIXES = ["module.", "_orig_mod."];

/**
 * The weights of a parsed checkpoint by name. The tree may be a state dict, or a dict with one under `state_dict`,
 * `model_state_dict` or `model`. Entries that are not tensors are left out; a `module.` (DataParallel) or `_orig_mod.`
 * (torch.compile) before every name is dropped.
 *
 * @throws FormatError if there are no named tensors, saying what there is.
 */
export const stateDictOf = (tree: unknown): Map<string, RawTensor> => selectStateDict(tree, isRawTensor);

/** Like stateDictOf, for any kind of leaf. */
export function selectStateDict<T>(tree: unknown, isTensor: (value: unknown) => value is T): Map<string, T> {
  if (!(tree instanceof Map)) {
    const what = isTensor(tree) ? "a single tensor" : describe(tree);
    throw new FormatError(
      `[loadTorch] the file holds ${what}, but a dict of named tensors was expected: save model.state_dict()`,
    );
  }
  for (const wrapper of WRAPPERS) {
    const inner: unknown = tree.get(wrapper);
    const found = inner instanceof Map ? namedTensors(inner, isTensor) : undefined;
    if (found !== undefined && found.size > 0) return withoutPrefixes(found);
  }
  const found = namedTensors(tree, isTensor);
  if (found.size === 0) {
    const keys = [...tree.keys()].slice(0, 10).map(describe).join(", ");
    throw new FormatError(
      `[loadTorch] the file's dict has no named tensors, only the keys ${keys || "(none)"}: a state dict was expected, ` +
        `plain or under ${WRAPPERS.join(", ")}`,
    );
  }
  return withoutPrefixes(found);
}

function namedTensors<T>(dict: Map<unknown, unknown>, isTensor: (value: unknown) => value is T): Map<string, T> {
  const found = new Map<string, T>();
  for (const [name, value] of dict) if (typeof name === "string" && isTensor(value)) found.set(name, value);
  return found;
}

function withoutPrefixes<T>(named: Map<string, T>): Map<string, T> {
  const names = [...named.keys()];
  const prefix = PREFIXES.find((p) => names.every((name) => name.startsWith(p) && name.length > p.length));
  if (prefix === undefined) return named;
  return withoutPrefixes(new Map([...named].map(([name, value]) => [name.slice(prefix.length), value])));
}

function isRawTensor(value: unknown): value is RawTensor {
  return typeof value === "object" && value !== null && "dtype" in value && "shape" in value && "data" in value;
}
