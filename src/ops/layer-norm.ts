// Layer norm over the last dimensions.
import { apply, apply1 } from "../autograd/apply.ts";
import { type OldOp, savesNothing } from "../autograd/op.ts";
import { check, ValueError } from "../errors.ts";
import { f32Bits, grid1d } from "../gpu/queue.ts";
import { planRows, type RowPlan, rowWords } from "../kernels/row-plan.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
import forwardWgsl from "../kernels/wgsl/layer-norm.wgsl";
import backwardWgsl from "../kernels/wgsl/layer-norm-backward.wgsl";
import paramsWgsl from "../kernels/wgsl/layer-norm-params.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { type Shape, sameShape, show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

interface Attrs {
  readonly shape: Shape;
  readonly eps: number;
  /** Positions among the inputs, which x leads. */
  readonly weight: number | null;
  readonly bias: number | null;
}

const forwardKernel = new Kernel("layer_norm", forwardWgsl);
const backwardKernel = new Kernel("layer_norm_backward", backwardWgsl);
const paramsKernel = new Kernel("layer_norm_params", paramsWgsl);
/** Columns that a workgroup of layer-norm-params.wgsl takes. */
const COLUMNS = 8;

function plan(x: Tensor, shape: Shape): RowPlan {
  const length = sizeOf(shape);
  return planRows(x.numel / length, length, x.device.info.isSoftware);
}

/** [x, stats, dy, weight?] to dx. */
const inputGradientOp: OldOp<{ shape: Shape }> = {
  name: "layerNormBackward",
  infer: ([x]) => [x!],
  forward({ queue }, [x, stats, dy, weight], [dx], { shape }) {
    const p = plan(x!, shape);
    const storages = [x!, weight ?? x!, stats!, dy!, dx!].map((t) => t.storage);
    queue.dispatch(backwardKernel.variant(), storages, [...rowWords(p), Number(!!weight)], p.grid);
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

/** [x, stats, dy] to [dweight, dbias]. */
const paramsGradientOp: OldOp<{ shape: Shape }> = {
  name: "layerNormParamsBackward",
  infer: (_, { shape }) => [
    { shape, dtype: "f32" },
    { shape, dtype: "f32" },
  ],
  forward({ queue }, [x, stats, dy], [dw, db], { shape }) {
    const length = sizeOf(shape);
    const storages = [x!, stats!, dy!, dw!, db!].map((t) => t.storage);
    queue.dispatch(paramsKernel.variant(), storages, [x!.numel / length, length], grid1d(length, COLUMNS));
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

const layerNormOp: OldOp<Attrs> = {
  name: "layerNorm",
  aux: 1,
  infer(inputs, { shape, weight, bias }) {
    const [x] = inputs;
    checkDtype("layerNorm", "input", x!.dtype, "f32");
    const rank = x!.shape.length - shape.length;
    check(
      shape.length > 0 && rank >= 0 && sameShape(x!.shape.slice(rank), shape),
      () => `[layerNorm] normalizedShape ${show(shape)} is not how input ${show(x!.shape)} ends`,
    );
    check(sizeOf(shape) > 0, () => `[layerNorm] normalizedShape ${show(shape)} holds no elements`, ValueError);
    for (const [name, slot] of [
      ["weight", weight],
      ["bias", bias],
    ] as const) {
      if (slot === null) continue;
      const given = inputs[slot]!;
      checkDtype("layerNorm", name, given.dtype, "f32");
      check(
        sameShape(given.shape, shape),
        () => `[layerNorm] ${name} has shape ${show(given.shape)} but normalizedShape is ${show(shape)}`,
      );
    }
    return [x!, { shape: [...x!.shape.slice(0, rank), 2], dtype: "f32" }];
  },
  forward({ queue }, inputs, [y, stats], { shape, weight, bias, eps }) {
    const [x] = inputs;
    const p = plan(x!, shape);
    const given = (slot: number | null) => (slot === null ? x! : inputs[slot]!);
    const storages = [x!, given(weight), given(bias), stats!, y!].map((t) => t.storage);
    const flags = [Number(weight !== null), Number(bias !== null), f32Bits(eps)];
    queue.dispatch(forwardKernel.variant(), storages, [...rowWords(p), ...flags], p.grid);
  },
  saves: ([x], { weight }) => ({ inputs: x && weight !== null ? [0, weight] : [0], outputs: [1] }),
  vjp([dy], c) {
    const { shape, weight, bias } = c.attrs;
    const grads: (Tensor | null)[] = c.needs.map(() => null);
    const inputs = [c.input(0), c.output(1), dy!];
    if (c.needs[0]) {
      grads[0] = apply1(inputGradientOp, weight === null ? inputs : [...inputs, c.input(weight)], { shape });
    }
    const wants = (slot: number | null) => slot !== null && c.needs[slot]!;
    if (wants(weight) || wants(bias)) {
      const [dw, db] = apply(paramsGradientOp, inputs, { shape });
      if (weight !== null) grads[weight] = dw!;
      if (bias !== null) grads[bias] = db!;
    }
    return grads;
  },
};

/**
 * Normalises x over its last dimensions, `normalizedShape`, to mean 0 and variance 1, then scales by `weight` and adds
 * `bias`, both of that shape.
 * @throws ShapeError where x does not end in `normalizedShape`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): Tensor {
  const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  const inputs = [x, ...(weight ? [weight] : []), ...(bias ? [bias] : [])];
  const slots = { weight: weight ? 1 : null, bias: bias ? inputs.length - 1 : null };
  return apply1(layerNormOp, inputs, { shape, eps, ...slots });
}
