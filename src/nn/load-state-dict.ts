// Loading a state dict into tensors: every key and shape is checked before the first value is copied.
import { check, checkOptions, StateDictError, told } from "../errors.ts";
import { copy_ } from "../tensor/copy.ts";
import { fromHost } from "../tensor/create.ts";
import { arrayTypes } from "../tensor/dtype.ts";
import { sameShape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Parameters and buffers by name. */
export type StateDict = Record<string, Tensor>;
/** What can be loaded: a plain object, a map, or pairs. */
export type StateDictLike = Iterable<readonly [string, Tensor]> | Readonly<Record<string, Tensor>>;

/** What `Module.loadStateDict` takes. */
export interface LoadOptions {
  /** Default true: keys that are missing or not expected are errors. */
  strict?: boolean;
}

/** What `Module.loadStateDict` left alone: without `strict: false` nothing. */
export interface LoadResult {
  /** Keys of the module that the dict lacks, but for the counters of batch norms: see `Module.loadStateDict`. */
  readonly missingKeys: string[];
  /** Keys of the dict that the module lacks. */
  readonly unexpectedKeys: string[];
}

/** A state dict of any accepted form as a map of its own. */
export function entriesOf(name: string, dict: StateDictLike): Map<string, Tensor> {
  check(
    typeof dict === "object" && dict !== null && !ArrayBuffer.isView(dict),
    () =>
      `[${name}] ${told(dict)} is no state dict: pass tensors by name, as stateDict() or loadSafetensors() give them`,
    StateDictError,
  );
  const pairs: readonly unknown[] = Symbol.iterator in dict ? [...dict] : Object.entries(dict);
  return new Map(
    pairs.map((pair, i) => {
      const [key, tensor]: readonly unknown[] = Array.isArray(pair) ? pair : [];
      check(
        typeof key === "string",
        () => `[${name}] entry ${i} is ${told(pair)}: expected [name, tensor]`,
        StateDictError,
      );
      check(tensor instanceof Tensor, () => `[${name}] ${key} must be a tensor, got ${told(tensor)}`, StateDictError);
      return [key, tensor];
    }),
  );
}

/** PyTorch before 0.4.1 did not count the batches of a batch norm, and later versions load such files. */
const isCounter = (name: string): boolean => /(^|\.)num_batches_tracked$/.test(name);

/** Problems that an error lists. Those of another model are of one kind, and hundreds. */
const MOST = 12;

/** See `Module.loadStateDict`. */
export async function loadInto(
  module: string,
  targets: readonly (readonly [string, Tensor])[],
  given: StateDictLike,
  options: LoadOptions,
): Promise<LoadResult> {
  checkOptions("loadStateDict", options, ["strict"]);
  const { strict = true } = options;
  const dict = entriesOf("loadStateDict", given);
  const known = new Set(targets.map(([name]) => name));
  const missing = targets.filter(([name]) => !dict.has(name) && !isCounter(name));
  const unexpectedKeys = [...dict.keys()].filter((name) => !known.has(name));
  const pairs = targets.flatMap(([name, target]) => {
    const source = dict.get(name);
    return source ? [{ name, target, source }] : [];
  });
  const problems = pairs
    .filter(({ target, source }) => !sameShape(target.shape, source.shape))
    .map(({ name, target, source }) => `${name} has shape ${show(source.shape)}, expected ${show(target.shape)}`);
  if (strict) {
    problems.unshift(
      ...missing.map(([name, t]) => `${name} ${show(t.shape)} is missing`),
      ...unexpectedKeys.map((name) => `${name} ${show(dict.get(name)?.shape ?? [])} is not expected`),
    );
  }
  if (problems.length > 0) {
    const advice = strict ? " ({ strict: false } accepts missing and unexpected keys)" : "";
    const more = problems.length - MOST;
    const rest = more > 0 ? `\n  and ${more} more of ${known.size} keys` : "";
    throw new StateDictError(
      `[loadStateDict] the dict does not fit ${module}${advice}:\n  ${problems.slice(0, MOST).join("\n  ")}${rest}`,
    );
  }
  const converted = await Promise.all(pairs.map(({ target, source }) => convert(source, target)));
  for (const [i, { target, source }] of pairs.entries()) {
    copy_(target, converted[i] ?? source);
    converted[i]?.dispose();
  }
  return { missingKeys: missing.map(([name]) => name), unexpectedKeys };
}

/** A new tensor of the target's dtype, or null where `source` has it already. */
async function convert(source: Tensor, { dtype, device }: Tensor): Promise<Tensor | null> {
  if (source.dtype === dtype) return null;
  if (dtype === "f16") {
    throw new StateDictError(
      `[loadStateDict] ${source.dtype} values cannot be converted to ${dtype}: convert them first`,
    );
  }
  return fromHost(arrayTypes[dtype].from(await source.data()), source.shape, dtype, { device });
}
