// Whether operations are recorded on the tape.
import { context, within } from "../context.ts";
import { checkFunction, checkSynchronous, type NotPromise } from "../errors.ts";

export const gradEnabled = (): boolean => context.grad;

/**
 * Runs `fn` without recording: its results require no gradient and keep nothing alive.
 * @throws StateError where `fn` returns a promise: what it does after its first await would be recorded.
 * @see https://pytorch.org/docs/stable/generated/torch.no_grad.html
 */
export function noGrad<T>(fn: () => NotPromise<T>): T {
  checkFunction("noGrad", "what it runs", fn);
  const result = within({ grad: false }, fn);
  checkSynchronous("noGrad", "what it runs", result);
  return result;
}
