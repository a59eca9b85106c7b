// evaluate and interpret against numbers by hand and by PyTorch.
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  type Evaluation,
  evaluate,
  interpret,
  mostConfused,
  nn,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  vision,
} from "wgrad";
import { withDevice } from "../support/case.ts";
import { linear, Small, stripes } from "./helpers.ts";

withDevice();
const F = nn.functional;

/** Gives its input back: batches of logits. */
class Echo extends nn.Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

const LOGITS = [
  [2, 0, -1],
  [0.5, 1, 0],
  [0, 0, 3],
  [1, 0.9, 0],
  [0, 2, 0],
];
const LABELS = [0, 0, 2, 1, 2];

/** A loader of batches of so many rows, made anew for each loop. */
function* rows(size: number, pad = 0) {
  for (let i = 0; i < LOGITS.length; i += size) {
    const part = LOGITS.slice(i, i + size);
    const labels = LABELS.slice(i, i + size);
    const images = tensor([...part, ...Array.from({ length: pad }, () => [0, 0, 0])]);
    const all = tensor([...labels, ...Array.from({ length: pad }, () => -100)], { dtype: "i32" });
    try {
      yield { images, labels: all };
    } finally {
      images.dispose();
      all.dispose();
    }
  }
}
const loader = (size: number, pad = 0) => ({ [Symbol.iterator]: () => rows(size, pad) });

/** By torch.nn.functional.cross_entropy and the reference code of Guo et al. */
const TORCH = { loss: 0.921_111_876_590_29, ece: 0.396_046_143_257_97 };

const softmax = (row: readonly number[]) => {
  const all = row.map(Math.exp);
  const sum = all.reduce((a, b) => a + b);
  return all.map((v) => v / sum);
};

describe("evaluate", () => {
  test.each([
    [5, 0],
    [2, 0],
    [1, 0],
    [2, 3],
  ])("the same for batches of %i, with %i of padding: what can be counted by hand", async (size, pad) => {
    const result = await evaluate(new Echo(), loader(size, pad));
    expectTypeOf(result).toEqualTypeOf<Evaluation>();
    expect(result.samples).toBe(5);
    expect(result.top1).toBeCloseTo(2 / 5, 12);
    expect(result.top5).toBe(1);
    expect([...result.confusion.counts]).toEqual([1, 1, 0, 1, 0, 0, 0, 1, 1]);
    expect([...result.classes.support]).toEqual([2, 1, 2]);
    expect([...result.classes.precision]).toEqual([1 / 2, 0, 1]);
    expect([...result.classes.recall]).toEqual([1 / 2, 0, 1 / 2]);
    expect([...result.classes.accuracy]).toEqual([3 / 5, 2 / 5, 4 / 5]);
    expect(result.loss).toBeCloseTo(TORCH.loss, 5);
    expect(result.calibrationError).toBeCloseTo(TORCH.ece, 5);
    const byHand = LOGITS.map((row, i) => -Math.log(softmax(row)[LABELS[i] ?? 0] ?? 0));
    expect(result.loss).toBeCloseTo(byHand.reduce((a, b) => a + b) / 5, 5);
  });

  test("in one bin the calibration error is the gap of the means", async () => {
    const { calibrationError, top1 } = await evaluate(new Echo(), loader(3), { bins: 1 });
    const confidence = LOGITS.map((row) => Math.max(...softmax(row))).reduce((a, b) => a + b) / 5;
    expect(calibrationError).toBeCloseTo(Math.abs(confidence - top1), 6);
  });

  test("the five best of more classes", async () => {
    const images = tensor([
      [7, 6, 5, 4, 3, 2, 1],
      [7, 6, 5, 4, 3, 2, 1],
    ]);
    const labels = tensor([4, 5], { dtype: "i32" });
    const { top1, top5 } = await evaluate(new Echo(), [[images, labels] as const]);
    expect([top1, top5]).toEqual([0, 0.5]);
    for (const t of [images, labels]) t.dispose();
  });

  test("flip averages the logits of an image and its mirror image", async () => {
    const mirrored = LOGITS.map((row) => row.map((v, i) => (v + (row[2 - i] ?? 0)) / 2));
    const { loss } = await evaluate(new Echo(), loader(2), { flip: true });
    const byHand = mirrored.map((row, i) => -Math.log(softmax(row)[LABELS[i] ?? 0] ?? 0));
    expect(loss).toBeCloseTo(byHand.reduce((a, b) => a + b) / 5, 5);
  });

  test("a loss of one's own, of a model that returns more than logits", async () => {
    class Both extends nn.Module<readonly [Tensor], { logits: Tensor }> {
      forward(x: Tensor): { logits: Tensor } {
        return { logits: x };
      }
    }
    const of = (size: number) =>
      evaluate(new Both(), loader(size), {
        logits: (output) => output.logits,
        loss: (output, labels) => F.crossEntropy(output.logits, labels).mul(2),
      });
    expect((await of(5)).loss).toBeCloseTo(2 * TORCH.loss, 5);
    // The mean of a batch counts for its samples.
    expect((await of(2)).loss).toBeCloseTo(2 * TORCH.loss, 5);
    await expect(evaluate(new Both(), loader(2))).rejects.toThrow(
      /must return logits, got an Object: give an option logits/,
    );
  });

  test("leaves modes as they were, and running statistics", async () => {
    const set = new vision.GpuDataset(stripes(7));
    const data = new vision.DataLoader(set, { batchSize: 3 });
    const model = new Small();
    model.bn.eval();
    const before = await model.bn.runningMean!.data();
    const modes = Array.from(model.modules(), (module) => module.training);
    const a = await evaluate(model, data);
    expect(Array.from(model.modules(), (module) => module.training)).toEqual(modes);
    expect(await model.bn.runningMean!.data()).toEqual(before);
    // Batches of indices, from which the step gathers, with the last one padded.
    const indices = { [Symbol.asyncIterator]: () => data.indexBatches({ pad: true }) };
    const b = await evaluate(model, indices, { prepare: (batch) => set.batch(batch.indices) });
    expect(b.loss).toBeCloseTo(a.loss, 6);
    expect([b.samples, [...b.confusion.counts]]).toEqual([7, [...a.confusion.counts]]);
    // @ts-expect-error: batches without images and labels need prepare
    await expect(evaluate(model, indices)).rejects.toThrow(/a batch must have images and labels.*make them in prepare/);
    for (const d of [model, set]) d.dispose();
  });

  test("what does not fit is told", async () => {
    const x = tensor([[1, 2]]);
    const bad = tensor([5], { dtype: "i32" });
    await expect(evaluate(new Echo(), [])).rejects.toThrow(/the loader gave no batch/);
    await expect(evaluate(new Echo(), [{ images: x, labels: x }])).rejects.toThrow(ShapeError);
    await expect(evaluate(new Echo(), [{ images: x, labels: bad }])).rejects.toThrow(/a label is 5, but 2 classes/);
    await expect(evaluate(new Echo(), loader(1), { bins: 0 })).rejects.toThrow(ValueError);
    for (const t of [x, bad]) t.dispose();
  });
});

describe("interpret", () => {
  test("the highest losses and the most confused pairs", async () => {
    const { topLosses, mostConfused: pairs, evaluation } = await interpret(new Echo(), loader(2), { k: 2 });
    expect(topLosses.map(({ index, label, prediction }) => [index, label, prediction])).toEqual([
      [4, 2, 1],
      [1, 0, 1],
    ]);
    expect(topLosses[0]?.loss).toBeCloseTo(Math.log(2 + Math.exp(2)), 5);
    expect(topLosses[0]?.confidence).toBeCloseTo(softmax(LOGITS[4] ?? [])[1] ?? 0, 6);
    expect(pairs).toEqual([
      { label: 0, prediction: 1, count: 1 },
      { label: 1, prediction: 0, count: 1 },
    ]);
    expect(evaluation.loss).toBeCloseTo(TORCH.loss, 5);
  });

  test("indices are positions in the data set, in whatever order they came", async () => {
    const pictures = stripes(9);
    const set = new vision.GpuDataset(pictures);
    const model = linear();
    const all = await interpret(model, new vision.DataLoader(set, { batchSize: 4 }), { k: 9 });
    const shuffled = await interpret(model, new vision.DataLoader(set, { batchSize: 4, shuffle: true, seed: 5 }), {
      k: 9,
    });
    expect(shuffled.topLosses.map(({ index }) => index)).toEqual(all.topLosses.map(({ index }) => index));
    for (const { index, label } of all.topLosses) expect(pictures.labels[index]).toBe(label);
    for (const d of [model, set]) d.dispose();
  });

  test("mostConfused: by counts, rare pairs left out", () => {
    const confusion = { numClasses: 3, counts: Int32Array.of(9, 2, 1, 3, 9, 0, 2, 0, 9) };
    expect(mostConfused(confusion, { minCount: 2 })).toEqual([
      { label: 1, prediction: 0, count: 3 },
      { label: 0, prediction: 1, count: 2 },
      { label: 2, prediction: 0, count: 2 },
    ]);
    expect(mostConfused(confusion, { k: 1 })).toHaveLength(1);
    expect(() => mostConfused({ numClasses: 2, counts: Int32Array.of(1) })).toThrow(ValueError);
  });
});
