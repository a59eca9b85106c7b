// Softmax and log-softmax along one dimension.

import { apply1 } from "../autograd/apply.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import { checkTensor } from "../autograd/run.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import { alike, otherDims } from "../kernels/divide.ts";
import { Kernel } from "../kernels/kernel.ts";
import { planRows } from "../kernels/row-plan.ts";
import softmaxWgsl from "../kernels/wgsl/softmax.wgsl";
import backwardWgsl from "../kernels/wgsl/softmax-backward.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { normalizeDim, rowRank, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

interface Attrs {
  readonly dim: number;
}

const forwardKernel = new Kernel(softmaxWgsl);
const backwardKernel = new Kernel(backwardWgsl);

function plan({ shape, numel }: Tensor, dim: number, info: DeviceInfo) {
  const length = shape[dim] ?? 1; // a scalar is one element in a row
  return planRows(length > 0 ? numel / length : 0, length, info, sizeOf(shape.slice(dim + 1)));
}

/** With the op of its gradient. */
interface SoftmaxOp extends Op<readonly [Tensor], Attrs> {
  readonly gradient: Op<readonly [dy: Tensor, y: Tensor], Attrs>;
}

function softmaxOp(name: string, LOG: boolean): SoftmaxOp {
  const forwards = forwardKernel.variant({ LOG });
  const backwards = backwardKernel.variant({ LOG });
  const gradient: Op<readonly [dy: Tensor, y: Tensor], Attrs> = {
    name: `${name}Backward`,
    infer: ([dy]) => [dy],
    forward(run, [dy, y], [dx], { dim }) {
      const { params, grid } = plan(y, dim, run.device.info);
      backwards.launch(run, { dy, y, dx }, params, grid);
    },
    divisions: ([dy], _, { dim }) => alike(otherDims(dy, dim), 2, 1),
    ...withoutGradient,
  };
  return {
    gradient,
    name,
    infer([x]) {
      checkDtype(name, "input", x.dtype, "f32");
      return [x];
    },
    forward(run, [x], [y], { dim }) {
      const { params, grid } = plan(x, dim, run.device.info);
      forwards.launch(run, { x, y }, params, grid);
    },
    divisions: ([x], _, { dim }) => alike(otherDims(x, dim), 1, 1),
    saves: () => ({ inputs: [], outputs: [0] }),
    vjp: ([dy], c) => [apply1(gradient, [dy, c.output(0)], c.attrs)],
  };
}

export const softmaxes = { softmax: softmaxOp("softmax", false), logSoftmax: softmaxOp("logSoftmax", true) };

function along(name: keyof typeof softmaxes, x: Tensor, dim: number): Tensor {
  checkTensor(name, "input", x);
  return apply1(softmaxes[name], [x], { dim: normalizeDim(name, dim, rowRank(x.shape)) });
}

/**
 * exp(x) over its sum along `dim`, any shape; stable for logits of any size.
 * @throws ShapeError for a dimension that x does not have.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
 */
export const softmax = (x: Tensor, dim: number): Tensor => along("softmax", x, dim);

/**
 * The logarithm of `softmax`, computed without taking it of small numbers.
 * @throws ShapeError for a dimension that x does not have.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
 */
export const logSoftmax = (x: Tensor, dim: number): Tensor => along("logSoftmax", x, dim);
