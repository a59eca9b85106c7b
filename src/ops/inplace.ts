// Operations in place: fill_, copy_, add_, sub_, mul_, div_. Never on the tape; refused where the tape would miss them.

import { gradEnabled } from "../autograd/mode.ts";
import { runInto } from "../autograd/run.ts";
import { within } from "../context.ts";
import { check, DtypeError, ShapeError, StateError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import { bodyOf } from "../kernels/elementwise.ts";
import { fillOp } from "../kernels/fill.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
import { broadcastStrides, eightWords, mergeDims } from "../kernels/strided-walk.ts";
import inplaceWgsl from "../kernels/wgsl/inplace.wgsl";
import { copy_ as copyElements } from "../tensor/copy.ts";
import { full } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { broadcastShapes, sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Operand } from "./arithmetic.ts";
import { binaryRows, dtypesOf } from "./binary.ts";
import { clone } from "./clone.ts";

type InplaceName = "add" | "div" | "mul" | "sub";

const kernel = new Kernel("inplace", inplaceWgsl);
const WG = 64;

/** Runs `write` as operation `name` on `target`, unless autograd would need to know of it. Returns `target`. */
function inPlace(name: string, target: Tensor, others: readonly Tensor[], write: () => void): Tensor {
  check(
    !gradEnabled() || ![target, ...others].some((t) => t.requiresGrad),
    () =>
      `[${name}] changes ${String(target)} in place, which autograd does not follow: wrap it in noGrad(() => ...), or use the operation without "_"`,
    StateError,
  );
  within({ origin: { name, inputs: [target, ...others] } }, write);
  target.storage.version++;
  return target;
}

/** target = f(target, other), f a row of the binary table. */
export function update(name: InplaceName, target: Tensor, other: Operand): Tensor {
  const label = `${name}_`;
  const { dtype, shape } = target;
  scope(() => {
    const b = typeof other === "number" ? full([], other, { dtype }) : other;
    check(
      b.dtype === dtype && dtypesOf(name).includes(dtype),
      () => `[${label}] cannot apply ${b.dtype} to ${dtype} in place: convert with .to("f32")`,
      DtypeError,
    );
    check(
      sameShape(broadcastShapes(label, shape, b.shape), shape),
      () => `[${label}] shape ${show(b.shape)} does not broadcast to ${show(shape)}, and a tensor cannot grow in place`,
      ShapeError,
    );
    // One buffer cannot be bound for reading and for writing at once.
    const operand = b.storage === target.storage ? clone(b) : b;
    inPlace(label, target, typeof other === "number" ? [] : [other], () => {
      const walk = mergeDims(label, shape, [broadcastStrides(operand.shape, shape)]);
      const params = [
        target.numel,
        walk.shape.length,
        0,
        0,
        ...eightWords(walk.shape),
        ...eightWords(walk.strides[0]!),
      ];
      const f = `fn f(a: T, b: T) -> T { ${bodyOf(binaryRows[name].f)} }`;
      const shader = kernel.variant({ T: dtype, f }, `${name} ${dtype}`);
      target.device.queue.dispatch(shader, [target.storage, operand.storage], params, grid1d(target.numel, WG));
    });
  });
  return target;
}

/** Sets every element to `value`. */
export function fill(target: Tensor, value: number): Tensor {
  check(
    target.dtype !== "f16" && (target.dtype === "f32" || Number.isInteger(value)),
    () => `[fill_] ${value} does not fit a tensor of ${target.dtype}`,
    DtypeError,
  );
  return inPlace("fill_", target, [], () => runInto(fillOp, [], { value }, [target]));
}

/** Copies the elements of a tensor of the same shape and dtype. */
export function copyInto(target: Tensor, source: Tensor): Tensor {
  return inPlace("copy_", target, [source], () => copyElements(target, source));
}
