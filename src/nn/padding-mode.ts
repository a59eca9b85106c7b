// The padding of a convolution layer by what is inside, of pieces and `cat`: operations that every program with a convolution has.
// `nn.functional.pad` does the same by tables, in one pass also backwards, with a kernel that only programs which ask for it carry.
import { checkTensor } from "../autograd/run.ts";
import { check, told, ValueError } from "../errors.ts";
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

const FORMS = ["[N, C, L]", "[N, C, H, W]", "[N, C, D, H, W]"];

/** Throws unless it is one. */
export function checkPaddingMode(op: string, mode: unknown): asserts mode is PaddingMode {
  check(
    PADDING_MODES.some((known) => known === mode),
    () => `[${op}] paddingMode must be one of ${PADDING_MODES.join(", ")}; got ${told(mode)}`,
    ValueError,
  );
}

/** x: [N, C, ...] with so many positions before and after each of its spatial dimensions. */
export function padEdges(
  op: string,
  x: Tensor,
  sides: readonly (readonly [before: number, after: number])[],
  mode: PadMode,
): Tensor {
  checkTensor(op, "input", x);
  check(
    x.ndim === sides.length + 2,
    () => `[${op}] input has shape ${show(x.shape)} but must be ${FORMS[sides.length - 1]}`,
  );
  // The last dimension first, whose pieces are the smallest then.
  return sides.reduceRight((wide, side, d) => padEdge(op, wide, d + 2, side, mode), x);
}

/** What a layer's padding adds before and after each dimension. */
export function sidesOf(
  padding: readonly number[] | "same" | "valid",
  reaches: readonly number[],
): (readonly [number, number])[] {
  return reaches.map((reach, d) => {
    if (padding === "same") return [Math.floor(reach / 2), Math.ceil(reach / 2)];
    const each = padding === "valid" ? 0 : (padding[d] ?? 0);
    return [each, each];
  });
}

/** x with so many positions before and after a dimension. */
function padEdge(
  op: string,
  x: Tensor,
  dim: number,
  [before, after]: readonly [number, number],
  mode: PadMode,
): Tensor {
  const n = x.shape[dim] ?? 0;
  const most = mode === "reflect" ? n - 1 : mode === "circular" ? n : n && Number.POSITIVE_INFINITY;
  check(
    Math.max(before, after) <= most,
    () => `[${op}] padding ${Math.max(before, after)} of ${show(x.shape)}: ${mode} takes at most ${most} there`,
    ValueError,
  );
  const pieces = [
    ...(before ? [piece(x, dim, before, true, mode)] : []),
    x,
    ...(after ? [piece(x, dim, after, false, mode)] : []),
  ];
  return pieces.length > 1 ? cat(pieces, dim) : x;
}
