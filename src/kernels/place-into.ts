// Plan of padding and of the adjoint of slices.
import { grid1d, type Queue } from "../gpu/queue.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { OldKernel as Kernel } from "./specialize.ts";
import { checkRank, eightWords } from "./strided-walk.ts";
import padWgsl from "./wgsl/pad.wgsl";

const kernel = new Kernel("pad", padWgsl);
const WG = 64;

/** Element j of x along a dimension goes to start + j * step of y; the rest of y becomes the value with these bits. */
export interface Placement {
  readonly start: readonly number[];
  readonly step: readonly number[];
}

export function placeInto(queue: Queue, x: Tensor, y: Tensor, { start, step }: Placement, bits: number): void {
  const shape: number[] = [];
  const starts: number[] = [];
  const steps: number[] = [];
  const sizes: number[] = [];
  for (const [d, n] of y.shape.entries()) {
    const last = shape.length - 1;
    // A dimension that x fills is walked together with the one before it.
    const whole = start[d] === 0 && step[d] === 1 && x.shape[d] === n;
    if (last >= 0 && whole && steps[last] === 1) {
      shape[last]! *= n;
      starts[last]! *= n;
      sizes[last]! *= n;
    } else {
      shape.push(n);
      starts.push(start[d]!);
      steps.push(step[d]!);
      sizes.push(x.shape[d]!);
    }
  }
  checkRank("pad", shape.length);
  const blocks = [shape, starts, steps, sizes].flatMap(eightWords);
  queue.dispatch(
    kernel.variant(),
    [x.storage, y.storage],
    [y.numel, shape.length, bits, 0, ...blocks],
    grid1d(y.numel, WG),
  );
}
