// Module: names, traversal, state dicts and their errors, modes, freezing, hooks, summary.

import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { memory, nn, noGrad, StateDictError, StateError, scope, type Tensor, tensor, zeros } from "wgrad";
import type { LoadOptions } from "../../src/nn/load-state-dict.ts";
import { withDevice } from "../support/case.ts";

withDevice();

class Block extends nn.Module {
  readonly linear1 = new nn.Linear(4, 4);
  readonly bn = new nn.BatchNorm2d(4);
  override forward(x: Tensor): Tensor {
    return this.linear1.forward(x);
  }
}

class Net extends nn.Module {
  readonly scale = new nn.Parameter(zeros([2]));
  readonly frozenScale = new nn.Parameter(zeros([]), false);
  readonly inputMean = this.registerBuffer("input_mean", zeros([3]));
  readonly scratch = this.registerBuffer("scratch", zeros([1]), { persistent: false });
  readonly blocks = new nn.ModuleList([new Block(), new Block()]);
  head: nn.Module = new nn.Sequential(new nn.ReLU(), new nn.Linear(4, 2, { bias: false }));
  readonly plain = zeros([1]);
  override forward(x: Tensor): Tensor {
    let y = x;
    for (const block of this.blocks) y = block.forward(y);
    return this.head.forward(y);
  }
}

const names = (pairs: Iterable<[string, unknown]>) => Array.from(pairs, ([name]) => name);
const dispose = (net: Net) => {
  net.dispose();
  net.plain.dispose();
};

describe("names", () => {
  test("paths of properties, camelCase as snake_case, in PyTorch's order", () => {
    const net = new Net();
    expect(names(net.namedParameters())).toEqual([
      "scale",
      "frozen_scale",
      "blocks.0.linear1.weight",
      "blocks.0.linear1.bias",
      "blocks.0.bn.weight",
      "blocks.0.bn.bias",
      "blocks.1.linear1.weight",
      "blocks.1.linear1.bias",
      "blocks.1.bn.weight",
      "blocks.1.bn.bias",
      "head.1.weight",
    ]);
    expect(names(net.namedBuffers())).toEqual([
      "input_mean",
      "scratch",
      ...[0, 1].flatMap((i) =>
        ["running_mean", "running_var", "num_batches_tracked"].map((name) => `blocks.${i}.bn.${name}`),
      ),
    ]);
    expect(names(net.namedModules())).toEqual([
      "",
      "blocks",
      "blocks.0",
      "blocks.0.linear1",
      "blocks.0.bn",
      "blocks.1",
      "blocks.1.linear1",
      "blocks.1.bn",
      "head",
      "head.0",
      "head.1",
    ]);
    expect(names(net.namedChildren())).toEqual(["blocks", "head"]);
    const state = net.stateDict();
    expect(Object.keys(state).slice(0, 8)).toEqual([
      "scale",
      "frozen_scale",
      "input_mean",
      "blocks.0.linear1.weight",
      "blocks.0.linear1.bias",
      "blocks.0.bn.weight",
      "blocks.0.bn.bias",
      "blocks.0.bn.running_mean",
    ]);
    expect(state.scratch).toBeUndefined();
    expect(Object.values(state).every((t) => !t.requiresGrad)).toBe(true);
    for (const t of Object.values(state)) t.dispose();
    dispose(net);
  });

  test("properties and keys map to each other without loss", async () => {
    class Names extends nn.Module {
      readonly Mixed_5b = new nn.Linear(1, 1, { bias: false });
      readonly AuxLogits = new nn.Linear(1, 1, { bias: false });
      readonly fcA = new nn.Linear(1, 1, { bias: false });
      readonly fc_a = new nn.Linear(1, 1, { bias: false });
      readonly conv2dA = new nn.Linear(1, 1, { bias: false });
      readonly Running_x = this.registerBuffer("Running_x", zeros([1]));
      readonly running_y = this.registerBuffer("running_y", zeros([1]));
      override forward(x: Tensor): Tensor {
        return x;
      }
    }
    const [from, to] = [new Names(), new Names()];
    const state = from.stateDict();
    expect(Object.keys(state)).toEqual([
      "Running_x",
      "running_y",
      "Mixed_5b.weight",
      "AuxLogits.weight",
      "fcA.weight",
      "fc_a.weight",
      "conv2d_a.weight",
    ]);
    await to.loadStateDict(state);
    for (const name of ["fcA", "fc_a"] as const) {
      expect(await to[name].weight.item()).toBe(await from[name].weight.item());
    }
    for (const disposable of [from, to, ...Object.values(state)]) disposable.dispose();
  });

  test("a module or parameter used twice appears once, in the state dict under each name", () => {
    class Tied extends nn.Module {
      readonly encoder = new nn.Linear(2, 2, { bias: false });
      readonly decoder = new nn.Linear(2, 2, { bias: false });
      readonly again = this.encoder;
      override forward(x: Tensor): Tensor {
        return x;
      }
    }
    const tied = new Tied();
    tied.decoder.weight.dispose();
    tied.decoder.weight = tied.encoder.weight;
    expect(names(tied.namedParameters())).toEqual(["encoder.weight"]);
    const state = tied.stateDict();
    expect(Object.keys(state)).toEqual(["encoder.weight", "decoder.weight", "again.weight"]);
    for (const t of Object.values(state)) t.dispose();
    tied.dispose();
  });

  test("layers can be replaced, and lists extended", () => {
    const list = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU()).append(new nn.Linear(3, 4));
    expect(list.length).toBe(3);
    list[2]!.dispose();
    list[2] = new nn.Identity();
    expect(names(list.namedParameters())).toEqual(["0.weight", "0.bias"]);
    expect(String(list)).toBe("Sequential(\n  (0): Linear(2, 3)\n  (1): ReLU()\n  (2): Identity()\n)");
    list.dispose();
  });

  test("a model made in a scope outlives it", () => {
    const holder: { layer?: nn.Linear } = {};
    scope(() => {
      holder.layer = new nn.Linear(2, 2);
    });
    expect(holder.layer!.weight.disposed).toBe(false);
    holder.layer!.dispose();
    expect(holder.layer!.weight.disposed).toBe(true);
  });
});

describe("state dicts", () => {
  test("loading copies in place, converts dtypes, and takes maps and objects", async () => {
    const [from, to] = [new nn.BatchNorm2d(3), new nn.BatchNorm2d(3)];
    const { weight, runningMean } = to;
    noGrad(() => from.weight!.fill_(7));
    from.runningMean!.fill_(2);
    const state = from.stateDict();
    state.num_batches_tracked!.dispose();
    state.num_batches_tracked = tensor(5); // f32, as some writers store it
    for (const dict of [state, new Map(Object.entries(state))]) {
      expect(await to.loadStateDict(dict)).toEqual({ missingKeys: [], unexpectedKeys: [] });
    }
    expect(to.weight).toBe(weight);
    expect(Array.from(await weight!.data())).toEqual([7, 7, 7]);
    expect(Array.from(await runningMean!.data())).toEqual([2, 2, 2]);
    expect(to.numBatchesTracked!.dtype).toBe("i32");
    expect(await to.numBatchesTracked!.item()).toBe(5);
    for (const disposable of [from, to, ...Object.values(state)]) disposable.dispose();
  });

  test("a batch norm's counter may be missing, its statistics may not", async () => {
    const layer = new nn.BatchNorm2d(1);
    layer.numBatchesTracked!.fill_(4);
    const { num_batches_tracked, running_var, ...rest } = layer.stateDict();
    const old = { ...rest, running_var: running_var! };
    expect(await layer.loadStateDict(old)).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect(await layer.numBatchesTracked!.item()).toBe(4);
    await expect(layer.loadStateDict(rest)).rejects.toThrow(/running_var \[1\] is missing/);
    for (const t of [num_batches_tracked!, ...Object.values(old)]) t.dispose();
    layer.dispose();
  });

  test("all that does not fit is named in one error, and nothing is loaded", async () => {
    const layer = new nn.Linear(3, 2);
    const before = Array.from(await layer.weight.data());
    const dict = { weight: zeros([2, 3]), biass: zeros([2]), extra: zeros([1, 4]) };
    const error = await layer.loadStateDict(dict).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(StateDictError);
    expect(String(error)).toMatch(/does not fit Linear/);
    expect(String(error)).toMatch(/bias \[2\] is missing/);
    expect(String(error)).toMatch(/biass \[2\] is not expected/);
    expect(String(error)).toMatch(/extra \[1, 4\] is not expected/);
    expect(Array.from(await layer.weight.data())).toEqual(before);
    expect(await layer.loadStateDict(dict, { strict: false })).toEqual({
      missingKeys: ["bias"],
      unexpectedKeys: ["biass", "extra"],
    });
    expect(Array.from(await layer.weight.data())).toEqual([0, 0, 0, 0, 0, 0]);
    const misshaped = { weight: zeros([3, 2]), bias: zeros([2]) };
    await expect(layer.loadStateDict(misshaped, { strict: false })).rejects.toThrow(
      /weight has shape \[3, 2\], expected \[2, 3\]/,
    );
    for (const t of [...Object.values(dict), ...Object.values(misshaped)]) t.dispose();
    layer.dispose();
  });
});

describe("loadStateDict's choices", () => {
  const values = { "net.fc.weight": [1, 2], "net.fc.bias": [3], "head.weight": [4, 5], n: [6] };
  const given = () =>
    Object.fromEntries(
      Object.entries(values).map(([name, list]) => [
        name,
        tensor(list, { shape: name.endsWith("weight") ? [1, 2] : [1] }),
      ]),
    );

  test.each<[string, LoadOptions, number[]]>([
    ["prefixes", { remap: { "net.fc.": "", "head.": "unused." }, strict: false }, [1, 2]],
    ["the first prefix that fits", { remap: { "net.fc.": "", net: "x" }, strict: false }, [1, 2]],
    ["a function", { remap: (name) => (name.startsWith("net.") ? name.slice(7) : undefined) }, [1, 2]],
    ["a filter", { remap: { "net.fc.": "" }, filter: (name) => name.startsWith("net.") }, [1, 2]],
    [
      "a filter that sees the tensor",
      {
        remap: { "head.": "", "net.fc.bias": "bias" },
        filter: (name, t) => name === "net.fc.bias" || (t.shape.length === 2 && name[0] === "h"),
      },
      [4, 5],
    ],
  ])("%s", async (_, options, weight) => {
    const layer = new nn.Linear(2, 1);
    const dict = given();
    const { missingKeys } = await layer.loadStateDict(dict, options);
    expect(missingKeys).toEqual([]);
    expect(Array.from(await layer.weight.data())).toEqual(weight);
    expect(Array.from(await layer.bias!.data())).toEqual([3]);
    for (const t of Object.values(dict)) t.dispose();
    layer.dispose();
  });

  test("what was left out is missing, not unexpected", async () => {
    const layer = new nn.Linear(2, 1);
    const dict = given();
    const options: LoadOptions = { remap: { "head.": "" }, filter: (name) => name === "head.weight" };
    await expect(layer.loadStateDict(dict, options)).rejects.toThrow(/bias \[1\] is missing$/);
    expect(await layer.loadStateDict(dict, { ...options, strict: false })).toEqual({
      missingKeys: ["bias"],
      unexpectedKeys: [],
    });
    for (const t of Object.values(dict)) t.dispose();
    layer.dispose();
  });

  test("two entries may not get one name", async () => {
    const layer = new nn.Linear(2, 1);
    const dict = given();
    const remap = { "net.fc.": "", "head.": "" };
    await expect(layer.loadStateDict(dict, { remap })).rejects.toThrow(StateDictError);
    await expect(layer.loadStateDict(dict, { remap })).rejects.toThrow(
      /two entries of the dict the name weight, the second is head\.weight/,
    );
    for (const t of Object.values(dict)) t.dispose();
    layer.dispose();
  });

  test("another model's dict is an error of a few short lines", async () => {
    const layer = new nn.Sequential(...Array.from({ length: 8 }, () => new nn.Linear(1, 1)));
    const one = zeros([1]);
    const dict = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`${"x".repeat(5000)}${i}`, one]));
    const wrong = { ...dict, "0.weight": one, "1.weight": one, "2.weight": one, "3.weight": one };
    const error = await layer.loadStateDict(wrong).catch((e: unknown) => String(e));
    expect(String(error).split("\n")).toHaveLength(10);
    expect(String(error).length).toBeLessThan(2000);
    expect(error).toMatch(
      /0\.bias \[1\] is missing\n.*1\.bias \[1\] is missing\n.*2\.bias \[1\] is missing, and 9 more/,
    );
    expect(error).toMatch(/is not expected, and 197 more/);
    expect(error).toMatch(/2\.weight has shape \[1\], expected \[1, 1\], and 1 more/);
    one.dispose();
    layer.dispose();
  });
});

describe("modes", () => {
  test("train, eval, requiresGrad_, apply and zeroGrad reach every module", () => {
    const net = new Net();
    expect(net.eval()).toBe(net);
    expect([...net.modules()].some((module) => module.training)).toBe(false);
    net.train();
    expect([...net.modules()].every((module) => module.training)).toBe(true);
    net.requiresGrad_(false);
    expect([...net.parameters()].some((p) => p.requiresGrad)).toBe(false);
    net.requiresGrad_();
    const order: string[] = [];
    net.head.apply((module) => order.push(module.constructor.name));
    expect(order).toEqual(["ReLU", "Linear", "Sequential"]);
    const x = tensor([[1, 2, 3, 4]]);
    scope(() => net.forward(x).sum().backward());
    expect(net.blocks[0]!.linear1.weight.grad).not.toBeNull();
    net.zeroGrad();
    expect([...net.parameters()].every((p) => p.grad === null)).toBe(true);
    x.dispose();
    dispose(net);
  });

  test("a frozen layer gets no gradient, those before it do", () => {
    const net = new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 2), new nn.Linear(2, 1));
    net[1]!.requiresGrad_(false);
    const x = tensor([[1, 2]]);
    scope(() => net.forward(x).sum().backward());
    expect([...net.parameters()].map((p) => p.grad !== null)).toEqual([true, true, false, false, true, true]);
    x.dispose();
    net.dispose();
  });

  test("evaluation frees what lies between the layers", () => {
    const net = new nn.Sequential(...Array.from({ length: 6 }, () => new nn.Linear(64, 64)));
    const x = zeros([256, 64]);
    const before = memory({ resetPeak: true });
    const y = noGrad(() => net.forward(x));
    const after = memory();
    expect(after.tensors - before.tensors).toBe(1);
    // A layer's input and output, and the product before the bias, but not six layers' worth.
    expect(after.peakBytes - before.bytes).toBeLessThanOrEqual(3 * 256 * 64 * 4);
    for (const t of [x, y]) t.dispose();
    net.dispose();
  });
});

describe("hooks", () => {
  test("fire around a direct forward and around a layer's inside a model, in order, until removed", () => {
    const net = new nn.Sequential(new nn.Identity(), new nn.ReLU());
    const log: string[] = [];
    const removals = [
      net.registerForwardPreHook((module, [x]) => {
        log.push(`before ${module.constructor.name} ${x.shape}`);
      }),
      net[1]!.registerForwardHook((module, [x], y) => {
        log.push(`after ${module.constructor.name} ${x.shape} ${y.shape}`);
      }),
      net.registerForwardHook((module) => {
        log.push(`after ${module.constructor.name}`);
      }),
    ];
    const x = zeros([1, 2]);
    const [y1, y2] = [net.forward(x), net.forward(x)];
    const once = ["before Sequential 1,2", "after ReLU 1,2 1,2", "after Sequential"];
    expect(log).toEqual([...once, ...once]);
    expect(net.hooked).toBe(true);
    for (const remove of removals) remove();
    expect(net.hooked).toBe(false);
    expect(Object.hasOwn(net, "forward")).toBe(false);
    const y3 = net.forward(x);
    expect(log.length).toBe(6);
    for (const t of [x, y1, y2, y3]) t.dispose();
  });

  test("may replace inputs and outputs", async () => {
    const relu = new nn.ReLU();
    const [x, other, replaced] = [tensor([-1, 2]), tensor([3, -4]), tensor([9])];
    const removePre = relu.registerForwardPreHook(() => [other]);
    const y = relu.forward(x);
    expect(Array.from(await y.data())).toEqual([3, 0]);
    removePre();
    const remove = relu.registerForwardHook((_, __, output) => {
      output.dispose();
      return replaced;
    });
    expect(relu.forward(x)).toBe(replaced);
    remove();
    for (const t of [x, other, replaced, y]) t.dispose();
  });

  test("a forward that is a property is wrapped too, and put back", () => {
    class Arrow extends nn.Module {
      override forward = (x: Tensor): Tensor => x;
    }
    const arrow = new Arrow();
    const plain = arrow.forward;
    let calls = 0;
    const hook = () => {
      calls++;
    };
    const remove = arrow.registerForwardHook(hook);
    expect(() => arrow.registerForwardHook(hook)).toThrow(StateError);
    const x = zeros([1]);
    arrow.forward(x);
    remove();
    remove();
    arrow.forward(x);
    expect(calls).toBe(1);
    expect(arrow.forward).toBe(plain);
    x.dispose();
  });
});

test("summary", () => {
  const net = new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU(), new nn.Linear(4, 2));
  net[0]!.requiresGrad_(false);
  const x = zeros([5, 3]);
  const lines = net.summary(x).split("\n");
  expect(lines[0]).toMatch(/^layer +type +output +parameters +frozen$/);
  expect(lines[2]).toMatch(/^0 +Linear\(3, 4\) +\[5, 4\] +16 +16$/);
  expect(lines[3]).toMatch(/^1 +ReLU\(\) +\[5, 4\] +0 +0$/);
  expect(lines[4]).toMatch(/^2 +Linear\(4, 2\) +\[5, 2\] +10 +0$/);
  expect(lines.at(-1)).toBe("16 of 26 parameters frozen, 10 to train");
  expect(net.summary().split("\n")[2]).toMatch(/^0 +Linear\(3, 4\) +- +16 +16$/);
  expect([...net.modules()].every((module) => module.training && !module.hooked)).toBe(true);
  x.dispose();
  net.dispose();
});

test("a module shows in PyTorch's form where it is logged, and counts its parameters", () => {
  const net = new nn.Sequential(new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU()), new nn.Linear(4, 2));
  const text = `Sequential(
  (0): Sequential(
    (0): Linear(3, 4)
    (1): ReLU()
  )
  (1): Linear(4, 2)
)`;
  expect(String(net)).toBe(text);
  expect(inspect(net)).toBe(text);
  expect(inspect({ net }, { depth: 0 })).toContain("Linear(4, 2)");
  for (const parameter of [...net.parameters()].slice(2)) parameter.requiresGrad = false;
  expect(nn.countParameters(net)).toEqual({ total: 26, frozen: 10 });
  net.dispose();
});

test("modules in a plain array or object are refused by name, unless they are found elsewhere", () => {
  class Listed extends nn.Module {
    readonly head = new nn.ReLU();
    blocks: unknown = [new nn.ReLU()];
    override forward(x: Tensor): Tensor {
      return this.head.forward(x);
    }
  }
  const model = new Listed();
  const uses = [() => [...model.parameters()], () => model.stateDict(), () => model.train(), () => model.zeroGrad()];
  for (const use of uses) {
    expect(use).toThrow(StateError);
    expect(use).toThrow(/^\[Listed\] blocks is a plain array of modules.*nn\.ModuleList/);
  }
  expect(() => new nn.Sequential(model).stateDict()).toThrow(/^\[Listed\] blocks/);
  model.blocks = { a: new nn.ReLU() };
  expect(() => [...model.modules()]).toThrow(/blocks is a plain object/);
  for (const fine of [[model.head], [1, "a"], [], { model }, null, new nn.ModuleList([new nn.ReLU()])]) {
    model.blocks = fine;
    expect([...model.parameters()]).toEqual([]);
  }
});
