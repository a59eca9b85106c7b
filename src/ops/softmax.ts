// Softmax and log-softmax along one dimension.
import { apply1 } from "../autograd/apply.ts";
import { type OldOp, savesNothing } from "../autograd/op.ts";
import type { Shader } from "../gpu/pipeline.ts";
import type { Queue } from "../gpu/queue.ts";
import { planRows, rowWords } from "../kernels/row-plan.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
import softmaxWgsl from "../kernels/wgsl/softmax.wgsl";
import backwardWgsl from "../kernels/wgsl/softmax-backward.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { normalizeDim, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

interface Attrs {
  readonly dim: number;
}

const forwardKernel = new Kernel("softmax", softmaxWgsl);
const backwardKernel = new Kernel("softmax_backward", backwardWgsl);

function dispatch(queue: Queue, shader: Shader, tensors: readonly Tensor[], dim: number): void {
  const { shape, device, numel } = tensors[0]!;
  const length = shape[dim]!;
  const plan = planRows(length > 0 ? numel / length : 0, length, device.info.isSoftware);
  const inner = sizeOf(shape.slice(dim + 1));
  queue.dispatch(
    shader,
    tensors.map((t) => t.storage),
    [...rowWords(plan), inner],
    plan.grid,
  );
}

function softmaxOp(name: string, log: boolean): OldOp<Attrs> {
  const overrides = { LOG: String(log) };
  const backward: OldOp<Attrs> = {
    name: `${name}Backward`,
    infer: ([dy]) => [dy!],
    forward: ({ queue }, [dy, y], [dx], { dim }) =>
      dispatch(queue, backwardKernel.variant(overrides), [dy!, y!, dx!], dim),
    saves: savesNothing,
    vjp: "not differentiable",
  };
  return {
    name,
    infer([x]) {
      checkDtype(name, "input", x!.dtype, "f32");
      return [x!];
    },
    forward: ({ queue }, [x], [y], { dim }) => dispatch(queue, forwardKernel.variant(overrides), [x!, y!], dim),
    saves: () => ({ inputs: [], outputs: [0] }),
    vjp: ([dy], c) => [apply1(backward, [dy!, c.output(0)], c.attrs)],
  };
}

const softmaxes = { softmax: softmaxOp("softmax", false), logSoftmax: softmaxOp("logSoftmax", true) };

/**
 * exp(x) over its sum along `dim`, any shape; stable for logits of any size.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
 */
export const softmax = (x: Tensor, dim: number): Tensor =>
  apply1(softmaxes.softmax, [x], { dim: normalizeDim("softmax", dim, x.ndim) });

/**
 * The logarithm of `softmax`, computed without taking it of small numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
 */
export const logSoftmax = (x: Tensor, dim: number): Tensor =>
  apply1(softmaxes.logSoftmax, [x], { dim: normalizeDim("logSoftmax", dim, x.ndim) });
