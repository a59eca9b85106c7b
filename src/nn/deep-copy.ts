// deepCopy: a second module with the values of the first, and nothing in common with it.
import { noGrad } from "../autograd/mode.ts";
import { check, StateError, told, ValueError } from "../errors.ts";
import { clone } from "../ops/clone.ts";
import { keep } from "../tensor/scope.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type AnyModule, Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

// Strings, templates and comments, in which a # says nothing.
const QUOTED = /\/\/.*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`/g;
// Private members as they are written, and as compilers for older engines write them.
const PRIVATE = /#[A-Za-z_$][\w$]*|\b__(?:privateGet|privateAdd|classPrivateFieldGet|classPrivateFieldSet)\b/;

/** Modules that hooks have made into something that a copy without them is not, and what to do first. */
export const uncopied = new WeakMap<AnyModule, string>();

/** Throws where hooks keep the module going, or a class below `Module` has private members: they are made by its constructor alone, which a copy has not run. */
function checkCopied(module: AnyModule): void {
  const first = uncopied.get(module);
  check(
    first === undefined,
    () => `[deepCopy] ${module.constructor.name} computes its weight by a hook, and hooks are not copied: ${first}`,
    StateError,
  );
  for (let at = Object.getPrototypeOf(module); at && at !== Module.prototype; at = Object.getPrototypeOf(at)) {
    const text = Function.prototype.toString.call(at.constructor).replace(QUOTED, "");
    const [found] = PRIVATE.exec(text) ?? [];
    check(
      found === undefined,
      () =>
        `[deepCopy] ${at.constructor.name} has private members (${found}), which a copy cannot have: declare them "private" without #, or make a second model and load this one's stateDict() into it`,
      StateError,
    );
  }
}

function copyTensor(source: Tensor): Tensor {
  check(
    source.isLeaf,
    () =>
      `[deepCopy] ${String(source)} is the result of an operation: only parameters, buffers and other leaves are copied`,
    StateError,
  );
  const { requiresGrad } = source;
  const values = noGrad(() => clone(source));
  if (source instanceof Parameter) return new Parameter(values, requiresGrad);
  keep(values);
  if (requiresGrad) values.requiresGrad = true;
  return values;
}

function copyOf(value: unknown, copies: Map<object, unknown>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  const remember = <T>(copy: T): T => {
    copies.set(value, copy);
    return copy;
  };
  if (value instanceof Tensor) return remember(copyTensor(value));
  if (value instanceof Module) {
    checkCopied(value);
    return copyProperties(value, remember(value.blank()), copies);
  }
  if (Array.isArray(value)) return copyProperties(value, remember([]), copies);
  if (value instanceof Map) {
    const copy = remember(new Map());
    for (const [key, item] of value) copy.set(copyOf(key, copies), copyOf(item, copies));
    return copy;
  }
  if (value instanceof Set) {
    const copy = remember(new Set());
    for (const item of value) copy.add(copyOf(item, copies));
    return copy;
  }
  const prototype = Object.getPrototypeOf(value);
  // What is of another class has its own ways, and stays shared.
  if (prototype !== Object.prototype && prototype !== null) return value;
  return copyProperties(value, remember(Object.create(prototype)), copies);
}

/** Enumerable properties alone: those of hooks are not. */
function copyProperties(source: object, target: object, copies: Map<object, unknown>): object {
  for (const key of Reflect.ownKeys(source)) {
    if (!Object.prototype.propertyIsEnumerable.call(source, key)) continue;
    const value = copyOf(Reflect.get(source, key), copies);
    Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
  }
  return target;
}

/**
 * A module of the same class with copies of everything in it, as Python's `copy.deepcopy` makes one: parameters, buffers, modules
 * below, arrays, objects, Maps and Sets, with the modes they are in; what appears twice does so in the copy. Gradients and hooks
 * are left out, functions and objects of other classes are shared.
 * @throws StateError for a class of your own with private `#` members, and for a tensor that is the result of an operation.
 * @see https://docs.python.org/3/library/copy.html
 */
export function deepCopy<M extends AnyModule>(module: M): M {
  check(module instanceof Module, () => `[deepCopy] takes a module, got ${told(module)}`, ValueError);
  const copies = new Map<object, unknown>();
  try {
    return copyOf(module, copies) as M;
  } catch (error) {
    for (const copy of copies.values()) if (copy instanceof Tensor) copy.dispose();
    throw error;
  }
}
