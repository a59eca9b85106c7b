// fit: that it learns, each of its options against the same by hand, and a run that is saved and resumed.
import { describe, expect, expectTypeOf, test, vi } from "vitest";
import {
  checkpoint,
  data,
  type EpochRecord,
  earlyStopping,
  evaluate,
  FormatError,
  fit as fitModel,
  type History,
  manualSeed,
  NonFiniteLossError,
  nn,
  optim,
  progress,
  scope,
  type Tensor,
  tensor,
  ValueError,
  vision,
} from "wgrad";
import { withDevice } from "../support/case.ts";
import { linear, Small, sgd, stripes, weightsOf } from "./helpers.ts";

withDevice();
const F = nn.functional;

/** Data loaders of the stripes, and what frees them. */
function loaders(count: number, batchSize: number, shuffle = false) {
  const [trainSet, testSet] = [new vision.GpuDataset(stripes(count)), new vision.GpuDataset(stripes(9, 500))];
  return {
    train: new vision.DataLoader(trainSet, { batchSize, shuffle, seed: 3 }),
    test: new vision.DataLoader(testSet, { batchSize: 4 }),
    dispose: () => {
      for (const set of [trainSet, testSet]) set.dispose();
    },
  };
}

const close = (a: readonly number[][], b: readonly number[][], digits = 5) => {
  expect(a.length).toBe(b.length);
  for (const [i, list] of a.entries())
    for (const [j, value] of list.entries()) expect(value).toBeCloseTo(b[i]?.[j] ?? Number.NaN, digits);
};

test("a model learns, and its modes are left as they were", async () => {
  manualSeed(1);
  const { train, test: held, dispose } = loaders(48, 10, true);
  const model = new Small().eval();
  const { epochs, stopped } = await fitModel(
    model,
    { train, test: held },
    { epochs: 6, optimizer: (m) => sgd(m as Small) },
  );
  expect(stopped).toBeNull();
  expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
  const last = epochs.at(-1)!;
  expect(last.train.losses).toHaveLength(5);
  expect(last.train.samples).toBe(48);
  expect(last.train.loss).toBeLessThan(epochs[0]!.train.loss / 2);
  expect(last.test!.top1).toBeGreaterThan(0.95);
  expect(model.training).toBe(false);
  const { loss } = await evaluate(model, held);
  expect(loss).toBeCloseTo(last.test!.loss, 6);
  model.dispose();
  dispose();
});

describe("by hand", () => {
  const initial = async (run: (model: nn.Sequential) => unknown): Promise<number[][]> => {
    manualSeed(4);
    const model = linear();
    await run(model);
    const weights = await weightsOf(model);
    model.dispose();
    return weights;
  };

  test("an epoch's loss is the mean of its samples, whatever the batch size", async () => {
    const losses: number[] = [];
    for (const size of [20, 8, 7, 1]) {
      const { train, dispose } = loaders(20, size);
      await initial(async (model) => {
        const { epochs } = await fitModel(model, { train }, { epochs: 1, optimizer: () => sgd(model, 0) });
        losses.push(epochs[0]!.train.loss);
        const { loss } = await evaluate(model, train);
        expect(epochs[0]!.train.loss).toBeCloseTo(loss, 5);
      });
      dispose();
    }
    for (const loss of losses) expect(loss).toBeCloseTo(losses[0]!, 5);
  });

  test.each([
    [8, 3],
    [3, 7],
    [5, 100],
  ])("batches of %i, %i of them accumulated, are one batch of all samples", async (size, accumulate) => {
    const of = async (batchSize: number, options: { accumulate?: number }) => {
      const { train, dispose } = loaders(20, batchSize);
      const updates: boolean[] = [];
      const weights = await initial((model) =>
        fitModel(
          model,
          { train },
          { epochs: 2, optimizer: () => sgd(model), clipGradNorm: 0.3, ...options },
          { callbacks: [{ onStep: ({ updated }) => void updates.push(updated) }] },
        ),
      );
      dispose();
      return { weights, updates };
    };
    const [whole, parts] = [await of(20, {}), await of(size, { accumulate })];
    close(parts.weights, whole.weights);
    expect(whole.updates).toEqual([true, true]);
  });

  test("clipping and a schedule by step are those of a loop", async () => {
    const { train, dispose } = loaders(20, 8);
    const weights = await initial((model) =>
      fitModel(
        model,
        { train },
        {
          epochs: 2,
          optimizer: () => sgd(model),
          stepScheduler: (optimizer, { totalSteps }) => {
            expect(totalSteps).toBe(6);
            return new optim.OneCycleLR(optimizer, 0.3, { totalSteps });
          },
          clipGradNorm: 0.5,
          clipGradValue: 0.05,
          labelSmoothing: 0.2,
        },
      ),
    );
    const expected = await initial(async (model) => {
      const optimizer = sgd(model);
      const scheduler = new optim.OneCycleLR(optimizer, 0.3, { totalSteps: 6 });
      for (let epoch = 0; epoch < 2; epoch++)
        for await (const { images, labels } of train) {
          scope(() => {
            optimizer.zeroGrad();
            F.crossEntropy(model.forward(images), labels, { labelSmoothing: 0.2 }).backward();
            optim.clipGradNorm_(model.parameters(), 0.5);
            optim.clipGradValue_(model.parameters(), 0.05);
            optimizer.step();
          });
          scheduler.step();
        }
      model.zeroGrad();
      optimizer.dispose();
    });
    close(weights, expected, 6);
    dispose();
  });
});

test("smoothed labels are PyTorch's in training, and plain in the test", async () => {
  const images = tensor([
    [2, 0, -1],
    [0.5, 1, 0],
    [0, 0, 3],
    [1, 0.9, 0],
    [0, 2, 0],
  ]);
  const labels = tensor([0, 0, 2, 1, 2], { dtype: "i32" });
  const model = new nn.Linear(3, 3, { bias: false });
  const eye = tensor([
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]);
  await model.loadStateDict({ weight: eye });
  const batches = [[images, labels] as const];
  const { epochs } = await fitModel(
    model,
    { train: batches, test: batches },
    { epochs: 1, optimizer: () => sgd(model, 0), labelSmoothing: 0.1 },
  );
  // torch.nn.functional.cross_entropy(x, y, label_smoothing=0.1) in f64
  expect(epochs[0]!.train.loss).toBeCloseTo(0.986_445_209_922_36, 6);
  expect(epochs[0]!.test!.loss).toBeCloseTo(0.921_111_876_590_29, 6);
  for (const t of [images, labels, eye, model]) t.dispose();
});

test("phases freeze, release and set rates; the plateau schedule gets the test loss", async () => {
  const { train, test: held, dispose } = loaders(20, 8);
  const model = new Small();
  const optimizer = sgd(model);
  const scheduler = new optim.ReduceLROnPlateau(optimizer, { patience: 0, factor: 0.5 });
  const step = vi.spyOn(scheduler, "step");
  const before = await model.conv.weight.data();
  const frozen: boolean[] = [];
  const { epochs } = await fitModel(
    model,
    { train, test: held },
    {
      epochs: 3,
      optimizer,
      epochScheduler: scheduler,
      phases: [
        { from: 3, unfreeze: { only: "conv" }, lr: 0.01 },
        { from: 1, freeze: { except: "head" }, lr: 0.2 },
      ],
    },
    {
      callbacks: [
        {
          async onEpochEnd() {
            const now = await model.conv.weight.data();
            frozen.push(now.every((v, i) => v === before[i]));
          },
        },
      ],
    },
  );
  expect(frozen).toEqual([true, true, false]);
  expect(model.bn.weight?.requiresGrad).toBe(false);
  expect(step.mock.calls.map(([metric]) => metric)).toEqual(epochs.map((record) => record.test!.loss));
  expect([epochs[0]!.lr, epochs[2]!.lr]).toEqual([0.2, 0.01]);
  for (const d of [model, optimizer]) d.dispose();
  dispose();
});

test("an average of the weights is updated with each step, and tested", async () => {
  const { train, test: held, dispose } = loaders(20, 8);
  const model = linear();
  const average = new optim.swaUtils.AveragedModel(model, { emaDecay: 0.5 });
  const { epochs } = await fitModel(model, { train, test: held }, { epochs: 2, optimizer: () => sgd(model), average });
  expect(await average.nAveraged.item()).toBe(6);
  const [own, averaged] = [await evaluate(model, held), await evaluate(average, held)];
  expect(epochs[1]!.test!.loss).toBeCloseTo(averaged.loss, 6);
  expect(Math.abs(own.loss - averaged.loss)).toBeGreaterThan(1e-4);
  for (const d of [model, average]) d.dispose();
  dispose();
});

test("mixed images and labels are learned from", async () => {
  manualSeed(2);
  const { train, test: held, dispose } = loaders(48, 12, true);
  const model = linear();
  const { epochs } = await fitModel(
    model,
    { train, test: held },
    { epochs: 8, optimizer: () => sgd(model), batchTransform: vision.mixup({ numClasses: 3, alpha: 0.4 }) },
  );
  expect(epochs.at(-1)!.test!.top1).toBeGreaterThan(0.9);
  // Of mixed labels the loss has a floor above that of the clean ones.
  expect(epochs.at(-1)!.train.loss).toBeGreaterThan(epochs.at(-1)!.test!.loss);
  model.dispose();
  dispose();
});

test("batches of other kinds, and their types", async () => {
  const model = linear();
  const set = new vision.GpuDataset(stripes(10));
  const loader = new vision.DataLoader(set, { batchSize: 4 });
  const indices = { length: loader.length, [Symbol.asyncIterator]: () => loader.indexBatches() };
  const seen: number[] = [];
  await fitModel(
    model,
    { train: indices, test: indices },
    {
      epochs: 1,
      optimizer: () => sgd(model),
      prepare: (batch, training) => {
        expectTypeOf(batch).toEqualTypeOf<{ readonly indices: Tensor }>();
        expectTypeOf(training).toEqualTypeOf<boolean>();
        return set.batch(batch.indices);
      },
    },
    {
      callbacks: [
        {
          onStep({ batch, samples }) {
            expectTypeOf(batch).toEqualTypeOf<vision.IndexBatch>();
            seen.push(batch.size, samples);
          },
        },
      ],
    },
  );
  expect(seen).toEqual([4, 4, 4, 4, 2, 2]);
  // @ts-expect-error: indices alone are no images and labels
  const act = fitModel(model, { train: indices }, { epochs: 1, optimizer: () => sgd(model) });
  await expect(act).rejects.toThrow(/make them in prepare/);
  set.dispose();

  const pairs = new data.DataLoader(
    Array.from({ length: 5 }, (_, i) => [Float32Array.from({ length: 48 }, (_, j) => (i + j) % 3), i % 3] as const),
    { batchSize: 2 },
  );
  const { epochs } = await fitModel(model, { train: pairs }, { epochs: 1, optimizer: () => sgd(model) });
  expect(epochs[0]!.train.samples).toBe(5);
  model.dispose();
});

describe("a run that is saved", () => {
  /** A new run of everything that has a state. */
  function made() {
    manualSeed(7);
    const { train, test: held, dispose } = loaders(22, 4, true);
    const model = new Small();
    const average = new optim.swaUtils.AveragedModel(model, { emaDecay: 0.9 });
    const recipe = {
      epochs: 3,
      optimizer: (m: unknown) => new optim.Adam((m as Small).parameters(), { lr: 0.01 }),
      stepScheduler: (o: optim.Optimizer | never) => new optim.LinearLR(o, { totalIters: 20 }),
      epochScheduler: (o: never) => new optim.ReduceLROnPlateau(o, { patience: 0 }),
      average,
      phases: [
        { from: 1, freeze: { except: "head" } },
        { from: 2, unfreeze: {} },
      ],
    };
    return {
      model,
      average: { module: average.module as Small },
      run: (options: Parameters<typeof fitModel<vision.LoadedBatch, Tensor>>[3]) =>
        fitModel(model, { train, test: held }, recipe as never, options),
      weights: async () => [...(await weightsOf(model)), ...(await weightsOf(average))],
      dispose: () => {
        for (const d of [model, average]) d.dispose();
        dispose();
      },
    };
  }
  const timeless = ({ epochs }: History): unknown[] =>
    epochs.map(({ train: { seconds: _, ...train }, ...record }: EpochRecord) => ({ ...record, train }));

  test.each([
    ["after an epoch", 0],
    ["in the middle of one", 2],
  ])("goes on to the bit: stopped %s", async (_, steps) => {
    const straight = made();
    const whole = await straight.run({});
    const expected = await straight.weights();
    expect(await straight.average.module.bn.numBatchesTracked!.item()).toBe(18);
    straight.dispose();

    const first = made();
    const abort = new AbortController();
    const saved: Uint8Array[] = [];
    const infos: unknown[] = [];
    const history = await first.run({
      signal: abort.signal,
      callbacks: [
        checkpoint((bytes, info) => {
          saved.push(bytes);
          infos.push([info.epoch, info.batches]);
        }),
        {
          onEpochEnd: ({ record }) => void (steps === 0 && record.epoch === 2 && abort.abort()),
          onStep: ({ epoch, step }) => void (epoch === 2 && step === steps && abort.abort()),
        },
      ],
    });
    expect(history.stopped).toBe("signal");
    expect(history.epochs).toHaveLength(steps === 0 ? 2 : 1);
    expect(infos.at(-1)).toEqual(steps === 0 ? [2, 0] : [1, 2]);
    first.dispose();

    const second = made();
    manualSeed(99);
    const resumed = await second.run({ resume: saved.at(-1)! });
    expect(timeless(resumed)).toEqual(timeless(whole));
    expect(await second.weights()).toEqual(expected);
    second.dispose();
  });

  test("is refused where it is no run's", async () => {
    const { run, dispose, model } = made();
    await expect(run({ resume: Uint8Array.of(1, 2, 3) })).rejects.toThrow(FormatError);
    const { saveCheckpoint } = await import("wgrad");
    const bytes = await saveCheckpoint({ model });
    await expect(run({ resume: bytes })).rejects.toThrow(/the checkpoint has no state of optimizer/);
    dispose();
  });
});

test("a loss that becomes NaN ends the run with epoch and step", async () => {
  const { train, dispose } = loaders(20, 4);
  const model = linear();
  const nan = tensor(new Float32Array(144).fill(Number.NaN), { shape: [3, 48] });
  const zero = tensor([0, 0, 0]);
  let steps = 0;
  const act = fitModel(
    model,
    { train },
    { epochs: 3, optimizer: () => sgd(model, 0.01) },
    {
      callbacks: [
        {
          async onStep({ epoch, step }) {
            steps++;
            if (epoch === 2 && step === 2) await model.loadStateDict({ "1.weight": nan, "1.bias": zero });
          },
        },
      ],
    },
  );
  const error = await act.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(NonFiniteLossError);
  expect(error).toMatchObject({ epoch: 2, step: 3, loss: Number.NaN, name: "NonFiniteLossError" });
  expect(String(error)).toMatch(/the loss became NaN in epoch 2, step 3: lower the learning rate/);
  expect(steps).toBeLessThanOrEqual(10);
  for (const d of [model, nan, zero]) d.dispose();
  dispose();
});

test("early stopping counts epochs without improvement, and progress tells of them", async () => {
  const { train, test: held, dispose } = loaders(20, 8);
  const model = linear();
  const lines: string[] = [];
  const names: string[] = [];
  const { epochs, stopped } = await fitModel(
    model,
    { train, test: held },
    { epochs: 9, optimizer: () => sgd(model, 0) },
    {
      callbacks: [
        earlyStopping({ patience: 2, minDelta: 0.01 }),
        progress((line) => lines.push(line), { everySteps: 2 }),
        {
          onFitStart: () => void names.push("start"),
          onEpochStart: ({ epoch, batches }) => void names.push(`epoch ${epoch} of ${batches}`),
          onStep: ({ step }) => void names.push(`step ${step}`),
          onEpochEnd: ({ isBest, evaluation }) => void names.push(`end ${isBest} ${evaluation?.samples}`),
          onFitEnd: ({ history }) => void names.push(`over ${history.epochs.length}`),
        },
      ],
    },
  );
  expect([epochs.length, stopped]).toEqual([3, "callback"]);
  expect(names.slice(0, 6)).toEqual(["start", "epoch 1 of 3", "step 1", "step 2", "step 3", "end true 9"]);
  expect(names.at(-1)).toBe("over 3");
  expect(lines).toHaveLength(6);
  expect(lines[0]).toMatch(/^epoch 1\/9 {2}step 2\/3 {2}loss \d\.\d{4}$/);
  expect(lines[1]).toMatch(/^epoch 1\/9 {2}train \d\.\d{4} \d+\.\d % {2}test \d\.\d{4} \d+\.\d % {2}rate 0 {2}/);
  model.dispose();
  dispose();
});

test("a recipe that cannot be is told before anything runs", async () => {
  const { train, dispose } = loaders(8, 4);
  const model = linear();
  const optimizer = sgd(model);
  const wrong: [object, RegExp][] = [
    [{ epochs: 0, optimizer }, /epochs must be a whole number of at least 1, got 0/],
    [{ epochs: 1, optimizer: 3 }, /optimizer must be one of optim, or a function that makes it, got 3/],
    [{ epochs: 1, optimizer, labelSmoothing: 2 }, /labelSmoothing must be a number from 0 to 1/],
    [{ epochs: 1, optimizer, loss: F.crossEntropy, labelSmoothing: 0.1 }, /labelSmoothing is of the default loss/],
    [{ epochs: 1, optimizer, epochScheduler: {} }, /epochScheduler must be a scheduler of optim/],
    [{ epochs: 1, optimizer, label_smoothing: 0.1 }, /did you mean "labelSmoothing"/],
    [{ epochs: 1, optimizer, phases: [{ from: 1, freeze: { only: "nope" } }] }, /has no parameter below "nope"/],
  ];
  for (const [recipe, message] of wrong) {
    const error = await fitModel(model, { train }, recipe as never).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ValueError);
    expect(String(error)).toMatch(message);
  }
  for (const d of [model, optimizer]) d.dispose();
  dispose();
});
