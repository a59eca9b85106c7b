// Activations as layers and functions against PyTorch, special numbers included.
import { describe, expect, test } from "vitest";
import { grad, nn, ShapeError, scope, type Tensor, tensor, ValueError, zeros } from "wgrad";
import { withDevice } from "../support/case.ts";
import { type GoldenCase, goldenCases, read, wave } from "../support/golden-layers.ts";

withDevice();
const F = nn.functional;
const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;
const SPECIAL = [NAN, INF, -INF, 0, -0, 1, -1, 2, -2, 20.5, -20.5, 100, -100, 0.5, -0.5, 3];

const layers: Record<string, () => nn.Module> = {
  CELU: () => new nn.CELU(0.5),
  ELU: () => new nn.ELU(0.5),
  "GELU tanh": () => new nn.GELU({ approximate: "tanh" }),
  Hardtanh: () => new nn.Hardtanh(-2, 1),
  LogSigmoid: () => new nn.LogSigmoid(),
  Mish: () => new nn.Mish(),
  SELU: () => new nn.SELU(),
  Softplus: () => new nn.Softplus(2, 5),
  Softsign: () => new nn.Softsign(),
  Tanhshrink: () => new nn.Tanhshrink(),
  Threshold: () => new nn.Threshold(0.5, 3),
};

const cases: Record<string, GoldenCase> = {
  PReLU: { make: () => new nn.PReLU(), inputs: [[3, 7]] },
  "PReLU by channel": { make: () => new nn.PReLU(3), inputs: [[2, 3, 4, 2]] },
  "PReLU of vectors": { make: () => new nn.PReLU(5), inputs: [[4, 5]] },
  "PReLU of nothing": { make: () => new nn.PReLU(3), inputs: [[0, 3, 2]] },
  GLU: { make: () => new nn.GLU(), inputs: [[3, 6]] },
  "GLU along channels": { make: () => new nn.GLU(1), inputs: [[2, 4, 3, 3]] },
  LogSoftmax: { make: () => new nn.LogSoftmax(1), inputs: [[2, 5, 3]] },
  Softmin: { make: () => new nn.Softmin(-1), inputs: [[3, 5]] },
  Softmax2d: { make: () => new nn.Softmax2d(), inputs: [[2, 4, 3, 2]] },
  "Softmax2d of one image": { make: () => new nn.Softmax2d(), inputs: [[4, 3, 2]] },
};
for (const [name, make] of Object.entries(layers)) {
  cases[name] = { make, inputs: [[3, 7]] };
  cases[`${name} of nothing`] = { make, inputs: [[0, 3]] };
  cases[`${name} of special numbers`] = {
    inputs: [() => tensor(SPECIAL)],
    call: (_, [x]) =>
      scope(() => {
        const y = make().forward(x!);
        y.sum().backward();
        return [y.detach(), x!.grad!.clone()];
      }),
  };
}
goldenCases("activations", cases);

const functions: Record<string, readonly [layer: () => nn.Module, f: (x: Tensor) => Tensor]> = {
  celu: [() => new nn.CELU(), (x) => F.celu(x)],
  elu: [() => new nn.ELU(), (x) => F.elu(x)],
  gelu: [() => new nn.GELU({ approximate: "tanh" }), (x) => F.gelu(x, { approximate: "tanh" })],
  glu: [() => new nn.GLU(0), (x) => F.glu(x, 0)],
  hardtanh: [() => new nn.Hardtanh(), (x) => F.hardtanh(x)],
  logsigmoid: [() => new nn.LogSigmoid(), (x) => F.logsigmoid(x)],
  mish: [() => new nn.Mish(), (x) => F.mish(x)],
  prelu: [() => new nn.PReLU(), (x) => F.prelu(x, tensor([0.25]))],
  selu: [() => new nn.SELU(), (x) => F.selu(x)],
  softmin: [() => new nn.Softmin(1), (x) => F.softmin(x, 1)],
  softplus: [() => new nn.Softplus(), (x) => F.softplus(x)],
  softsign: [() => new nn.Softsign(), (x) => F.softsign(x)],
  tanhshrink: [() => new nn.Tanhshrink(), (x) => F.tanhshrink(x)],
  threshold: [() => new nn.Threshold(0.25, -1), (x) => F.threshold(x, 0.25, -1)],
};

describe.each(Object.entries(functions))("%s", (_, [make, f]) => {
  test("is what the layer of its name computes, with the same defaults", async () => {
    const layer = make();
    const [a, b] = await read(() => {
      const x = wave([4, 3], 1, 3);
      return [layer.forward(x), f(x)];
    });
    layer.dispose();
    expect(a).toEqual(b);
  });

  test("has a gradient of its gradient: that of a finite difference", async () => {
    const h = 1 / 128;
    const [second = [], difference = []] = await read(() => {
      const slope = (offset: number, createGraph = false) => {
        const x = wave([4, 3], 1, 1.9).add(offset).detach();
        x.requiresGrad = true;
        const [dx] = grad([f(x)], [x], { gradOutputs: [wave(f(x).shape, 2)], createGraph });
        return [x, dx!] as const;
      };
      const [x, dx] = slope(0, true);
      const ddx = dx.requiresGrad
        ? grad([dx], [x], { gradOutputs: [zeros([4, 3]).add(1)], allowUnused: true })[0]
        : null;
      const [[, up], [, down]] = [slope(h), slope(-h)];
      // Along (1, ..., 1): the second derivatives are symmetric.
      return [ddx ?? zeros([4, 3]), up.sub(down).div(2 * h)];
    });
    for (const [i, v] of second.entries()) expect(Math.abs(v - difference[i]!)).toBeLessThan(0.02);
  });
});

test("what does not fit is told", () => {
  expect(() => scope(() => F.prelu(zeros([2, 3]), zeros([2])))).toThrow(/\[1\] or \[3\]/);
  expect(() => scope(() => F.glu(zeros([2, 3])))).toThrow(ShapeError);
  expect(() => scope(() => F.gelu(zeros([2]), { approximate: "erf" as never }))).toThrow(/"none" or "tanh"/);
  expect(() => new nn.GELU({ approximate: "erf" as never })).toThrow(ValueError);
  expect(() => scope(() => new nn.Softmax2d().forward(zeros([2, 3])))).toThrow(/\[N, C, H, W\] or \[C, H, W\]/);
  expect(String(new nn.Threshold(0.5, 3))).toBe("Threshold(threshold: 0.5, value: 3)");
});
