// NaN and infinities go through operations, their gradients, and activations at the end of other operations as in PyTorch,
// whose results the tables hold.
import { describe, expect, test } from "vitest";
import { full, nn, noGrad, optim, scope, type Tensor, tensor } from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();

const F = nn.functional;
const INF = Number.POSITIVE_INFINITY;
const NAN = Number.NaN;

/** Each element is the expected one: NaN and infinities themselves, numbers to f32's precision. */
async function expectElements(got: Tensor, expected: readonly number[], what: string) {
  const list = Array.from(await got.data());
  expect(list.length, what).toBe(expected.length);
  for (const [i, e] of expected.entries()) {
    const v = list[i]!;
    const same = Number.isFinite(e) ? Math.abs(v - e) <= 1e-5 * Math.max(1, Math.abs(e)) : Object.is(v, e);
    expect(same, `${what} [${i}]: ${list}, expected ${expected}`).toBe(true);
  }
}

type Unary = readonly [name: string, f: (x: Tensor) => Tensor, y: readonly number[], dx: readonly number[]];

const POINTS = [NAN, INF, -INF, 0, 2];
const unary: Unary[] = [
  ["relu", (x) => x.relu(), [NAN, INF, 0, 0, 2], [1, 1, 0, 0, 1]],
  ["relu6", (x) => F.relu6(x), [NAN, 6, 0, 0, 2], [0, 0, 0, 0, 1]],
  ["tanh", (x) => x.tanh(), [NAN, 1, -1, 0, 0.9640276], [NAN, 0, 0, 1, 0.07065082]],
  ["hardsigmoid", (x) => F.hardsigmoid(x), [NAN, 1, 0, 0.5, 0.8333333], [0, 0, 0, 1 / 6, 1 / 6]],
  ["hardswish", (x) => F.hardswish(x), [NAN, INF, NAN, 0, 1.6666666], [NAN, 1, 0, 0.5, 1.1666667]],
  ["elu", (x) => F.elu(x), [NAN, INF, -1, 0, 2], [NAN, 1, 0, 1, 1]],
  ["leakyRelu", (x) => F.leakyRelu(x), [NAN, INF, -INF, 0, 2], [0.01, 1, 0.01, 0.01, 1]],
  ["sigmoid", (x) => x.sigmoid(), [NAN, 1, 0, 0.5, 0.8807971], [NAN, 0, 0, 0.25, 0.1049936]],
  ["clamp both", (x) => x.clamp(0, 1), [NAN, 1, 0, 0, 1], [0, 0, 0, 1, 0]],
  ["clamp min", (x) => x.clamp({ min: 0 }), [NAN, INF, 0, 0, 2], [0, 1, 0, 1, 1]],
  ["clamp max", (x) => x.clamp({ max: 0 }), [NAN, 0, -INF, 0, 0], [0, 0, 1, 1, 0]],
  ["maximum", (x) => x.maximum(0), [NAN, INF, 0, 0, 2], [1, 1, 0, 0.5, 1]],
  ["minimum", (x) => x.minimum(0), [NAN, 0, -INF, 0, 0], [1, 0, 1, 0.5, 0]],
  ["maximum with Infinity", (x) => x.maximum(INF), [NAN, INF, INF, INF, INF], [1, 0.5, 0, 0, 0]],
  ["minimum with NaN", (x) => x.minimum(NAN), [NAN, NAN, NAN, NAN, NAN], [1, 1, 1, 1, 1]],
  ["pow 0", (x) => x.pow(0), [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]],
  ["pow 3", (x) => x.pow(3), [NAN, INF, -INF, 0, 8], [NAN, INF, INF, 0, 12]],
  ["pow -2", (x) => x.pow(-2), [NAN, 0, 0, INF, 0.25], [NAN, 0, 0, -INF, -0.25]],
  ["sqrt", (x) => x.sqrt(), [NAN, INF, NAN, 0, Math.SQRT2], [NAN, 0, NAN, INF, 0.3535534]],
];

type Binary = readonly [
  name: "maximum" | "minimum" | "pow",
  y: readonly number[],
  da: readonly number[],
  db: readonly number[],
];
const PAIRS: readonly (readonly [number, number])[] = [
  [NAN, 1],
  [1, NAN],
  [NAN, NAN],
  [INF, INF],
  [-INF, -INF],
  [INF, -INF],
  [0, 0],
  [2, INF],
  [2, -INF],
  [-INF, 3],
  [0, 2],
  [0, -1],
  [0, 0.5],
];
const H = 0.5;
const binary: Binary[] = [
  [
    "maximum",
    [NAN, NAN, NAN, INF, -INF, INF, 0, INF, 2, 3, 2, 0, 0.5],
    [1, 1, 1, H, H, 1, H, 0, 1, 0, 0, 1, 0],
    [1, 1, 1, H, H, 0, H, 1, 0, 1, 1, 0, 1],
  ],
  [
    "minimum",
    [NAN, NAN, NAN, INF, -INF, -INF, 0, 2, -INF, -INF, 0, -1, 0],
    [1, 1, 1, H, H, 0, H, 1, 0, 1, 1, 0, 1],
    [1, 1, 1, H, H, 1, H, 0, 1, 0, 0, 1, 0],
  ],
  [
    "pow",
    [NAN, 1, NAN, INF, 0, 0, 1, INF, 0, -INF, 0, INF, 0],
    [1, NAN, NAN, INF, NAN, NAN, 0, INF, NAN, INF, 0, -INF, INF],
    [NAN, 0, NAN, INF, NAN, NAN, 0, INF, 0, NAN, 0, -INF, 0],
  ],
];

describe("elementwise", () => {
  test.each(unary)("%s", async (name, f, y, dx) => {
    const x = tensor(POINTS, { requiresGrad: true });
    const out = f(x);
    const ones = full([POINTS.length], 1);
    out.backward(ones);
    await expectElements(out, y, name);
    await expectElements(x.grad!, dx, `${name} gradient`);
    for (const t of [x, out, ones]) t.dispose();
  });

  test.each(binary)("%s of two tensors", async (name, y, da, db) => {
    const a = tensor(
      PAIRS.map((p) => p[0]),
      { requiresGrad: true },
    );
    const b = tensor(
      PAIRS.map((p) => p[1]),
      { requiresGrad: true },
    );
    const out = a[name](b);
    const ones = full([PAIRS.length], 1);
    out.backward(ones);
    await expectElements(out, y, name);
    await expectElements(a.grad!, da, `${name} da`);
    await expectElements(b.grad!, db, `${name} db`);
    for (const t of [a, b, out, ones]) t.dispose();
  });

  test("comparisons", async () => {
    const x = tensor(POINTS);
    const self = x.clone();
    const results: [Tensor, number[]][] = [
      [x.ne(self), [1, 0, 0, 0, 0]],
      [x.eq(self), [0, 1, 1, 1, 1]],
      [x.ne(0), [1, 1, 1, 0, 1]],
      [x.le(INF), [0, 1, 1, 1, 1]],
      [x.any(), [1]],
    ];
    for (const [t, expected] of results) {
      expect(Array.from(await t.data())).toEqual(expected);
      t.dispose();
    }
    x.dispose();
    self.dispose();
  });

  const activations: [string, (x: Tensor) => Tensor, readonly number[]][] = unary
    .filter(([name]) => /relu|tanh|hard|elu|clamp|maximum/.test(name))
    .map(([name, f, y]) => [name, f, y]);
  test.each(activations)("%s at the end of a convolution, a product and batch norm", async (name, f, y) => {
    const results = noGrad(() =>
      scope(() => {
        const x = tensor(POINTS);
        const planes = x.reshape([5, 1, 1, 1]);
        const mean = full([1], 0);
        const variance = full([1], 1);
        return [
          f(F.conv2d(planes, full([1, 1, 1, 1], 1))),
          f(F.linear(x.reshape([5, 1]), full([1, 1], 1))),
          f(F.batchNorm(planes, mean, variance)),
        ];
      }),
    );
    for (const t of results) {
      await expectElements(t, y, name);
      t.dispose();
    }
  });
});

type Row = readonly [values: readonly number[], y: number, dx: readonly number[]];
const reductions: Record<string, readonly [(x: Tensor) => Tensor, readonly Row[]]> = {
  max: [
    (x) => x.max(),
    [
      [[1, NAN, 3], NAN, [NAN, NAN, NAN]],
      [[-INF, -INF], -INF, [H, H]],
      [[INF, 1], INF, [1, 0]],
    ],
  ],
  min: [
    (x) => x.min(),
    [
      [[NAN, 1, 3], NAN, [NAN, NAN, NAN]],
      [[INF, INF], INF, [H, H]],
      [[-INF, 1], -INF, [1, 0]],
    ],
  ],
  std: [
    (x) => x.std(),
    [
      [[2, 2, 2], 0, [0, 0, 0]],
      [[1, NAN, 3], NAN, [NAN, NAN, NAN]],
    ],
  ],
  norm: [
    (x) => x.norm(),
    [
      [[0, 0], 0, [0, 0]],
      [[1, NAN, 3], NAN, [NAN, NAN, NAN]],
      [[INF, 1], INF, [NAN, 0]],
    ],
  ],
};

describe("reductions", () => {
  const rows = Object.entries(reductions).flatMap(([name, [f, list]]) => list.map((row) => [name, row, f] as const));
  test.each(rows)("%s of %j", async (name, [values, y, dx], f) => {
    const x = tensor([...values], { requiresGrad: true });
    const out = f(x);
    out.backward();
    await expectElements(out, [y], name);
    await expectElements(x.grad!, dx, `${name} gradient`);
    x.dispose();
    out.dispose();
  });

  test.each([3, 100, 20_000])("one NaN among %d", async (n) => {
    for (const at of [0, n >> 1, n - 1]) {
      const x = tensor(Float32Array.from({ length: n }, (_, i) => (i === at ? NAN : i - n)));
      const [max, min, first, last] = [x.max(), x.min(), x.argmax(), x.argmin()];
      expect([await max.item(), await min.item()]).toEqual([NAN, NAN]);
      expect([await first.item(), await last.item()]).toEqual([at, at]);
      for (const t of [x, max, min, first, last]) t.dispose();
    }
  });

  test("topk, argmax, argmin", async () => {
    const x = tensor([1, NAN, 3, NAN, -INF]);
    const [largest, smallest] = [x.topk(5), x.topk(5, -1, false)];
    await expectElements(largest.values, [NAN, NAN, 3, 1, -INF], "largest");
    await expectElements(largest.indices, [1, 3, 2, 0, 4], "positions of the largest");
    await expectElements(smallest.values, [-INF, 1, 3, NAN, NAN], "smallest");
    await expectElements(smallest.indices, [4, 0, 2, 1, 3], "positions of the smallest");
    const infinite = full([2, 100], -INF);
    const [max, min] = [infinite.argmax(1), infinite.argmin(1)];
    await expectElements(max, [0, 0], "argmax of equal infinities");
    await expectElements(min, [0, 0], "argmin of equal infinities");
    const lists = [largest.values, largest.indices, smallest.values, smallest.indices];
    for (const t of [x, infinite, max, min, ...lists]) t.dispose();
  });

  test("correctCount takes what argmax takes", async () => {
    const rows: [number[], number][] = [
      [[1, NAN, 3, NAN], 1],
      [[NAN, NAN, NAN, NAN], 0],
      [[-INF, -INF, -INF, -INF], 0],
      [[1, INF, 3, INF], 1],
    ];
    for (const [row, best] of rows) {
      for (const label of row.keys()) {
        const [logits, labels] = [tensor([row]), tensor(Int32Array.of(label))];
        const count = F.correctCount(logits, labels);
        expect(await count.item(), `${row} at ${label}`).toBe(label === best ? 1 : 0);
        for (const t of [logits, labels, count]) t.dispose();
      }
    }
  });
});

describe("max pooling", () => {
  const windows: Row[] = [
    [[1, NAN, 5, 6], NAN, [0, 1, 0, 0]],
    [[NAN, 1, NAN, 6], NAN, [0, 0, 1, 0]],
    [[1, NAN, NAN, INF], NAN, [0, 0, 1, 0]],
    [[-INF, -INF, -INF, -INF], -INF, [1, 0, 0, 0]],
  ];
  test.each(windows)("of %j", async (values, y, dx) => {
    const x = tensor([...values], { requiresGrad: true });
    const out = scope(() => F.maxPool2d(x.reshape([1, 1, 2, 2]), 2));
    const one = full([1, 1, 1, 1], 1);
    out.backward(one);
    await expectElements(out, [y], "maxPool2d");
    await expectElements(x.grad!, dx, "maxPool2d gradient");
    for (const t of [x, out, one]) t.dispose();
  });
});

describe("gradient clipping", () => {
  const grads = async (values: readonly number[], clip: (x: Tensor) => void) => {
    const x = tensor(
      values.map(() => 1),
      { requiresGrad: true },
    );
    x.grad = tensor([...values]);
    clip(x);
    const result = Array.from(await x.grad.data());
    x.dispose();
    return result;
  };

  test.each([
    [[INF, 1], INF, [NAN, 0]],
    [[-INF, NAN], NAN, [NAN, NAN]],
    [[NAN, 1], NAN, [NAN, NAN]],
    [[0, 0], 0, [0, 0]],
  ])("by the norm of %j", async (values, norm, expected) => {
    let of: Tensor | undefined;
    const got = await grads(values, (x) => {
      of = optim.clipGradNorm_([x], 1);
    });
    expect(got).toEqual(expected);
    expect(await of?.item()).toBe(norm);
    of?.dispose();
  });

  test("by value", async () => {
    expect(await grads([NAN, INF, -INF, 0.5], (x) => optim.clipGradValue_([x], 1))).toEqual([NAN, 1, -1, 0.5]);
  });
});

test("products and quotients keep the sign of zero", async () => {
  const x = tensor([0, -0, 1]);
  const results: [Tensor, number[]][] = [
    [x.mul(2), [0, -0, 2]],
    [x.mul(-1), [-0, 0, -1]],
    [x.neg(), [-0, 0, -1]],
    [x.div(-2), [-0, 0, -0.5]],
    [x.div(INF), [0, -0, 0]],
    [x.pow(3), [0, -0, 1]],
    [x.pow(-1), [INF, -INF, 1]],
  ];
  for (const [y, expected] of results) {
    expect(Array.from(await y.data())).toEqual(expected);
    y.dispose();
  }
  x.dispose();
});
