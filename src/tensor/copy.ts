// copy_: new values for an existing tensor, in place, so that whoever holds it (an optimizer, a captured step) goes on.
import { type Op, withoutGradient } from "../autograd/op.ts";
import { runInto } from "../autograd/run.ts";
import { check, DtypeError, ShapeError } from "../errors.ts";
import { bytesPerElement } from "./dtype.ts";
import { sameShape, show } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

const copyOp: Op<readonly [target: Tensor, source: Tensor]> = {
  name: "copy_",
  infer: ([target]) => [target],
  forward(run, [, source], [target]) {
    const bytes = target.numel * bytesPerElement(target.dtype);
    const whole = ({ storage }: Tensor) => ({ buffer: storage.buffer, offset: storage.offset, bytes });
    run.queue.copy(whole(source), whole(target));
  },
  ...withoutGradient,
};

/**
 * Copies the elements of `source` into `target` on the device. Same shape and dtype. Not recorded on the tape.
 * @throws ShapeError, DtypeError, or DeviceError where they live on two devices
 */
export function copy_(target: Tensor, source: Tensor): void {
  check(
    sameShape(target.shape, source.shape),
    () => `[copy_] a tensor of shape ${show(source.shape)} cannot be copied into one of shape ${show(target.shape)}`,
    ShapeError,
  );
  check(
    target.dtype === source.dtype,
    () => `[copy_] ${source.dtype} cannot be copied into ${target.dtype}: convert with .to("${target.dtype}")`,
    DtypeError,
  );
  if (target.storage === source.storage || target.numel === 0) return;
  runInto(copyOp, [target, source], undefined, [target]);
}
