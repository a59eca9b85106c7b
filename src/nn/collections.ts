// ModuleDict, ParameterList and ParameterDict: modules and parameters by name or number that are part of a model.
import { check, listed, told, ValueError } from "../errors.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type AnyModule, Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Names and what they stand for: an object, a Map, or pairs. */
export type Named<T> = Readonly<Record<string, T>> | Iterable<readonly [name: string, value: T]>;

function entriesOf<T>(container: string, given: Named<T>): [string, T][] {
  check(
    typeof given === "object" && given !== null,
    () => `[${container}] got ${told(given)} in the place of an object of names and what they stand for`,
    ValueError,
  );
  const pairs: Iterable<unknown> = Symbol.iterator in given ? (given as Iterable<unknown>) : Object.entries(given);
  return Array.from(pairs, (pair) => {
    check(
      Array.isArray(pair) && pair.length === 2,
      () => `[${container}] takes pairs of a name and what it stands for, got ${told(pair)}`,
      ValueError,
    );
    return pair as [string, T];
  });
}

/** What dictionaries have in common: entries are properties of their names, which state dicts take as they are. */
abstract class Dict<T extends object> extends Module<never, never> {
  override get verbatim(): boolean {
    return true;
  }

  /** Throws, or makes of a value what is kept. */
  protected abstract kept(key: string, value: T): T;
  /** Whether a property is an entry. */
  protected abstract holds(value: unknown): value is T;

  /** What is known by this name; undefined where nothing is. */
  get(key: string): T | undefined {
    const value: unknown = typeof key === "string" && Object.hasOwn(this, key) ? Reflect.get(this, key) : undefined;
    return this.holds(value) ? value : undefined;
  }

  /** Adds an entry, or replaces the one of that name. */
  set(key: string, value: T): this {
    const name = this.constructor.name;
    check(
      typeof key === "string" && key !== "" && !key.includes("."),
      () => `[${name}] a name is text without dots, got ${told(key)}`,
      ValueError,
    );
    check(
      this.has(key) || !(key in this),
      () => `[${name}] cannot call an entry ${told(key)}: that is a member of modules`,
      ValueError,
    );
    Reflect.set(this, key, this.kept(key, value));
    return this;
  }

  /** Adds entries, or replaces those of their names. */
  update(entries: Named<T>): this {
    for (const [key, value] of entriesOf(this.constructor.name, entries)) this.set(key, value);
    return this;
  }

  /** Whether there is an entry of this name. */
  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** Takes an entry out, and says whether there was one. What it stood for is not disposed. */
  delete(key: string): boolean {
    return this.has(key) && Reflect.deleteProperty(this, key);
  }

  /** Names, in the order in which they were added. */
  *keys(): Iterable<string> {
    for (const [key] of this.entries()) yield key;
  }

  /** What the names stand for. */
  *values(): Iterable<T> {
    for (const [, value] of this.entries()) yield value;
  }

  /** Names with what they stand for. */
  *entries(): Iterable<[key: string, value: T]> {
    for (const [key, value] of Object.entries(this)) if (this.holds(value)) yield [key, value];
  }

  /** The number of entries. */
  get size(): number {
    return [...this.entries()].length;
  }

  [Symbol.iterator](): Iterator<[key: string, value: T]> {
    return this.entries()[Symbol.iterator]();
  }

  override forward(): never {
    throw new ValueError(`[${this.constructor.name}] has no forward of its own: get() what it holds`);
  }
}

/**
 * Modules by name that are part of the model, for a `forward` of your own: `new nn.ModuleDict({ relu: new nn.ReLU() }).get("relu")`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ModuleDict.html
 */
export class ModuleDict<M extends AnyModule = Module> extends Dict<M> {
  constructor(modules: Named<M> = {}) {
    super();
    this.update(modules);
  }

  protected override kept(key: string, module: M): M {
    check(
      module instanceof Module,
      () => `[ModuleDict] ${told(key)} must be a module, got ${told(module)}`,
      ValueError,
    );
    return module;
  }

  protected override holds(value: unknown): value is M {
    return value instanceof Module;
  }
}

/** A parameter, or one that takes over a tensor. */
function parameterOf(container: string, key: string | number, value: unknown): Parameter {
  check(
    value instanceof Tensor,
    () => `[${container}] ${told(key)} must be a parameter or a tensor, got ${told(value)}`,
    ValueError,
  );
  return value instanceof Parameter ? value : new Parameter(value);
}

/**
 * Parameters by name that are part of the model. A tensor becomes a parameter, which takes it over.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ParameterDict.html
 */
export class ParameterDict extends Dict<Tensor> {
  constructor(parameters: Named<Tensor> = {}) {
    super();
    this.update(parameters);
  }

  protected override kept(key: string, value: Tensor): Tensor {
    return parameterOf("ParameterDict", key, value);
  }

  protected override holds(value: unknown): value is Tensor {
    return value instanceof Parameter;
  }
}

/**
 * A list of parameters that are part of the model. A tensor becomes a parameter, which takes it over.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ParameterList.html
 */
export class ParameterList extends Module<never, never> {
  [index: number]: Parameter;

  constructor(parameters: Iterable<Tensor> = []) {
    super();
    for (const parameter of listed("ParameterList", "parameters: pass an array of them", parameters))
      this.append(parameter);
  }

  /** The number of parameters. */
  get length(): number {
    return [...this].length;
  }

  /** Adds a parameter at the end. */
  append(parameter: Tensor): this {
    const { length } = this;
    this[length] = parameterOf("ParameterList", length, parameter);
    return this;
  }

  *[Symbol.iterator](): Iterator<Parameter> {
    for (let i = 0; ; i++) {
      const parameter = this[i];
      if (parameter === undefined) return;
      yield parameter;
    }
  }

  override forward(): never {
    throw new ValueError("[ParameterList] has no forward of its own: loop over its parameters");
  }
}
