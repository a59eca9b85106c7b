// Module: the base class of layers and models. Finds parameters, buffers and submodules among its own properties.

import { checkTensor } from "../autograd/run.ts";
import { guard } from "../capture/hooks.ts";
import { watchStructure } from "../capture/structure.ts";
import { check, checkFunction, checkOptions, StateError, told, ValueError } from "../errors.ts";
import { keep } from "../tensor/scope.ts";
import { Tensor } from "../tensor/tensor.ts";
import { wrapForward } from "./calls.ts";
import { type LoadOptions, type LoadResult, loadInto, type StateDict, type StateDictLike } from "./load-state-dict.ts";
import { Parameter } from "./parameter.ts";
import { summarize } from "./summary.ts";

/** A module whatever it takes and returns. */
export type AnyModule = Module<readonly unknown[], unknown>;

// Methods in an object type are compared bivariantly, so that every module is an `AnyModule`, hooks or not.
type Hook<A extends unknown[], R> = { hook(module: AnyModule, ...args: A): R }["hook"];
/** Sees inputs and output after a forward; may return another output. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is the common case
export type ForwardHook<I extends readonly unknown[], O> = Hook<[inputs: I, output: O], O | void>;
/** Sees the inputs before a forward; may return other ones. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is the common case
export type ForwardPreHook<I extends readonly unknown[]> = Hook<[inputs: I], I | void>;

interface Hooks {
  readonly before: Set<ForwardPreHook<readonly unknown[]>>;
  readonly after: Set<ForwardHook<readonly unknown[], unknown>>;
  /** Puts back the forward that the hooks wrap. */
  readonly uninstall: () => void;
}

const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
const camel = (name: string): string => name.replace(/_+([a-z])/g, (_, letter: string) => letter.toUpperCase());

/**
 * `numBatchesTracked` in TypeScript is `num_batches_tracked` in a state dict. A name that could not be told from its
 * key (`Mixed_5b`, `AuxLogits`), or whose key is the name of another property, is its own key.
 */
function keyOf(module: AnyModule, property: string, value: unknown): string {
  if (module.verbatim) return property;
  const key = snake(property);
  if (key === property || camel(key) !== property) return property;
  const other: unknown = Reflect.get(module, key);
  return other !== value && (other instanceof Tensor || other instanceof Module) ? property : key;
}

/** The property of the buffer that a state dict knows as `name`; either form may be given. */
const propertyOf = (name: string): string => (snake(camel(name)) === name ? camel(name) : name);
const join = (prefix: string, name: string): string => (prefix ? `${prefix}.${name}` : name);

/**
 * Base class of everything with parameters. A subclass assigns parameters, layers and registered buffers to properties
 * and defines `forward`:
 *
 * ```ts
 * class Net extends nn.Module {
 *   readonly conv1 = new nn.Conv2d(3, 16, 3, { padding: 1 });
 *   readonly fc = new nn.Linear(16, 10);
 *   forward(x: Tensor): Tensor {
 *     return this.fc.forward(F.relu(this.conv1.forward(x)).mean([2, 3]));
 *   }
 * }
 * ```
 *
 * Names are paths of property names, camelCase written as PyTorch's snake_case: `layer1.0.conv1.weight`,
 * `bn1.running_mean`. Names that are not camelCase, such as `Mixed_5b` or `AuxLogits`, stay as they are, and so does
 * `fcA` beside `fc_a`. Private (`#`) properties are not searched: a layer there that would be left
 * untrained is an error when it runs. Nor are plain arrays, and one of modules is an error
 * once parameters are asked for: use `ModuleList` for a list.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Module.html
 */
export abstract class Module<I extends readonly unknown[] = readonly [Tensor], O = Tensor> {
  #training = true;
  /** Buffers by property name: whether they belong to the state dict. */
  readonly #buffers = new Map<string, boolean>();
  #hooks: Hooks | null = null;
  #found = false;

  constructor() {
    watchStructure(this);
    wrapForward(this);
  }

  /** What the module computes. Call it as `layer.forward(x)`; hooks see its inputs and its result. */
  abstract forward(...inputs: I): O;

  /** True: batch norm uses the batch's statistics, dropout drops. `train()` and `eval()` set it for all modules below. */
  get training(): boolean {
    this.#guardMode();
    return this.#training;
  }

  set training(training: boolean) {
    // A step that changes the mode itself must find it as it was.
    this.#guardMode();
    this.#training = training;
  }

  /** For the library's own use: whether its parameters were asked for, by a method of its own or of a module that holds it. */
  get found(): boolean {
    return this.#found;
  }

  set found(found: boolean) {
    this.#found = found;
  }

  /** For the library's own use: whether properties are their own keys in a state dict, as those of dictionaries are. */
  get verbatim(): boolean {
    return false;
  }

  /** For the library's own use: whether there is a parameter to train, of this module or below it. Asks for none. */
  get trainable(): boolean {
    for (const [, module] of this.#walk("", new Set()))
      for (const [, { requiresGrad }] of module.#ownParameters()) if (requiresGrad) return true;
    return false;
  }

  /**
   * For the library's own use: a module of this class with the mode and the names of buffers of this one, but no properties. Of the
   * constructors only that of `Module` runs.
   */
  blank(): this {
    const made = Reflect.construct(Module, [], Object.getPrototypeOf(this).constructor) as this;
    made.#training = this.#training;
    for (const [property, persistent] of this.#buffers) made.#buffers.set(property, persistent);
    return made;
  }

  /** A step captured in the other mode must be recorded again. */
  #guardMode(): void {
    guard(this, () => this.#training, { returns: true });
  }

  /**
   * Makes `tensor` part of the module's state without being trained, e.g. `readonly runningMean =
   * this.registerBuffer("runningMean", zeros([n]))`. The module owns it. `persistent: false` keeps it out of the state
   * dict.
   */
  registerBuffer<T extends Tensor>(
    name: string,
    tensor: T,
    options: {
      /** Whether the state dict holds it. Default true. */
      persistent?: boolean;
    } = {},
  ): T {
    checkOptions("registerBuffer", options, ["persistent"]);
    check(
      typeof name === "string" && name !== "",
      () => `[registerBuffer] the name must be text, got ${told(name)}`,
      ValueError,
    );
    checkTensor("registerBuffer", `the buffer "${name}"`, tensor);
    const property = propertyOf(name);
    this.#buffers.set(property, options.persistent ?? true);
    keep(tensor);
    if (!(property in this)) Reflect.set(this, property, tensor);
    return tensor;
  }

  *#ownParameters(): Iterable<[string, Parameter]> {
    for (const [property, value] of Object.entries(this))
      if (value instanceof Parameter) yield [keyOf(this, property, value), value];
  }

  *#ownBuffers(persistentOnly = false): Iterable<[string, Tensor]> {
    for (const [property, persistent] of this.#buffers) {
      const value: unknown = Reflect.get(this, property);
      if (value instanceof Tensor && (persistent || !persistentOnly)) yield [keyOf(this, property, value), value];
    }
  }

  /** Direct submodules with their names, in the order in which they were assigned. */
  *namedChildren(): Iterable<[name: string, module: AnyModule]> {
    for (const [property, value] of Object.entries(this))
      if (value instanceof Module) yield [keyOf(this, property, value), value];
  }

  /** Direct submodules, in the order in which they were assigned. */
  *children(): Iterable<AnyModule> {
    for (const [, module] of this.namedChildren()) yield module;
  }

  /** This module (named "") and all below it, depth first; a module used twice appears once. */
  *namedModules(): Iterable<[name: string, module: AnyModule]> {
    const seen = new Set<AnyModule>();
    for (const named of this.#walk("", seen)) {
      named[1].found = true;
      yield named;
    }
    for (const module of seen) module.#checkFound(seen);
  }

  /** Throws where a property that is not searched, a plain array or object, holds a module that no other place has. */
  #checkFound(seen: ReadonlySet<unknown>): void {
    for (const [property, value] of Object.entries(this)) {
      if (!Array.isArray(value) && value?.constructor !== Object) continue;
      check(
        Object.values(value).every((item) => !(item instanceof Module) || seen.has(item)),
        () =>
          `[${this.constructor.name}] ${property} is a plain ${Array.isArray(value) ? "array" : "object"} of modules, which is not searched, so that they would not be trained: make it an nn.ModuleList (or, where they are another model's, a private #property)`,
        StateError,
      );
    }
  }

  *#walk(prefix: string, seen: Set<AnyModule>): Iterable<[string, AnyModule]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) yield* child.#walk(join(prefix, name), seen);
  }

  /** This module and all below it, depth first; a module used twice appears once. */
  *modules(): Iterable<AnyModule> {
    for (const [, module] of this.namedModules()) yield module;
  }

  /** Parameters with their paths, e.g. `layer1.0.conv1.weight`; a parameter used twice appears once. */
  *namedParameters(): Iterable<[name: string, parameter: Parameter]> {
    const seen = new Set<Tensor>();
    for (const [path, module] of this.namedModules()) {
      for (const [name, parameter] of module.#ownParameters()) {
        if (!seen.has(parameter)) yield [join(path, name), parameter];
        seen.add(parameter);
      }
    }
  }

  /** All parameters, of this module and those below it; one used twice appears once. For optimizers. */
  *parameters(): Iterable<Parameter> {
    for (const [, parameter] of this.namedParameters()) yield parameter;
  }

  /** Buffers with their paths, e.g. `bn1.running_mean`. */
  *namedBuffers(): Iterable<[name: string, buffer: Tensor]> {
    for (const [path, module] of this.namedModules()) {
      for (const [name, buffer] of module.#ownBuffers()) yield [join(path, name), buffer];
    }
  }

  /** All buffers, such as running statistics, of this module and those below it. */
  *buffers(): Iterable<Tensor> {
    for (const [, buffer] of this.namedBuffers()) yield buffer;
  }

  /**
   * Parameters and persistent buffers by name, in PyTorch's order. The handles are detached and share the module's
   * storage: they show later training too, and are the caller's to dispose.
   */
  stateDict(): StateDict {
    for (const _ of this.namedModules()); // throws where one is not found
    return Object.fromEntries(Array.from(this.#state(""), ([name, tensor]) => [name, tensor.detach()]));
  }

  // Unlike namedParameters, a shared parameter appears under each of its names.
  *#state(prefix: string): Iterable<[string, Tensor]> {
    for (const [name, tensor] of this.#ownParameters()) yield [join(prefix, name), tensor];
    for (const [name, tensor] of this.#ownBuffers(true)) yield [join(prefix, name), tensor];
    for (const [name, child] of this.namedChildren()) yield* child.#state(join(prefix, name));
  }

  /**
   * Copies values into the parameters and buffers, in place: optimizers and captured steps go on with them. Values of
   * another dtype are converted. Nothing is copied when an error is found.
   * A batch norm's `num_batches_tracked` may be missing, as in files of old: the counter stays as it is.
   *
   * ```ts
   * await model.loadStateDict(dict, { strict: false, filter: (name) => !name.startsWith("fc.") }); // all but the head
   * ```
   *
   * @param options.strict Default true: missing or unexpected keys are errors. Wrong shapes always are.
   * @throws StateDictError naming the first missing, unexpected and misshaped keys, and how many there are more.
   */
  async loadStateDict(dict: StateDictLike, options: LoadOptions = {}): Promise<LoadResult> {
    return loadInto(this.constructor.name, [...this.#state("")], dict, options);
  }

  /** Training mode for this module and all below it; `train(false)` is `eval()`. */
  train(mode = true): this {
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  /** Evaluation mode: batch norm uses the running statistics, dropout does nothing. */
  eval(): this {
    return this.train(false);
  }

  /** Freezes (false) or releases (true) all parameters. */
  requiresGrad_(requiresGrad = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = requiresGrad;
    return this;
  }

  /** Calls `fn` on every module below this one, then on this one: for custom initialisation. */
  apply(fn: (module: AnyModule) => void): this {
    checkFunction("apply", "what is called on each module", fn);
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Drops the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /** Frees parameters, buffers and gradients. The module cannot be used afterwards. */
  dispose(): void {
    for (const parameter of this.parameters()) parameter.dispose();
    for (const buffer of this.buffers()) buffer.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * A table of the layers: name, type, output shape (where `inputs` are given: they are run once, in evaluation mode),
   * parameters and how many of them are frozen.
   */
  summary(...inputs: I | []): string {
    return summarize(this, inputs.length > 0 ? () => void this.forward(...(inputs as I)) : null);
  }

  /** True while hooks are registered: a model that fuses layers then runs them one by one. */
  get hooked(): boolean {
    return this.#hooks !== null;
  }

  /** Calls `hook(module, inputs, output)` after each forward. Returns a function that removes it. */
  registerForwardHook(hook: ForwardHook<I, O>): () => void {
    return this.#register((hooks) => hooks.after, hook);
  }

  /** Calls `hook(module, inputs)` before each forward. Returns a function that removes it. */
  registerForwardPreHook(hook: ForwardPreHook<I>): () => void {
    return this.#register((hooks) => hooks.before, hook);
  }

  #register<H>(list: (hooks: Hooks) => Set<H>, hook: H): () => void {
    checkFunction("registerForwardHook", "a hook", hook);
    const hooks = this.#hooks ?? this.#install();
    this.#hooks = hooks;
    if (list(hooks).has(hook)) throw new StateError("[registerForwardHook] this hook is registered already");
    list(hooks).add(hook);
    return () => {
      list(hooks).delete(hook);
      if (this.#hooks !== hooks || hooks.before.size + hooks.after.size > 0) return;
      hooks.uninstall();
      this.#hooks = null;
    };
  }

  // Callers say `layer.forward(x)`, so hooks wrap `forward` of this one instance while it has any: a module without
  // hooks pays nothing for them, and subclasses need not know.
  #install(): Hooks {
    const before: Hooks["before"] = new Set();
    const after: Hooks["after"] = new Set();
    const plain = this.forward.bind(this);
    const own = Object.getOwnPropertyDescriptor(this, "forward");
    const forward = (...given: I): O => {
      let inputs = given;
      for (const hook of before) inputs = (hook(this, inputs) as I | undefined) ?? inputs;
      let output: O = plain(...inputs);
      for (const hook of after) output = (hook(this, inputs, output) as O | undefined) ?? output;
      return output;
    };
    Object.defineProperty(this, "forward", { value: forward, configurable: true, enumerable: false, writable: true });
    const uninstall = () => {
      if (own) Object.defineProperty(this, "forward", own);
      else Reflect.deleteProperty(this, "forward");
    };
    return { before, after, uninstall };
  }

  /** The module and those below it, in PyTorch's form: a line each. */
  toString(): string {
    const lines = Array.from(
      this.namedChildren(),
      ([name, child]) => `  (${name}): ${String(child).replaceAll("\n", "\n  ")}`,
    );
    const name = this.constructor.name;
    const extra = this.describe();
    return lines.length ? `${name}(${extra}\n${lines.join("\n")}\n)` : `${name}(${extra})`;
  }

  // What console.log shows in Node.
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** What `toString` and `summary` say of the module apart from its type. */
  describe(): string {
    return "";
  }
}
