// Max, average and adaptive average pooling against their f64 references.
import fc from "fast-check";
import { expect, test } from "vitest";
import { ShapeError, tensor, ValueError, zeros } from "wgrad";
import { adaptiveAvgPool2d, avgPool2d, maxPool2d } from "../../src/ops/pool.ts";
import {
  adaptivePool,
  adaptivePoolVjp,
  avgPool,
  avgPoolVjp,
  maxPool,
  maxPoolVjp,
  type PoolArgs,
  pooledShape,
} from "../reference/pool.ts";
import { eachPlan, seed, testCase, withDevice } from "../support/case.ts";
import { integers, uniform } from "../support/host.ts";

withDevice();

type Pair = [number, number];
const size = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 13, 16);
const square = (least: number, most: number): fc.Arbitrary<Pair> =>
  fc.oneof(
    fc.integer({ min: least, max: most }).map((n): Pair => [n, n]),
    fc.tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most })),
  );

/** Planes around a workgroup's 64 positions, and windows that overlap, leave gaps, and reach over the edge. */
const args = (dilated: boolean) =>
  fc
    .record({
      shape: fc.oneof(
        fc.tuple(fc.constantFrom(1, 3), fc.constantFrom(1, 5, 17), size, size),
        fc.tuple(fc.constantFrom(1, 6), size, size),
      ),
      kernel: square(1, 4),
      stride: square(1, 4),
      padding: square(0, 2),
      dilation: dilated ? square(1, 2) : fc.constant<Pair>([1, 1]),
      ceilMode: fc.boolean(),
      countIncludePad: fc.boolean(),
      s: seed,
    })
    .filter((a) => a.padding.every((p, i) => 2 * p <= (a.kernel[i]! - 1) * a.dilation[i]! + 1))
    .filter((a) => pooledShape(a.shape, a).every((d) => d > 0));

eachPlan(() => {
  testCase<PoolArgs>({
    name: "maxPool2d",
    // Half of them with few distinct values, negative ones, so that windows hold ties and padding must not win.
    draw: args(true).map(({ shape, s, ...attrs }) => ({
      inputs: [s % 2 ? uniform(shape, s) : { ...integers(shape, s, -9, 0), dtype: "f32" }],
      attrs,
    })),
    run: ([x], { kernel, countIncludePad: _, ...rest }) => maxPool2d(x!, kernel, rest),
    reference: ([x], attrs) => maxPool(x!, attrs),
    vjp: ([dy], [x], attrs) => [maxPoolVjp(dy!, x!, attrs)],
    step: 0,
    runs: 40,
    K: () => 4,
  });

  testCase<PoolArgs>({
    name: "avgPool2d",
    draw: args(false).map(({ shape, s, dilation: _, ...attrs }) => ({ inputs: [uniform(shape, s)], attrs })),
    run: ([x], { kernel, ...rest }) => avgPool2d(x!, kernel, rest),
    reference: ([x], attrs) => avgPool(x!, attrs),
    vjp: ([dy], [x], attrs) => [avgPoolVjp(dy!, x!, attrs)],
    // Means of terms of size 1, which may cancel.
    scale: () => 1,
    runs: 40,
  });

  testCase<Pair>({
    name: "adaptiveAvgPool2d",
    draw: fc
      .record({
        planes: fc.constantFrom([2, 3], [1], [1, 65]),
        from: fc.tuple(size, size),
        to: fc.tuple(size, size),
        s: seed,
      })
      .map(({ planes, from, to, s }) => ({ inputs: [uniform([...planes, ...from], s)], attrs: to })),
    run: ([x], to) => adaptiveAvgPool2d(x!, to),
    reference: ([x], to) => adaptivePool(x!, to),
    vjp: ([dy], [x], to) => [adaptivePoolVjp(dy!, x!, to)],
    // Means of terms of size 1, which may cancel.
    scale: () => 1,
    runs: 40,
  });
});

test("3x3 to 6x6, to one value, and one side only", async () => {
  const x = tensor(
    Float32Array.from({ length: 9 }, (_, i) => i),
    { shape: [1, 1, 3, 3] },
  );
  const up = adaptiveAvgPool2d(x, 6);
  const one = adaptiveAvgPool2d(x, 1);
  const side = adaptiveAvgPool2d(x, [1, null]);
  expect(((await up.array()) as number[][][][])[0]![0]![3]).toEqual([3, 3, 4, 4, 5, 5]);
  expect([...(await one.data())]).toEqual([4]);
  expect(side.shape).toEqual([1, 1, 1, 3]);
  expect([...(await side.data())]).toEqual([3, 4, 5]);
  for (const t of [x, up, one, side]) t.dispose();
});

test("an empty batch stays empty", async () => {
  const x = zeros([0, 3, 8, 8]);
  const y = maxPool2d(x, 2);
  expect(y.shape).toEqual([0, 3, 4, 4]);
  expect((await y.data()).length).toBe(0);
  x.dispose();
  y.dispose();
});

test("errors say what does not fit", () => {
  const x = zeros([1, 1, 4, 4]);
  expect(() => maxPool2d(x, 2, { padding: 2 })).toThrow(ValueError);
  expect(() => maxPool2d(x, 5)).toThrow(/\[maxPool2d\] input \[1, 1, 4, 4\] is smaller than the kernel \[5, 5\]/);
  expect(() => avgPool2d(x, 0)).toThrow(ValueError);
  const flat = zeros([4, 4]);
  expect(() => avgPool2d(flat, 2)).toThrow(ShapeError);
  x.dispose();
  flat.dispose();
});
