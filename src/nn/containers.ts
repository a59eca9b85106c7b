// Sequential and ModuleList: modules by number.
import { check, listed, told, ValueError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { chain } from "./chain.ts";
import { type AnyModule, Module } from "./module.ts";

function checkModule(container: string, at: number, module: unknown): void {
  check(
    module instanceof Module,
    () => `[${container}] element ${at} must be a module, got ${told(module)}`,
    ValueError,
  );
}

/** The modules under the properties 0, 1, 2, ... */
function* numbered<M>(owner: { readonly [index: number]: M }): Generator<M> {
  for (let i = 0; ; i++) {
    const module = owner[i];
    if (module === undefined) return;
    yield module;
  }
}

/**
 * Modules in a row, each fed the output of the one before. `model[3] = new Linear(...)` replaces one.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Sequential.html
 */
export class Sequential extends Module {
  [index: number]: Module;

  constructor(...modules: readonly Module[]) {
    super();
    for (const [i, module] of modules.entries()) {
      checkModule("Sequential", i, module);
      this[i] = module;
    }
  }

  /** The number of modules. */
  get length(): number {
    return [...this].length;
  }

  /** Adds a module at the end. */
  append(module: Module): this {
    checkModule("Sequential", this.length, module);
    this[this.length] = module;
    return this;
  }

  [Symbol.iterator](): Iterator<Module> {
    return numbered(this);
  }

  override forward(x: Tensor): Tensor {
    return chain(x, this);
  }
}

/**
 * A list of modules that are part of the model, for a `forward` of your own.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ModuleList.html
 */
export class ModuleList<M extends AnyModule = Module> extends Module<never, never> {
  [index: number]: M;

  constructor(modules: Iterable<M> = []) {
    super();
    for (const [i, module] of listed("ModuleList", "modules: pass an array of them", modules).entries()) {
      checkModule("ModuleList", i, module);
      this[i] = module;
    }
  }

  /** The number of modules. */
  get length(): number {
    return [...this].length;
  }

  /** Adds a module at the end. */
  append(module: M): this {
    checkModule("ModuleList", this.length, module);
    this[this.length] = module;
    return this;
  }

  [Symbol.iterator](): Iterator<M> {
    return numbered<M>(this);
  }

  override forward(): never {
    throw new ValueError("[ModuleList] has no forward of its own: loop over its modules");
  }
}
