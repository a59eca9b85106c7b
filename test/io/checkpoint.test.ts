// Checkpoints: a run that was saved and loaded into fresh objects goes on to the bit; damage and misfits are typed errors.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  capture,
  DataError,
  FormatError,
  getRngState,
  init,
  loadCheckpoint,
  loadSafetensors,
  manualSeed,
  memory,
  nn,
  optim,
  rand,
  StateDictError,
  saveCheckpoint,
  saveSafetensors,
  scope,
  type Tensor,
  tensor,
  ValueError,
  vision,
  zeros,
} from "wgrad";
import * as file from "wgrad/node";

const F = nn.functional;

beforeAll(async () => void (await init()));

let liveBefore: number;
beforeEach(() => {
  liveBefore = memory().tensors;
});
afterEach(() => expect(memory().tensors).toBe(liveBefore));

/** 11 pictures of 3 x 8 x 8: with a batch of 4 an epoch is three steps, the last of them smaller. */
const pictures = new vision.ImageDataset({
  images: Uint8Array.from({ length: 11 * 192 }, (_, i) => (i * 37 + (i >> 5) * 11) & 255),
  labels: Int32Array.from({ length: 11 }, (_, i) => i % 3),
  classes: ["a", "b", "c"],
  shape: [3, 8, 8],
});

const makers: Record<string, (p: Iterable<Tensor>) => optim.Optimizer> = {
  Adam: (p) => new optim.Adam(p, { lr: 0.01, amsgrad: true }) as unknown as optim.Optimizer,
  SGD: (p) => new optim.SGD(p, { lr: 0.01, momentum: 0.9, nesterov: true }) as unknown as optim.Optimizer,
  RMSprop: (p) => new optim.RMSprop(p, { lr: 0.01, centered: true, momentum: 0.5 }) as unknown as optim.Optimizer,
  NAdam: (p) => new optim.NAdam(p, { lr: 0.01 }) as unknown as optim.Optimizer,
  Adagrad: (p) => new optim.Adagrad(p, { lr: 0.01 }) as unknown as optim.Optimizer,
  Lion: (p) => new optim.Lion(p, { lr: 0.001 }) as unknown as optim.Optimizer,
};

function makeRun(name: string, captured: boolean) {
  const model = new nn.Sequential(
    new nn.Conv2d(3, 4, 3, { padding: 1 }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Flatten(),
    new nn.Linear(256, 3),
  );
  const optimizer = makers[name]?.(model.parameters());
  if (!optimizer) throw new Error(`no optimizer ${name}`);
  const scheduler = new optim.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 0 });
  const set = new vision.GpuDataset(pictures);
  const loader = new vision.DataLoader(set, { batchSize: 4, shuffle: true, seed: 5 });
  const transform = vision.compose([
    vision.randomCrop(8, { padding: 1 }),
    vision.randomHorizontalFlip(),
    vision.normalize([0.5, 0.5, 0.5], [0.2, 0.2, 0.2]),
  ]);
  const plain = (indices: Tensor) =>
    scope(() => {
      const { images, labels } = set.batch(indices, transform);
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model.forward(images) as Tensor, labels);
      loss.backward();
      optimizer.step();
      return loss.detach();
    });
  const step = captured ? capture(plain) : Object.assign(plain, { dispose() {} });
  return {
    parts: { model, optimizer, scheduler, loader },
    /** Takes `count` steps, over as many epochs as they need. */
    async train(count: number): Promise<number[]> {
      const losses: number[] = [];
      while (losses.length < count) {
        for await (const { indices } of loader.indexBatches()) {
          const loss = step(indices);
          losses.push(await loss.item());
          loss.dispose();
          // A metric that never falls: the rate is halved at the second step, and again at every one after it.
          scheduler.step(1);
          if (losses.length === count) break;
        }
      }
      return losses;
    },
    async weights(): Promise<number[][]> {
      const dict = model.stateDict();
      const values = await Promise.all(Object.values(dict).map(async (t) => [...(await t.data())]));
      for (const t of Object.values(dict)) t.dispose();
      return values;
    },
    rates: () => optimizer.paramGroups.map(({ lr }) => lr),
    dispose() {
      step.dispose();
      for (const d of [set, optimizer, model]) d.dispose();
    },
  };
}

describe("a run goes on to the bit in fresh objects", () => {
  test.each([
    ["Adam", false],
    ["Adam", true],
    ["SGD", true],
    ["RMSprop", false],
    ["NAdam", false],
    ["Adagrad", false],
    ["Lion", false],
  ])("%s, captured: %s", async (name, captured) => {
    const steps = 5; // in the middle of the second epoch
    manualSeed(7);
    const whole = makeRun(name, captured);
    const before = await whole.train(steps);
    const bytes = await saveCheckpoint({ ...whole.parts, epoch: 2, best: Number.POSITIVE_INFINITY });
    // The loop was left in the middle of an epoch: the same loader's next loop would be a new epoch, as in PyTorch.
    const { epoch } = whole.parts.loader.stateDict();
    expect(whole.parts.loader.stateDict()).toMatchObject({ epoch: 1, batch: 2 });

    manualSeed(99);
    const resumed = makeRun(name, captured);
    await resumed.train(2); // nothing of what it did and drew may be left
    expect(await loadCheckpoint(bytes, resumed.parts)).toEqual({ epoch: 2, best: Number.POSITIVE_INFINITY });
    expect(resumed.parts.loader.epoch).toBe(epoch);
    const after = await resumed.train(steps);
    const weights = await resumed.weights();
    const rates = resumed.rates();
    resumed.dispose();

    manualSeed(7);
    const straight = makeRun(name, captured);
    const all = await straight.train(2 * steps);
    expect(all).toEqual([...before, ...after]);
    expect(await straight.weights()).toEqual(weights);
    expect(straight.rates()).toEqual(rates);
    expect(new Set(all).size).toBe(2 * steps);
    straight.dispose();
    whole.dispose();
  });
});

test("the random numbers go on, unless they are to be left alone", async () => {
  manualSeed(3);
  rand([1]).dispose();
  const state = getRngState();
  const bytes = await saveCheckpoint({});
  manualSeed(4);
  await loadCheckpoint(bytes, {}, { rng: false });
  expect(getRngState()).toEqual({ seed: 4, streams: 0 });
  await loadCheckpoint(bytes);
  expect(getRngState()).toEqual(state);
});

test("schedulers take over their options and counts, one cycle's too", async () => {
  const p = zeros([1], { requiresGrad: true });
  const optimizer = new optim.SGD([p], { lr: 0.1, momentum: 0.9 });
  const schedulers = () => {
    const cycle = new optim.OneCycleLR(optimizer, 0.4, { totalSteps: 10 });
    return { cycle, step: new optim.StepLR(optimizer, 3, { gamma: 0.5 }) };
  };
  const first = schedulers();
  for (let i = 0; i < 4; i++) {
    first.cycle.step();
    first.step.step();
  }
  const bytes = await saveCheckpoint({ optimizer, ...first });
  const after = () => {
    for (const s of Object.values(first)) s.step();
    return structuredClone(optimizer.paramGroups.map(({ lr, momentum }) => ({ lr, momentum })));
  };
  const expected = after();
  const cycle = new optim.OneCycleLR(optimizer, 0.2, { totalSteps: 20, annealStrategy: "linear" });
  const step = new optim.StepLR(optimizer, 2);
  await loadCheckpoint(bytes, { optimizer, cycle, step });
  expect([step.stepSize, step.gamma, step.lastEpoch, cycle.totalSteps]).toEqual([3, 0.5, 4, 10]);
  for (const s of [cycle, step]) s.step();
  expect(optimizer.paramGroups.map(({ lr, momentum }) => ({ lr, momentum }))).toEqual(expected);
  for (const d of [optimizer, p]) d.dispose();
});

test("groups that were added after a scheduler was made", async () => {
  const params = [zeros([1], { requiresGrad: true }), zeros([1], { requiresGrad: true })];
  const make = () => {
    const optimizer = new optim.SGD(params.slice(0, 1), { lr: 1 });
    const schedulers = { step: new optim.StepLR(optimizer, 1), plateau: new optim.ReduceLROnPlateau(optimizer) };
    optimizer.addParamGroup({ params: params.slice(1), lr: 2 });
    return { optimizer, ...schedulers };
  };
  const [first, second] = [make(), make()];
  first.step.step();
  first.plateau.step(1);
  await loadCheckpoint(await saveCheckpoint(first), second);
  expect(second.step.stateDict()).toEqual(first.step.stateDict());
  expect(second.plateau.stateDict()).toEqual(first.plateau.stateDict());
  expect(second.optimizer.paramGroups.map(({ lr }) => lr)).toEqual([0.1, 0.2]);
  const other = new optim.StepLR(second.optimizer, 1);
  expect(() => other.loadStateDict(first.step.stateDict())).toThrow(/baseLrs is 1 numbers, expected 2 numbers/);
  for (const d of [first.optimizer, second.optimizer, ...params]) d.dispose();
});

describe("values", () => {
  test("come back as they were", async () => {
    const shared = { x: 1 };
    const extras = {
      numbers: [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 60],
      text: 'ümlaut "quoted" \ud83d\ude00',
      nested: { a: [null, true, { b: [] }], shared, again: shared },
      dollar: { $: "Infinity", other: { $: { $: Number.NaN } } },
      ["__proto__"]: { ["__proto__"]: 1 },
      "7": "a name that is a whole number",
    };
    const given = { ...extras, none: undefined, some: { gone: undefined } };
    const back = await loadCheckpoint(await saveCheckpoint(given));
    expect(back).toEqual({ ...extras, some: {} });
    expect(Object.is((back.numbers as number[])[1], -0)).toBe(true);
    expect(Object.keys(back.some as object)).toEqual([]);
  });

  test("tensors among them, of every dtype, also under names that meet", async () => {
    const f32 = tensor([0.5, -2]);
    const made = {
      f32: tensor([1.5, Number.NaN]),
      i32: tensor([-1, 2], { dtype: "i32" }),
      u32: tensor([4294967295], { dtype: "u32" }),
      f16: f32.to("f16"),
      empty: zeros([0, 3]),
    };
    const [a, b] = [tensor([1]), tensor([2])];
    const bytes = await saveCheckpoint({ made, x: { "y.z": a, y: { z: b } }, "0": a });
    expect(bytes.subarray(8, 24)).toEqual(new TextEncoder().encode('{"__metadata__":'));
    const back = (await loadCheckpoint(bytes)) as unknown as {
      made: typeof made;
      x: { "y.z": Tensor; y: { z: Tensor } };
      "0": Tensor;
    };
    for (const [name, t] of Object.entries(made)) {
      const loaded = back.made[name as keyof typeof made];
      expect([loaded.dtype, loaded.shape, await loaded.data()]).toEqual([t.dtype, t.shape, await t.data()]);
    }
    expect([await back.x["y.z"].item(), await back.x.y.z.item(), await back["0"].item()]).toEqual([1, 2, 1]);
    const all = [...Object.values(made), ...Object.values(back.made), f32, a, b, back.x["y.z"], back.x.y.z, back["0"]];
    for (const t of all) t.dispose();
  });

  const circle: Record<string, unknown> = {};
  circle.inner = { circle };
  test.each<[string, unknown, RegExp]>([
    ["a bigint", { deep: [1n] }, /x\.deep\.0 is the bigint 1/],
    ["a function", () => 1, /x is of type function/],
    ["a symbol", Symbol("s"), /x is of type symbol/],
    ["undefined in an array", [undefined], /x\.0 is of type undefined/],
    ["an object of a class", { at: new Date() }, /x\.at is a Date/],
    ["a map", new Map(), /x is a Map/],
    ["numbers in a typed array", new Float32Array(2), /x is a Float32Array/],
    ["an object inside itself", circle, /x\.inner\.circle is inside itself/],
  ])("%s is refused", async (_, x, message) => {
    await expect(saveCheckpoint({ x })).rejects.toThrow(ValueError);
    await expect(saveCheckpoint({ x })).rejects.toThrow(message);
  });

  test("parts in the place of a record, and values in the place of parts", async () => {
    const scheduler = { stateDict: () => 1, loadStateDict: () => {} };
    for (const bad of [scheduler, [1], null, 3]) await expect(saveCheckpoint(bad as never)).rejects.toThrow(ValueError);
    const bytes = await saveCheckpoint({ epoch: 3 });
    await expect(loadCheckpoint(bytes, { epoch: 3 } as never)).rejects.toThrow(/epoch is 3 without stateDict\(\)/);
    await expect(loadCheckpoint(bytes, {}, { strict: true } as never)).rejects.toThrow(/no option "strict"/);
  });
});

describe("what does not fit is named", () => {
  test("a part that the checkpoint lacks: nothing is loaded", async () => {
    const [model, other] = [new nn.Linear(2, 2), new nn.Linear(2, 2)];
    const bytes = await saveCheckpoint({ model, epoch: 1 });
    const state = getRngState();
    const act = loadCheckpoint(bytes, { model: other, optimizer: new optim.SGD(other.parameters(), { lr: 1 }) });
    await expect(act).rejects.toThrow(StateDictError);
    await expect(act).rejects.toThrow(/no state of optimizer; it has states of model, and values epoch/);
    expect(await other.weight.data()).not.toEqual(await model.weight.data());
    expect(getRngState()).toEqual(state);
    for (const d of [model, other]) d.dispose();
  });

  test("a part of another kind, another size, other options", async () => {
    const model = new nn.Linear(2, 2);
    const adam = new optim.Adam(model.parameters(), { lr: 0.1 });
    const set = new vision.GpuDataset(pictures);
    const loader = new vision.DataLoader(set, { batchSize: 4, shuffle: true, seed: 5 });
    const plateau = new optim.ReduceLROnPlateau(adam);
    const bytes = await saveCheckpoint({ model, adam, loader, plateau });
    const larger = new nn.Linear(3, 2);
    const parts: [string, Parameters<typeof loadCheckpoint>[1], RegExp][] = [
      ["model", { model: larger }, /model does not fit: .*\n.*weight has shape \[2, 2\], expected \[2, 3\]/],
      ["SGD", { adam: new optim.SGD(model.parameters(), { lr: 1 }) }, /adam does not fit: .*has no option "betas"/],
      ["groups", { adam: new optim.Adam([model.weight]) }, /groups of \[2\] parameters do not fit/],
      ["seed", { loader: new vision.DataLoader(set, { batchSize: 4, shuffle: true }) }, /seed was 5, is 0/],
      ["size", { loader: new vision.DataLoader(set, { shuffle: true, seed: 5 }) }, /batchSize was 4, is 1/],
      [
        "scheduler",
        { plateau: new optim.StepLR(adam, 1) },
        /no state of this StepLR: .*best is number, expected undefined/,
      ],
      ["other", { model: adam }, /model does not fit: .*no state dict of an optimizer/],
      ["other", { adam: model }, /adam does not fit/],
    ];
    for (const [what, given, message] of parts) {
      await expect(loadCheckpoint(bytes, given), what).rejects.toThrow(StateDictError);
      await expect(loadCheckpoint(bytes, given), what).rejects.toThrow(message);
    }
    for (const d of [model, larger, adam, set]) d.dispose();
  });

  test("states of another type", () => {
    const p = zeros([1], { requiresGrad: true });
    const optimizer = new optim.SGD([p], { lr: 1 });
    for (const scheduler of [new optim.StepLR(optimizer, 2), new optim.ReduceLROnPlateau(optimizer)]) {
      const state = scheduler.stateDict();
      const load = (other: unknown) => () => scheduler.loadStateDict(other as never);
      const { lastEpoch: _, ...lacking } = state;
      for (const bad of [null, 3, {}, lacking, { ...state, lastEpoch: "3" }, { ...state, lastLr: ["1"] }])
        expect(load(bad), JSON.stringify(bad)).toThrow(StateDictError);
      expect(load({ ...state, extra: 1 })).toThrow(/extra is number, expected undefined/);
      expect(scheduler.stateDict()).toEqual(state);
    }
    for (const d of [optimizer, p]) d.dispose();
  });
});

describe("a damaged file", () => {
  test("every byte counts, and so does the length", async () => {
    const t = tensor([1, 2, 3]);
    const good = await saveCheckpoint({ t, text: "hello" });
    t.dispose();
    for (let i = 0; i < good.length; i++) {
      const bad = good.slice();
      bad[i] = (bad[i] ?? 0) ^ (1 << (i % 8));
      await expect(loadCheckpoint(bad), `byte ${i}`).rejects.toThrow(FormatError);
    }
    for (let length = 0; length < good.length; length++)
      await expect(loadCheckpoint(good.subarray(0, length)), `${length} bytes`).rejects.toThrow(FormatError);
    await expect(loadCheckpoint(Uint8Array.of(...good, 0))).rejects.toThrow(/damaged or cut off/);
  });

  test("other safetensors files, and those of a later version", async () => {
    const t = tensor([1]);
    const plain = await saveSafetensors({ t });
    t.dispose();
    await expect(loadCheckpoint(plain)).rejects.toThrow(/safetensors file but not one of saveCheckpoint/);
    const later = new TextDecoder("latin1").decode(await saveCheckpoint({})).replace('"version":"1"', '"version":"2"');
    const bytes = Uint8Array.from(later, (c) => c.charCodeAt(0));
    const at = 8 + '{"__metadata__":{"sha256":"'.length;
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.subarray(at + 64)));
    bytes.set(new TextEncoder().encode(Buffer.from(hash).toString("hex")), at);
    await expect(loadCheckpoint(bytes)).rejects.toThrow(/of version 2, but .* reads version 1: update wgrad/);
  });

  test("a checkpoint is a safetensors file", async () => {
    const model = new nn.Linear(2, 1);
    const tensors = await loadSafetensors(await saveCheckpoint({ model }));
    expect(Object.keys(tensors).sort()).toEqual(["model.bias", "model.weight"]);
    expect(await tensors["model.weight"]?.data()).toEqual(await model.weight.data());
    for (const d of [model, ...Object.values(tensors)]) d.dispose();
  });
});

describe("in Node", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "wgrad-test-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("to a path and back, by name", async () => {
    const [model, other] = [new nn.Linear(2, 2), new nn.Linear(2, 2)];
    const path = join(folder, "deep", "last.checkpoint");
    await file.saveCheckpoint(path, { model, epoch: 1 });
    await file.saveCheckpoint(path, { model, epoch: 2 });
    expect(await file.loadCheckpoint(path, { model: other })).toEqual({ epoch: 2 });
    expect(await other.weight.data()).toEqual(await model.weight.data());
    for (const d of [model, other]) d.dispose();
  });

  test("files that cannot be read or written are named", async () => {
    const path = join(folder, "x");
    await expect(file.loadCheckpoint(path)).rejects.toThrow(DataError);
    await expect(file.loadCheckpoint(path)).rejects.toThrow(`${path} cannot be read: there is no such file`);
    await writeFile(path, "no checkpoint");
    await expect(file.loadCheckpoint(path)).rejects.toThrow(FormatError);
    await expect(file.loadCheckpoint(path)).rejects.toThrow(path);
    await expect(file.saveCheckpoint(join(path, "y"), {})).rejects.toThrow(DataError);
    await expect(file.saveCheckpoint(join(path, "y"), {})).rejects.toThrow(/a file is in the place of a folder/);
  });
});
