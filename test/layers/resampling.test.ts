// Interpolation, padding and pooling against PyTorch.
import { expect, test } from "vitest";
import { capture, grad, gradcheck, nn, optim, randn, ShapeError, scope, type Tensor, ValueError, zeros } from "wgrad";
import { withDevice } from "../support/case.ts";
import { type GoldenCase, goldenCases, wave } from "../support/golden-layers.ts";

withDevice();
const F = nn.functional;

const cases: Record<string, GoldenCase> = {};
const interpolated = (name: string, shape: number[], options: nn.functional.InterpolateOptions) => {
  cases[name] = { call: (_, [x]) => F.interpolate(x!, options), inputs: [shape] };
};
interpolated("nearest by two", [1, 2, 3, 4], { scaleFactor: 2 });
interpolated("nearest to a size", [2, 1, 5, 7], { size: [8, 3] });
interpolated("nearest by a factor", [1, 1, 4, 5], { scaleFactor: [1.7, 0.6] });
interpolated("nearest of signals", [2, 2, 5], { size: 8 });
interpolated("nearest of volumes", [1, 2, 2, 3, 2], { size: [3, 2, 4] });
interpolated("nearest-exact", [1, 2, 5, 4], { size: [7, 9], mode: "nearest-exact" });
interpolated("nearest-exact of volumes", [1, 1, 3, 2, 3], { scaleFactor: 1.5, mode: "nearest-exact" });
interpolated("linear", [2, 1, 5], { size: 8, mode: "linear" });
interpolated("linear, corners aligned", [1, 2, 6], { size: 4, mode: "linear", alignCorners: true });
interpolated("bilinear by two", [1, 2, 3, 4], { scaleFactor: 2, mode: "bilinear" });
interpolated("bilinear, corners aligned", [1, 2, 3, 4], { size: [5, 7], mode: "bilinear", alignCorners: true });
interpolated("bilinear to one row, corners aligned", [1, 1, 3, 4], {
  size: [1, 6],
  mode: "bilinear",
  alignCorners: true,
});
interpolated("bilinear by a factor", [1, 1, 5, 4], { scaleFactor: [0.7, 1.3], mode: "bilinear" });
interpolated("bilinear by a factor, recomputed", [1, 1, 5, 4], {
  scaleFactor: [0.7, 1.3],
  mode: "bilinear",
  recomputeScaleFactor: true,
});
interpolated("bilinear, antialiased", [1, 2, 9, 7], { size: [4, 10], mode: "bilinear", antialias: true });
interpolated("bilinear, antialiased by much", [1, 1, 23, 19], { size: [3, 2], mode: "bilinear", antialias: true });
interpolated("bicubic", [1, 2, 4, 5], { size: [7, 3], mode: "bicubic" });
interpolated("bicubic, corners aligned", [1, 1, 4, 5], { scaleFactor: 2, mode: "bicubic", alignCorners: true });
interpolated("bicubic, antialiased", [1, 1, 9, 8], { size: [4, 5], mode: "bicubic", antialias: true });
interpolated("trilinear", [1, 2, 2, 3, 4], { scaleFactor: 2, mode: "trilinear" });
interpolated("trilinear, corners aligned", [1, 1, 3, 4, 3], { size: [4, 3, 2], mode: "trilinear", alignCorners: true });
interpolated("area", [1, 2, 7, 5], { size: [3, 2], mode: "area" });
interpolated("area of signals, larger", [1, 2, 4], { size: 7, mode: "area" });
interpolated("no images", [0, 2, 3, 4], { size: [5, 6], mode: "bilinear" });

for (const mode of ["reflect", "replicate", "circular"] as const) {
  Object.assign(cases, {
    [`pad ${mode}`]: { call: (_, [x]) => F.pad(x!, [2, 1, 1, 3], mode), inputs: [[2, 1, 4, 3]] },
    [`pad ${mode} of signals`]: { call: (_, [x]) => F.pad(x!, [3, 2], mode), inputs: [[1, 2, 4]] },
    [`pad ${mode} of volumes`]: { call: (_, [x]) => F.pad(x!, [1, 1, 0, 2, 1, 0], mode), inputs: [[1, 1, 2, 3, 3]] },
  } satisfies Record<string, GoldenCase>);
  for (const padding of [1, "same"] as const) {
    cases[`Conv2d ${mode} ${padding}`] = {
      make: () => new nn.Conv2d(2, 3, [3, 2], { padding, paddingMode: mode }),
      inputs: [[1, 2, 4, 5]],
    };
  }
}
/** Few values, so that several are the largest. */
const rounded =
  (...shape: number[]) =>
  () =>
    scope(() => wave(shape, 0, 2).round());

goldenCases("resampling", {
  ...cases,
  Upsample: {
    make: () => new nn.Upsample({ scaleFactor: 3, mode: "bilinear", alignCorners: false }),
    inputs: [[1, 2, 3, 2]],
  },
  "pad replicate by much, cropped": {
    call: (_, [x]) => F.pad(x!, [7, -1, -2, 6], "replicate"),
    inputs: [[1, 2, 4, 3]],
  },
  ConstantPad1d: { make: () => new nn.ConstantPad1d([1, 2], 3.5), inputs: [[1, 2, 3]] },
  ConstantPad2d: { make: () => new nn.ConstantPad2d(1, -2), inputs: [[1, 2, 2, 3]] },
  ZeroPad2d: { make: () => new nn.ZeroPad2d([1, 0, 2, -1]), inputs: [[1, 2, 2, 3]] },
  ReflectionPad1d: { make: () => new nn.ReflectionPad1d(2), inputs: [[1, 2, 4]] },
  ReflectionPad2d: { make: () => new nn.ReflectionPad2d([1, 2, 2, 1]), inputs: [[1, 1, 3, 4]] },
  ReplicationPad1d: { make: () => new nn.ReplicationPad1d([0, 3]), inputs: [[1, 2, 2]] },
  ReplicationPad2d: { make: () => new nn.ReplicationPad2d(2), inputs: [[1, 1, 3, 2]] },
  MaxPool1d: {
    make: () => new nn.MaxPool1d(3, { stride: 2, padding: 1, dilation: 2, ceilMode: true }),
    inputs: [[2, 2, 9]],
  },
  AvgPool1d: {
    make: () => new nn.AvgPool1d(3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
    inputs: [[2, 2, 8]],
  },
  "avgPool1d without a batch": { call: (_, [x]) => F.avgPool1d(x!, 2), inputs: [[3, 5]] },
  MaxPool3d: { make: () => new nn.MaxPool3d(2), inputs: [[1, 2, 4, 5, 4]] },
  "MaxPool3d with all options": {
    make: () =>
      new nn.MaxPool3d([3, 2, 2], {
        stride: [1, 2, 1],
        padding: [1, 0, 1],
        dilation: [1, 2, 1],
        ceilMode: true,
      }),
    inputs: [[1, 2, 4, 5, 4]],
  },
  "maxPool3d of equal elements": {
    call: (_, [x]) => F.maxPool3d(x!, 3, { stride: 2 }),
    inputs: [rounded(1, 1, 5, 5, 5)],
  },
  AvgPool3d: {
    make: () => new nn.AvgPool3d([2, 3, 2], { stride: 2, padding: 1, ceilMode: true }),
    inputs: [[2, 1, 3, 4, 4]],
  },
  "AvgPool3d without padding in the divisor": {
    make: () => new nn.AvgPool3d(3, { stride: [2, 1, 2], padding: 1, countIncludePad: false }),
    inputs: [[2, 3, 4, 4]],
  },
  AdaptiveAvgPool1d: { make: () => new nn.AdaptiveAvgPool1d(3), inputs: [[2, 2, 7]] },
  AdaptiveAvgPool3d: { make: () => new nn.AdaptiveAvgPool3d([2, null, 3]), inputs: [[1, 2, 3, 2, 5]] },
  AdaptiveMaxPool1d: { make: () => new nn.AdaptiveMaxPool1d(3), inputs: [[2, 2, 7]] },
  AdaptiveMaxPool2d: { make: () => new nn.AdaptiveMaxPool2d([3, 2]), inputs: [[1, 2, 7, 5]] },
  "AdaptiveMaxPool2d of whole windows": { make: () => new nn.AdaptiveMaxPool2d([null, 2]), inputs: [[2, 3, 6]] },
  "adaptiveMaxPool2d of equal elements": {
    call: (_, [x]) => F.adaptiveMaxPool2d(x!, 3),
    inputs: [rounded(1, 1, 7, 7)],
  },
  "maxPool1d of no signals": { call: (_, [x]) => F.maxPool1d(x!, 2), inputs: [[0, 2, 4]] },
});

test("gradients of gradients", async () => {
  for (const f of [
    (x: Tensor) => F.interpolate(x, { scaleFactor: 1.5, mode: "bicubic" }),
    (x: Tensor) => F.pad(x, [1, 1, 1, 1], "reflect"),
    (x: Tensor) => F.adaptiveMaxPool2d(x, 2),
  ]) {
    const x = randn([1, 1, 3, 3], { requiresGrad: true });
    const penalty = (x: Tensor) => {
      const [g] = grad(f(x).square().sum(), [x], { createGraph: true });
      return g!.square().sum();
    };
    expect(await gradcheck(penalty, x, { directions: 1 })).toBe(true);
    x.dispose();
  }
});

test("a captured step interpolates and pads by its tables", async () => {
  const conv = new nn.Conv2d(1, 1, 3, { padding: 1, paddingMode: "reflect" });
  const opt = new optim.SGD(conv.parameters(), { lr: 0.1 });
  const x = wave([1, 1, 3, 3], 0);
  const step = (x: Tensor) => {
    opt.zeroGrad();
    const loss = F.interpolate(conv.forward(x), { scaleFactor: 2, mode: "bilinear" }).square().mean();
    loss.backward();
    opt.step();
    return loss.detach();
  };
  const captured = capture(step);
  const losses: number[] = [];
  for (let i = 0; i < 5; i++) {
    const loss = i < 4 ? captured(x) : scope(() => step(x));
    losses.push(await loss.item());
    loss.dispose();
  }
  expect(losses.toSorted((a, b) => b - a)).toEqual(losses);
  expect(losses[4]).toBeLessThan(losses[0]!);
  captured.dispose();
  for (const t of [conv, opt, x]) t.dispose();
});

test("what does not go together is told", () => {
  const [x, x1, x3] = [zeros([1, 2, 3, 4]), zeros([1, 2, 4]), zeros([1, 2, 3, 3, 3])];
  expect(() => F.interpolate(x, {})).toThrow(/either size or scaleFactor/);
  expect(() => F.interpolate(x, { size: 2, mode: "linear" })).toThrow(ShapeError);
  expect(() => F.interpolate(x, { size: 2, mode: "nearest", alignCorners: true })).toThrow(/alignCorners/);
  expect(() => F.interpolate(x, { size: 2, mode: "area", antialias: true })).toThrow(/antialias/);
  expect(() => F.interpolate(x, { scaleFactor: 0.1 })).toThrow(/no elements left/);
  expect(() => F.interpolate(x, { size: 2, mode: "cubic" as never })).toThrow(/one of nearest/);
  expect(() => F.interpolate(x, { size: 2 ** 30 })).toThrow(/16777216/);
  expect(() => F.pad(x, [0, 0, 3, 0], "reflect")).toThrow(/reflect takes at most 2/);
  const conv = new nn.Conv2d(2, 1, 3, { padding: 3, paddingMode: "reflect" });
  expect(() => conv.forward(x)).toThrow(/Conv2d.*reflect takes at most/);
  expect(() => conv.forward(x1)).toThrow(/Conv2d.*N, C, H, W/);
  expect(String(conv)).toBe("Conv2d(2, 1, [3, 3], stride: 1, padding: 3, paddingMode: reflect)");
  conv.dispose();
  expect(() => F.pad(x, [5, 0], "circular")).toThrow(/at most 4/);
  expect(() => F.pad(x, [1, 0], "edge" as never)).toThrow(/one of reflect/);
  expect(() => F.avgPool3d(x1, 2)).toThrow(/D, H, W/);
  expect(() => F.adaptiveAvgPool1d(x, 2).dispose()).toThrow(/C, L/);
  expect(() => F.adaptiveMaxPool1d(x1, 0)).toThrow(ValueError);
  expect(() => F.adaptiveAvgPool3d(x3, [1, 2] as never)).toThrow(/3 of them/);
  expect(String(new nn.Upsample({ scaleFactor: 2 }))).toBe("Upsample(scaleFactor: 2)");
  expect(String(new nn.ReflectionPad2d(1))).toBe("ReflectionPad2d([1, 1, 1, 1])");
  for (const t of [x, x1, x3]) t.dispose();
});
