// Cells, bilinear forms, squeeze and excitation, and layers of shapes against PyTorch; dropouts and containers by what they promise.
import { describe, expect, test } from "vitest";
import { manualSeed, nn, ones, randn, ShapeError, scope, type Tensor, tensor, ValueError, zeros } from "wgrad";
import { withDevice } from "../support/case.ts";
import { type GoldenCase, goldenCases, read, wave } from "../support/golden-layers.ts";

withDevice();
const F = nn.functional;

type Cell = nn.LSTMCell | nn.GRUCell | nn.RNNCell;
const withState = (m: Cell, [x, h, c]: Tensor[]) =>
  m instanceof nn.LSTMCell ? m.forward(x!, [h!, c!]) : m.forward(x!, h);

const cases: Record<string, GoldenCase> = {
  "RNNCell relu": { make: () => new nn.RNNCell(3, 4, { nonlinearity: "relu" }), inputs: [[2, 3]] },
  Bilinear: {
    make: () => new nn.Bilinear(3, 4, 5),
    inputs: [
      [2, 3],
      [2, 4],
    ],
  },
  "Bilinear of more dimensions": {
    make: () => new nn.Bilinear(3, 2, 1, { bias: false }),
    inputs: [
      [2, 3, 3],
      [2, 3, 2],
    ],
  },
  SqueezeExcitation: {
    make: () => new nn.SqueezeExcitation(4, 2),
    inputs: [[2, 4, 3, 3]],
    // Means of waves nearly cancel.
    K: 1024,
    call: (m: nn.SqueezeExcitation, [x]) => scope(() => m.forward(x!)),
  },
  "SqueezeExcitation hard": {
    make: () => new nn.SqueezeExcitation(4, 2, { scaleActivation: () => new nn.Hardsigmoid() }),
    inputs: [[1, 4, 2, 3]],
    call: (m: nn.SqueezeExcitation, [x]) => scope(() => m.forward(x!)),
  },
  Unflatten: { make: () => new nn.Unflatten(1, [2, -1]), inputs: [[3, 6, 2]] },
};
for (const [name, Kind] of Object.entries({ LSTMCell: nn.LSTMCell, GRUCell: nn.GRUCell, RNNCell: nn.RNNCell })) {
  const states = (...shape: number[]) => (name === "LSTMCell" ? [shape, shape] : [shape]);
  Object.assign(cases, {
    [name]: { make: () => new Kind(3, 5), inputs: [[2, 3]] },
    [`${name} with a state`]: { make: () => new Kind(3, 4), inputs: [[3, 3], ...states(3, 4)], call: withState },
    [`${name} of one`]: { make: () => new Kind(3, 4, { bias: false }), inputs: [[3], ...states(4)], call: withState },
  } satisfies Record<string, GoldenCase>);
}
goldenCases("parts", cases);

test("a cell's steps are those of its layer", async () => {
  const [layer, cell] = [new nn.GRU(3, 4), new nn.GRUCell(3, 4)];
  const dict = layer.stateDict();
  await cell.loadStateDict(dict, { remap: (name: string) => name.replace("_l0", "") });
  const [whole = [], steps = []] = await read(() => {
    const x = wave([3, 2, 3], 1);
    let h: Tensor | null = null;
    for (const step of [0, 1, 2]) h = cell.forward(x.select(0, step), h);
    return [layer.forward(x)[1].squeeze(0), h!];
  });
  for (const [i, v] of whole.entries()) expect(steps[i]).toBeCloseTo(v, 5);
  for (const t of Object.values(dict)) t.dispose();
  layer.dispose();
  cell.dispose();
});

describe("dropouts", () => {
  /** Of each channel (or sample): its elements, all the same. */
  const together = (values: number[], size: number): number[] =>
    Array.from({ length: values.length / size }, (_, i) => {
      const own = new Set(values.slice(i * size, (i + 1) * size));
      expect(own.size).toBe(1);
      return values[i * size]!;
    });

  test.each([
    ["Dropout1d", new nn.Dropout1d(0.25), [40, 50, 3], 3],
    ["Dropout1d of one sample", new nn.Dropout1d(0.25), [2000, 3], 3],
    ["Dropout2d", new nn.Dropout2d(0.25), [40, 50, 2, 2], 4],
    ["StochasticDepth by row", new nn.StochasticDepth(0.25, "row"), [2000, 3], 3],
  ] as const)("%s drops what belongs together, and keeps the mean", async (_, layer, shape, size) => {
    manualSeed(3);
    const [y = [], plain = []] = await read(() => {
      const x = ones([...shape]);
      const y = layer.forward(x);
      layer.eval();
      return [y, layer.forward(x).clone()];
    });
    const kept = together(y, size);
    expect([...new Set(kept)].sort()).toEqual([0, Math.fround(1 / 0.75)]);
    const share = kept.filter((v) => v > 0).length / kept.length;
    // Five standard deviations of 2000 draws.
    expect(Math.abs(share - 0.75)).toBeLessThan(5 * Math.sqrt((0.75 * 0.25) / 2000));
    expect(new Set(plain)).toEqual(new Set([1]));
  });

  test("StochasticDepth by batch drops all or nothing", async () => {
    manualSeed(5);
    const seen = new Set<number>();
    for (let i = 0; i < 30; i++) {
      const [y] = await read(() => F.stochasticDepth(ones([4, 3]), 0.5, "batch"));
      expect(new Set(y).size).toBe(1);
      seen.add(y![0]!);
    }
    expect([...seen].sort()).toEqual([0, 2]);
  });

  test("AlphaDropout keeps mean 0 and variance 1", async () => {
    manualSeed(4);
    const layer = new nn.AlphaDropout(0.3);
    const [y = [], all = [], off = []] = await read(() => {
      const x = randn([20_000]);
      return [layer.forward(x), F.alphaDropout(ones([3]), 1, true), F.alphaDropout(ones([3]), 0.5).clone()];
    });
    const mean = y.reduce((a, b) => a + b) / y.length;
    const variance = y.reduce((a, b) => a + (b - mean) ** 2, 0) / y.length;
    expect(Math.abs(mean)).toBeLessThan(0.05);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    expect([all, off]).toEqual([
      [0, 0, 0],
      [1, 1, 1],
    ]);
  });

  test("functions take training as PyTorch's do", async () => {
    const [a, b] = await read(() => [
      F.dropout1d(ones([1, 2, 3]), 1),
      F.dropout2d(ones([1, 2, 3, 1]), 0.9, false).clone(),
    ]);
    expect(a).toEqual([0, 0, 0, 0, 0, 0]);
    expect(b).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test("what does not fit is told", () => {
    expect(() => new nn.Dropout1d(2)).toThrow(ValueError);
    expect(() => new nn.StochasticDepth(0.5, "rows" as never)).toThrow(/"row" or "batch"/);
    expect(() => scope(() => F.dropout2d(zeros([3])))).toThrow(ShapeError);
  });
});

describe("containers", () => {
  test("a ModuleDict's names are its keys, as they are", async () => {
    const dict = new nn.ModuleDict({ convA: new nn.Linear(2, 3), act: new nn.Linear(3, 1, { bias: false }) });
    expect(Array.from(dict.namedParameters(), ([name]) => name)).toEqual(["convA.weight", "convA.bias", "act.weight"]);
    expect([dict.size, dict.has("convA"), dict.get("conv")]).toEqual([2, true, undefined]);
    expect([...dict.keys()]).toEqual(["convA", "act"]);
    expect([...dict.values()]).toEqual([dict.get("convA"), dict.get("act")]);
    expect([...dict]).toEqual([...dict.entries()]);
    expect(() => dict.set("train", new nn.ReLU() as never)).toThrow(/member of modules/);
    expect(() => dict.set("a.b", new nn.ReLU() as never)).toThrow(ValueError);
    expect(() => dict.set("x", 3 as never)).toThrow(/must be a module/);
    expect(() => dict.forward()).toThrow(/no forward of its own/);
    dict.get("act")!.dispose();
    expect([dict.delete("act"), dict.delete("act"), dict.size]).toEqual([true, false, 1]);
    dict.update(new Map([["b", new nn.Linear(1, 1)]]));
    expect([...dict.keys()]).toEqual(["convA", "b"]);
    dict.dispose();
  });

  test("parameters of lists and dictionaries are the model's", () => {
    const list = new nn.ParameterList([zeros([2]), new nn.Parameter(zeros([3]))]);
    list.append(ones([1]));
    expect(list.length).toBe(3);
    expect(Array.from(list.namedParameters(), ([name, p]) => [name, p.numel])).toEqual([
      ["0", 2],
      ["1", 3],
      ["2", 1],
    ]);
    const dict = new nn.ParameterDict({ leftSide: zeros([2]), right: zeros([1]) });
    expect(Object.keys(Object.fromEntries(dict.namedParameters()))).toEqual(["leftSide", "right"]);
    expect([...dict.values()].every((p) => p.requiresGrad)).toBe(true);
    expect(() => dict.set("x", 1 as never)).toThrow(/a parameter or a tensor/);
    list.dispose();
    dict.dispose();
  });

  test("Permute and Unflatten", async () => {
    const [y] = await read(() => new nn.Permute([1, 0]).forward(tensor([[1, 2, 3]])).reshape([3]));
    expect(y).toEqual([1, 2, 3]);
    expect(String(new nn.Permute([0, 2, 1]))).toBe("Permute([0, 2, 1])");
    expect(() => scope(() => new nn.Unflatten(1, [4, -1]).forward(zeros([2, 6])))).toThrow(/6 elements/);
    expect(() => new nn.LSTMCell(3, 4, { bias: true, numLayers: 2 } as never)).toThrow(/no option "numLayers"/);
    expect(() => scope(() => F.bilinear(zeros([2, 3]), zeros([2, 3]), zeros([1, 3, 4])))).toThrow(
      /expects \[\.\.\., 3\]/,
    );
  });
});
