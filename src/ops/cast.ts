// to(dtype): conversion between element types. f16 only stores: to() and data() understand it, kernels do not.
import { apply1 } from "../autograd/apply.ts";
import { type Op, savesNothing } from "../autograd/op.ts";
import { check, DtypeError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import { bindingElements, partOf, ranges } from "../kernels/binding-parts.ts";
import { Kernel } from "../kernels/kernel.ts";
import castWgsl, { WG } from "../kernels/wgsl/cast.wgsl";
import fromHalfWgsl from "../kernels/wgsl/cast-from-half.wgsl";
import toHalfWgsl from "../kernels/wgsl/cast-to-half.wgsl";
import { bytesPerElement, checkDtype, type Dtype } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { view } from "./view.ts";

const cast = new Kernel(castWgsl);
const toHalf = new Kernel(toHalfWgsl);
const fromHalf = new Kernel(fromHalfWgsl);

const castOp: Op<readonly [Tensor], { readonly dtype: Dtype }> = {
  name: "to",
  infer([x], { dtype }) {
    checkDtype("to", "dtype", dtype, "f32", "f16", "i32", "u32");
    const half = x.dtype === "f16" ? dtype : dtype === "f16" ? x.dtype : "f32";
    check(
      half === "f32",
      () => `[to] ${x.dtype} does not convert to ${dtype} directly: go through .to("f32")`,
      DtypeError,
    );
    return [{ shape: x.shape, dtype }];
  },
  forward(run, [x], [y], { dtype }) {
    // Of f16, too, parts start at multiples of 256 bytes.
    for (const [first, n] of ranges(x.numel, bindingElements(run.device.info) & ~127)) {
      const part = (t: Tensor) => partOf(t.storage, first, n, bytesPerElement(t.dtype));
      const buffers = { x: part(x), y: part(y) };
      if (dtype === "f16") {
        const words = Math.ceil(n / 2);
        toHalf.launch(run, buffers, { n: words, count: n }, grid1d(words, WG));
        continue;
      }
      const kernel =
        x.dtype === "f16" ? fromHalf.variant() : cast.variant({ T: x.dtype, R: dtype }, `${x.dtype} to ${dtype}`);
      kernel.launch(run, buffers, { n }, grid1d(n, WG));
    }
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

/**
 * The elements as another dtype; floats become integers by rounding toward zero. The gradient ends here unless the
 * dtype stays. f16 holds values only (half the memory): convert it back to f32 to compute.
 */
export const to = (x: Tensor, dtype: Dtype): Tensor =>
  dtype === x.dtype ? view("to", x, x.shape) : apply1(castOp, [x], { dtype });
