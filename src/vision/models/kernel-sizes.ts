// Kernels and tables by relative position in other sizes.

import { cat } from "../../ops/cat.ts";
import { interpolate } from "../../ops/interpolate.ts";
import { matmul } from "../../ops/matmul.ts";
import { narrow, permute, slice } from "../../ops/movement.ts";
import { reshape } from "../../ops/view.ts";
import { fromHost } from "../../tensor/create.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** How much of each of `from` elements lies in each of `to` equal parts of their row: [to, from], columns sum to 1. */
function shares(from: number, to: number): Float32Array<ArrayBuffer> {
  const each = from / to;
  return Float32Array.from({ length: to * from }, (_, i) => {
    const [part, at] = [Math.floor(i / from), i % from];
    return Math.max(0, Math.min(at + 1, (part + 1) * each) - Math.max(at, part * each));
  });
}

/**
 * A square kernel, t: [O, I, k, k], as [O, I, size, size]. `crop`: its centre, where it has one. Else each element is the sum of those that
 * it stands for: what the kernel would answer to an image enlarged by repeating pixels k / size times.
 */
export function resizedKernel(t: Tensor, size: number, crop: boolean): Tensor {
  const [, , rows = 0] = t.shape;
  if (crop && (rows - size) % 2 === 0) {
    const centre = [(rows - size) / 2, (rows + size) / 2] as const;
    return slice(t, [null, null, centre, centre]);
  }
  const part = fromHost(shares(rows, size), [size, rows], "f32", { device: t.device });
  return matmul(matmul(part, t), permute(part, [1, 0]));
}

/**
 * A table by relative position, t: [span^2 + rest, heads], for another span (2 * window - 1), interpolated (bicubic) as timm does it; the
 * rest, rows of the class token, stays.
 */
export function resizedTable(t: Tensor, span: number, to: number): Tensor {
  const [rows = 0, heads = 0] = t.shape;
  const map = reshape(permute(narrow(t, 0, 0, span * span), [1, 0]), [1, heads, span, span]);
  const other = permute(reshape(interpolate(map, { size: to, mode: "bicubic" }), [heads, to * to]), [1, 0]);
  return rows > span * span ? cat([other, narrow(t, 0, span * span, rows - span * span)]) : other;
}
