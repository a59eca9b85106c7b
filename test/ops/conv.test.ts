// conv2d, its input gradient and its weight gradient, in every variant: with subgroups and without.
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { nn, noGrad, scope, zeros } from "wgrad";
import { currentDevice } from "../../src/gpu/device.ts";
import { type Draw, eachPlan, eachVariant, type OpCase, testCase, withDevice } from "../support/case.ts";
import { type ConvAttrs, conv2d, conv2dVjp, convShape } from "../support/conv-reference.ts";
import { type HostArray, host, uniform, upload } from "../support/host.ts";

const F = nn.functional;
const conv = F.conv2d;
const size = fc.integer({ min: 1, max: 9 });
const two = <T>(a: fc.Arbitrary<T>) => fc.tuple(a, a);

const draw: fc.Arbitrary<Draw<ConvAttrs>> = fc
  .record({
    n: fc.integer({ min: 1, max: 3 }),
    perGroup: fc.constantFrom(1, 2, 3, 5),
    filters: fc.constantFrom(1, 2, 3, 17),
    groups: fc.constantFrom(1, 1, 1, 2, 3),
    size: two(size),
    kernel: two(fc.integer({ min: 1, max: 4 })),
    stride: two(fc.integer({ min: 1, max: 3 })),
    padding: two(fc.integer({ min: 0, max: 3 })),
    dilation: two(fc.constantFrom(1, 1, 1, 2)),
    bias: fc.boolean(),
    seed: fc.nat(),
  })
  .filter((d) => [0, 1].every((i) => d.size[i]! + 2 * d.padding[i]! >= d.dilation[i]! * (d.kernel[i]! - 1) + 1))
  .map(({ n, perGroup, filters, groups, size, kernel, bias, seed, ...rest }) => ({
    inputs: [
      uniform([n, perGroup * groups, ...size], seed),
      uniform([filters * groups, perGroup, ...kernel], seed + 1),
      ...(bias ? [uniform([filters * groups], seed + 2)] : []),
    ],
    attrs: { ...rest, groups },
  }));

/** Shapes of real networks, smaller in batch: 3x3 stride 1 and 2, 1x1 stride 2, the 7x7 stem, dead taps, AlexNet's 11x11. */
const real = (
  [
    [[2, 33, 8, 8], [17, 33, 3, 3], 1, 1],
    [[3, 5, 7, 4], [17, 5, 3, 3], 1, 1],
    [[2, 5, 3, 16], [19, 5, 3, 3], 1, 1],
    [[1, 6, 5, 32], [16, 6, 3, 3], 1, 1],
    [[9, 4, 4, 4], [8, 4, 3, 3], 1, 1],
    [[2, 3, 5, 12], [18, 3, 3, 3], 1, 1],
    [[1, 9, 2, 36], [9, 9, 3, 3], 1, 1],
    [[2, 16, 8, 8], [32, 16, 3, 3], 2, 1],
    [[2, 16, 9, 9], [35, 16, 1, 1], 2, 0],
    [[1, 3, 32, 32], [16, 3, 7, 7], 2, 3],
    [[5, 40, 1, 1], [16, 40, 3, 3], 1, 1],
    [[3, 24, 2, 2], [16, 24, 3, 3], 2, 1],
    [[1, 3, 35, 35], [16, 3, 11, 11], 4, 2],
  ] as const
).map(
  ([x, w, stride, padding], i): Draw<ConvAttrs> => ({
    inputs: [uniform(x, i), uniform(w, i + 100)],
    attrs: { stride: [stride, stride], padding: [padding, padding], dilation: [1, 1], groups: 1 },
  }),
);

const reference = ([x, w, b]: readonly HostArray[], attrs: ConvAttrs) => conv2d(x!, w!, b, attrs);
const base: Omit<OpCase<ConvAttrs>, "name" | "draw"> = {
  run: ([x, w, b], attrs) => conv(x!, w!, b, attrs),
  reference,
  vjp: ([dy], inputs, attrs) => conv2dVjp(dy!, inputs[0]!, inputs[1]!, attrs).slice(0, inputs.length),
  // The weight gradient sums over all positions, the input gradient over filters and taps.
  // All inputs are at most 1: a single element may be a sum that cancels.
  scale: () => 1,
  K: ([x, w]) => Math.max(x!.data.length / x!.shape[1]!, w!.data.length / Math.min(w!.shape[0]!, w!.shape[1]!)),
};

const map = ({ shape, data }: HostArray, f: (v: number) => number) => host(shape, data.map(f));

const largestSum = ([x, w, b]: readonly HostArray[], attrs: ConvAttrs) =>
  Math.max(...conv2d(x!, w!, b, attrs).data.map(Math.abs));

/** relu(conv2d(x)) in f64; where the sum is 0 up to rounding its gradient is not defined, but uniform draws do not hit that. */
const relu: OpCase<ConvAttrs> = {
  ...base,
  name: "conv2d and relu",
  draw,
  run: ([x, w, b], attrs) => scope(() => F.relu(conv(x!, w!, b, attrs))),
  reference: (inputs, attrs) => map(reference(inputs, attrs), (y) => Math.max(y, 0)),
  vjp([dz], inputs, attrs) {
    const y = reference(inputs, attrs);
    const dy = host(
      dz!.shape,
      dz!.data.map((g, i) => (y.data[i]! > 0 ? g : 0)),
    );
    return conv2dVjp(dy, inputs[0]!, inputs[1]!, attrs).slice(0, inputs.length);
  },
  scale: largestSum,
  runs: 20,
  step: 0,
};

const optionsOf = ({ stride, padding, dilation, groups }: ConvAttrs) => ({ stride, padding, dilation, groups });

interface NormAttrs extends ConvAttrs {
  readonly eps: number;
  readonly relu: boolean;
  readonly residual: boolean;
}
/** Convolution, batch norm by running statistics, residual, ReLU: [x, w, gamma, beta, mean, variance, residual?]. */
const norm: OpCase<NormAttrs> = {
  name: "conv2d, batch norm, residual, relu",
  draw: fc
    .record({
      at: fc.oneof(draw, fc.constantFrom(...real)),
      relu: fc.boolean(),
      residual: fc.boolean(),
      eps: fc.constantFrom(1e-5, 0.1),
      seed: fc.nat(),
    })
    .map(({ at: { inputs, attrs }, seed, ...rest }) => {
      const [x, w] = inputs as [HostArray, HostArray];
      const filters = [w.shape[0]!];
      const vectors = [0, 1, 2].map((i) => uniform(filters, seed + i));
      const variance = map(uniform(filters, seed + 3), (v) => 0.3 + v * v);
      const residual = rest.residual ? [uniform(convShape(x.shape, w.shape, attrs), seed + 4)] : [];
      return { inputs: [x, w, ...vectors, variance, ...residual], attrs: { ...attrs, ...rest } };
    }),
  run([x, w, weight, bias, runningMean, runningVar, residual], attrs) {
    return noGrad(() =>
      scope(() => {
        const y = F.batchNorm(conv(x!, w!, null, optionsOf(attrs)), runningMean!, runningVar!, weight, bias, {
          eps: attrs.eps,
        });
        const z = residual ? y.add(residual) : y;
        return attrs.relu ? F.relu(z) : z;
      }),
    );
  },
  reference([x, w, gamma, beta, mean, variance, residual], attrs) {
    const y = conv2d(x!, w!, undefined, attrs);
    const plane = y.shape[2]! * y.shape[3]!;
    y.data.forEach((sum, i) => {
      const c = Math.floor(i / plane) % y.shape[1]!;
      const normed = ((sum - mean!.data[c]!) / Math.sqrt(variance!.data[c]! + attrs.eps)) * gamma!.data[c]!;
      const total = normed + beta!.data[c]! + (residual?.data[i] ?? 0);
      y.data[i] = attrs.relu ? Math.max(total, 0) : total;
    });
    return y;
  },
  K: ([, w]) => w!.data.length / w!.shape[0]!,
  scale: ([x, w], attrs) => 3 + (largestSum([x!, w!], attrs) + 1) / Math.sqrt(0.3),
  runs: 30,
};

for (const subgroups of [true, false]) {
  describe(`subgroups ${subgroups ? "on" : "off"}`, () => {
    withDevice({ subgroups });
    testCase({ ...base, name: "conv2d", draw, runs: 40 });
    testCase({ ...base, name: "conv2d on network shapes", draw: fc.constantFrom(...real), runs: 30, step: 0 });
    testCase(relu);
    testCase(norm);
  });
}

/** A GPU's plan splits the batch where the weight gradient's grid is small. */
describe("split batches", () => {
  withDevice();
  eachPlan(() => {
    testCase({ ...base, name: "conv2d", draw, runs: 30 });
    testCase({ ...base, name: "conv2d on network shapes", draw: fc.constantFrom(...real), runs: 40, step: 0 });
  });
});

await eachVariant(
  ["conv", "convInputGradient", "convWeightGradient"],
  () => {
    scope(() => {
      const [x, w] = [upload(uniform([1, 3, 4, 4], 1), true), upload(uniform([4, 3, 3, 3], 2), true)];
      conv(x, w, null, { padding: 1 }).sum().backward();
    });
  },
  () => testCase({ ...base, name: "conv2d on network shapes", draw: fc.constantFrom(...real), runs: 40, step: 0 }),
);

/** Depthwise: maps smaller than the kernel, halved, uneven, padded by more than the kernel, dilated. */
const depthwise = (
  [
    [[3, 6, 1, 1], 5, 1, 2, 1],
    [[2, 5, 2, 2], 7, 1, 3, 1],
    [[2, 5, 4, 4], 5, 2, 2, 1],
    [[2, 4, 5, 3], 5, 2, 1, 1],
    [[2, 4, 8, 8], 5, 1, 2, 1],
    [[2, 3, 8, 4], 7, 1, 3, 1],
    [[2, 4, 9, 6], 3, 2, 0, 1],
    [[1, 3, 6, 7], 3, 1, 4, 1],
    [[2, 3, 7, 5], 3, 3, 1, 1],
    [[2, 3, 7, 7], 3, 1, 2, 2],
  ] as const
).map(
  ([x, kernel, stride, padding, dilation], i): Draw<ConvAttrs> => ({
    inputs: [uniform(x, i), uniform([x[1], 1, kernel, kernel], i + 100)],
    attrs: {
      ...{ stride: [stride, stride], padding: [padding, padding], dilation: [dilation, dilation] },
      groups: x[1],
    },
  }),
);

for (const variant of ["depthwise", "depthwise rows", "depthwise small", "depthwise taps"]) {
  describe(`variant ${variant}`, () => {
    withDevice();
    beforeAll(() => {
      for (const kind of ["conv", "convInputGradient", "convWeightGradient"])
        currentDevice().variants.set(kind, variant);
    });
    testCase({ ...base, name: "depthwise conv2d", draw: fc.constantFrom(...depthwise), runs: 40, step: 0 });
  });
}

describe("errors", () => {
  withDevice();
  test("channel mismatch names both sides", () => {
    const [x, w] = [upload(uniform([1, 3, 4, 4], 1)), upload(uniform([64, 4, 3, 3], 2))];
    expect(() => conv(x, w)).toThrow("[conv2d] input has 3 channels but weight [64, 4, 3, 3] expects 4");
    x.dispose();
    w.dispose();
  });
  test("a kernel larger than the padded input is an error", () => {
    const [x, w] = [upload(uniform([1, 3, 2, 2], 1)), upload(uniform([4, 3, 5, 5], 2))];
    expect(() => conv(x, w, null, { padding: 1 })).toThrow("[conv2d] input [1, 3, 2, 2] padded by [1, 1]");
    x.dispose();
    w.dispose();
  });
});

describe("more planes than a software adapter starts workgroups for", () => {
  withDevice();
  // Workgroups take several planes in turn: what one leaves behind must not reach the next.
  test.each([
    ["depthwise by rows", 8, 3, 1],
    ["depthwise", 7, 3, 2],
    ["depthwise, dilated rows of five", 8, 5, 1],
  ])("%s: each image as by itself", async (_, size, kernel, stride) => {
    const [n, channels] = [9, 66];
    const options = { padding: (kernel - 1) / 2, stride, groups: channels };
    const [x, w] = [uniform([n, channels, size, size], 1), uniform([channels, 1, kernel, kernel], 2)];
    const results = async (images: HostArray) => {
      const [a, b] = [upload(images, true), upload(w, true)];
      const y = scope(() => {
        const made = conv(a, b, null, options);
        made.square().sum().backward();
        return made.detach();
      });
      const found = await Promise.all([y, a.grad!, b.grad!].map(async (t) => [...(await t.data())]));
      for (const t of [a, b, y]) t.dispose();
      return found;
    };
    const [y, dx, dw] = await results(x);
    const one = x.data.length / n;
    const each = [];
    for (let i = 0; i < n; i++) {
      each.push(await results(host([1, channels, size, size], x.data.slice(i * one, (i + 1) * one))));
    }
    expect(y).toEqual(each.flatMap(([part]) => part!));
    expect(dx).toEqual(each.flatMap(([, part]) => part!));
    for (const [k, value] of dw!.entries()) {
      expect(value).toBeCloseTo(
        each.reduce((sum, [, , part]) => sum + part![k]!, 0),
        2,
      );
    }
  });
});

test("an empty batch has gradients: zeros for the weights, an empty one for the input", async () => {
  for (const groups of [1, 4]) {
    const layer = new nn.Conv2d(4, 4, 3, { padding: 1, groups });
    const x = zeros([0, 4, 5, 5], { requiresGrad: true });
    scope(() => layer.forward(x).sum().backward());
    expect(x.grad?.shape).toEqual([0, 4, 5, 5]);
    for (const p of layer.parameters()) expect((await p.grad?.data())?.every((v) => v === 0)).toBe(true);
    x.dispose();
    layer.dispose();
  }
});
