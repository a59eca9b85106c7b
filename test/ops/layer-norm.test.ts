// Layer norm against its f64 reference.
import fc from "fast-check";
import { expect, test } from "vitest";
import { ShapeError, tensor, zeros } from "wgrad";
import { layerNorm } from "../../src/ops/layer-norm.ts";
import * as reference from "../reference/layer-norm.ts";
import { eachPlan, edge, seed, testCase, withDevice } from "../support/case.ts";
import { sizeOf, uniform, upload } from "../support/host.ts";
import { expectClose } from "../support/tolerance.ts";

withDevice();

interface Attrs {
  readonly shape: number[];
  readonly weight: boolean;
  readonly bias: boolean;
  readonly eps: number;
}

eachPlan(() => {
  testCase<Attrs>({
    name: "layerNorm",
    draw: fc
      .record({
        rows: fc.oneof(
          fc.tuple(edge(64)),
          fc.tuple(fc.constantFrom(1, 3), fc.constantFrom(1, 5)),
          fc.constant([] as number[]),
        ),
        shape: fc.oneof(fc.tuple(fc.constantFrom(1, 2, 5, 16, 17, 64, 65, 300, 1000)), fc.constant([3, 7])),
        weight: fc.boolean(),
        bias: fc.boolean(),
        eps: fc.constantFrom(1e-5, 1e-3),
        s: seed,
      })
      .map(({ rows, shape, s, ...rest }) => ({
        inputs: [uniform([...rows, ...shape], s, -1, 2), uniform(shape, s + 1, 0.5, 1.5), uniform(shape, s + 2)],
        attrs: { shape: [...shape], ...rest },
      })),
    run: ([x, w, b], a) => layerNorm(x!, a.shape, a.weight ? w! : null, a.bias ? b! : null, a.eps),
    reference: ([x, w, b], a) =>
      reference.layerNorm(x!, sizeOf(a.shape), {
        weight: a.weight ? w : undefined,
        bias: a.bias ? b : undefined,
        eps: a.eps,
      }),
    vjp: ([dy], [x, w], a) => {
      const grads = reference.layerNormVjp(dy!, x!, sizeOf(a.shape), a.shape, {
        weight: a.weight ? w : undefined,
        eps: a.eps,
      });
      return [grads.x, a.weight ? grads.weight : null, a.bias ? grads.bias : null];
    },
    K: ([x], a) => Math.max(sizeOf(a.shape), x!.data.length / sizeOf(a.shape)),
    // Over one or two elements the input's gradient all but cancels, and rstd (up to 300) scales what is left.
    scale: (_, a) => (sizeOf(a.shape) < 8 ? 300 : 1),
    runs: 30,
  });
});

test("a mean of 1000 costs no precision", async () => {
  const x = uniform([2, 256], 1, 999, 1001);
  const input = tensor(Float32Array.from(x.data), { shape: [2, 256] });
  const y = layerNorm(input, 256);
  const ref = reference.layerNorm(x, 256, { eps: 1e-5 });
  (await y.data()).forEach((v, i) => {
    expect(Math.abs(v - ref.data[i]!)).toBeLessThan(2e-4);
  });
  input.dispose();
  y.dispose();
});

test("computes only the gradients that are wanted", async () => {
  const shape = [5, 70];
  const dy = uniform(shape, 4);
  for (const wanted of ["x", "weight", "bias"] as const) {
    const [x, weight, bias] = [uniform(shape, 1), uniform([70], 2), uniform([70], 3)];
    const t = {
      x: upload(x, wanted === "x"),
      weight: upload(weight, wanted === "weight"),
      bias: upload(bias, wanted === "bias"),
    };
    const y = layerNorm(t.x, 70, t.weight, t.bias);
    const start = upload(dy);
    y.backward(start);
    const ref = reference.layerNormVjp(dy, x, 70, [70], { weight, eps: 1e-5 })[wanted];
    expectClose(await t[wanted].grad!.data(), ref!, 70, wanted);
    for (const other of ["x", "weight", "bias"] as const) if (other !== wanted) expect(t[other].grad).toBeNull();
    for (const each of [...Object.values(t), y, start]) each.dispose();
  }
});

test("a shape that the input does not end in", () => {
  const x = zeros([2, 3, 4]);
  expect(() => layerNorm(x, [3])).toThrow(ShapeError);
  expect(() => layerNorm(x, [3])).toThrow(/normalizedShape \[3\] is not how input \[2, 3, 4\] ends/);
  x.dispose();
});
