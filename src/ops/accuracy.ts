// correctCount: how many predictions hit their label, counted on the device.
import { apply1 } from "../autograd/apply.ts";
import { type OldOp, savesNothing } from "../autograd/op.ts";
import { check } from "../errors.ts";
import { planRows, rowWords } from "../kernels/row-plan.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
import countWgsl from "../kernels/wgsl/correct-count.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { sameShape, show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

const kernel = new Kernel("correct_count", countWgsl);

const correctCountOp: OldOp = {
  name: "correctCount",
  infer([logits, labels]) {
    checkDtype("correctCount", "logits", logits!.dtype, "f32");
    checkDtype("correctCount", "labels", labels!.dtype, "i32");
    const { shape } = logits!;
    check(
      shape.length >= 2 && shape[1]! > 0,
      () => `[correctCount] logits have shape ${show(shape)} but must be [N, C] or [N, C, ...]`,
    );
    const expected = shape.filter((_, i) => i !== 1);
    check(
      sameShape(labels!.shape, expected) && sizeOf(expected) > 0,
      () =>
        `[correctCount] labels have shape ${show(labels!.shape)} but logits ${show(shape)} expect ${show(expected)}`,
    );
    return [{ shape: [], dtype: "i32" }];
  },
  forward({ queue }, [logits, labels], [count]) {
    const length = logits!.shape[1]!;
    const plan = planRows(labels!.numel, length, logits!.device.info.isSoftware);
    const rounds = Math.ceil((plan.rows * plan.lanes) / 64);
    const words = [...rowWords({ ...plan, rounds }), sizeOf(logits!.shape.slice(2))];
    queue.dispatch(kernel.variant(), [logits!.storage, labels!.storage, count!.storage], words, [1]);
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

/**
 * How many samples of `logits`, f32 [N, C] or [N, C, ...], have their largest value (the first of equal ones) at their
 * label in `labels`, i32 of that shape without C: i32 []. Other labels than 0 to C - 1 never match. Not differentiable.
 */
export const correctCount = (logits: Tensor, labels: Tensor): Tensor =>
  apply1(correctCountOp, [logits, labels], undefined);
