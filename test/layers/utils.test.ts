// nn.utils against PyTorch: weight normalisation and parameters as a vector; initialisation with a structure by what it promises.
import { describe, expect, test } from "vitest";
import {
  capture,
  manualSeed,
  nn,
  noGrad,
  ones,
  ShapeError,
  StateError,
  scope,
  type Tensor,
  ValueError,
  zeros,
} from "wgrad";
import { withDevice } from "../support/case.ts";
import { type GoldenCase, goldenCases, read, wave } from "../support/golden-layers.ts";

withDevice();
const { utils, init } = nn;

const linear = () => new nn.Linear(3, 4, { bias: false });
/** The weight of the last forward is not the module's: it goes with the scope. */
const call: GoldenCase["call"] = (m: nn.Module, [x]) => scope(() => m.forward(x!));
goldenCases("weight-norm", {
  "weightNorm of a convolution": {
    make: () => utils.weightNorm(new nn.Conv2d(2, 3, 3, { bias: false })),
    inputs: [[1, 2, 4, 4]],
    call,
  },
  "weightNorm of a linear layer": { make: () => utils.weightNorm(linear()), inputs: [[2, 3]], call },
  "weightNorm along the inputs": { make: () => utils.weightNorm(linear(), { dim: 1 }), inputs: [[2, 3]], call },
  "weightNorm of all": { make: () => utils.weightNorm(linear(), { dim: null }), inputs: [[2, 3]], call },
});

test("weightNorm keeps the weight, has PyTorch's keys, and can be undone", async () => {
  const layer = new nn.Linear(3, 2);
  const before = [...(await layer.weight.data())];
  utils.weightNorm(layer);
  expect(Array.from(layer.namedParameters(), ([name]) => name)).toEqual(["bias", "weight_g", "weight_v"]);
  const close = async () => {
    for (const [i, v] of (await layer.weight.data()).entries()) expect(v).toBeCloseTo(before[i]!, 6);
  };
  await close();
  expect(() => utils.weightNorm(layer)).toThrow(/normalised already/);
  expect(() => nn.deepCopy(layer)).toThrow(StateError);
  utils.removeWeightNorm(layer);
  expect(layer.weight).toBeInstanceOf(nn.Parameter);
  expect(layer.hooked).toBe(false);
  await close();
  expect(() => utils.removeWeightNorm(layer)).toThrow(/is not normalised/);
  expect(() => utils.weightNorm(layer, { name: "gain" })).toThrow(/no parameter "gain"/);
  layer.dispose();
});

/** With waves 300 and 301 as vectors, of length 1. */
const spectral = <M extends nn.Module>(module: M, options?: nn.utils.SpectralNormOptions): M => {
  utils.spectralNorm(module, options);
  for (const [k, [, vector]] of [...module.namedBuffers()].entries())
    scope(() => vector.copy_(nn.functional.normalize(wave(vector.shape, 300 + k), { dim: 0 })));
  return module;
};
const vectors: GoldenCase["call"] = (m: nn.Module, [x]) =>
  scope(() => [m.forward(x!), ...Array.from(m.namedBuffers(), ([, vector]) => vector.clone())]);
goldenCases("spectral-norm", {
  "spectralNorm of a convolution": {
    make: () => spectral(new nn.Conv2d(2, 3, 3, { bias: false })),
    inputs: [[1, 2, 4, 4]],
    call: vectors,
  },
  "spectralNorm of a transposed convolution": {
    make: () => spectral(new nn.ConvTranspose2d(2, 3, 3)),
    inputs: [[1, 2, 3, 3]],
    call: vectors,
  },
  "spectralNorm of a linear layer": { make: () => spectral(new nn.Linear(3, 4)), inputs: [[2, 3]], call: vectors },
  "spectralNorm of several steps, along the inputs": {
    make: () => spectral(new nn.Linear(3, 4), { nPowerIterations: 3, dim: 1 }),
    inputs: [[2, 3]],
    call: vectors,
  },
  "spectralNorm in evaluation": {
    make: () => spectral(new nn.Linear(3, 4)),
    inputs: [[2, 3]],
    call: vectors,
    evaluation: true,
  },
  "spectralNorm of two forwards": {
    make: () => spectral(new nn.Linear(3, 4)),
    inputs: [
      [2, 3],
      [2, 3],
    ],
    call: (m: nn.Module, [x, y]) => scope(() => [m.forward(x!), m.forward(y!)]),
  },
});

test("spectralNorm has PyTorch's keys, its state can be loaded, and it can be undone", async () => {
  manualSeed(3);
  const [layer, other] = [new nn.Linear(3, 2), new nn.Linear(3, 2)];
  const before = [...(await layer.weight.data())];
  for (const m of [layer, other]) utils.spectralNorm(m, { nPowerIterations: 50 });
  expect(scope(() => Object.keys(layer.stateDict()))).toEqual(["bias", "weight_orig", "weight_u", "weight_v"]);
  expect([...(await layer.weight.data())]).toEqual(before);
  expect(() => utils.spectralNorm(layer)).toThrow(/normalised already/);
  expect(() => utils.removeWeightNorm(layer)).toThrow(/removeSpectralNorm undoes it/);
  expect(() => nn.deepCopy(layer)).toThrow(/removeSpectralNorm\(\) first/);
  const x = wave([4, 3], 1);
  noGrad(() => scope(() => void layer.forward(x)));
  const state = layer.stateDict();
  await other.loadStateDict(state);
  for (const t of Object.values(state)) t.dispose();
  for (const m of [layer, other]) m.eval();
  const [mine, its] = await read(() => noGrad(() => [layer.forward(x), other.forward(x)]));
  expect(its).toEqual(mine);
  for (const m of [layer, other]) utils.removeSpectralNorm(m);
  expect(layer.weight).toBeInstanceOf(nn.Parameter);
  expect(scope(() => Object.keys(layer.stateDict()))).toEqual(["bias", "weight"]);
  expect(layer.hooked).toBe(false);
  // Of a weight of two rows the largest singular value, from the eigenvalues of W W^T.
  const [a, b] = [before.slice(0, 3), before.slice(3)];
  const dot = (p: number[], q: number[]) => p.reduce((sum, v, i) => sum + v * q[i]!, 0);
  const [aa, ab, bb] = [dot(a, a), dot(a, b), dot(b, b)];
  const sigma = Math.sqrt((aa + bb) / 2 + Math.sqrt(((aa - bb) / 2) ** 2 + ab * ab));
  for (const [i, v] of (await layer.weight.data()).entries()) expect(v).toBeCloseTo(before[i]! / sigma, 5);
  expect(() => utils.removeSpectralNorm(layer)).toThrow(/is not normalised/);
  expect(() => utils.spectralNorm(layer, { nPowerIterations: 0 })).toThrow(ValueError);
  expect(() => utils.spectralNorm(layer, { dim: 2 })).toThrow(ShapeError);
  expect(() => utils.spectralNorm(layer, { name: "gain" })).toThrow(/no parameter "gain"/);
  for (const t of [layer, other, x]) t.dispose();
});

test("a captured step takes a step of the power iteration each time", async () => {
  const [plain, captured] = [0, 1].map(() => spectral(new nn.Linear(3, 4))) as [nn.Linear, nn.Linear];
  const state = plain.stateDict();
  await captured.loadStateDict(state);
  for (const t of Object.values(state)) t.dispose();
  const x = wave([2, 3], 1);
  const step = capture((t: Tensor) => noGrad(() => captured.forward(t).sum()));
  for (let i = 0; i < 3; i++) {
    const [a, b] = await read(() => noGrad(() => [plain.forward(x).sum(), step(x)]));
    expect(b).toEqual(a);
  }
  step.dispose();
  for (const m of [plain, captured]) utils.removeSpectralNorm(m).dispose();
  x.dispose();
});

test("parameters go into a vector and back, with gradients", async () => {
  const [a, b] = [new nn.Linear(2, 2), new nn.Linear(2, 2)];
  const [v, grads] = await read(() => {
    const vector = utils.parametersToVector(a.parameters());
    utils.vectorToParameters(vector.detach(), b.parameters());
    vector.sum().backward();
    return [vector.detach(), a.weight.grad!.clone()];
  });
  expect(v).toEqual([...(await b.weight.data()), ...(await b.bias!.data())]);
  expect(grads).toEqual([1, 1, 1, 1]);
  const short = zeros([3]);
  expect(() => utils.vectorToParameters(short, b.parameters())).toThrow(/6 elements/);
  expect(() => utils.parametersToVector([])).toThrow(ValueError);
  for (const t of [a, b, short]) t.dispose();
});

describe("init", () => {
  test.each([
    [0, 1, -2, 2],
    [1, 0.5, 0.5, 3],
    [0, 1, 1, 2],
    [0, 1, -30, 30],
  ])("truncNormal_ of mean %d, std %d from %d to %d", async (mean, std, a, b) => {
    manualSeed(2);
    const [x = []] = await read(() => init.truncNormal_(zeros([200_000]), mean, std, a, b));
    expect(x.every((v) => v >= a && v <= b)).toBe(true);
    // The distribution function at points of a grid, by sums over the density.
    const [from, to, n] = [Math.max(a, mean - 8 * std), Math.min(b, mean + 8 * std), 20_000];
    const point = (i: number) => from + ((i + 0.5) * (to - from)) / n;
    const density = Array.from({ length: n }, (_, i) => Math.exp(-((point(i) - mean) ** 2) / (2 * std * std)));
    const total = density.reduce((sum, d) => sum + d, 0);
    const moment = (power: number, about: number) =>
      density.reduce((sum, d, i) => sum + (d / total) * (point(i) - about) ** power, 0);
    const center = moment(1, 0);
    const drawn = x.reduce((sum, v) => sum + v, 0) / x.length;
    expect(Math.abs(drawn - center)).toBeLessThan((4 * std) / Math.sqrt(x.length));
    const variance = x.reduce((sum, v) => sum + (v - drawn) ** 2, 0) / x.length;
    expect(Math.abs(variance / moment(2, center) - 1)).toBeLessThan(8 / Math.sqrt(x.length));
    // Kolmogorov's distance, of which one draw in 10,000 has more than this.
    x.sort((p, q) => p - q);
    let [below, seen, farthest] = [0, 0, 0];
    for (const [i, d] of density.entries()) {
      below += d / total;
      while (seen < x.length && x[seen]! <= from + ((i + 1) * (to - from)) / n) seen++;
      farthest = Math.max(farthest, Math.abs(seen / x.length - below));
    }
    expect(farthest).toBeLessThan(2.23 / Math.sqrt(x.length));
  });

  test("truncNormal_ draws the same numbers after the same seed, others at each call and in each replay", async () => {
    const t = zeros([1001]);
    const draw = async (fill: () => unknown) => {
      fill();
      return t.data();
    };
    const fill = () => init.truncNormal_(t, 0, 1, -1, 2);
    manualSeed(4);
    const [first, second] = [await draw(fill), await draw(fill)];
    manualSeed(4);
    const given = ones([1]);
    const step = capture((x: Tensor) => {
      fill();
      return x.mul(2);
    });
    const replay = () => step(given).dispose();
    expect([await draw(replay), await draw(replay)]).toEqual([first, second]);
    expect(second).not.toEqual(first);
    for (const made of [t, given, step]) made.dispose();
  });

  test.each([
    [[5, 5], 1],
    [[3, 8], 2],
    [[70, 6], 1],
    [[4, 2, 3, 3], 1],
    [[1, 1], 1],
  ])("orthogonal_ of %j, gain %d", async (shape, gain) => {
    manualSeed(1);
    const [x = []] = await read(() => init.orthogonal_(zeros(shape), gain));
    const [rows, columns] = [shape[0]!, x.length / shape[0]!];
    const at = (i: number, k: number) => (rows <= columns ? x[i * columns + k]! : x[k * columns + i]!);
    const [short, long] = [Math.min(rows, columns), Math.max(rows, columns)];
    for (let i = 0; i < short; i++) {
      for (let j = 0; j <= i; j++) {
        let dot = 0;
        for (let k = 0; k < long; k++) dot += at(i, k) * at(j, k);
        expect(Math.abs(dot - (i === j ? gain * gain : 0))).toBeLessThan(2e-5 * gain * gain);
      }
    }
  });

  test("eye_ and dirac_", async () => {
    const [eye, dirac, same = [], x] = await read(() => {
      const x = wave([1, 4, 5], 1);
      const kernel = init.dirac_(zeros([4, 2, 1, 3]), 2);
      const layer = nn.functional.conv2d(x.unsqueeze(2), kernel, null, { padding: [0, 1], groups: 2 });
      return [init.eye_(ones([2, 3])), init.dirac_(ones([3, 2, 3])), layer, x];
    });
    expect(eye).toEqual([1, 0, 0, 0, 1, 0]);
    expect(dirac).toEqual([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(same).toEqual(x);
  });

  test("sparse_ has so many zeros in each column", async () => {
    manualSeed(1);
    const [x = []] = await read(() => init.sparse_(zeros([10, 7]), 0.25, 3).permute([1, 0]));
    for (let column = 0; column < 7; column++)
      expect(x.slice(column * 10, column * 10 + 10).filter((v) => v === 0)).toHaveLength(3);
    expect(x.some((v) => Math.abs(v) > 3)).toBe(true);
  });

  test("what does not fit is told", () => {
    const [vector, cube] = [zeros([3]), zeros([3, 2, 2])];
    expect(() => init.orthogonal_(vector)).toThrow(/two dimensions/);
    expect(() => init.eye_(cube)).toThrow(/a matrix/);
    expect(() => init.dirac_(cube, 2)).toThrow(/3 outputs do not make 2 groups/);
    expect(() => init.sparse_(cube, 0.5)).toThrow(/a matrix/);
    expect(() => init.truncNormal_(vector, 0, 1, 2, 1)).toThrow(ValueError);
    for (const t of [vector, cube] satisfies Tensor[]) t.dispose();
  });
});
