// Loading a state dict into tensors: every key and shape is checked before the first value is copied.
import { brief, check, checkOptions, StateDictError, told } from "../errors.ts";
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
  /**
   * The module's name for one of the dict's: a function, or prefixes and what replaces them, of which the first that fits
   * counts. `{ "backbone.": "", "head.": "fc." }` takes `backbone.conv1.weight` as `conv1.weight`. A function that gives
   * undefined leaves the entry out. Default: names stay as they are.
   */
  remap?: ((name: string) => string | undefined) | Readonly<Record<string, string>>;
  /** Which entries of the dict count, by their names in it. Others are neither copied nor unexpected. Default: all. */
  filter?: (name: string, tensor: Tensor) => boolean;
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

/** The entries of the dict that count, by the names that the module has for them. */
function chosen(given: StateDictLike, { remap, filter }: LoadOptions): Map<string, Tensor> {
  const dict = entriesOf("loadStateDict", given);
  if (remap === undefined && filter === undefined) return dict;
  const prefixes = typeof remap === "object" ? Object.entries(remap) : [];
  const byPrefix = (name: string) => {
    const found = prefixes.find(([from]) => name.startsWith(from));
    return found ? found[1] + name.slice(found[0].length) : name;
  };
  const rename = typeof remap === "function" ? remap : byPrefix;
  const result = new Map<string, Tensor>();
  for (const [name, tensor] of dict) {
    const to = (filter?.(name, tensor) ?? true) ? rename(name) : undefined;
    if (to === undefined) continue;
    check(
      !result.has(to),
      () => `[loadStateDict] remap gives two entries of the dict the name ${brief(to)}, the second is ${brief(name)}`,
      StateDictError,
    );
    result.set(to, tensor);
  }
  return result;
}

/** Another model's dict has hundreds of names that do not fit. */
const LINES_OF_A_KIND = 3;

/** The first few problems of a kind, a line each, and how many there are more. */
function firstOf<T>(items: readonly T[], line: (item: T) => string): string[] {
  const lines = items.slice(0, LINES_OF_A_KIND).map(line);
  const rest = items.length - lines.length;
  return rest === 0 ? lines : [...lines.slice(0, -1), `${lines.at(-1)}, and ${rest} more`];
}

/** PyTorch before 0.4.1 did not count the batches of a batch norm, and later versions load such files. */
const isCounter = (name: string): boolean => /(^|\.)num_batches_tracked$/.test(name);

const ADVICE = " ({ strict: false } accepts missing and unexpected keys, remap renames)";

/** Why a dict does not fit. Called by the message alone, which production builds leave out. */
const problemsOf = (
  dict: ReadonlyMap<string, Tensor>,
  strict: boolean,
  missing: readonly Target[],
  unexpected: readonly string[],
  misshaped: readonly { readonly name: string; readonly target: Tensor; readonly source: Tensor }[],
): string[] => [
  ...(strict
    ? [
        ...firstOf(missing, ([name, t]) => `${brief(name)} ${show(t.shape)} is missing`),
        ...firstOf(unexpected, (name) => `${brief(name)} ${show(dict.get(name)?.shape ?? [])} is not expected`),
      ]
    : []),
  ...firstOf(
    misshaped,
    ({ name, target, source }) => `${brief(name)} has shape ${show(source.shape)}, expected ${show(target.shape)}`,
  ),
];

type Target = readonly [name: string, target: Tensor];

/** See `Module.loadStateDict`. */
export async function loadInto(
  module: string,
  targets: readonly Target[],
  given: StateDictLike,
  options: LoadOptions,
): Promise<LoadResult> {
  checkOptions("loadStateDict", options, ["strict", "remap", "filter"]);
  const { strict = true } = options;
  const dict = chosen(given, options);
  const known = new Set(targets.map(([name]) => name));
  const missing = targets.filter(([name]) => !dict.has(name) && !isCounter(name));
  const unexpectedKeys = [...dict.keys()].filter((name) => !known.has(name));
  const pairs = targets.flatMap(([name, target]) => {
    const source = dict.get(name);
    return source ? [{ name, target, source }] : [];
  });
  const misshaped = pairs.filter(({ target, source }) => !sameShape(target.shape, source.shape));
  if (misshaped.length > 0 || (strict && missing.length + unexpectedKeys.length > 0)) {
    throw new StateDictError(
      `[loadStateDict] the dict does not fit ${module}${strict ? ADVICE : ""}:\n  ${problemsOf(dict, strict, missing, unexpectedKeys, misshaped).join("\n  ")}`,
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
