// What wrong arguments are told, in plain JavaScript too: by the kind of mistake, not by the function.
import { expect, test } from "vitest";
import * as wgrad from "wgrad";
import { withDevice } from "../support/case.ts";

const { full, nn, optim, ShapeError, scope, StateDictError, StateError, tensor, ValueError, zeros } = wgrad;
const F = nn.functional;
const { Module } = nn;
type Module = wgrad.nn.Module;

withDevice();

/** As callers without types see it. */
// biome-ignore lint/suspicious/noExplicitAny: what TypeScript would refuse is what is tested
type Untyped = any;

const linear = () => new nn.Linear(2, 2);
const thrown = (run: () => unknown): Error => {
  try {
    scope(() => void run());
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
};

test.each<[string, () => unknown, typeof wgrad.WgradError, RegExp]>([
  ["no tensor", () => F.relu(null as Untyped), ValueError, /^\[relu\] input 0 must be a tensor, got null/],
  ["no tensor, dim", () => F.softmax(null as Untyped, 1), ValueError, /^\[softmax\] input must be a tensor, got null/],
  ["no tensors", () => (F.mseLoss as Untyped)(), ValueError, /^\[mseLoss\] input 0 must be a tensor, got undefined/],
  [
    "numbers for sizes",
    () => (zeros as Untyped)(2, 3),
    ShapeError,
    /a shape is an array of sizes, such as \[2, 3\], got 2/,
  ],
  ["no shape", () => new (nn.LayerNorm as Untyped)(), ShapeError, /^\[LayerNorm\] normalizedShape/],
  ["no list", () => new nn.ModuleList(3 as Untyped), ValueError, /^\[ModuleList\] got 3 in the place of modules/],
  [
    "no optimizer",
    () => new (optim.ReduceLROnPlateau as Untyped)(),
    ValueError,
    /got undefined in the place of an optimi/,
  ],
  ["no dim", () => new (nn.Softmax as Untyped)(), ValueError, /^\[Softmax\] dim/],
  ["bigint", () => F.dropout(zeros([1]), 1n as Untyped), ValueError, /p must be a number from 0 to 1, got 1$/],
  ["symbol", () => zeros([1]).sum(Symbol("x") as Untyped), ShapeError, /^\[sum\] dimensions are a number or an array/],
  ["near miss", () => new optim.SGD([], { weight_decay: 1 } as Untyped), ValueError, /did you mean "weightDecay"\?/],
  ["letter too many", () => zeros([1], { dtypes: "f32" } as Untyped), ValueError, /did you mean "dtype"\?/],
  ["nothing near", () => zeros([1], { colour: 1 } as Untyped), ValueError, /no option "colour": it takes { dtype/],
  ["keepDim", () => zeros([1]).sum(0, { keepDim: true } as Untyped), ValueError, /did you mean "keepdim"\?/],
])("%s", (_, run, Kind, message) => {
  const error = thrown(run);
  expect(error).toBeInstanceOf(Kind);
  expect(error.message).toMatch(message);
});

test("a used-up iterator of parameters is told, an empty list is not", () => {
  const model = linear();
  const used = model.parameters();
  expect([...used]).toHaveLength(2);
  expect(() => optim.clipGradNorm_(used, 1)).toThrow(/iterator without parameters, which was used up/);
  scope(() => void optim.clipGradNorm_([], 1));
  model.dispose();
});

test("the state dict of another model is summarised", async () => {
  const [model, other] = [new nn.Sequential(...Array.from({ length: 20 }, linear)), linear()];
  const error = await model.loadStateDict({ a: other.weight }).catch((e: unknown) => e as Error);
  expect(error).toBeInstanceOf(StateDictError);
  expect(String(error).split("\n").length).toBeLessThan(8);
  expect(String(error)).toMatch(/0\.weight \[2, 2\] is missing\n(.*\n)*.*and 37 more/);
  for (const m of [model, other]) m.dispose();
});

class Block extends Module {
  readonly fc = linear();
  forward(x: wgrad.Tensor): wgrad.Tensor {
    return this.fc.forward(x);
  }
}

test("an error in a model names the layer by its path, and stays of its class", () => {
  const model = new nn.Sequential(new Block(), new nn.Sequential(new nn.Flatten(0), new Block()));
  const error = thrown(() => model.forward(zeros([2, 2])));
  expect(error).toBeInstanceOf(ShapeError);
  expect(error.message).toMatch(/^\[linear\] input \[4\] has 4 features .* \(in 1\.1\.fc of Sequential\)$/);
  expect(error.stack).toContain(error.message);
  // Called by itself a layer is its own path.
  const alone = linear();
  expect(thrown(() => alone.forward(zeros([3]))).message).not.toContain(" of ");
  alone.dispose();
  // The next call is none the worse for it.
  expect(thrown(() => model.forward(zeros([2, 2])))).toBeInstanceOf(ShapeError);
  scope(() => void model.forward(zeros([1, 2])));
  model.dispose();
});

class Hidden extends Module {
  readonly head = linear();
  readonly #hidden: Module;
  constructor(hidden: Module) {
    super();
    this.#hidden = hidden;
  }
  forward(x: wgrad.Tensor): wgrad.Tensor {
    return this.head.forward(this.#hidden.forward(x));
  }
}

test("a layer that runs in a model whose parameters were asked for, but that nobody trains, is refused", () => {
  const hidden = linear();
  const model = new Hidden(hidden);
  const run = () => scope(() => void model.forward(zeros([1, 2])));
  run(); // nobody has asked yet what there is to train
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  expect(thrown(run)).toBeInstanceOf(StateError);
  expect(run).toThrow(/^\[Hidden\] forward runs a Linear that no property holds/);
  wgrad.noGrad(run);
  const again = new optim.SGD(hidden.parameters(), { lr: 0.1 });
  run();
  for (const m of [model, hidden, optimizer, again]) m.dispose();
});

test.each([
  ["frozen", (layer: Module) => layer.requiresGrad_(false)],
  ["in evaluation mode", (layer: Module) => layer.eval()],
  ["another model's", (layer: Module) => Object.assign(new nn.Sequential(), { 0: layer })],
])("a private layer that is %s is not", (_, prepare) => {
  const hidden = linear();
  const owner = prepare(hidden);
  const model = new Hidden(hidden);
  expect([...model.parameters()]).toHaveLength(2);
  scope(() => void model.forward(zeros([1, 2])));
  for (const m of [model, owner, hidden]) m.dispose();
});

test("sums of integers are right, or an error from the next read", async () => {
  const sums: [number[], "i32" | "u32", number | null][] = [
    [[2 ** 31 - 1, 1, -1], "i32", 2 ** 31 - 1],
    [[-(2 ** 31), 0], "i32", -(2 ** 31)],
    [[2 ** 32 - 2, 1], "u32", 2 ** 32 - 1],
    [[2 ** 30, 2 ** 30, 2 ** 30, 2 ** 30], "i32", null],
    [[-(2 ** 31), -1], "i32", null],
    [[2 ** 32 - 1, 1], "u32", null],
  ];
  for (const [values, dtype, sum] of sums) {
    const y = scope(() => tensor(values, { dtype }).sum());
    if (sum === null) await expect(y.item()).rejects.toThrow(`a sum of ${dtype} elements`);
    else expect(await y.item()).toBe(sum);
    y.dispose();
  }
  // Several workgroups share it, and join in a second pass.
  for (const [value, fits] of [
    [7000, true],
    [8000, false],
  ] as const) {
    const y = scope(() => full([300_000], value, { dtype: "i32" }).sum());
    if (fits) expect(await y.item()).toBe(300_000 * value);
    else await expect(y.item()).rejects.toThrow(ValueError);
    y.dispose();
  }
});

test("a scalar has dimension 0, and -1, where PyTorch's has", async () => {
  const same = ["sum", "mean", "max", "min", "norm", "squeeze", "flip"] as const;
  for (const dim of [0, -1]) {
    for (const name of same) {
      const x = tensor(3, { requiresGrad: true });
      const y = x[name](dim);
      y.backward();
      expect([name, y.shape, await y.item(), await x.grad?.item()]).toEqual([name, [], 3, 1]);
      for (const t of [x, y]) t.dispose();
    }
    const others = scope(() => {
      const x = tensor(3);
      const { values, indices } = x.topk(1, dim);
      const zero = tensor(0, { dtype: "i32" });
      return [
        x.softmax(dim),
        x.logSoftmax(dim),
        x.argmax(dim),
        x.std(dim, { correction: 0 }),
        x.all(dim),
        values,
        indices,
        x.gather(dim, zero),
        x.indexSelect(dim, zero),
        x.transpose(dim, dim),
      ];
    });
    expect(others.every(({ ndim }) => ndim === 0)).toBe(true);
    expect(await Promise.all(others.map((t) => t.item()))).toEqual([1, 0, 0, 0, 1, 3, 0, 3, 3, 3]);
    for (const t of others) t.dispose();
  }
  for (const run of [
    (x: wgrad.Tensor) => x.sum(1),
    (x: wgrad.Tensor) => x.select(0, 0),
    (x: wgrad.Tensor) => x.split(1),
  ])
    expect(thrown(() => run(tensor(3)))).toBeInstanceOf(ShapeError);
});

const layers: [name: string, make: () => Module, shape: number[], out: number[]][] = [
  ["BatchNorm2d", () => new nn.BatchNorm2d(4), [0, 4, 3, 3], [0, 4, 3, 3]],
  ["BatchNorm2d by all batches", () => new nn.BatchNorm2d(4, { momentum: null }), [0, 4, 3, 3], [0, 4, 3, 3]],
  ["BatchNorm2d untracked", () => new nn.BatchNorm2d(4, { trackRunningStats: false }), [0, 4, 3, 3], [0, 4, 3, 3]],
  ["Conv2d", () => new nn.Conv2d(4, 6, 3), [0, 4, 5, 5], [0, 6, 3, 3]],
  ["ConvNormActivation", () => new nn.ConvNormActivation(4, 6), [0, 4, 5, 5], [0, 6, 5, 5]],
  ["Linear", () => new nn.Linear(4, 6), [0, 4], [0, 6]],
  ["LayerNorm", () => new nn.LayerNorm(4), [0, 4], [0, 4]],
  ["MaxPool2d", () => new nn.MaxPool2d(2), [0, 4, 4, 4], [0, 4, 2, 2]],
  ["AvgPool2d", () => new nn.AvgPool2d(2), [0, 4, 4, 4], [0, 4, 2, 2]],
  ["AdaptiveAvgPool2d", () => new nn.AdaptiveAvgPool2d(2), [0, 4, 4, 4], [0, 4, 2, 2]],
  ["Dropout", () => new nn.Dropout(), [0, 4], [0, 4]],
  ["Flatten", () => new nn.Flatten(), [0, 4, 2], [0, 8]],
  ["Softmax", () => new nn.Softmax(1), [0, 4], [0, 4]],
  ["GELU", () => new nn.GELU(), [0, 4], [0, 4]],
  ["BasicBlock", () => new wgrad.vision.BasicBlock(4, 4, 1, null), [0, 4, 4, 4], [0, 4, 4, 4]],
];
test.each(layers)("a batch of nothing: %s", async (_, make, shape, out) => {
  for (const training of [true, false]) {
    const layer = make().train(training);
    const before = scope(() => [...layer.buffers()].map((b) => (b.dtype === "f32" ? b.clone() : null)));
    const x = zeros(shape, { requiresGrad: true });
    const y = layer.forward(x);
    expect(y.shape).toEqual(out);
    scope(() => y.sum().backward());
    expect(x.grad?.shape).toEqual(shape);
    for (const p of layer.parameters()) expect((await p.grad?.data())?.every((v) => v === 0)).toBe(true);
    for (const [i, b] of [...layer.buffers()].entries()) {
      const old = before[i];
      if (old) expect(await b.data()).toEqual(await old.data());
      old?.dispose();
    }
    for (const t of [x, y, layer]) t.dispose();
  }
});

test("of no elements all() is true, any() is false, and nothing is correct", async () => {
  const results = scope(() => {
    const x = zeros([0, 3]);
    return [x.all(), x.any(), F.correctCount(x, zeros([0], { dtype: "i32" })), x.all(0).sum(), x.any(0).sum()];
  });
  expect(await Promise.all(results.map((t) => t.item()))).toEqual([1, 0, 0, 3, 0]);
  for (const t of results) t.dispose();
});
