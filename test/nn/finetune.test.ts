// Fine-tuning: what is frozen, batch norms that keep their statistics, learning rates by layer, features from inside of a model.
import { describe, expect, test } from "vitest";
import {
  capture,
  features,
  freeze,
  freezeBatchNorm,
  memory,
  nn,
  noGrad,
  optim,
  parameterGroups,
  rand,
  resnet18,
  StateError,
  scope,
  type Tensor,
  unfreeze,
  unfreezeBatchNorm,
  ValueError,
} from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();

/** A small classifier with what the tools look at: a stem, a row of blocks, a norm outside of it, a token and a head. */
class Net extends nn.Module {
  readonly token = new nn.Parameter(rand([1, 4]));
  readonly conv1 = new nn.Conv2d(3, 4, 3, { padding: 1, bias: false });
  readonly bn1 = new nn.BatchNorm2d(4);
  readonly relu = new nn.ReLU();
  readonly blocks = new nn.Sequential(
    ...[0, 1].map(() => new nn.Sequential(new nn.Conv2d(4, 4, 1), new nn.BatchNorm2d(4))),
  );
  readonly norm = new nn.LayerNorm(4);
  readonly classifier = new nn.Linear(4, 2);
  get head(): string {
    return "classifier";
  }
  forward(x: Tensor): Tensor {
    return scope(() => {
      const y = this.relu.forward(this.bn1.forward(this.conv1.forward(x)));
      const pooled = this.blocks.forward(y).mean([2, 3]).add(this.token);
      return this.classifier.forward(this.norm.forward(pooled));
    });
  }
}

const trained = (model: nn.Module): string[] =>
  Array.from(model.namedParameters()).flatMap(([name, p]) => (p.requiresGrad ? [name] : []));
const nameOf = (model: nn.Module): ((p: Tensor) => string) => {
  const names = new Map<Tensor, string>(Array.from(model.namedParameters(), ([name, p]) => [p, name]));
  return (p) => names.get(p) ?? "";
};

describe("freeze and unfreeze", () => {
  test("all, all but the head, parts by path", () => {
    const model = new Net();
    const all = trained(model);
    freeze(model, { except: "head" });
    expect(trained(model)).toEqual(["classifier.weight", "classifier.bias"]);
    unfreeze(model, { only: ["blocks.1", "bn1.bias"] });
    expect(trained(model)).toEqual([
      "bn1.bias",
      ...["0.weight", "0.bias", "1.weight", "1.bias"].map((name) => `blocks.1.${name}`),
      ...["classifier.weight", "classifier.bias"],
    ]);
    freeze(model);
    expect(trained(model)).toEqual([]);
    unfreeze(model, { except: ["head", "norm"] });
    expect(trained(model)).toEqual(all.filter((name) => !/^(classifier|norm)\./.test(name)));
    unfreeze(model);
    expect(trained(model)).toEqual(all);
    // A prefix of a name is no path.
    expect(() => freeze(model, { only: "block" })).toThrow(/no parameter below "block".*conv1, bn1/);
    expect(() => freeze(model, { except: "relu" })).toThrow(ValueError);
    expect(trained(model)).toEqual(all);
    model.dispose();
  });

  test("a model without a head takes 'head' as a path", () => {
    const model = new nn.ModuleDict({ body: new nn.Linear(2, 2), head: new nn.Linear(2, 1) });
    freeze(model, { except: "head" });
    expect(Array.from(model.namedParameters()).map(([name, p]) => [name, p.requiresGrad])).toEqual([
      ["body.weight", false],
      ["body.bias", false],
      ["head.weight", true],
      ["head.bias", true],
    ]);
    model.dispose();
  });
});

describe("freezeBatchNorm", () => {
  test("keeps the statistics through train(), until it is undone", async () => {
    const model = new Net();
    const x = rand([4, 3, 5, 5]);
    const stats = async () => Promise.all(Array.from(model.buffers(), async (t) => Array.from(await t.data())));
    scope(() => void model.forward(x));
    const before = await stats();
    freezeBatchNorm(model);
    model.train();
    expect([model.training, model.bn1.training, model.bn1.frozen]).toEqual([true, false, true]);
    const step = capture((input: Tensor) => noGrad(() => model.forward(input)));
    const frozen = step(x);
    expect(await stats()).toEqual(before);
    model.eval();
    const evaluated = noGrad(() => model.forward(x));
    expect(await frozen.data()).toEqual(await evaluated.data());
    model.train();
    unfreezeBatchNorm(model);
    expect([model.bn1.training, model.bn1.frozen]).toEqual([true, false]);
    // The captured step sees the other mode.
    const released = step(x);
    expect(await released.data()).not.toEqual(await frozen.data());
    expect(await stats()).not.toEqual(before);
    for (const t of [x, frozen, evaluated, released]) t.dispose();
    step.dispose();
    model.dispose();
  });

  test("scales and shifts are trained unless affine says otherwise; a copy is frozen, too", () => {
    const model = new Net();
    const all = trained(model);
    freezeBatchNorm(model);
    expect(trained(model)).toEqual(all);
    scope(() =>
      model
        .forward(rand([2, 3, 4, 4]))
        .square()
        .sum()
        .backward(),
    );
    expect(model.bn1.weight?.grad).not.toBeNull();
    freezeBatchNorm(model, { affine: true });
    expect(trained(model)).toEqual(all.filter((name) => !/^(bn1|blocks\.\d\.1)\./.test(name)));
    const copy = nn.deepCopy(model);
    copy.train();
    expect([copy.bn1.training, copy.training]).toEqual([false, true]);
    unfreezeBatchNorm(copy);
    expect([copy.bn1.training, model.bn1.training]).toEqual([true, false]);
    model.eval();
    unfreezeBatchNorm(model);
    expect(model.bn1.training).toBe(false);
    copy.dispose();
    model.dispose();
  });
});

describe("parameterGroups", () => {
  test("falls from the head down: tokens and norms belong to their neighbours", () => {
    const model = new Net();
    const groups = parameterGroups(model, { base: 0.1, decay: 0.5 });
    const name = nameOf(model);
    expect(groups.map(({ params, lr }) => [lr, params.map(name)])).toEqual([
      [0.1, ["norm.weight", "norm.bias", "classifier.weight", "classifier.bias"]],
      [0.05, ["blocks.1.0.weight", "blocks.1.0.bias", "blocks.1.1.weight", "blocks.1.1.bias"]],
      [0.025, ["blocks.0.0.weight", "blocks.0.0.bias", "blocks.0.1.weight", "blocks.0.1.bias"]],
      [0.0125, ["token", "conv1.weight", "bn1.weight", "bn1.bias"]],
    ]);
    model.dispose();
  });

  test("vectors and what is named have no weight decay; an optimizer takes the groups", async () => {
    const model = new Net();
    const name = nameOf(model);
    const layers = ["conv1", ["bn1", "token"], ["blocks", "norm"], "head"];
    const groups = parameterGroups(model, { base: 1, decay: 0.1, weightDecay: 0.3, noDecay: "token", layers });
    expect(groups.map(({ params, lr, weightDecay }) => [lr, weightDecay, params.map(name)])).toEqual([
      [1, 0.3, ["classifier.weight"]],
      [1, 0, ["classifier.bias"]],
      [0.1, 0.3, ["blocks.0.0.weight", "blocks.1.0.weight"]],
      [
        0.1,
        0,
        [
          ...["0.0.bias", "0.1.weight", "0.1.bias", "1.0.bias", "1.1.weight", "1.1.bias"].map((n) => `blocks.${n}`),
          "norm.weight",
          "norm.bias",
        ],
      ],
      [0.1 ** 2, 0, ["bn1.weight", "bn1.bias", "token"]],
      [0.1 ** 3, 0.3, ["conv1.weight"]],
    ]);
    const before = await model.conv1.weight.data();
    const optimizer = new optim.SGD(groups, { lr: 5 });
    scope(() =>
      model
        .forward(rand([2, 3, 4, 4]))
        .sum()
        .backward(),
    );
    const grad = await model.conv1.weight.grad?.data();
    optimizer.step();
    const after = await model.conv1.weight.data();
    for (const [i, w] of before.entries()) expect(after[i]).toBeCloseTo(w - 0.001 * ((grad?.[i] ?? NaN) + 0.3 * w), 5);
    optimizer.dispose();
    model.dispose();
  });

  test("a ResNet's layers are its stem, its blocks and its head", () => {
    const model = resnet18({ numClasses: 3 });
    const groups = parameterGroups(model, { base: 1, decay: 0.9 });
    const name = nameOf(model);
    const blocks = [4, 3, 2, 1].flatMap((l) => [1, 0].map((b) => `layer${l}.${b}.conv1.weight`));
    expect(groups.map(({ params: [first] }) => first && name(first))).toEqual(["fc.weight", ...blocks, "conv1.weight"]);
    expect(new Set(groups.flatMap(({ params }) => params)).size).toBe([...model.parameters()].length);
    model.dispose();
  });

  test("refuses numbers out of range and layers that leave something out", () => {
    const model = new Net();
    expect(() => parameterGroups(model, { base: -1 })).toThrow(ValueError);
    expect(() => parameterGroups(model, { base: 1, decay: 0 })).toThrow(ValueError);
    expect(() => parameterGroups(model, { base: 1, decay: 1.5 })).toThrow(ValueError);
    expect(() => parameterGroups(model, { base: 1, layers: ["conv1", "head"] })).toThrow(/token is below no path/);
    model.dispose();
  });
});

describe("features", () => {
  test("are what the modules compute, under names of one's own, and leave nothing behind", async () => {
    const model = resnet18({ numClasses: 3 }).eval();
    const x = rand([1, 3, 32, 32]);
    const paths = ["layer1", "layer3.1.bn1"];
    const modules = new Map(model.namedModules());
    const seen = new Map<string, Promise<unknown>>();
    const removals = paths.map((path) =>
      modules.get(path)?.registerForwardHook((_, __, y) => void seen.set(path, (y as Tensor).data())),
    );
    const logits = noGrad(() => model.forward(x));
    for (const remove of removals) remove?.();
    const expected = await Promise.all(paths.map((path) => seen.get(path)));
    const before = memory().tensors;
    const { layer1, deep, fc } = noGrad(() =>
      features(model, { layer1: "layer1", "layer3.1.bn1": "deep", fc: "fc" })(x),
    );
    expect(memory().tensors).toBe(before + 3);
    expect([layer1.shape, deep.shape]).toEqual([
      [1, 64, 8, 8],
      [1, 256, 2, 2],
    ]);
    expect(await layer1.data()).toEqual(expected[0]);
    expect(await deep.data()).toEqual(expected[1]);
    expect(await fc.data()).toEqual(await logits.data());
    expect(model.hooked || model.layer1.hooked).toBe(false);
    for (const t of [layer1, deep, fc]) t.dispose();
    for (const t of [x, logits]) t.dispose();
    model.dispose();
  });

  test("gradients flow through them", async () => {
    const model = new Net();
    const x = rand([2, 3, 4, 4]);
    const { blocks } = scope(() => features(model, ["blocks"])(x));
    scope(() => blocks.square().sum().backward());
    expect(model.conv1.weight.grad?.shape).toEqual([4, 3, 3, 3]);
    expect(model.classifier.weight.grad).toBeNull();
    blocks.dispose();
    x.dispose();
    model.dispose();
  });

  test("paths that are none, and modules that do not run", () => {
    const model = new Net();
    expect(() => features(model, ["layer9"])).toThrow(/no module "layer9".*classifier/);
    Object.assign(model, { unused: new nn.Linear(1, 1) });
    const x = rand([1, 3, 4, 4]);
    const before = memory().tensors;
    expect(() => features(model, ["blocks", "unused"])(x)).toThrow(StateError);
    expect(memory().tensors).toBe(before);
    x.dispose();
    model.dispose();
  });
});
