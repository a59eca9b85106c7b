// What goes on around a forward: an error names the layer that it comes from by its path, and a layer that nobody trains,
// since no property that is searched holds it, is refused where it would be.
import { gradEnabled } from "../autograd/mode.ts";
import { watchedModules } from "../capture/structure.ts";
import { context } from "../context.ts";
import { check, StateError, WgradError } from "../errors.ts";

/** A module as it is seen from here. */
export interface Called {
  /** Whether its parameters were asked for, by its own methods or those of a module that holds it. */
  found: boolean;
  namedModules(): Iterable<readonly [name: string, module: object]>;
  /** Whether there is a parameter to train, of its own or below it. */
  readonly trainable: boolean;
  forward(...inputs: never[]): unknown;
}

/** The innermost module that each error came from. */
const origins = new WeakMap<object, Called>();
/** Prototypes whose forward is wrapped. */
const wrapped = new WeakSet<object>();

/**
 * Wraps the forward of the module's class, and of those that it extends, once. Instances stay as they are, so that nothing is
 * made for each module or call.
 */
export function wrapForward(module: Called): void {
  for (let at: object | null = Object.getPrototypeOf(module); at && !wrapped.has(at); at = Object.getPrototypeOf(at)) {
    wrapped.add(at);
    const own = Object.getOwnPropertyDescriptor(at, "forward");
    if (typeof own?.value !== "function") continue;
    const forward: (...inputs: unknown[]) => unknown = own.value;
    function call(this: Called, ...inputs: unknown[]): unknown {
      const caller = context.module as Called | null;
      if (caller?.found && !this.found) checkHeld(this, caller);
      context.module = this;
      try {
        return forward.apply(this, inputs);
      } catch (error) {
        if (error instanceof WgradError) locate(error, this, caller);
        throw error;
      } finally {
        context.module = caller;
      }
    }
    Object.defineProperty(at, "forward", { ...own, value: call });
  }
}

/** Notes where an error came from; the outermost forward adds the path to its message. */
function locate(error: WgradError, module: Called, caller: Called | null): void {
  const origin = origins.get(error) ?? module;
  origins.set(error, origin);
  if (caller || origin === module) return;
  for (const [path, found] of module.namedModules()) {
    if (found !== origin) continue;
    const { message, stack } = error;
    error.message = `${message} (in ${path} of ${module.constructor.name})`;
    // The stack, which is what an uncaught error shows, begins with the message.
    if (stack) error.stack = stack.replace(message, () => error.message);
  }
}

/**
 * Throws where a module runs inside another one whose parameters were asked for, but has parameters to train that nobody asked
 * for and no module holds.
 */
function checkHeld(module: Called, caller: Called): void {
  if (!gradEnabled() || !module.trainable) return;
  let held = false;
  for (const owner of watchedModules()) held ||= Object.values(owner).includes(module);
  check(
    held,
    () =>
      `[${caller.constructor.name}] forward runs a ${module.constructor.name} that no property holds, so that its parameters are not among the model's and would not be trained: assign it to a property (not a #private one) or, where it is another model's, freeze it with requiresGrad_(false) or give its own parameters() to an optimizer`,
    StateError,
  );
  module.found = true; // once is enough
}
