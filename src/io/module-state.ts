// The state dict of a whole model that torch.save wrote: its objects are not made, but the attributes are there to read.
import { PickleOpaque } from "./pickle.ts";
import { fail } from "./torch-file.ts";

/** More modules, deeper nests and longer names than models have. */
const MAX_MODULES = 100_000;
const MAX_DEPTH = 100;
const MAX_NAME_LENGTH = 2 ** 22;

/** A module's own entries, those of the modules below it left out. */
export interface ModuleParts {
  /** Parameters and buffers by name. null entries are left out of the state dict. */
  readonly own: Iterable<readonly [unknown, unknown]>;
  readonly children: Iterable<readonly [unknown, unknown]>;
}

/**
 * The entries of `root` and the modules below it, in the order of PyTorch's `state_dict()`.
 * @param partsOf tells what a module has, undefined for what is none
 * @returns undefined where `root` is no module
 */
export function collectState(
  root: unknown,
  partsOf: (node: unknown) => ModuleParts | undefined,
): Map<string, unknown> | undefined {
  if (partsOf(root) === undefined) return undefined;
  const found = new Map<string, unknown>();
  let modules = 0;
  let length = 0;
  // A module that is used twice has its entries twice: few objects may make many.
  const visit = (node: unknown, prefix: string, depth: number): void => {
    const parts = partsOf(node);
    if (parts === undefined) return;
    modules++;
    if (modules > MAX_MODULES || depth > MAX_DEPTH) {
      fail(
        `the model has more than ${MAX_MODULES} modules or nests more than ${MAX_DEPTH} deep: save model.state_dict()`,
      );
    }
    for (const [name, value] of parts.own) {
      if (typeof name !== "string" || value === null) continue;
      length += prefix.length + name.length;
      if (length > MAX_NAME_LENGTH) fail("the names of the model's parameters take megabytes: save model.state_dict()");
      found.set(prefix + name, value);
    }
    for (const [name, child] of parts.children) {
      if (typeof name === "string") visit(child, `${prefix}${name}.`, depth + 1);
    }
  };
  visit(root, "", 0);
  return found;
}

/** The state dict of a pickled torch.nn.Module, undefined where `node` is none. */
export const moduleState = (node: unknown): Map<string, unknown> | undefined =>
  node instanceof PickleOpaque ? collectState(node, partsOfModule) : undefined;

function partsOfModule(node: unknown): ModuleParts | undefined {
  if (!(node instanceof PickleOpaque && node.state instanceof Map)) return undefined;
  const attribute = (name: string): unknown => (node.state instanceof Map ? node.state.get(name) : undefined);
  const parameters = attribute("_parameters");
  const buffers = attribute("_buffers");
  const children = attribute("_modules");
  const left = attribute("_non_persistent_buffers_set"); // since PyTorch 1.6
  if (!(parameters instanceof Map && buffers instanceof Map && children instanceof Map)) return undefined;
  const kept = [...buffers].filter(([name]) => !(left instanceof Set && left.has(name)));
  return { own: [...parameters, ...kept], children };
}
