// gradcheck: a function's backward against central differences of its own results on the device.

import { checkTensor } from "../autograd/run.ts";
import {
  check,
  checkFunction,
  checkNumber,
  checkOptions,
  checkSynchronous,
  checkWhole,
  StateError,
  WgradError,
} from "../errors.ts";
import { tensor } from "../tensor/create.ts";
import { philox } from "../tensor/philox.ts";
import { getRngState, type RngState, setRngState } from "../tensor/random-state.ts";
import { scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { backward } from "./backward.ts";

/** What `gradcheck` takes. */
export interface GradcheckOptions {
  /** Largest change of an input element. Default 1e-2: results are f32, smaller steps drown in rounding. */
  eps?: number;
  /** Allowed difference of directional derivatives: atol + rtol * |numeric|. Default 1e-3. */
  atol?: number;
  /** The part of the allowed difference that grows with the numeric derivative, see `atol`. Default 1e-2. */
  rtol?: number;
  /** Random directions per input. Default 3. */
  directions?: number;
  /** False: return false instead of throwing. Default true. */
  raiseException?: boolean;
}

type Checked = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/**
 * Compares backward of `fn` with central differences, along random directions, for each f32 input that requires a
 * gradient; all outputs are weighted at random and summed. `fn` must be smooth around the inputs (no kinks within eps).
 * Random operations in it draw the same numbers at each call. The inputs' own `.grad` is left alone.
 * @throws WgradError naming the input whose gradient differs; StateError where nothing requires a gradient.
 * @see https://pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html
 */
export async function gradcheck(
  fn: Checked,
  inputs: Tensor | readonly Tensor[],
  options: GradcheckOptions = {},
): Promise<boolean> {
  checkFunction("gradcheck", "fn", fn);
  checkOptions("gradcheck", options, ["eps", "atol", "rtol", "directions", "raiseException"]);
  const { eps = 1e-2, atol = 1e-3, rtol = 1e-2, directions = 3, raiseException = true } = options;
  checkNumber("gradcheck", "eps", eps, Number.MIN_VALUE);
  checkNumber("gradcheck", "atol", atol, 0);
  checkNumber("gradcheck", "rtol", rtol, 0);
  checkWhole("gradcheck", "directions", directions, 1, 1000);
  const list = listOf("inputs", inputs);
  check(
    list.some((t) => t.requiresGrad),
    () => "[gradcheck] no input requires a gradient: create one with { requiresGrad: true }",
    StateError,
  );
  const rng = getRngState();
  try {
    const difference = await firstDifference(fn, list, rng, { eps, atol, rtol, directions });
    if (difference !== null && raiseException) throw new WgradError(`[gradcheck] ${difference}`);
    return difference === null;
  } finally {
    setRngState(rng);
  }
}

/** What is wrong with the first input whose gradient differs, or null. */
async function firstDifference(
  fn: Checked,
  list: readonly Tensor[],
  rng: RngState,
  { eps, atol, rtol, directions }: Required<Omit<GradcheckOptions, "raiseException">>,
): Promise<string | null> {
  const gradients = await analytic(fn, list);
  for (const [i, input] of list.entries()) {
    const gradient = gradients[i];
    if (!gradient) continue;
    const x = await input.data();
    for (let d = 0; d < directions; d++) {
      const plus = new Float32Array(x.length);
      const minus = new Float32Array(x.length);
      let expected = 0;
      for (const [j, value] of x.entries()) {
        const step = eps * weight(j, 100 + d);
        // The steps as f32 takes them.
        const [up, down] = [Math.fround(value + step), Math.fround(value - step)];
        plus[j] = up;
        minus[j] = down;
        expected += (gradient[j] ?? 0) * ((up - down) / (2 * eps));
      }
      const [above, below] = [await value(fn, list, i, plus, rng), await value(fn, list, i, minus, rng)];
      const numeric = (above.sum - below.sum) / (2 * eps);
      // What rounding of the results to f32 alone can make of the difference.
      const rounding = (8 * 2 ** -24 * (above.size + below.size)) / (2 * eps);
      const allowed = atol + rtol * Math.abs(numeric) + rounding;
      if (Math.abs(numeric - expected) <= allowed) continue;
      return `input ${i}, shape ${show(input.shape)}: along a random direction backward gives ${expected}, central differences give ${numeric} (allowed difference ${allowed.toExponential(1)}): the gradient is wrong, or fn has a kink within eps ${eps} of this input`;
    }
  }
  return null;
}

/** A fixed pseudo-random number in [-1, 1) away from 0, by index and stream. */
function weight(index: number, stream: number): number {
  const unit = philox([index, 0, 0, 0], [0x67726164, stream])[0] / 2 ** 32;
  return unit < 0.5 ? unit - 1 : unit;
}

/** Tensors as a list, from one or several. */
function listOf(what: string, given: Tensor | readonly Tensor[]): readonly Tensor[] {
  const list = Array.isArray(given) ? given : [given];
  for (const t of list) checkTensor("gradcheck", `${what}, each of them,`, t);
  return list;
}

function outputsOf(result: Tensor | readonly Tensor[]): Tensor[] {
  checkSynchronous("gradcheck", "fn", result);
  return listOf("the result of fn", result).filter((t) => t.dtype === "f32");
}

/** Gradients of the weighted sum of all outputs by backward; null for inputs that require none. */
async function analytic(fn: Checked, inputs: readonly Tensor[]): Promise<(ArrayLike<number> | null)[]> {
  const leaves = inputs.map((t) => (t.requiresGrad ? t.detach().requiresGrad_() : t.detach()));
  let outputs: Tensor[] = [];
  try {
    outputs = scope(() => outputsOf(fn(...leaves)));
    const used = outputs.filter((t) => t.requiresGrad);
    check(
      used.length > 0,
      () => "[gradcheck] no output of fn depends on an input that requires a gradient",
      StateError,
    );
    for (const [i, y] of outputs.entries()) {
      if (!y.requiresGrad) continue;
      const w = tensor(
        Float32Array.from({ length: y.numel }, (_, j) => weight(j, i)),
        { shape: y.shape, device: y.device },
      );
      backward(y, w, { retainGraph: y !== used.at(-1) });
      w.dispose();
    }
    const none = (t: Tensor) => new Float32Array(t.numel);
    return await Promise.all(leaves.map(async (t) => (t.requiresGrad ? ((await t.grad?.data()) ?? none(t)) : null)));
  } finally {
    for (const t of [...outputs, ...leaves]) t.dispose();
  }
}

/** The weighted sum of all outputs, in f64, with input `at` replaced; and the root of the sum of the squared terms. */
async function value(
  fn: Checked,
  inputs: readonly Tensor[],
  at: number,
  replaced: Float32Array<ArrayBuffer>,
  rng: RngState,
): Promise<{ sum: number; size: number }> {
  setRngState(rng);
  // On the tape, as `fn` may ask for gradients itself.
  const outputs = scope(() => {
    const given = inputs.map((t, i) => {
      const copy = i === at ? tensor(replaced, { shape: t.shape, device: t.device }) : t.detach();
      return t.requiresGrad ? copy.requiresGrad_() : copy;
    });
    return outputsOf(fn(...given));
  });
  let sum = 0;
  let squares = 0;
  for (const [i, y] of outputs.entries()) {
    const data = await y.data();
    y.dispose();
    for (const [j, value] of data.entries()) {
      const term = value * weight(j, i);
      sum += term;
      squares += term * term;
    }
  }
  return { sum, size: Math.sqrt(squares) };
}
