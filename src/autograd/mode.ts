// Whether operations are recorded on the tape.
import { context, within } from "../context.ts";

export const gradEnabled = (): boolean => context.grad;

/** Runs `fn` without recording: its results require no gradient and keep nothing alive. */
export const noGrad = <T>(fn: () => T): T => within({ grad: false }, fn);
