// Operations in place: fill_, copy_, add_, sub_, mul_, div_. Never on the tape; refused where the tape would miss them.
import { gradEnabled } from "../autograd/mode.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import { deviceOf, runInto } from "../autograd/run.ts";
import { check, DtypeError, ShapeError, StateError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import { inParts } from "../kernels/binding-parts.ts";
import { broadcastDivisions } from "../kernels/divide.ts";
import { bodyOf } from "../kernels/elementwise.ts";
import { fillOp } from "../kernels/fill.ts";
import { Kernel } from "../kernels/kernel.ts";
import { broadcastStrides, mergeDims, rankOf } from "../kernels/strided-walk.ts";
import inplaceWgsl, { PER, WG } from "../kernels/wgsl/inplace.wgsl";
import { copy_ } from "../tensor/copy.ts";
import { full } from "../tensor/create.ts";
import { checkDtype, checkValue } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { broadcastShapes, sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Operand } from "./arithmetic.ts";
import { binaryRows, dtypesOf } from "./binary.ts";
import { clone } from "./clone.ts";

type InplaceName = "add" | "div" | "mul" | "sub";

const kernel = new Kernel(inplaceWgsl);

function updateOp(name: InplaceName): Op<readonly [target: Tensor, other: Tensor]> {
  const f = `fn f(a: T, b: T) -> T { ${bodyOf(binaryRows[name].f)} }`;
  return {
    name: `${name}_`,
    infer: ([target]) => [target],
    forward(run, [, b], [y]) {
      const walk = mergeDims(`${name}_`, y.shape, [broadcastStrides(b.shape, y.shape)]);
      const RANK = rankOf(walk);
      const variant = kernel.variant({ T: y.dtype, RANK, f }, `${name} ${y.dtype} rank=${RANK}`);
      const { shape, strides } = walk;
      inParts(run.device.info, shape, (part, n) => {
        variant.launch(run, { y: part(y), b: part(b) }, { n, shape, strides: strides[0] }, grid1d(n, WG * PER));
      });
    },
    *divisions([, b], [y]) {
      for (const { inputs, ...rest } of broadcastDivisions([b], y.shape)) {
        yield { ...rest, inputs: [null, ...inputs], inPlace: true };
      }
    },
    ...withoutGradient,
  };
}

const updateOps = { add: updateOp("add"), div: updateOp("div"), mul: updateOp("mul"), sub: updateOp("sub") };

/** Throws where autograd would need to know of a change of `target` in place. */
export function checkOffTape(name: string, target: Tensor, ...others: Tensor[]): void {
  check(
    !gradEnabled() || ![target, ...others].some((t) => t.requiresGrad),
    () =>
      `[${name}] changes ${String(target)} in place, which autograd does not follow: wrap it in noGrad(() => ...), or use the operation without "_"`,
    StateError,
  );
}

/** target = f(target, other), f a row of the binary table. */
export function update(name: InplaceName, target: Tensor, other: Operand): Tensor {
  const label = `${name}_`;
  const { dtype, shape, device } = target;
  if (typeof other !== "number") deviceOf(label, [target, other]);
  scope(() => {
    const b = typeof other === "number" ? full([], other, { dtype, device }) : other;
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
    checkOffTape(label, target, b);
    // One buffer cannot be bound for reading and for writing at once.
    const read = b.storage === target.storage ? clone(b) : b;
    runInto(updateOps[name], [target, read], undefined, [target]);
  });
  return target;
}

/** Sets every element to `value`. */
export function fill(target: Tensor, value: number): Tensor {
  checkDtype("fill_", "the tensor", target.dtype, "f32", "i32", "u32");
  checkValue("fill_", () => "the value", value, target.dtype);
  checkOffTape("fill_", target);
  runInto(fillOp, [], { value }, [target]);
  return target;
}

/** Copies the elements of a tensor of the same shape and dtype. */
export function copyInto(target: Tensor, source: Tensor): Tensor {
  deviceOf("copy_", [target, source]);
  checkOffTape("copy_", target, source);
  copy_(target, source);
  return target;
}
