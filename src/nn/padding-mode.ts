// The padding of a convolution layer by what is inside, of pieces and `cat`: operations that every program with a convolution has.
// `nn.functional.pad` does the same by tables, in one pass also backwards, with a kernel that only programs which ask for it carry.
import { checkTensor } from "../autograd/run.ts";
import { check, ValueError } from "../errors.ts";
import { cat } from "../ops/cat.ts";
import { flip, narrow } from "../ops/movement.ts";
import type { PadMode } from "../ops/pad-modes.ts";
import { expand } from "../ops/sum-expand.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What the padding of a layer consists of. */
export type PaddingMode = "zeros" | PadMode;
export const PADDING_MODES: readonly PaddingMode[] = ["zeros", "reflect", "replicate", "circular"];

/** `count` positions in front of a dimension, or behind it. */
function piece(x: Tensor, dim: number, count: number, front: boolean, mode: PadMode): Tensor {
  const n = x.shape[dim] ?? 0;
  if (mode === "circular") return narrow(x, dim, front ? n - count : 0, count);
  if (mode === "reflect") return flip(narrow(x, dim, front ? 1 : n - 1 - count, count), dim);
  const edge = narrow(x, dim, front ? 0 : n - 1, 1);
  return expand(
    edge,
    x.shape.map((size, d) => (d === dim ? count : size)),
  );
}

/** x with so many positions before and after a dimension. */
export function padEdges(x: Tensor, dim: number, [before, after]: readonly [number, number], mode: PadMode): Tensor {
  checkTensor("Conv2d", "input", x);
  check(x.ndim === 4, () => `[Conv2d] input has shape ${show(x.shape)} but must be [N, C, H, W]`);
  const n = x.shape[dim] ?? 0;
  const most = mode === "reflect" ? n - 1 : mode === "circular" ? n : n && Number.POSITIVE_INFINITY;
  check(
    Math.max(before, after) <= most,
    () => `[Conv2d] padding ${Math.max(before, after)} of ${show(x.shape)}: ${mode} takes at most ${most} there`,
    ValueError,
  );
  const pieces = [
    ...(before ? [piece(x, dim, before, true, mode)] : []),
    x,
    ...(after ? [piece(x, dim, after, false, mode)] : []),
  ];
  return pieces.length > 1 ? cat(pieces, dim) : x;
}
