// Filling a tensor with one value.
import { type Op, withoutGradient } from "../autograd/op.ts";
import type { Run } from "../autograd/run.ts";
import { grid1d } from "../gpu/queue.ts";
import type { Dtype } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { inParts } from "./binding-parts.ts";
import { Kernel } from "./kernel.ts";
import fillWgsl, { PER, WG } from "./wgsl/fill.wgsl";

const kernel = new Kernel(fillWgsl);
const scratch = new DataView(new ArrayBuffer(4));

/** The bits of a number as an element of a 4-byte dtype. */
export function bitsOf(value: number, dtype: Dtype): number {
  if (dtype !== "f32") return value >>> 0;
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

/** Every element becomes the one of these bits. */
export function fillBits(run: Run, y: Tensor, value: number): void {
  inParts(run.device.info, [y.numel], (part, count) => {
    // What lies between the last element and the end of its vector is nobody's.
    const n = Math.ceil(count / 4);
    kernel.launch(run, { y: part(y) }, { n, value }, grid1d(n, WG * PER));
  });
}

/** Every element of a tensor that exists becomes `value`. */
export const fillOp: Op<readonly [], { readonly value: number }> = {
  name: "fill",
  infer: () => {
    throw new Error("[fill] fills tensors that exist: use runInto");
  },
  forward(run, _, [y], { value }) {
    fillBits(run, y, bitsOf(value, y.dtype));
  },
  ...withoutGradient,
};
