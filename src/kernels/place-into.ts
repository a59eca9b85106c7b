// Plan of padding and of the adjoint of slices.
import type { Run } from "../autograd/run.ts";
import { grid1d } from "../gpu/queue.ts";
import { stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { allFit } from "./binding-parts.ts";
import { fillBits } from "./fill.ts";
import { Kernel } from "./kernel.ts";
import { move } from "./move.ts";
import { checkRank } from "./strided-walk.ts";
import { inFours, VECTOR } from "./vectors.ts";
import padWgsl, { PER, WG } from "./wgsl/pad.wgsl";

const kernel = new Kernel(padWgsl);

/** Element j of x along a dimension goes to start + j * step of y; the rest of y becomes the value with these bits. */
export interface Placement {
  readonly start: readonly number[];
  readonly step: readonly number[];
}

/** `value`: bits. */
export function placeInto(run: Run, x: Tensor, y: Tensor, place: Placement, value: number): void {
  if (!allFit(run.device.info, [x, y])) {
    placeParts(run, x, y, place, value);
    return;
  }
  const dims: { size: number; start: number; step: number; from: number }[] = [];
  for (const [d, size] of y.shape.entries()) {
    const [start, step, from] = [place.start[d] ?? 0, place.step[d] ?? 1, x.shape[d] ?? 1];
    const last = dims.at(-1);
    // A dimension that x fills is walked together with the one before it.
    if (last?.step === 1 && start === 0 && step === 1 && from === size) {
      last.size *= size;
      last.start *= size;
      last.from *= size;
    } else dims.push({ size, start, step, from });
  }
  checkRank("pad", dims.length);
  const inner = dims.at(-1);
  const vectors = inner !== undefined && inner.step === 1 && inFours(inner.size, inner.start, inner.from);
  if (vectors) {
    inner.size /= 4;
    inner.start /= 4;
    inner.from /= 4;
  }
  const n = y.numel / (vectors ? 4 : 1);
  const list = (key: "size" | "start" | "step" | "from") => dims.map((dim) => dim[key]);
  const params = { n, value, shape: list("size"), start: list("start"), step: list("step"), size: list("from") };
  const variant = kernel.variant({ RANK: `${dims.length}u`, ...(vectors && { T: VECTOR }) });
  variant.launch(run, { x, y }, params, grid1d(n, WG * PER));
}

/** The same in two passes, for tensors of any size: the value, and then the elements that land inside. */
function placeParts(run: Run, x: Tensor, y: Tensor, { start, step }: Placement, value: number): void {
  fillBits(run, y, value);
  const [xs, ys] = [stridesOf(x.shape), stridesOf(y.shape)];
  const shape: number[] = [];
  const [from, to] = [
    { t: x, strides: xs, start: 0 },
    { t: y, strides: ys.map((stride, d) => stride * (step[d] ?? 1)), start: 0 },
  ];
  for (const [d, size] of y.shape.entries()) {
    const [at, by] = [start[d] ?? 0, step[d] ?? 1];
    const first = Math.max(0, Math.ceil(-at / by));
    const last = Math.min((x.shape[d] ?? 1) - 1, Math.floor((size - 1 - at) / by));
    shape.push(Math.max(0, last - first + 1));
    from.start += first * (xs[d] ?? 0);
    to.start += (at + first * by) * (ys[d] ?? 0);
  }
  move(run, shape, from, to);
}
