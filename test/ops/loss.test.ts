// Losses against their f64 references; labels out of range.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DtypeError, ShapeError, tensor, ValueError, zeros } from "wgrad";
import { binaryCrossEntropyWithLogits, l1Loss, mseLoss, smoothL1Loss } from "../../src/ops/element-losses.ts";
import { crossEntropy, nllLoss } from "../../src/ops/losses.ts";
import * as reference from "../reference/loss.ts";
import { eachPlan, edge, seed, testCase, withDevice } from "../support/case.ts";
import { type HostArray, host, integers, sizeOf, uniform } from "../support/host.ts";

withDevice();

type Attrs = Omit<reference.CrossEntropyArgs, "weight"> & { readonly weighted: boolean };

const reduction = fc.constantFrom("mean" as const, "sum" as const, "none" as const);
const shapes = fc.oneof(
  fc.tuple(edge(64), fc.constantFrom(1, 2, 10, 17, 100, 1000)),
  fc.tuple(fc.constantFrom(1, 5), fc.constantFrom(2, 10, 65), fc.constantFrom(1, 9, 70)),
  fc.constant([3, 4, 30, 31]),
  fc.tuple(fc.constantFrom(1, 10)),
);
const samplesOf = (shape: readonly number[]): number[] => shape.filter((_, i) => i !== (shape.length === 1 ? 0 : 1));

/** Labels, every eighth or so of them ignored. */
function labels(shape: readonly number[], s: number, ignoreIndex: number): HostArray {
  const classes = shape.length === 1 ? shape[0]! : shape[1]!;
  const drawn = integers(samplesOf(shape), s, 0, classes);
  const ignored = integers(samplesOf(shape), s + 1, 0, 8);
  // The first one counts, so that a mean has something to divide by.
  return { ...drawn, data: drawn.data.map((v, i) => (i > 0 && ignored.data[i] === 0 ? ignoreIndex : v)) };
}

function probabilities(shape: readonly number[], s: number): HostArray {
  const p = reference.softmax(uniform(shape, s, -2, 2), shape.length === 1 ? 0 : 1);
  return host(shape, p.data.map(Math.fround));
}

const draw = (kind: "labels" | "probabilities", logs: boolean) =>
  fc
    .record({
      shape: shapes,
      reduction,
      labelSmoothing: logs ? fc.constant(0) : fc.constantFrom(0, 0.1, 1),
      ignoreIndex: fc.constantFrom(-100, 0),
      weighted: fc.boolean(),
      span: fc.constantFrom(1, 60),
      s: seed,
    })
    .filter(({ shape, ignoreIndex }) => kind === "probabilities" || ignoreIndex < 0 || Math.max(shape[1] ?? 0, 1) > 1)
    .map(({ shape, s, span, ...attrs }) => {
      const classes = shape.length === 1 ? shape[0]! : shape[1]!;
      const x = uniform(shape, s, -span, span);
      const target = kind === "labels" ? labels(shape, s + 1, attrs.ignoreIndex) : probabilities(shape, s + 1);
      // A first label that happens to be ignored would leave nothing to average.
      if (kind === "labels" && target.data[0] === attrs.ignoreIndex) target.data[0] = classes - 1;
      return { inputs: [x, target, uniform([classes], s + 2, 0.2, 2)], attrs: { ...attrs, logs } };
    });

const weightOf = <T>(inputs: readonly T[], a: Pick<Attrs, "weighted">): T | undefined =>
  a.weighted ? inputs[2] : undefined;

eachPlan(() => {
  for (const kind of ["labels", "probabilities"] as const) {
    testCase<Attrs>({
      name: `crossEntropy with ${kind}`,
      draw: draw(kind, false),
      run: (inputs, { reduction: r, ignoreIndex, labelSmoothing, ...a }) =>
        crossEntropy(inputs[0]!, inputs[1]!, {
          reduction: r,
          ignoreIndex,
          labelSmoothing,
          weight: weightOf(inputs, a) ?? null,
        }),
      reference: (inputs, a) => reference.crossEntropy(inputs[0]!, inputs[1]!, { ...a, weight: weightOf(inputs, a) }),
      vjp: ([dy], inputs, a) => {
        const grads = reference.crossEntropyVjp(dy!, inputs[0]!, inputs[1]!, { ...a, weight: weightOf(inputs, a) });
        return [grads.x, grads.target, null];
      },
      K: ([x]) => sizeOf(x!.shape) + 50,
      // A sum over many samples, in which a smaller step drowns.
      step: 1e-4,
      // A sample's gradient is a difference of probabilities.
      scale: ([x], { reduction: r }) => (r === "mean" ? 1 / sizeOf(samplesOf(x!.shape)) : 1),
      runs: 40,
    });
  }

  testCase<Attrs>({
    name: "nllLoss",
    draw: draw("labels", true),
    run: (inputs, { reduction: r, ignoreIndex, ...a }) =>
      nllLoss(inputs[0]!, inputs[1]!, { reduction: r, ignoreIndex, weight: weightOf(inputs, a) ?? null }),
    reference: (inputs, a) => reference.crossEntropy(inputs[0]!, inputs[1]!, { ...a, weight: weightOf(inputs, a) }),
    vjp: ([dy], inputs, a) => [
      reference.crossEntropyVjp(dy!, inputs[0]!, inputs[1]!, { ...a, weight: weightOf(inputs, a) }).x,
      null,
      null,
    ],
    K: ([x]) => sizeOf(x!.shape),
    // Log-probabilities of both signs may cancel.
    scale: ([x], { reduction: r }) => (r === "mean" ? 1 / sizeOf(samplesOf(x!.shape)) : 1),
  });
});

const pointwise = { mseLoss, l1Loss, smoothL1Loss, binaryCrossEntropyWithLogits };
for (const name of ["mseLoss", "l1Loss", "smoothL1Loss", "binaryCrossEntropyWithLogits"] as const) {
  testCase<{ reduction: "mean" | "sum" | "none"; beta: number }>({
    name,
    draw: fc.record({ n: edge(64), reduction, s: seed }).map(({ n, reduction: r, s }) => ({
      inputs: [uniform([n, 3], s, -2, 2), uniform([n, 3], s + 1, 0, 1)],
      attrs: { reduction: r, beta: 0.5 },
    })),
    run: ([x, t], { reduction: r, beta }) =>
      pointwise[name](x!, t!, name === "smoothL1Loss" ? { reduction: r, beta } : { reduction: r }),
    reference: ([x, t], a) => reference.pointwiseLoss(name, x!, t!, a.reduction),
    vjp: ([dy], [x, t], a) => reference.pointwiseVjp(name, dy!, x!, t!, a.reduction),
    // Kinks are met too often by finite differences of that many elements; golden vectors pin these references.
    step: 0,
    K: ([x]) => x!.data.length,
    runs: 15,
  });
}

describe("a label out of range", () => {
  const logits = () => zeros([3, 10]);
  const bad = () => tensor(Int32Array.from([0, 10, 3]));

  test("is thrown by the read of the loss, once, and training can go on", async () => {
    const [x, t, good] = [logits(), bad(), tensor(Int32Array.from([0, 9, 3]))];
    const loss = crossEntropy(x, t);
    await expect(loss.item()).rejects.toThrow(ValueError);
    const next = crossEntropy(x, good);
    expect(await next.item()).toBeCloseTo(Math.log(10), 5);
    const again = crossEntropy(x, t);
    await expect(again.item()).rejects.toThrow(/a label is 10, but 10 classes take labels 0 to 9/);
    for (const each of [x, t, good, loss, next, again]) each.dispose();
  });

  test("is thrown by the read of anything else, and by sync()", async () => {
    const [x, t] = [logits(), tensor(Int32Array.from([0, 1, -1]))];
    x.requiresGrad = true;
    const loss = crossEntropy(x, t);
    loss.backward();
    await expect(x.grad!.data()).rejects.toThrow(/a label is -1/);
    expect(Math.max(...(await x.grad!.data()).map(Math.abs))).toBeLessThan(1);
    const other = crossEntropy(x, t);
    await expect(x.device.sync()).rejects.toThrow(ValueError);
    await x.device.sync();
    for (const each of [x, t, loss, other]) each.dispose();
  });

  test("ignoreIndex is none", async () => {
    const [x, t] = [logits(), tensor(Int32Array.from([-7, 1, -7]))];
    const loss = crossEntropy(x, t, { ignoreIndex: -7 });
    expect(await loss.item()).toBeCloseTo(Math.log(10), 5);
    for (const each of [x, t, loss]) each.dispose();
  });
});

test("wrong shapes and dtypes", () => {
  const x = zeros([3, 10]);
  const short = zeros([2], { dtype: "i32" });
  const other = zeros([3]);
  const unsigned = zeros([3], { dtype: "u32" });
  expect(() => crossEntropy(x, short)).toThrow(ShapeError);
  expect(() => crossEntropy(x, short)).toThrow(
    /target of labels \(i32\) has shape \[2\] but input \[3, 10\] expects \[3\]/,
  );
  expect(() => crossEntropy(x, unsigned)).toThrow(DtypeError);
  expect(() => crossEntropy(x, x, { labelSmoothing: 2 })).toThrow(ValueError);
  expect(() => mseLoss(x, other)).toThrow(ShapeError);
  const unknown = { reduction: "average" as "mean" };
  for (const loss of [() => crossEntropy(x, x, unknown), () => mseLoss(x, x, unknown)]) {
    expect(loss).toThrow(ValueError);
    expect(loss).toThrow(/reduction must be one of none, sum, mean, got "average"/);
  }
  for (const t of [x, short, other, unsigned]) t.dispose();
});
