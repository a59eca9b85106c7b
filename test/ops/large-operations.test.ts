// Every operation on tensors larger than one binding may be, forward and backward: what it gives in one piece, with the limit
// set so low that each has to be divided.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as w from "wgrad";
import {
  cat,
  type Device,
  init,
  LimitError,
  manualSeed,
  nn,
  noGrad,
  ones,
  stack,
  type Tensor,
  tensor,
  where,
} from "wgrad";
import { integers, uniform, upload } from "../support/host.ts";

const F = nn.functional;
/** 1024 elements. */
const SMALL = 4096;
const KEY = "maxStorageBufferBindingSize";

let device: Device;
let real = 0;
const limit = (bytes: number) => Object.assign(device.info.limits, { [KEY]: bytes });
beforeAll(async () => {
  device = await init();
  real = device.info.limits[KEY] ?? 0;
});
afterAll(() => device.destroy());

let seed = 0;
const x = (...shape: number[]) => upload(uniform(shape, ++seed), true);
const positive = (...shape: number[]) => upload(uniform(shape, ++seed, 0.5, 2), true);
const index = (bound: number, ...shape: number[]) => upload(integers(shape, ++seed, 0, bound));

/** What gives results of leaves; the gradients of the leaves are results, too. */
type Case = readonly [leaves: () => Tensor[], run: (...leaves: Tensor[]) => Tensor | readonly Tensor[]];

/** Results and gradients of a case at this limit. */
async function valuesOf([make, run]: Case, bytes: number): Promise<Float64Array[]> {
  limit(real);
  seed = 0;
  manualSeed(1);
  const leaves = make();
  limit(bytes);
  try {
    const given = run(...leaves);
    const results = Array.isArray(given) ? (given as readonly Tensor[]) : [given as Tensor];
    for (const [i, y] of results.entries()) {
      if (!y.requiresGrad || y.isLeaf) continue;
      // A gradient that tells elements apart.
      const weights = tensor(
        Float32Array.from({ length: y.numel }, (_, k) => Math.sin(k * 0.7 + i)),
        { shape: y.shape },
      );
      y.backward(weights, { retainGraph: true });
    }
    const all = [...results, ...leaves.flatMap((leaf) => leaf.grad ?? []), ...leaves];
    return await Promise.all(all.map(async (t) => Float64Array.from(await t.data())));
  } finally {
    limit(real);
  }
}

/** The largest difference, relative to the largest value of each tensor; Infinity where one has NaN alone. */
function difference(a: readonly Float64Array[], b: readonly Float64Array[]): number {
  let worst = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  for (const [i, values] of a.entries()) {
    const scale = values.reduce((most, v) => Math.max(most, Number.isFinite(v) ? Math.abs(v) : 0), 1e-30);
    for (const [k, v] of values.entries()) {
      const other = b[i]?.[k] ?? Number.NaN;
      if (!Object.is(v, other) && v !== other) worst = Math.max(worst, Math.abs(v - other) / scale);
      if (Number.isNaN(v) !== Number.isNaN(other)) worst = Number.POSITIVE_INFINITY;
    }
  }
  return worst;
}

const ids = { train: { training: true } };

const exact: Record<string, Case> = {
  "add, broadcast rows": [() => [x(50, 33), x(33)], (a, b) => a.add(b).detach()],
  "mul, broadcast columns": [() => [x(50, 33), x(50, 1)], (a, b) => a.mul(b).detach()],
  "mul, broadcast both ways": [() => [x(60, 1), x(1, 61)], (a, b) => a.mul(b).detach()],
  "sub, one dimension more": [() => [x(7, 31, 33), x(31, 33)], (a, b) => a.sub(b).detach()],
  "maximum of equal shapes": [() => [x(40, 41), x(40, 41)], (a, b) => a.maximum(b)],
  comparisons: [() => [x(40, 41), x(41)], (a, b) => [a.lt(b), a.ge(b), a.eq(b), a.ne(b), a.gt(0)]],
  where: [
    () => [x(40, 41), x(41), x(40, 1)],
    (a, b, c) => [where(a.gt(0), b, c).detach(), where(a.gt(0), a, 0).detach(), where(b.gt(0), a, c).detach()],
  ],
  "in place, broadcast": [
    () => [x(50, 33), x(33), x(50, 1)],
    (a, b, c) => noGrad(() => [a.clone().add_(b), a.clone().mul_(c).sub_(b), a.clone().div_(2)]),
  ],
  "in place with itself": [() => [x(50, 33)], (a) => noGrad(() => [a.clone().mul_(a), a.mul_(a)])],
  "copy_, fill_, clone": [() => [x(50, 33), x(50, 33)], (a, b) => noGrad(() => [a.clone(), b.copy_(a), a.fill_(3)])],
  "lerp, as weight averaging": [() => [x(50, 33), x(50, 33)], (a, b) => noGrad(() => a.mul_(0.9).add_(b.mul(0.1)))],
  permute: [
    () => [x(40, 41), x(9, 11, 13), x(3, 5, 7, 11)],
    (a, b, c) => [a.t(), b.permute([2, 0, 1]), b.permute([1, 0, 2]), c.permute([0, 3, 1, 2])],
  ],
  flip: [() => [x(40, 41)], (a) => [a.flip([0]), a.flip([1]), a.flip([0, 1])]],
  slice: [
    () => [x(80, 41)],
    (a) => [
      a.slice([
        [3, 70, 2],
        [1, 40, 3],
      ]),
      a.slice([5]),
      a.slice([null, [2, 40]]),
      a.narrow(0, 7, 60),
    ],
  ],
  "split, chunk": [() => [x(80, 41)], (a) => [...a.split([30, 50]), ...a.chunk(3, 1)]],
  pad: [
    () => [x(40, 41), x(3, 20, 21)],
    (a, b) => [F.pad(a, [1, 2, 3, 4], 7), F.pad(a, [-1, 2, -3, 4]), F.pad(b, [1, 1, 2, 2, 0, 1], -1)],
  ],
  "cat, stack": [
    () => [x(40, 41), x(7, 41), x(40, 41)],
    (a, b, c) => [cat([a, b, a]), cat([a, c], 1), stack([a, c], 1), stack([a, c])],
  ],
  expand: [
    () => [x(1, 41), x(40, 1), x(1100)],
    (a, b, c) => [a.expand([60, 41]).detach(), b.expand([40, 50]).detach(), c.expand([2, 1100]).detach()],
  ],
  reshape: [() => [x(40, 41)], (a) => [a.reshape([41, 40]), a.flatten(), a.unsqueeze(1)]],
  "max and min over all and over dimensions": [
    () => [x(40, 41), x(3000)],
    (a, b) => [a.max(), a.min([0]), a.max([1]), a.min(), b.max(), b.min([0], { keepdim: true }), a.max([0, 1])],
  ],
  "all, any": [() => [x(40, 41)], (a) => [a.all(), a.any([0]), a.gt(0.99).any([1]), a.gt(2).any()]],
  "argmax, argmin": [
    () => [x(40, 41), x(3000), x(2, 1500)],
    (a, b, c) => [a.argmax(), a.argmax(0), a.argmin(1), b.argmax(), b.argmin(0), c.argmax(1), c.argmin()],
  ],
  topk: [
    () => [x(40, 41), x(3000), x(2, 1500)],
    (a, b, c) =>
      [a.topk(3), a.topk(5, 0), b.topk(20), c.topk(7, 1, false)].flatMap(({ values, indices }) => [values, indices]),
  ],
  "argmax of equal elements": [() => [tensor(new Int32Array(3000))], (a) => [a.argmax(), a.topk(4).indices]],
  gather: [
    () => [x(40, 41), index(40, 30, 41), index(41, 40, 60), x(3000), index(3000, 2000)],
    (a, rows, columns, b, at) => [a.gather(0, rows).detach(), a.gather(1, columns).detach(), b.gather(0, at).detach()],
  ],
  indexSelect: [
    () => [x(60, 41), index(60, 90), index(41, 50), x(3000), index(3000, 5)],
    (a, rows, columns, b, few) => [
      a.indexSelect(0, rows).detach(),
      a.indexSelect(1, columns).detach(),
      b.indexSelect(0, few).detach(),
    ],
  ],
  casts: [
    () => [x(40, 41), index(9, 40, 41), x(3001)],
    (a, i, b) => [a.mul(100).to("i32"), i.to("f32"), i.to("u32"), b.to("f16").to("f32"), a.to("f16")],
  ],
  "sums of integers": [() => [index(99, 40, 41)], (a) => [a.sum(), a.sum([0]), a.sum([1]), a.max([0])]],
  "max pooling": [
    () => [x(3, 4, 13, 15), x(7, 22, 22)],
    (a, b) => [F.maxPool2d(a, 3, { stride: 2, padding: 1 }), F.maxPool2d(b, 2)],
  ],
  "correct predictions": [
    () => [x(200, 10), index(10, 200), x(30, 5, 11), index(5, 30, 11)],
    (a, labels, b, at) => [F.correctCount(a, labels), F.correctCount(b, at)],
  ],
  dropout: [() => [x(40, 41)], (a) => F.dropout(a, 0.3)],
  "initial values": [
    () => [x(40, 41), x(30, 5, 3, 3)],
    (w, k) => [nn.init.kaimingNormal_(w), nn.init.xavierUniform_(k), nn.init.constant_(w.detach().clone(), 2)],
  ],
};

const close: Record<string, Case> = {
  "gradients of broadcast operands": [
    () => [x(50, 33), x(33), x(50, 1), positive(1)],
    (a, b, c, d) => a.add(b).mul(c).div(d).sub(b),
  ],
  "gradients of where": [() => [x(40, 41), x(41)], (a, b) => where(b.gt(0), a, b)],
  "gradients of expand": [() => [x(1, 41), x(40, 1)], (a, b) => [a.expand([60, 41]), b.expand([40, 50])]],
  "sums and means": [
    () => [x(40, 41), x(3, 20, 21), x(3000)],
    (a, b, c) => [a.sum(), a.sum([0]), a.mean([1]), a.mean(), b.sum([0, 2]), b.mean([1], { keepdim: true }), c.sum()],
  ],
  "sum over few large rows": [() => [x(3, 900)], (a) => [a.sum([0]), a.sum([1]), a.mean()]],
  "sum over rows larger than a binding": [() => [x(3, 1100)], (a) => [a.sum([0]), a.sum([1])]],
  "norm, var, std": [
    () => [x(40, 41), x(3000)],
    (a, b) => [a.norm(), a.norm([0]), a.norm([1]), a.var([0]), a.std([1]), b.norm(), b.std()],
  ],
  "scans and sorts of many lines": [
    () => [x(64, 37)],
    (a) => [w.cumsum(a, 1), w.sort(a, 1).values, w.sort(a, 0).indices],
  ],
  "writes by index": [
    () => [x(64, 37), index(64, 64, 37), x(64, 37), index(64, 20), x(20, 37)],
    (a, at, b, rows, c) => [w.scatterAdd(a, 0, at, b), w.indexAdd(a, 0, rows, c)],
  ],
  "gradients of gather": [
    () => [x(40, 41), index(40, 30, 41), index(41, 40, 60)],
    (a, rows, columns) => [a.gather(0, rows), a.gather(1, columns)],
  ],
  "gradients of indexSelect": [
    () => [x(60, 41), index(60, 90), index(41, 50)],
    (a, rows, columns) => [a.indexSelect(0, rows), a.indexSelect(1, columns)],
  ],
  "gradients of topk": [() => [x(40, 41)], (a) => [a.topk(3).values, a.topk(5, 0).values]],
  softmax: [
    () => [x(40, 41), x(5, 41, 9)],
    (a, b) => [F.softmax(a, 1), F.logSoftmax(a, 0), F.softmax(b, 1), F.logSoftmax(b, 2)],
  ],
  "layer norm": [
    () => [x(60, 33), x(33), x(33), x(7, 5, 40), x(40)],
    (a, w, b, c, v) => [F.layerNorm(a, 33, w, b), F.layerNorm(c, 40, v, null), F.layerNorm(c, [5, 40])],
  ],
  "norms of samples": [
    () => [x(9, 6, 5, 7), x(6), x(6), x(40, 41), x(41)],
    (a, w, b, c, v) => [
      F.groupNorm(a, 3, w, b),
      F.instanceNorm(a, null, null, w),
      F.groupNorm(c, 41),
      F.rmsNorm(c, 41, v),
    ],
  ],
  "average pooling": [
    () => [x(3, 4, 13, 15), x(2, 9, 12, 12)],
    (a, b) => [F.avgPool2d(a, 3, { stride: 2, padding: 1 }), F.adaptiveAvgPool2d(b, 5), F.adaptiveAvgPool2d(a, [7, 1])],
  ],
  "batch norm in training": [
    () => [x(6, 10, 5, 7), x(10), x(10), x(300, 20), x(20)],
    (a, w, b, c, v) => {
      const [mean, variance] = [tensor(new Float32Array(10)), tensor(new Float32Array(10).fill(1))];
      return [
        F.batchNorm(a, mean, variance, w, b, ids.train),
        F.batchNorm(c, null, null, v, null, ids.train),
        mean,
        variance,
      ];
    },
  ],
  "batch norm in evaluation": [
    () => [x(6, 10, 5, 7), x(10), x(10), x(10), positive(10)],
    (a, w, b, mean, variance) => F.batchNorm(a, mean.detach(), variance.detach(), w, b),
  ],
  "batch norm, residual and activation": [
    () => [x(6, 10, 5, 7), x(10), x(10), x(6, 10, 5, 7)],
    (a, w, b, r) => [
      F.batchNorm(a, null, null, w, b, ids.train).add(r).relu(),
      F.silu(F.batchNorm(a, null, null, w, b, ids.train)),
    ],
  ],
  convolution: [
    () => [x(5, 6, 9, 11), x(8, 6, 3, 3), x(8)],
    (a, w, b) => [F.conv2d(a, w, b, { padding: 1 }), F.conv2d(a, w, b, { stride: 2 }).relu()],
  ],
  "convolution of one large image": [
    () => [x(1, 2, 20, 20), x(9, 2, 3, 3), x(9)],
    (a, w, b) => F.conv2d(a, w, b, { padding: 1 }),
  ],
  "convolution with a large weight": [() => [x(2, 20, 5, 5), x(24, 20, 3, 3)], (a, w) => F.conv2d(a, w, null)],
  "pointwise and depthwise convolution": [
    () => [x(6, 8, 7, 7), x(12, 8, 1, 1), x(8, 1, 3, 3)],
    (a, w, d) => [F.conv2d(a, w, null), F.conv2d(a, d, null, { groups: 8, padding: 1 })],
  ],
  "convolution, batch norm and residual in evaluation": [
    () => [x(5, 6, 9, 11), x(6, 6, 3, 3), x(6), x(6), x(6), positive(6), x(5, 6, 9, 11)],
    (a, w, g, b, mean, variance, r) =>
      noGrad(() =>
        F.batchNorm(F.conv2d(a, w, null, { padding: 1 }), mean, variance, g, b)
          .add(r)
          .relu(),
      ),
  ],
  "losses of elements": [
    () => [x(40, 41), positive(40, 41)],
    (a, t) => {
      const target = t.detach();
      return [
        F.mseLoss(a, target),
        F.l1Loss(a, target, { reduction: "sum" }),
        F.smoothL1Loss(a, target),
        F.binaryCrossEntropyWithLogits(a, target, { reduction: "none" }),
      ];
    },
  ],
  "losses of classes": [
    () => [x(200, 10), index(10, 200), positive(10), x(9, 5, 6, 7), index(5, 9, 6, 7), positive(200, 10)],
    (a, labels, weight, maps, at, probabilities) => [
      F.crossEntropy(a, labels),
      F.crossEntropy(a, labels, { reduction: "sum", ignoreIndex: 3, labelSmoothing: 0.1, weight: weight.detach() }),
      F.crossEntropy(a, labels, { weight: weight.detach(), ignoreIndex: 3 }),
      F.crossEntropy(a, labels, { reduction: "none" }),
      F.crossEntropy(maps, at),
      F.crossEntropy(a, F.softmax(probabilities.detach(), 1)),
      F.nllLoss(F.logSoftmax(a, 1), labels),
    ],
  ],
};

describe("the same bits", () => {
  test.each(Object.entries(exact))("%s", async (_, one) => {
    const parts = await valuesOf(one, SMALL);
    expect(difference(await valuesOf(one, real), parts)).toBe(0);
  });
});

describe("the same to rounding", () => {
  test.each(Object.entries(close))("%s", async (_, one) => {
    const parts = await valuesOf(one, SMALL);
    expect(difference(await valuesOf(one, real), parts)).toBeLessThan(1e-5);
  });
});

test("reductions of parts that are themselves shared out among workgroups", async () => {
  const one: Case = [
    () => [x(40_000), x(300, 200)],
    (a, b) => [a.norm(), a.sum(), a.max(), a.var(), b.norm(), b.norm(0), b.norm(1), b.mean(), b.std(0)],
  ];
  const whole = await valuesOf(one, real);
  for (const bytes of [16_384, 65_536]) expect(difference(whole, await valuesOf(one, bytes))).toBeLessThan(1e-5);
});

test("just below, at, and just above the limit", async () => {
  const one: Case = [
    () => [255, 256, 257, 320, 321].map((n) => x(n)),
    (...all) => all.flatMap((a) => [a.mul(2).detach(), a.sum(), a.max(), a.flip([0]), a.add(a.mean()).detach()]),
  ];
  const whole = await valuesOf(one, real);
  // Bindings start at multiples of 256 bytes; limits need not be such.
  for (const bytes of [1024, 1028, 1276]) expect(difference(whole, await valuesOf(one, bytes))).toBeLessThan(1e-6);
});

test("what cannot be divided is a LimitError that names the operation, both sizes, and what to do", async () => {
  const cannot: Case = [() => [x(3000)], (a) => F.softmax(a, 0)];
  await expect(valuesOf(cannot, SMALL)).rejects.toThrow(LimitError);
  await expect(valuesOf(cannot, SMALL)).rejects.toThrow(/\[softmax\].*12000 bytes.*4096.*smaller/);
  // The device goes on.
  expect(await tensor([1, 2]).sum().item()).toBe(3);
});

test("what is larger than a buffer may be is read in parts, as it was when it was asked for", async () => {
  const KEY = "maxBufferSize";
  const most = device.info.limits[KEY];
  Object.assign(device.info.limits, { [KEY]: 4096 });
  const t = x(3001).detach();
  const before = await t.clone().data();
  const reading = t.data();
  t.fill_(2);
  expect(await reading).toEqual(before);
  Object.assign(device.info.limits, { [KEY]: most });
});

test("grids of many images and of many channels", async () => {
  const KEY = "maxComputeWorkgroupsPerDimension";
  const most = device.info.limits[KEY];
  const conv: Case = [() => [x(40, 2, 9, 9), x(3, 2, 3, 3)], (a, w) => F.conv2d(a, w, null, { padding: 1 })];
  const whole = await valuesOf(conv, real);
  Object.assign(device.info.limits, { [KEY]: 20 });
  try {
    expect(difference(whole, await valuesOf(conv, real))).toBeLessThan(1e-5);
  } finally {
    Object.assign(device.info.limits, { [KEY]: most });
  }
  const channels = ones([2, 70_000]);
  const y = F.batchNorm(channels, null, null, null, null, ids.train);
  expect((await y.data()).every((v) => v === 0)).toBe(true);
});
