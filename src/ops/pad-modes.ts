// Padding by what is inside: reflected, repeated, or from the other side; and by a constant, for one name for all.
import { checkTensor } from "../autograd/run.ts";
import { check, told, ValueError } from "../errors.ts";
import { checkList, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { pad as padConstant } from "./movement.ts";
import { checkAxis, makeTaps, type Taps, throughTaps } from "./taps.ts";

/** What stands beyond the edge: the mirror image, the edge's own value, or the other side. */
export type PadMode = "reflect" | "replicate" | "circular";

/** Where of `n` positions the value at `i`, in or out of them, comes from. */
const SOURCES: Readonly<Record<PadMode, (i: number, n: number) => number>> = {
  reflect: (i, n) => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i),
  replicate: (i, n) => Math.max(0, Math.min(i, n - 1)),
  circular: (i, n) => (i + n) % n,
};

function padded(mode: PadMode, n: number, before: number, after: number, shape: readonly number[]): Taps | null {
  const most = mode === "reflect" ? n - 1 : mode === "circular" ? n : Number.POSITIVE_INFINITY;
  const out = n + before + after;
  check(
    n > 0 && out > 0 && Math.max(before, after) <= most,
    () =>
      `[pad] padding ${before} and ${after} in a dimension of ${n} of ${show(shape)}: ${mode} takes at most ${most}, and leaves at least one`,
    ValueError,
  );
  checkAxis("pad", out);
  return makeTaps(n, out, 1, (o, put) => put(SOURCES[mode](o - before, n), 1));
}

/**
 * Pads with a value, a number (default 0), or by what is inside: "reflect", "replicate" or "circular". `padding` gives pairs (before,
 * after) from the LAST dimension backwards; negative ones crop.
 * @throws ValueError for padding that the mode has no values for.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
 */
export function pad(x: Tensor, padding: readonly number[], value: number | PadMode = 0): Tensor {
  if (typeof value !== "string") return padConstant(x, padding, value);
  checkTensor("pad", "input", x);
  checkList("pad", "padding is an array of pairs", padding);
  check(
    Object.hasOwn(SOURCES, value),
    () => `[pad] takes a number or one of ${Object.keys(SOURCES).join(", ")}, got ${told(value)}`,
    ValueError,
  );
  const count = padding.length / 2;
  check(
    Number.isInteger(count) && count <= x.ndim && Array.from(padding).every(Number.isSafeInteger),
    () =>
      `[pad] padding ${show(padding)} must hold whole numbers, a pair for each of at most ${x.ndim} last dimensions`,
    ValueError,
  );
  const axes = Array.from({ length: count }, (_, d) => {
    const pair = 2 * (count - 1 - d);
    return padded(value, x.shape[x.ndim - count + d] ?? 0, padding[pair] ?? 0, padding[pair + 1] ?? 0, x.shape);
  });
  return throughTaps("pad", x, axes);
}
