// TorchScript archives (torch.jit.save): the state dict of the program's modules. The program itself is not run.
import { collectState, type ModuleParts } from "./module-state.ts";
import { PickleOpaque } from "./pickle.ts";
import { fail } from "./torch-file.ts";

interface Declared {
  readonly parameters: readonly string[];
  /** undefined in files of PyTorch before 1.5, which does not list them. */
  readonly buffers: readonly string[] | undefined;
}

/**
 * The state dict of the module that is the archive's object. Its attributes are all in the pickle; which are parameters
 * and buffers stands in the code, as `__parameters__ = ["weight", ]`.
 * (https://github.com/pytorch/pytorch/blob/main/torch/csrc/jit/docs/serialization.md)
 * @param code the text of a file of the archive's folder `code`, "" where there is none
 */
export function scriptStateDict(root: unknown, code: (path: string) => string): Map<string, unknown> {
  const classes = new Map<string, Declared | undefined>();
  const declared = (path: string): Declared | undefined => {
    if (!classes.has(path)) classes.set(path, declaredIn(path, code));
    return classes.get(path);
  };
  const partsOf = (node: unknown): ModuleParts | undefined => {
    if (!(node instanceof PickleOpaque && node.state instanceof Map)) return undefined;
    const lists = declared(node.path);
    if (lists === undefined) return undefined;
    const state: Map<unknown, unknown> = node.state;
    const { parameters, buffers } = lists;
    const names: Iterable<unknown> = buffers === undefined ? state.keys() : [...parameters, ...buffers];
    const own = Array.from(names, (name): [unknown, unknown] => [name, state.get(name) ?? null]).filter(
      ([, value]) => buffers !== undefined || isTensor(value),
    );
    return { own, children: [...state].filter(([, value]) => value instanceof PickleOpaque) };
  };
  const found = collectState(root, partsOf);
  if (found === undefined || found.size === 0) {
    fail(
      "the TorchScript archive has no named parameters (torch.jit.freeze makes them constants): save the state_dict() " +
        "of the model that it was made from",
    );
  }
  return found;
}

const isTensor = (value: unknown): boolean => typeof value === "object" && value !== null && "strides" in value;

/** What class `__torch__.a.b.C` declares: it stands in the file `__torch__/a/b.py`. */
function declaredIn(path: string, code: (path: string) => string): Declared | undefined {
  const [, file = "", name = ""] = /^(__torch__(?:\.\w+)*)\.(\w+)$/.exec(path) ?? [];
  if (file === "") return undefined;
  const text = code(`${file.replaceAll(".", "/")}.py`);
  const start = text.indexOf(`class ${name}(Module):`);
  if (start < 0) return undefined;
  const end = text.indexOf("\nclass ", start);
  const body = text.slice(start, end < 0 ? text.length : end);
  return { parameters: listIn(body, "__parameters__") ?? [], buffers: listIn(body, "__buffers__") };
}

function listIn(body: string, list: string): string[] | undefined {
  const line = new RegExp(`^ *${list} = \\[(.*)\\]$`, "m").exec(body)?.[1];
  return line === undefined ? undefined : Array.from(line.matchAll(/"([^"]*)"/g), ([, name = ""]) => name);
}
