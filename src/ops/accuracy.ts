// correctCount: how many predictions hit their label, counted on the device.
import { apply1 } from "../autograd/apply.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import { check } from "../errors.ts";
import { otherDims } from "../kernels/divide.ts";
import { Kernel } from "../kernels/kernel.ts";
import { planRows, roundsOfOne } from "../kernels/row-plan.ts";
import countWgsl from "../kernels/wgsl/correct-count.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { sameShape, show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

const kernel = new Kernel(countWgsl);

const correctCountOp: Op<readonly [logits: Tensor, labels: Tensor]> = {
  name: "correctCount",
  infer([logits, labels]) {
    checkDtype("correctCount", "logits", logits.dtype, "f32");
    checkDtype("correctCount", "labels", labels.dtype, "i32");
    const { shape } = logits;
    const [, classes = 0] = shape;
    check(classes > 0, () => `[correctCount] logits have shape ${show(shape)} but must be [N, C] or [N, C, ...]`);
    const expected = shape.filter((_, i) => i !== 1);
    check(
      sameShape(labels.shape, expected),
      () => `[correctCount] labels have shape ${show(labels.shape)} but logits ${show(shape)} expect ${show(expected)}`,
    );
    return [{ shape: [], dtype: "i32" }];
  },
  forward(run, [x, labels], [count]) {
    const [, length = 1, ...inner] = x.shape;
    const plan = planRows(labels.numel, length, run.device.info, sizeOf(inner));
    kernel.launch(run, { x, labels, count }, { ...plan.params, rounds: roundsOfOne(plan) }, [1]);
  },
  divisions: ([x]) => otherDims(x, 1).map((d) => ({ inputs: [d, d - Number(d > 1)], outputs: ["sum"] })),
  ...withoutGradient,
};

/**
 * How many samples of `logits`, f32 [N, C] or [N, C, ...], have their largest value (the first of equal ones) at their
 * label in `labels`, i32 of that shape without C: i32 []. Other labels than 0 to C - 1 never match. Not differentiable.
 * @throws ShapeError where the labels' shape is another.
 */
export const correctCount = (logits: Tensor, labels: Tensor): Tensor =>
  apply1(correctCountOp, [logits, labels], undefined);
