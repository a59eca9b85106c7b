// Softmax and log-softmax against their f64 references, along any dimension, for logits of any size.
import fc from "fast-check";
import { expect, test } from "vitest";
import { ShapeError, tensor, zeros } from "wgrad";
import { logSoftmax, softmax } from "../../src/ops/softmax.ts";
import { logSoftmax as logSoftmaxReference, softmax as softmaxReference, softmaxVjp } from "../reference/loss.ts";
import { eachPlan, edge, seed, testCase, withDevice } from "../support/case.ts";
import { uniform } from "../support/host.ts";

withDevice();

/** Rows and lengths around the lanes that share a row (1 to 64), and dimensions with others inside them. */
const draw = fc
  .record({
    shape: fc.oneof(
      fc.tuple(edge(64), fc.constantFrom(1, 2, 10, 15, 16, 17, 33, 100, 1000)),
      fc.tuple(fc.constantFrom(1, 3), fc.constantFrom(1, 10, 65, 257), fc.constantFrom(1, 7, 64)),
      fc.tuple(edge(64)),
    ),
    dim: fc.nat(),
    span: fc.constantFrom(1, 5, 60),
    s: seed,
  })
  .map(({ shape, dim, span, s }) => ({ inputs: [uniform(shape, s, -span, span)], attrs: { dim: dim % shape.length } }));

eachPlan(() => {
  for (const [name, run, reference] of [
    ["softmax", softmax, softmaxReference],
    ["logSoftmax", logSoftmax, logSoftmaxReference],
  ] as const) {
    testCase<{ dim: number }>({
      name,
      draw,
      run: ([x], { dim }) => run(x!, dim),
      reference: ([x], { dim }) => reference(x!, dim),
      vjp: ([dy], [x], { dim }) => [softmaxVjp(dy!, x!, dim, name === "logSoftmax")],
      K: ([x], { dim }) => x!.shape[dim]! + 50,
      // Saturated, a gradient is a difference of gradients of size 1.
      scale: () => 1,
      runs: 25,
    });
  }
});

test("logits of ±1e4 neither overflow nor vanish", async () => {
  const x = tensor([[1e4, -1e4, 1e4]]);
  const y = softmax(x, 1);
  const logs = logSoftmax(x, -1);
  expect([...(await y.data())]).toEqual([0.5, 0, 0.5]);
  const [a, b] = await logs.data();
  expect(a).toBeCloseTo(-Math.LN2, 6);
  expect(b).toBeCloseTo(-2e4 - Math.LN2, 2);
  for (const t of [x, y, logs]) t.dispose();
});

test("a dimension that does not exist", () => {
  const x = zeros([2, 3]);
  expect(() => softmax(x, 2)).toThrow(ShapeError);
  x.dispose();
});
