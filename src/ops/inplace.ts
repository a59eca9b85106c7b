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
import { copy_ as copyElements } from "../tensor/copy.ts";
import { full } from "../tensor/create.ts";
import { checkDtype, checkValue } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { broadcastShapes, sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Operand } from "./arithmetic.ts";
import type { BinaryOp } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { clone } from "./clone.ts";

const kernel = new Kernel(inplaceWgsl);

/** An operation in place, of an op of the binary table. */
interface UpdateOp extends Op<readonly [target: Tensor, other: Tensor]> {
  readonly dtypes: BinaryOp["dtypes"];
}

function updateOp({ name, row, dtypes }: BinaryOp): UpdateOp {
  const f = `fn f(a: T, b: T) -> T { ${bodyOf(row.f)} }`;
  return {
    dtypes,
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

const addOp = updateOp(binaries.add);
const divOp = updateOp(binaries.div);
const mulOp = updateOp(binaries.mul);
const subOp = updateOp(binaries.sub);

/** Throws where autograd would need to know of a change of `target` in place. */
export function checkOffTape(name: string, target: Tensor, ...others: Tensor[]): void {
  check(
    !gradEnabled() || ![target, ...others].some((t) => t.requiresGrad),
    () =>
      `[${name}] changes ${String(target)} in place, which autograd does not follow: wrap it in noGrad(() => ...), or use the operation without "_"`,
    StateError,
  );
}

function update<T extends Tensor>(op: UpdateOp, target: T, other: Operand): T {
  const label = op.name;
  const { dtype, shape, device } = target;
  if (typeof other !== "number") deviceOf(label, [target, other]);
  scope(() => {
    const b = typeof other === "number" ? full([], other, { dtype, device }) : other;
    check(
      b.dtype === dtype && op.dtypes.includes(dtype),
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
    runInto(op, [target, read], undefined, [target]);
  });
  return target;
}

/**
 * target += other: a number, or a tensor of its dtype that broadcasts to its shape, in place, off the tape. Returns target.
 * @throws StateError where the tape is recorded and one of them requires a gradient: wrap it in `noGrad`.
 * @throws ShapeError, DtypeError where `other` does not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.add_.html
 */
export const add_ = <T extends Tensor>(target: T, other: Operand): T => update(addOp, target, other);
/**
 * target -= other: a number, or a tensor of its dtype that broadcasts to its shape, in place, off the tape. Returns target.
 * @throws StateError where the tape is recorded and one of them requires a gradient: wrap it in `noGrad`.
 * @throws ShapeError, DtypeError where `other` does not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.sub_.html
 */
export const sub_ = <T extends Tensor>(target: T, other: Operand): T => update(subOp, target, other);
/**
 * target *= other: a number, or a tensor of its dtype that broadcasts to its shape, in place, off the tape. Returns target.
 * @throws StateError where the tape is recorded and one of them requires a gradient: wrap it in `noGrad`.
 * @throws ShapeError, DtypeError where `other` does not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.mul_.html
 */
export const mul_ = <T extends Tensor>(target: T, other: Operand): T => update(mulOp, target, other);
/**
 * target /= other: a number, or a tensor that broadcasts to its shape (f32 only), in place, off the tape. Returns target.
 * @throws StateError where the tape is recorded and one of them requires a gradient: wrap it in `noGrad`.
 * @throws ShapeError, DtypeError where `other` does not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.div_.html
 */
export const div_ = <T extends Tensor>(target: T, other: Operand): T => update(divOp, target, other);

/**
 * Sets every element to `value`, in place, off the tape. Returns target.
 * @throws StateError where the tape is recorded and one of them requires a gradient: wrap it in `noGrad`.
 * @throws DtypeError for f16, or where an integer dtype does not hold the value.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.fill_.html
 */
export function fill_<T extends Tensor>(target: T, value: number): T {
  checkDtype("fill_", "the tensor", target.dtype, "f32", "i32", "u32");
  checkValue("fill_", () => "the value", value, target.dtype);
  checkOffTape("fill_", target);
  runInto(fillOp, [], { value }, [target]);
  return target;
}

/**
 * Sets every element to 0, in place, off the tape. Returns target.
 * @throws StateError where the tape is recorded and target requires a gradient: wrap it in `noGrad`.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.zero_.html
 */
export const zero_ = <T extends Tensor>(target: T): T => fill_(target, 0);

/**
 * Copies the elements of `source`, a tensor of the same shape and dtype, in place, off the tape. Returns target.
 * @throws StateError where the tape is recorded and one of them requires a gradient: wrap it in `noGrad`.
 * @throws ShapeError, DtypeError where the two differ.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.copy_.html
 */
export function copy_<T extends Tensor>(target: T, source: Tensor): T {
  deviceOf("copy_", [target, source]);
  checkOffTape("copy_", target, source);
  copyElements(target, source);
  return target;
}
