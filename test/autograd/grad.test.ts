// grad: gradients as results, and gradients of gradients.
import { beforeAll, describe, expect, test } from "vitest";
import {
  grad,
  gradcheck,
  init,
  manualSeed,
  nn,
  randn,
  StateError,
  scope,
  type Tensor,
  tensor,
  where,
} from "../../src/index.ts";
import { packedAttention } from "../../src/ops/packed-attention.ts";
import { memory } from "../../src/tensor/storage.ts";

const F = nn.functional;

beforeAll(async () => {
  await init();
  manualSeed(3);
});

const numbers = async (t: Tensor) => [...(await t.data())];

describe("first gradients", () => {
  test("of leaves, without touching .grad", async () => {
    const x = tensor([1, 2, 3], { requiresGrad: true });
    const w = tensor([4, 5, 6], { requiresGrad: true });
    const [gx, gw] = grad(x.square().mul(w).sum(), [x, w]);
    expect(await numbers(gx)).toEqual([8, 20, 36]);
    expect(await numbers(gw)).toEqual([1, 4, 9]);
    expect(x.grad).toBeNull();
    expect(gx.requiresGrad).toBe(false);
  });

  test("of results in the middle, of several outputs, with gradients given", async () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const h = x.mul(3);
    const [gh, gx] = grad([h.square(), x.mul(10)], [h, x], { gradOutputs: [tensor([1, 2]), tensor([1, 1])] });
    expect(await numbers(gh)).toEqual([6, 24]);
    expect(await numbers(gx)).toEqual([28, 82]);
  });

  test("unused inputs are told, or null where allowed", () => {
    const [x, y] = [tensor([1], { requiresGrad: true }), tensor([1], { requiresGrad: true })];
    expect(() => grad(x.mul(2).sum(), [y])).toThrow(/input 0.*was not used.*allowUnused/);
    expect(grad(x.mul(2).sum(), [y], { allowUnused: true })).toEqual([null]);
  });

  test("refused: outputs and inputs without a gradient, shapes that do not fit, a freed tape", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    expect(() => grad(tensor([1]), [x])).toThrow(/output 0.*does not require/);
    expect(() => grad(x.mul(2).sum(), [tensor([1])])).toThrow(/input 0.*does not require/);
    expect(() => grad(x.mul(2), [x])).toThrow(/gradOutputs/);
    expect(() => grad(x.mul(2), [x], { gradOutputs: tensor([1]) })).toThrow(/gradOutputs\[0\] has shape \[1\]/);
    const y = x.square().sum();
    grad(y, [x]);
    expect(() => grad(y, [x])).toThrow(StateError);
  });

  test("an input that was fused with what followed is refused", async () => {
    const x = randn([1, 2, 4, 4], { requiresGrad: true });
    const w = randn([2, 2, 3, 3], { requiresGrad: true });
    const h = F.conv2d(x, w, null, { padding: 1 });
    const y = h.relu().sum();
    expect(() => grad(y, [h])).toThrow(/retainGrad/);
    const kept = F.conv2d(x, w, null, { padding: 1 });
    kept.retainGrad();
    const [g] = grad(kept.relu().sum(), [kept]);
    expect(await numbers(g)).toEqual((await numbers(kept)).map((v) => (v > 0 ? 1 : 0)));
  });

  test("nothing stays behind", () => {
    const x = randn([4, 4], { requiresGrad: true });
    const before = memory().tensors;
    scope(() => {
      const [g] = grad(x.exp().matmul(x).sum(), [x], { createGraph: true });
      grad(g.square().sum(), [x]);
    });
    expect(memory().tensors).toBe(before);
    x.dispose();
  });
});

/** Compares the gradient of a fixed combination of first gradients with central differences of it. */
async function gradgradcheck(f: (...xs: Tensor[]) => Tensor, inputs: Tensor[], options = {}): Promise<void> {
  const leaves = inputs.map((t) => t.requiresGrad_());
  const first = (...xs: Tensor[]): Tensor[] => {
    const y = f(...xs);
    const seed = tensor(
      Float32Array.from({ length: y.numel }, (_, i) => Math.cos(i + 1)),
      { shape: y.shape },
    );
    return grad(y, xs, { gradOutputs: seed, createGraph: true, allowUnused: true }).filter((g) => g !== null);
  };
  expect(await gradcheck(first, leaves, options)).toBe(true);
}

const x34 = () => randn([3, 4]);

describe("gradients of gradients", () => {
  const away = () => tensor([0.3, -0.7, 1.2, -1.9, 2.5, 0.8]);
  const positive = () => tensor([0.4, 0.7, 1.2, 1.9, 2.5, 0.8]);
  const target = () => tensor([0.1, 0.9, 0.4, 0.7, 0.2, 0.6]);
  const functions: Record<string, [(x: Tensor) => Tensor, () => Tensor]> = {
    exp: [(x) => x.exp(), away],
    log: [(x) => x.log(), positive],
    sqrt: [(x) => x.sqrt(), positive],
    rsqrt: [(x) => x.rsqrt(), positive],
    reciprocal: [(x) => x.reciprocal(), positive],
    sin: [(x) => x.sin(), away],
    cos: [(x) => x.cos(), away],
    tanh: [(x) => x.tanh(), away],
    erf: [(x) => x.erf(), away],
    sigmoid: [(x) => x.sigmoid(), away],
    square: [(x) => x.square(), away],
    pow: [(x) => x.pow(3), away],
    powTensor: [(x) => x.pow(x), positive],
    abs: [(x) => x.abs().square(), away],
    relu: [(x) => x.relu().square(), away],
    relu6: [(x) => F.relu6(x).square(), away],
    leakyRelu: [(x) => F.leakyRelu(x, 0.1).square(), away],
    clamp: [(x) => x.clamp({ min: -1, max: 1 }).pow(3), away],
    maximum: [(x) => x.maximum(0.5).square(), away],
    minimum: [(x) => x.minimum(0.5).square(), away],
    gelu: [(x) => F.gelu(x), away],
    silu: [(x) => F.silu(x), away],
    elu: [(x) => F.elu(x, 0.7), away],
    softplus: [(x) => F.softplus(x, 1.5), away],
    hardswish: [(x) => F.hardswish(x).square(), away],
    hardsigmoid: [(x) => F.hardsigmoid(x).square(), away],
    div: [(x) => x.add(1).div(x.square().add(1)), away],
    var: [(x) => x.var(), away],
    std: [(x) => x.std(), away],
    norm: [(x) => x.norm(), away],
    max: [(x) => x.square().max(), away],
    softmax: [(x) => x.softmax(0).square(), away],
    logSoftmax: [(x) => x.logSoftmax(0).square(), away],
    mseLoss: [(x) => F.mseLoss(x, target()), away],
    smoothL1: [(x) => F.smoothL1Loss(x, target()), away],
    bce: [(x) => F.binaryCrossEntropyWithLogits(x, target()), away],
    where: [(x) => where(x.gt(0), x.square(), x.pow(3)), away],
    topk: [(x) => x.topk(2).values.square(), away],
    cumulative: [
      (x) =>
        x
          .reshape([2, 3])
          .t()
          .matmul(x.reshape([2, 3]))
          .sum(0),
      away,
    ],
  };
  for (const [name, [f, draw]] of Object.entries(functions)) {
    test(name, () => gradgradcheck(f, [draw()], { eps: 5e-3 }));
  }

  test("matmul and linear, with an activation in one pass", async () => {
    await gradgradcheck((a, b) => a.matmul(b).square(), [randn([2, 3, 4]), randn([4, 2])]);
    await gradgradcheck((x, w, b) => F.gelu(F.linear(x, w, b)), [x34(), randn([2, 4]), randn([2])]);
    await gradgradcheck((x, w, b) => F.linear(x, w, b).tanh(), [x34(), randn([2, 4]), randn([2])]);
  });

  test("convolutions, with strides and groups, with an activation in one pass", async () => {
    const conv = (options: object, f: (y: Tensor) => Tensor) =>
      gradgradcheck(
        (x, w, b) => f(F.conv2d(x, w, b, options)),
        [randn([2, 4, 5, 5]), randn([4, 2, 3, 3]), randn([4])],
        { rtol: 2e-2 },
      );
    await conv({ padding: 1, groups: 2, stride: 2 }, (y) => y.square());
    await conv({ padding: 1, groups: 2 }, (y) => F.silu(y));
    await conv({ groups: 2, dilation: 2 }, (y) => y.tanh());
  });

  test("norms, with and without what follows in one pass", async () => {
    const norm = (training: boolean, f: (y: Tensor, r: Tensor) => Tensor) =>
      gradgradcheck(
        (x, w, b, r) => {
          const [mean, variance] = [tensor([0.1, -0.2, 0.3]), tensor([1, 2, 0.5])];
          return f(F.batchNorm(x, mean, variance, w, b, { training, momentum: 0 }), r);
        },
        [randn([3, 3, 2, 2]), randn([3]), randn([3]), randn([3, 3, 2, 2])],
        { atol: 5e-3, rtol: 2e-2 },
      );
    for (const training of [true, false]) {
      await norm(training, (y) => y.square());
      await norm(training, (y, r) => y.add(r).tanh());
      await norm(training, (y, r) => F.silu(y.add(r)));
      await norm(training, (y) => y.sigmoid());
    }
    // Rows that are far from constant: the curvature grows as their spread shrinks.
    const rows = tensor([
      [-2, 1, 0.5, 3],
      [1, -1, 2, 0],
      [0.3, 2.2, -1.7, 0.9],
    ]);
    await gradgradcheck((x, w, b) => F.layerNorm(x, 4, w, b).tanh(), [rows, randn([4]), randn([4])], { atol: 5e-3 });
  });

  test("attention: heads apart and in one tensor, masks, causal", async () => {
    const [q, k, v] = [randn([2, 3, 4]), randn([2, 5, 4]), randn([2, 5, 3])];
    const { scaledDotProductAttention: attention } = F;
    const masked = (x: Tensor, y: Tensor, z: Tensor, mask: Tensor) => attention(x, y, z, { mask }).square();
    await gradgradcheck(masked, [q, k, v, randn([3, 5])], { rtol: 2e-2 });
    await gradgradcheck((x, y, z) => attention(x, y, z, { isCausal: true }).tanh(), [q, k, v], { rtol: 2e-2 });
    const left = tensor([1, 1, 0, 1, 0], { dtype: "i32" });
    await gradgradcheck((x, y, z) => attention(x, y, z, { mask: left }).tanh(), [q, k, v], { rtol: 2e-2 });
    const layer = new nn.MultiheadAttention(4, 2);
    const self = (x: Tensor) => layer.forward(x, x, x, { needWeights: false })[0].square();
    await gradgradcheck(self, [randn([3, 2, 4])], { rtol: 2e-2 });
  });

  test("pools and indexing", async () => {
    const image = () => randn([2, 2, 4, 4]);
    await gradgradcheck((x) => F.maxPool2d(x, 3, { stride: 1, padding: 1 }).square(), [image()], {
      eps: 1e-3,
      rtol: 0.05,
    });
    await gradgradcheck((x) => F.avgPool2d(x, 2).square(), [image()]);
    await gradgradcheck((x) => F.adaptiveAvgPool2d(x, 3).square(), [image()]);
    const index = tensor([2, 0, 2], { dtype: "i32" });
    await gradgradcheck((x) => x.indexSelect(0, index).square(), [x34()]);
    await gradgradcheck((x) => x.gather(0, tensor([[2, 0, 1, 0]], { dtype: "i32" })).square(), [x34()]);
  });

  test("cross-entropy, by labels and by probabilities", async () => {
    const labels = tensor([1, -100, 3], { dtype: "i32" });
    const weight = tensor([1, 2, 0.5, 1.5]);
    for (const reduction of ["mean", "sum", "none"] as const) {
      const options = { reduction, labelSmoothing: 0.1, weight };
      await gradgradcheck((x) => F.crossEntropy(x, labels, options), [x34()]);
      await gradgradcheck((x, t) => F.crossEntropy(x, t.softmax(1), options), [x34(), x34()]);
    }
    await gradgradcheck((x) => F.nllLoss(x.logSoftmax(1), labels), [x34()]);
  });

  test("attention of windows, whose mask begins again after some", async () => {
    const windows = (x: Tensor, mask: Tensor) => packedAttention(x, 2, mask).square();
    for (const shape of [
      [2, 2, 3, 3],
      [2, 1, 3, 3],
    ]) {
      const inputs = [randn([4, 3, 12]), randn(shape)].map((t) => t.requiresGrad_());
      expect(await gradcheck(windows, inputs)).toBe(true);
      await gradgradcheck(windows, inputs, { rtol: 2e-2 });
    }
  });

  test("an operation whose gradient cannot be differentiated says so", () => {
    const x = randn([2, 3], { requiresGrad: true });
    const third = () => {
      const [g] = grad(x.exp().sum(), [x], { createGraph: true });
      const [h] = grad(g.square().sum(), [x], { createGraph: true });
      return grad(h.sum(), [x]);
    };
    expect(third()).toHaveLength(1);
  });
});

test("a critic with a gradient penalty trains: its weights' gradients are PyTorch's", async () => {
  // Weights and pictures by a formula, figures by PyTorch 1.13 (torch.autograd.grad with create_graph=True).
  const wave = (n: number, k: number, shape: number[]) =>
    tensor(
      Float32Array.from({ length: n }, (_, i) => Math.sin(k * (i + 1)) * 0.5),
      { shape },
    );
  const w1 = wave(36, 1.3, [4, 1, 3, 3]).requiresGrad_();
  const w2 = wave(64, 0.7, [1, 64]).requiresGrad_();
  const x = wave(128, 0.31, [2, 1, 8, 8]).requiresGrad_();
  const critic = (v: Tensor) =>
    F.linear(F.leakyRelu(F.conv2d(v, w1, null, { stride: 2, padding: 1 }), 0.2).flatten(1), w2);
  const [g] = grad(critic(x).sum(), [x], { createGraph: true });
  const penalty = g.flatten(1).norm(1).sub(1).square().mean();
  penalty.backward();
  expect(await penalty.item()).toBeCloseTo(0.2209903597831726, 5);
  const [d1, d2] = [await w1.grad?.data(), await w2.grad?.data()];
  expect(d1?.[4]).toBeCloseTo(0.24762418866157532, 4);
  expect(d2?.[10]).toBeCloseTo(0.010210529901087284, 4);
});
