// Averages of weights against PyTorch, in steps that are captured and that are not; copies of modules.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  arange,
  capture,
  nn,
  noGrad,
  ones,
  optim,
  StateError,
  scope,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "wgrad";
import { withDevice } from "../support/case.ts";
import { read } from "../support/golden-layers.ts";

withDevice();
const { swaUtils } = optim;

interface Golden {
  readonly rates: { readonly options: optim.swaUtils.SwaLrOptions; readonly lrs: number[][] }[];
  readonly swa: number[][];
  readonly ema: number[][];
  readonly bn: { readonly mean: number[]; readonly variance: number[]; readonly momentum: number };
}
const golden: Golden = JSON.parse(readFileSync(new URL("../golden/swa.json", import.meta.url), "utf8"));
const close = (got: Iterable<number>, expected: readonly number[]) => {
  const list = [...got];
  expect(list.length).toBe(expected.length);
  for (const [i, v] of list.entries()) expect(v / (expected[i] || 1)).toBeCloseTo(expected[i] ? 1 : 0, 6);
};

describe.each([
  ["swa", null],
  ["ema", 0.75],
] as const)("%s", (name, emaDecay) => {
  test.each(["eager", "captured"])("is PyTorch's average: %s", async (how) => {
    const model = new nn.Linear(2, 1);
    const average = new swaUtils.AveragedModel(model, { emaDecay });
    // The step's values come in, as an optimizer would write them.
    const step = (weight: Tensor, bias: Tensor) => {
      noGrad(() => {
        model.weight.copy_(weight);
        model.bias!.copy_(bias);
      });
      average.updateParameters(model);
      return [];
    };
    const run = how === "captured" ? capture(step) : (w: Tensor, b: Tensor) => scope(() => step(w, b));
    for (const [i, expected] of golden[name].entries()) {
      const given = [tensor([[i * i + 0.5, 1 - i]]), tensor([i])] as const;
      run(...given);
      for (const t of given) t.dispose();
      close(await values(average), expected);
    }
    expect(await average.nAveraged.item()).toBe(4);
    if ("dispose" in run) (run as { dispose(): void }).dispose();
    average.dispose();
    model.dispose();
  });
});

async function values(model: nn.AnyModule): Promise<number[]> {
  const lists = await Promise.all(Array.from(model.parameters(), (p) => p.data()));
  return lists.flatMap((list) => [...list]);
}

test("an average has PyTorch's state dict, and goes on from it", async () => {
  const model = new nn.Sequential(new nn.Linear(1, 1, { bias: false }), new nn.BatchNorm1d(1));
  const [a, b] = [new swaUtils.AveragedModel(model), new swaUtils.AveragedModel(model)];
  const set = (v: number) => noGrad(() => void [...model.parameters()][0]!.fill_(v));
  set(2);
  a.updateParameters(model);
  const dict = a.stateDict();
  expect(Object.keys(dict)).toEqual([
    "n_averaged",
    "module.0.weight",
    "module.1.weight",
    "module.1.bias",
    "module.1.running_mean",
    "module.1.running_var",
    "module.1.num_batches_tracked",
  ]);
  await b.loadStateDict(dict);
  set(5);
  for (const average of [a, b]) average.updateParameters(model);
  // The mean of 2 and 5, so the count came along.
  for (const average of [a, b]) expect((await values(average))[0]).toBeCloseTo(3.5, 6);
  for (const t of [...Object.values(dict), a, b, model]) t.dispose();
});

test.each([
  [false, 4],
  [true, 3],
])("buffers are the model's, or averaged (useBuffers: %s)", async (useBuffers, expected) => {
  const model = new nn.BatchNorm1d(1);
  const average = new swaUtils.AveragedModel(model, { useBuffers });
  for (const v of [2, 4]) {
    noGrad(() => void model.runningMean!.fill_(v));
    average.updateParameters(model);
  }
  expect(await (average.module as nn.BatchNorm1d).runningMean!.item()).toBe(expected);
  average.dispose();
  model.dispose();
});

test("updateBn has PyTorch's statistics, and leaves modes and momentum as they were", async () => {
  const norm = new nn.BatchNorm1d(2).eval();
  const [x, y] = [
    noGrad(() => scope(() => arange(8).reshape([4, 2]).square())),
    scope(() => arange(6).reshape([3, 2])),
  ];
  await swaUtils.updateBn([x, [y, "label"]], norm);
  close(await norm.runningMean!.data(), golden.bn.mean);
  close(await norm.runningVar!.data(), golden.bn.variance);
  expect([norm.training, norm.momentum, await norm.numBatchesTracked!.item()]).toEqual([false, golden.bn.momentum, 2]);
  await expect(swaUtils.updateBn([3 as never], norm)).rejects.toThrow(/a batch is a tensor/);
  for (const t of [x, y, norm]) t.dispose();
});

test.each(golden.rates)("SWALR has PyTorch's rates: $options", ({ options, lrs }) => {
  const [a, b] = [new nn.Parameter(zeros([1])), new nn.Parameter(zeros([1]))];
  const optimizer = new optim.SGD([{ params: [a] }, { params: [b], lr: 0.3 }], { lr: 0.1 });
  const warm = new optim.ExponentialLR(optimizer, 0.9);
  warm.step();
  warm.step();
  const swa = new swaUtils.SWALR(optimizer, options);
  for (const expected of lrs) {
    for (const [i, { lr }] of optimizer.paramGroups.entries()) expect(lr).toBeCloseTo(expected[i]!, 12);
    swa.step();
  }
  for (const t of [a, b, optimizer]) t.dispose();
});

describe("deepCopy", () => {
  class Net extends nn.Module {
    readonly layers = new nn.ModuleList([new nn.Linear(2, 2), new nn.Linear(2, 2)]);
    readonly norm = new nn.BatchNorm1d(2);
    readonly first = this.layers[0];
    readonly sizes = { list: [1, 2], names: new Set(["a"]) };
    override forward(x: Tensor): Tensor {
      return this.norm.forward(this.layers[1]!.forward(this.layers[0]!.forward(x)));
    }
  }

  test("is another model of the same values, modes and shared parts", async () => {
    const net = new Net();
    net.norm.eval();
    net.layers[1]!.requiresGrad_(false);
    const seen: unknown[] = [];
    net.registerForwardHook(() => void seen.push(1));
    const copy = nn.deepCopy(net);
    expect(copy).toBeInstanceOf(Net);
    expect(copy.first).toBe(copy.layers[0]);
    expect(copy.first).not.toBe(net.first);
    expect([copy.training, copy.norm.training]).toEqual([true, false]);
    expect(Array.from(copy.parameters(), (p) => p.requiresGrad)).toEqual([true, true, false, false, true, true]);
    expect(copy.sizes).toEqual(net.sizes);
    expect(copy.sizes.list).not.toBe(net.sizes.list);
    const [mine, theirs] = [copy.stateDict(), net.stateDict()];
    expect(Object.keys(mine)).toEqual(Object.keys(theirs));
    const x = ones([3, 2]);
    const [a, b] = await read(() => [net.forward(x), copy.forward(x)]);
    expect(b).toEqual(a);
    expect(seen).toEqual([1]);
    noGrad(() => void [...copy.parameters()][0]!.fill_(7));
    expect(await [...net.parameters()][0]!.data()).not.toContain(7);
    for (const t of [x, net, copy, ...Object.values(mine), ...Object.values(theirs)]) t.dispose();
  });

  test("takes every layer of the library, recurrent ones and counts of batches included", async () => {
    const [gru, norm] = [new nn.GRU(2, 3, { bidirectional: true }), new nn.BatchNorm1d(2)];
    const x = ones([4, 2]);
    norm.forward(x).dispose();
    const [gruCopy, normCopy] = [nn.deepCopy(gru), nn.deepCopy(norm)];
    const [a, b] = await read(() => [gru.forward(x)[0], gruCopy.forward(x)[0]]);
    expect(b).toEqual(a);
    expect(await normCopy.numBatchesTracked!.item()).toBe(1);
    expect(Array.from(normCopy.namedBuffers(), ([name]) => name)).toEqual(Array.from(norm.namedBuffers(), ([n]) => n));
    for (const t of [x, gru, norm, gruCopy, normCopy]) t.dispose();
  });

  test("refuses private members, results of operations, and what is no module", () => {
    class Hidden extends nn.Module {
      #scale = 2;
      override forward(x: Tensor): Tensor {
        return x.mul(this.#scale);
      }
    }
    class Color extends nn.Module {
      readonly color = "#ff0000"; // not a #member
      override forward(x: Tensor): Tensor {
        return x;
      }
    }
    expect(() => nn.deepCopy(new Hidden())).toThrow(/Hidden has private members/);
    expect(nn.deepCopy(new Color()).color).toBe("#ff0000");
    expect(() => nn.deepCopy(3 as never)).toThrow(ValueError);
    const layer = new nn.Linear(1, 1);
    const result = layer.weight.mul(2);
    Reflect.set(layer, "extra", result);
    expect(() => nn.deepCopy(layer)).toThrow(StateError);
    for (const t of [result, layer]) t.dispose();
  });
});

test("what does not fit is told", () => {
  const [model, other] = [new nn.Linear(2, 1), new nn.Linear(3, 1)];
  const average = new swaUtils.AveragedModel(model);
  expect(() => average.updateParameters(other)).toThrow(/weight/);
  expect(() => new swaUtils.AveragedModel(model, { emaDecay: 2 })).toThrow(ValueError);
  for (const t of [average, model, other]) t.dispose();
});
