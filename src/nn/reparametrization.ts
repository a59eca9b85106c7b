// What weight and spectral normalisation have in common: a parameter replaced by others, and how to undo it.
import { check, StateError, told, ValueError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { uncopied } from "./deep-copy.ts";
import { type AnyModule, Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** How to undo it, by module and property, with the name of the function that undoes it. */
const installed = new WeakMap<AnyModule, Map<string, { remove: string; undo: () => void }>>();

function checkNamed(what: string, module: unknown, name: unknown): asserts module is AnyModule {
  check(module instanceof Module, () => `[${what}] takes a module, got ${told(module)}`, ValueError);
  check(
    typeof name === "string" && name !== "",
    () => `[${what}] name must be a property's name, got ${told(name)}`,
    ValueError,
  );
}

/** The parameter of that name. Throws `StateError` where there is none, or it is normalised already. */
export function parameterOf(what: string, module: AnyModule, name: string): Parameter {
  checkNamed(what, module, name);
  const whole: unknown = Reflect.get(module, name);
  check(
    whole instanceof Parameter,
    () =>
      `[${what}] ${module.constructor.name} has no parameter ${told(name)}${installed.get(module)?.has(name) ? ": it is normalised already" : ""}`,
    StateError,
  );
  return whole;
}

/** Sets a property as an assignment would, whatever the class declares. */
export function put(module: object, property: string, value: unknown): void {
  Object.defineProperty(module, property, { value, configurable: true, enumerable: true, writable: true });
}

/**
 * Makes `compute` the value of a property before each forward, and `first` its value until then; `finish` puts the properties right
 * when it is undone. `remove`: the public function that undoes it.
 */
export function install(
  module: AnyModule,
  name: string,
  remove: string,
  { first, compute, finish }: { first: Tensor; compute: () => Tensor; finish: () => void },
): void {
  let last = first;
  put(module, name, first);
  const refresh = (): void => {
    // What the last forward needs for its gradient, the tape holds.
    last.dispose();
    last = compute();
    put(module, name, last);
  };
  const unhook = module.registerForwardPreHook(refresh);
  const undo = (): void => {
    unhook();
    last.dispose();
    finish();
  };
  const undos = installed.get(module) ?? new Map<string, { remove: string; undo: () => void }>();
  installed.set(module, undos.set(name, { remove, undo }));
  uncopied.set(module, `${remove}() first`);
}

/** Undoes `install`. Throws `StateError` where there is nothing to undo. */
export function uninstall<M extends AnyModule>(module: M, name: string, remove: string): M {
  checkNamed(remove, module, name);
  const undos = installed.get(module);
  const found = undos?.get(name);
  check(
    found?.remove === remove,
    () =>
      `[${remove}] ${told(name)} of ${module.constructor.name} is not normalised${found ? ` by it: ${found.remove} undoes it` : ""}`,
    StateError,
  );
  undos?.delete(name);
  if (undos?.size === 0) uncopied.delete(module);
  found?.undo();
  return module;
}
