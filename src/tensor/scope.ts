// `scope(fn)`: what fn creates and does not return is freed when it ends.
import { context } from "../context.ts";
import { checkFunction, checkSynchronous, type NotPromise } from "../errors.ts";

export interface Disposable {
  dispose(): void;
  readonly disposed: boolean;
}

/** Puts a new tensor under the innermost scope. */
export function track(tensor: Disposable): void {
  context.scopes.at(-1)?.add(tensor);
}

/** Takes a tensor out of every open scope: it has an owner of its own (a gradient, an optimizer's state). */
export function keep<T extends Disposable>(tensor: T): T {
  for (const tracked of context.scopes) tracked.delete(tensor);
  return tensor;
}

/** Frees now what the innermost scope would free at its end; any other tensor is left alone. */
export function discard(tensor: Disposable): void {
  if (context.scopes.at(-1)?.delete(tensor)) tensor.dispose();
}

/**
 * Runs `fn` and frees the tensors it created, but for those in its result (a tensor, or arrays, maps and plain objects
 * of them), the gradients it left on parameters, and what the tape of a returned tensor needs.
 * @throws StateError where `fn` returns a promise: a scope is synchronous.
 */
export function scope<T>(fn: () => NotPromise<T>): T {
  checkFunction("scope", "what it runs", fn);
  const tracked = new Set<Disposable>();
  context.scopes.push(tracked);
  let result: T;
  try {
    result = fn();
    checkSynchronous("scope", "a scope", result);
    release(result, tracked);
  } finally {
    context.scopes.pop();
    for (const tensor of tracked) tensor.dispose();
  }
  return result;
}

/** Moves the tensors inside `value` from the ending scope to the one around it. */
function release(value: unknown, tracked: Set<Disposable>): void {
  if (value === null || typeof value !== "object") return;
  if (typeof (value as Partial<Disposable>).dispose === "function") {
    if (tracked.delete(value as Disposable)) context.scopes.at(-2)?.add(value as Disposable);
  } else if (Array.isArray(value) || value instanceof Set) for (const item of value) release(item, tracked);
  else if (value instanceof Map) for (const item of value.values()) release(item, tracked);
  else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) release(item, tracked);
  }
}
