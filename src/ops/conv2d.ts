// conv2d and its two gradients.
import { apply1 } from "../autograd/apply.ts";
import { type OldOp, savesNothing } from "../autograd/op.ts";
import { check, ValueError } from "../errors.ts";
import {
  type ConvGeometry,
  convClass,
  convTiles,
  convWeightTiles,
  planForward,
  planInputGradient,
  planWeightGradient,
} from "../kernels/conv.ts";
import { reduceInto } from "../kernels/reduction-plan.ts";
import { launchBest } from "../kernels/variants.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { pair, type Shape, show } from "../tensor/shape.ts";
import { empty, type Spec, Tensor } from "../tensor/tensor.ts";
import { sum } from "./sum-expand.ts";
import { unaryOps } from "./unary.ts";

export interface ConvOptions {
  stride?: number | readonly [number, number];
  /** Zeros added on each side. */
  padding?: number | readonly [number, number];
  dilation?: number | readonly [number, number];
  groups?: number;
}

export interface ConvAttrs {
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

interface ForwardAttrs extends ConvAttrs {
  /** The result is max(y, 0), in the same pass. */
  readonly relu: boolean;
}

export function geometry(x: Shape, w: Shape, { stride, padding, dilation, groups }: ConvAttrs): ConvGeometry {
  const [batch, channels, ...size] = x as [number, number, number, number];
  const [filters, , ...kernel] = w as [number, number, number, number];
  const out = size.map(
    (d, i) => Math.floor((d + 2 * padding[i]! - dilation[i]! * (kernel[i]! - 1) - 1) / stride[i]!) + 1,
  );
  return { batch, channels, filters, groups, size, kernel, out: [out[0]!, out[1]!], stride, padding, dilation };
}

export function inferConv(specs: readonly Spec[], attrs: ConvAttrs): Spec[] {
  const [x, w, bias] = specs as [Spec, Spec, Spec | undefined];
  for (const [what, spec] of [
    ["input", x],
    ["weight", w],
    ["bias", bias],
  ] as const) {
    if (spec) checkDtype("conv2d", what, spec.dtype, "f32");
  }
  check(x.shape.length === 4, () => `[conv2d] input has shape ${show(x.shape)} but must be [N, C, H, W]`);
  check(
    w.shape.length === 4,
    () => `[conv2d] weight has shape ${show(w.shape)} but must be [filters, C / groups, KH, KW]`,
  );
  const { groups } = attrs;
  const [, channels] = x.shape as [number, number];
  const [filters, perGroup] = w.shape as [number, number];
  check(
    channels === perGroup * groups,
    () =>
      `[conv2d] input has ${channels} channels but weight ${show(w.shape)} expects ${perGroup * groups}${groups > 1 ? ` (${groups} groups of ${perGroup})` : ""}`,
  );
  check(
    filters % groups === 0,
    () => `[conv2d] weight ${show(w.shape)} has ${filters} filters, not a multiple of ${groups} groups`,
  );
  check(
    !bias || (bias.shape.length === 1 && bias.shape[0] === filters),
    () => `[conv2d] bias has shape ${show(bias!.shape)} but weight ${show(w.shape)} expects [${filters}]`,
  );
  const { batch, out } = geometry(x.shape, w.shape, attrs);
  check(
    out[0] > 0 && out[1] > 0,
    () =>
      `[conv2d] input ${show(x.shape)} padded by ${show(attrs.padding)} is smaller than kernel ${show(w.shape.slice(2))} dilated by ${show(attrs.dilation)}`,
  );
  return [{ shape: [batch, filters, ...out], dtype: "f32" }];
}

interface GradientAttrs extends ConvAttrs {
  /** Shape of the input or weight whose gradient this is. */
  readonly shape: Shape;
}

/** dx from [dy, weight]. */
export const convInputGradient: OldOp<GradientAttrs> = {
  name: "conv2dInputGradient",
  infer: (_inputs, { shape }) => [{ shape, dtype: "f32" }],
  forward({ queue }, [dy, w], [dx], attrs) {
    const g = geometry(dx!.shape, w!.shape, attrs);
    const storages = [w!.storage, dy!.storage, w!.storage, dx!.storage];
    launchBest(dx!.device, "convInputGradient", convClass(g, g.channels / g.groups, g.filters / g.groups), {
      tiles: convTiles(g, g.filters / g.groups, dx!.device.info),
      storages,
      record(tile) {
        const { params, grid } = planInputGradient(g, tile);
        queue.dispatch(tile.shader, storages, params, grid);
      },
    });
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

/** dw from [dy, x]. */
export const convWeightGradient: OldOp<GradientAttrs> = {
  name: "conv2dWeightGradient",
  infer: (_inputs, { shape }) => [{ shape, dtype: "f32" }],
  forward(run, [dy, x], [dw], attrs) {
    const { queue } = run;
    const g = geometry(x!.shape, dw!.shape, attrs);
    const { device, shape } = dw!;
    const [dyStorage, xStorage, out] = [dy!.storage, x!.storage, dw!.storage];
    const storages = [dyStorage, xStorage, out];
    launchBest(device, "convWeightGradient", convClass(g, g.filters / g.groups, g.channels / g.groups), {
      tiles: convWeightTiles(g, device.info),
      storages,
      record(tile) {
        const { params, grid, clear, splits } = planWeightGradient(g, tile, device.info);
        if (splits === 1) {
          if (clear) queue.clear(out);
          queue.dispatch(tile.shader, storages, params, grid);
          return;
        }
        const parts = empty([splits, ...shape], "f32", device);
        const whole = new Tensor(out.retain(), shape, "f32");
        if (clear) queue.clear(parts.storage);
        queue.dispatch(tile.shader, [dyStorage, xStorage, parts.storage], params, grid);
        reduceInto(run, "sum", parts, whole, [0], 1);
        parts.dispose();
        whole.dispose();
      },
    });
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

/** y from [x, weight, bias?]. */
export const conv2dOp: OldOp<ForwardAttrs> = {
  name: "conv2d",
  infer: inferConv,
  forward({ queue }, [x, w, bias], [y], attrs) {
    const g = geometry(x!.shape, w!.shape, attrs);
    // Without a bias the binding still needs a buffer; the kernel does not read it.
    const storages = [w!.storage, x!.storage, (bias ?? w!).storage, y!.storage];
    launchBest(y!.device, "conv", convClass(g, g.filters / g.groups, g.channels / g.groups), {
      tiles: convTiles(g, g.channels / g.groups, y!.device.info),
      storages,
      record(tile) {
        const { params, grid } = planForward(g, { bias: bias !== undefined, relu: attrs.relu }, tile);
        queue.dispatch(tile.shader, storages, params, grid);
      },
    });
  },
  saves: ([x, w], { relu }) => ({ inputs: [...(w ? [0] : []), ...(x ? [1] : [])], outputs: relu ? [0] : [] }),
  vjp([dz], c) {
    const dy = c.attrs.relu ? apply1(unaryOps.relu.gradient, [dz!, c.output(0)], []) : dz!;
    return [
      c.needs[0] ? apply1(convInputGradient, [dy, c.input(1)], { ...c.attrs, shape: c.inputSpecs[0]!.shape }) : null,
      c.needs[1] ? apply1(convWeightGradient, [dy, c.input(0)], { ...c.attrs, shape: c.inputSpecs[1]!.shape }) : null,
      c.needs[2] ? sum(dy, [0, 2, 3]) : null,
    ];
  },
};

/**
 * 2-D convolution (cross-correlation). x: [N, C, H, W], weight: [filters, C / groups, KH, KW], bias: [filters];
 * result: [N, filters, OH, OW].
 * @throws ShapeError where channels, groups or bias do not fit, ValueError for a stride or dilation below 1.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions = {}): Tensor {
  return apply1(conv2dOp, bias ? [x, weight, bias] : [x, weight], { ...convAttrs(options), relu: false });
}

/** `relu(conv2d(x, ...))` in the passes over memory of the convolution alone. */
export function conv2dRelu(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions = {}): Tensor {
  return apply1(conv2dOp, bias ? [x, weight, bias] : [x, weight], { ...convAttrs(options), relu: true });
}

/** Checks options, and fills in what is left out. */
export function convAttrs({ stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvOptions): ConvAttrs {
  check(
    Number.isInteger(groups) && groups > 0,
    () => `[conv2d] groups must be a whole number above 0, got ${groups}`,
    ValueError,
  );
  return {
    stride: pair("conv2d", "stride", stride, 1),
    padding: pair("conv2d", "padding", padding),
    dilation: pair("conv2d", "dilation", dilation, 1),
    groups,
  };
}
