// Finds the named weights in what a checkpoint holds.
import { FormatError } from "../errors.ts";
import { moduleState } from "./module-state.ts";
import { describe, PickleOpaque, refusal } from "./pickle.ts";
import type { RawTensor } from "./raw.ts";

/** Keys under which training scripts store the weights beside the epoch, the optimizer and so on. */
const WRAPPERS = ["state_dict", "model_state_dict", "model"];
/** What DataParallel and torch.compile put before every name. */
const PREFIXES = ["module.", "_orig_mod."];
/** What AveragedModel (SWA and EMA) counts beside the weights. */
const BYSTANDER = "n_averaged";
/** No wrapper is put around another more often. */
const MAX_PREFIXES = 8;
/** Characters of a path of keys. */
const MAX_PATH = 10_000;
/** What errors begin with. */
const SOURCE = "loadTorch";

interface Leaf {
  readonly shape: readonly number[];
}
type IsTensor<T> = (value: unknown) => value is T;
type Dict = ReadonlyMap<unknown, unknown>;

function fail(message: string): never {
  throw new FormatError(`[${SOURCE}] ${message}`);
}

/**
 * The weights of a parsed checkpoint by name: those at the path `key`, or those of a state dict, of a dict with one under
 * `state_dict`, `model_state_dict` or `model`, or of the only dict of tensors there is. A single tensor is named
 * `tensor`, those of a list by their index. Where a whole model was saved, its parameters and buffers count as a state
 * dict. Entries that are not tensors are left out; a `module.` (DataParallel, AveragedModel, whose `n_averaged` is left
 * out) or `_orig_mod.` (torch.compile) before every name is dropped.
 *
 * @throws FormatError if there are no named tensors, or several dicts of them, saying what there is; UnsafePickleError
 * where an object of Python is in the place of weights.
 */
export const stateDictOf = (tree: unknown, key?: string): Map<string, RawTensor> =>
  selectStateDict(tree, isRawTensor, key);

/** Like stateDictOf, for any kind of leaf. */
export function selectStateDict<T extends Leaf>(tree: unknown, isTensor: IsTensor<T>, key?: string): Map<string, T> {
  if (key !== undefined) {
    const found = at(tree, key);
    if (found === undefined) fail(`there is no "${key}" in the file${choices(tree, isTensor)}`);
    const named = namedTensors(found, isTensor);
    if (named.size === 0) {
      fail(`"${key}" is ${describe(found)}, but named tensors were expected${choices(tree, isTensor)}`);
    }
    return withoutPrefixes(named);
  }
  if (moduleState(tree) !== undefined) return withoutPrefixes(namedTensors(tree, isTensor));
  if (!(tree instanceof Map)) {
    const named = namedTensors(tree, isTensor);
    if (named.size > 0) return withoutPrefixes(named);
    fail(`the file holds ${describe(tree)}, but a dict of named tensors was expected: save model.state_dict()`);
  }
  for (const wrapper of WRAPPERS) {
    const inner: unknown = tree.get(wrapper);
    const dict = moduleState(inner) ?? inner;
    if (dict instanceof PickleOpaque) throw refusal(SOURCE, dict);
    if (dict instanceof Map && hasTensors(dict, isTensor)) return withoutPrefixes(namedTensors(dict, isTensor));
  }
  const [candidate, ...others] = candidates(tree, isTensor);
  if (candidate === undefined) {
    // A whole model was saved, or nothing of use.
    for (const value of tree.values()) if (value instanceof PickleOpaque) throw refusal(SOURCE, value);
    const keys = [...tree.keys()].slice(0, 10).map(describe).join(", ");
    fail(`the file's dict has no named tensors, only the keys ${keys || "(none)"}: a state dict was expected`);
  }
  if (others.length > 0) fail(`the file holds several dicts of tensors${choices(tree, isTensor)}`);
  return withoutPrefixes(namedTensors(candidate.dict, isTensor));
}

/** The value at a path of keys, which may have dots themselves, and of indices into lists. "" is the whole. */
function at(node: unknown, path: string): unknown {
  if (path === "") return node;
  for (let end = path.length; end > 0; end = path.lastIndexOf(".", end - 1)) {
    const key = path.slice(0, end);
    const inner: unknown =
      node instanceof Map
        ? (node.get(key) ?? node.get(Number(key)))
        : Array.isArray(node)
          ? node[Number(key)]
          : undefined;
    const found = inner === undefined ? undefined : at(inner, path.slice(end + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The dicts that may be the weights, with their paths: those of tensors, found through keys that are text (an
 * optimizer numbers its state). Where one has more, those of single values, such as a loss, do not count.
 */
function candidates<T extends Leaf>(tree: Dict, isTensor: IsTensor<T>): { path: string; dict: Dict }[] {
  const found: { path: string; dict: Dict }[] = [];
  const seen = new Set<unknown>([tree]);
  const open: { path: string; dict: Dict }[] = [{ path: "", dict: tree }];
  for (const place of open) {
    if (hasTensors(place.dict, isTensor)) found.push(place);
    for (const [key, inner] of place.dict) {
      if (typeof key !== "string" || seen.has(inner)) continue;
      const dict = moduleState(inner) ?? inner;
      if (!(dict instanceof Map)) continue;
      seen.add(inner);
      if (place.path.length + key.length > MAX_PATH) fail(`keys nest to paths of more than ${MAX_PATH} characters`);
      open.push({ path: place.path === "" ? key : `${place.path}.${key}`, dict });
    }
  }
  const large = found.filter(({ dict }) => [...dict.values()].some((t) => isTensor(t) && t.shape.some((d) => d !== 1)));
  return large.length > 0 ? large : found;
}

/** What `key` may be, for error messages. */
function choices<T extends Leaf>(tree: unknown, isTensor: IsTensor<T>): string {
  const found = tree instanceof Map ? candidates(tree, isTensor) : [];
  const paths = found.slice(0, 10).map(({ path }) => JSON.stringify(path.slice(0, 80)));
  return paths.length === 0
    ? ""
    : `: tensors are at ${paths.join(", ")}${found.length > 10 ? ", ..." : ""}, name one as { key: ${paths[0]} }`;
}

const hasTensors = <T>(dict: Dict, isTensor: IsTensor<T>): boolean => [...dict.values()].some(isTensor);

function namedTensors<T>(node: unknown, isTensor: IsTensor<T>): Map<string, T> {
  const dict = moduleState(node) ?? node;
  if (dict instanceof PickleOpaque) throw refusal(SOURCE, dict);
  const found = new Map<string, T>();
  if (isTensor(node)) return found.set("tensor", node);
  const entries: Iterable<[unknown, unknown]> = Array.isArray(dict)
    ? Array.from(dict, (value, i) => [String(i), value])
    : dict instanceof Map
      ? dict
      : [];
  for (const [name, value] of entries) {
    if (value instanceof PickleOpaque) throw refusal(SOURCE, value, name);
    if (!isTensor(value)) continue;
    if (name instanceof Uint8Array) fail("a weight's name is not text in UTF-8: rename it in Python and save it anew");
    if (typeof name === "string") found.set(name, value);
  }
  return found;
}

function withoutPrefixes<T>(named: Map<string, T>): Map<string, T> {
  let result = named;
  for (let i = 0; i <= MAX_PREFIXES; i++) {
    const all: [string, T][] = [...result];
    const entries = all.filter(([name]) => name !== BYSTANDER);
    const prefix = PREFIXES.find((p) => entries.every(([name]) => name.startsWith(p) && name.length > p.length));
    if (prefix === undefined || entries.length === 0) return result;
    result = new Map(entries.map(([name, value]) => [name.slice(prefix.length), value]));
  }
  fail(`every name begins with more than ${MAX_PREFIXES} times ${PREFIXES.join(" or ")}: this is not a checkpoint`);
}

function isRawTensor(value: unknown): value is RawTensor {
  return typeof value === "object" && value !== null && "dtype" in value && "shape" in value && "data" in value;
}
