// Layer norm over the last dimensions, and RMS norm, which is the same without the mean.
import { apply, apply1 } from "../autograd/apply.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import { check, checkNumber, ValueError } from "../errors.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import { grid1d } from "../gpu/queue.ts";
import { Kernel } from "../kernels/kernel.ts";
import { planRows } from "../kernels/row-plan.ts";
import forwardWgsl from "../kernels/wgsl/layer-norm.wgsl";
import backwardWgsl from "../kernels/wgsl/layer-norm-backward.wgsl";
import paramsWgsl, { COLUMNS } from "../kernels/wgsl/layer-norm-params.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { checkShape, type Shape, sameShape, show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { inPlaces } from "./wanted.ts";

interface Attrs {
  /** Of the function that was called, for errors. */
  readonly name: string;
  /** The last dimensions of x. */
  readonly shape: Shape;
  /** False: RMS norm, which subtracts no mean. */
  readonly centred: boolean;
}

/** What the kernels take where the parameters go by an element's place in its row. */
const UNGROUPED = { groups: 1, width: 0, plane: 1 };

const forwardKernel = new Kernel(forwardWgsl);
const backwardKernel = new Kernel(backwardWgsl);
const paramsKernel = new Kernel(paramsWgsl);

function plan(x: Tensor, shape: Shape, info: DeviceInfo) {
  const length = sizeOf(shape);
  return planRows(x.numel / length, length, info);
}

/** The dimensions that are not normalised. */
const rowDims = (x: Tensor, shape: Shape): number[] => [...x.shape.keys()].slice(0, x.ndim - shape.length);

/** dx. */
const inputGradientOp: Op<readonly [x: Tensor, weight: Tensor | null, stats: Tensor, dy: Tensor], Attrs> = {
  name: "layerNormBackward",
  required: 1,
  infer: ([x]) => [x],
  forward(run, [x, weight, stats, dy], [dx], { shape, centred }) {
    const { params, grid } = plan(x, shape, run.device.info);
    const variant = backwardKernel.variant({ CENTRED: centred });
    variant.launch(run, { x, weight, stats, dy, dx }, { ...params, ...UNGROUPED }, grid);
  },
  divisions: ([x], _, { shape }) => rowDims(x, shape).map((d) => ({ inputs: [d, null, d, d], outputs: [d] })),
  ...withoutGradient,
};

interface ParamsAttrs extends Attrs {
  readonly wanted: readonly [dw: boolean, db: boolean];
}

/** Those of dweight and dbias that are wanted. */
const paramsGradientOp: Op<readonly [x: Tensor, stats: Tensor, dy: Tensor], ParamsAttrs, readonly Tensor[]> = {
  name: "layerNormParamsBackward",
  infer: (_, { shape, wanted }) => wanted.filter(Boolean).map(() => ({ shape, dtype: "f32" })),
  forward(run, [x, stats, dy], outputs, { shape, wanted }) {
    const length = sizeOf(shape);
    const [dw, db] = inPlaces(wanted, outputs);
    paramsKernel.launch(run, { x, stats, dy, dw, db }, { rows: x.numel / length, length }, grid1d(length, COLUMNS));
  },
  divisions: ([x], outputs, { shape }) =>
    rowDims(x, shape).map((d) => ({ inputs: [d, d, d], outputs: outputs.map(() => "sum" as const) })),
  ...withoutGradient,
};

type Inputs = readonly [x: Tensor, weight: Tensor | null, bias: Tensor | null];

/** y, and a row's mean and rstd for the tape. */
export const layerNormOp: Op<Inputs, Attrs & { readonly eps: number }, readonly [y: Tensor], readonly [stats: Tensor]> =
  {
    name: "layerNorm",
    required: 1,
    aux: 1,
    infer([x, weight, bias], { name, shape }) {
      checkDtype(name, "input", x.dtype, "f32");
      const rank = x.shape.length - shape.length;
      check(
        shape.length > 0 && rank >= 0 && sameShape(x.shape.slice(rank), shape),
        () => `[${name}] normalizedShape ${show(shape)} is not how input ${show(x.shape)} ends`,
      );
      check(sizeOf(shape) > 0, () => `[${name}] normalizedShape ${show(shape)} holds no elements`, ValueError);
      for (const [what, given] of Object.entries({ weight, bias })) {
        if (!given) continue;
        checkDtype(name, what, given.dtype, "f32");
        check(
          sameShape(given.shape, shape),
          () => `[${name}] ${what} has shape ${show(given.shape)} but normalizedShape is ${show(shape)}`,
        );
      }
      return [x, { shape: [...x.shape.slice(0, rank), 2], dtype: "f32" }];
    },
    forward(run, [x, weight, bias], [y, stats], { shape, eps, centred }) {
      const { params, grid } = plan(x, shape, run.device.info);
      const variant = forwardKernel.variant({ CENTRED: centred });
      variant.launch(run, { x, weight, bias, stats, y }, { ...params, ...UNGROUPED, eps }, grid);
    },
    divisions: ([x], _, { shape }) => rowDims(x, shape).map((d) => ({ inputs: [d, null, null], outputs: [d, d] })),
    saves: ([x]) => ({ inputs: x ? [0, 1] : [0], outputs: [1] }),
    vjp([dy], c) {
      const { attrs } = c;
      const [x, stats] = [c.input(0), c.output(1)];
      const dx = c.needs[0] ? apply1(inputGradientOp, [x, c.input(1), stats, dy], attrs) : null;
      const wanted = [c.needs[1], c.needs[2]] as const;
      const params = wanted.includes(true) ? apply(paramsGradientOp, [x, stats, dy], { ...attrs, wanted }) : [];
      return [dx, ...inPlaces(wanted, params)];
    },
  };

/** Both norms, arguments checked. */
function rowNorm(
  name: string,
  x: Tensor,
  normalizedShape: number | Shape,
  [weight, bias]: readonly [weight?: Tensor | null, bias?: Tensor | null],
  eps: number,
): Tensor {
  const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  checkShape(name, shape);
  checkNumber(name, "eps", eps);
  return apply1(layerNormOp, [x, weight ?? null, bias ?? null], { name, shape, eps, centred: name === "layerNorm" });
}

/**
 * Normalises x over its last dimensions, `normalizedShape`, to mean 0 and variance 1, then scales by `weight` and adds
 * `bias`, both of that shape.
 * @throws ShapeError where x does not end in `normalizedShape`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html
 */
export const layerNorm = (
  x: Tensor,
  normalizedShape: number | Shape,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): Tensor => rowNorm("layerNorm", x, normalizedShape, [weight, bias], eps);

/** The distance from 1 to the next f32. */
const EPSILON = 2 ** -23;

/**
 * Divides x by its root mean square over its last dimensions, `normalizedShape`, then scales by `weight` of that shape. `eps` is
 * added to the mean square; null (the default) stands for 2^-23.
 * @throws ShapeError where x does not end in `normalizedShape`.
 * @see https://arxiv.org/abs/1910.07467 and https://pytorch.org/docs/stable/generated/torch.nn.functional.rms_norm.html
 */
export const rmsNorm = (
  x: Tensor,
  normalizedShape: number | Shape,
  weight?: Tensor | null,
  eps: number | null = null,
): Tensor => rowNorm("rmsNorm", x, normalizedShape, [weight], eps ?? EPSILON);
