// Maxima with their positions, unpooling, and convolutions of signals and volumes that pad by what is inside, against PyTorch.
import { expect, expectTypeOf, test } from "vitest";
import { DtypeError, grad, gradcheck, nn, ShapeError, scope, type Tensor, tensor, ValueError, zeros } from "wgrad";
import { withDevice } from "../support/case.ts";
import { type GoldenCase, goldenCases, wave } from "../support/golden-layers.ts";

withDevice();
const F = nn.functional;

const cases: Record<string, GoldenCase> = {};
for (const paddingMode of ["reflect", "replicate", "circular"] as const) {
  cases[`Conv1d ${paddingMode}`] = {
    make: () => new nn.Conv1d(2, 4, 3, { stride: 2, padding: 2, dilation: 2, groups: 2, paddingMode }),
    inputs: [[2, 2, 7]],
  };
  cases[`Conv3d ${paddingMode}`] = {
    make: () => new nn.Conv3d(1, 2, [2, 3, 3], { padding: [0, 1, 2], paddingMode }),
    inputs: [[2, 1, 3, 4, 5]],
  };
  cases[`Conv1d ${paddingMode}, same`] = {
    make: () => new nn.Conv1d(1, 2, 4, { padding: "same", dilation: 2, paddingMode }),
    inputs: [[1, 1, 9]],
  };
}

const odd = () =>
  tensor([1, Number.NaN, 2, Number.NaN, -Infinity, -Infinity, Infinity, 0, 0, 3, 3, 1], { shape: [1, 1, 2, 2, 3] });

goldenCases("unpooling", {
  ...cases,
  "MaxPool1d with indices": {
    make: () => new nn.MaxPool1d(3, { stride: 2, padding: 1, dilation: 2, ceilMode: true, returnIndices: true }),
    inputs: [[2, 2, 9]],
  },
  "MaxPool2d with indices": {
    make: () => new nn.MaxPool2d([3, 2], { stride: 2, padding: [1, 0], returnIndices: true }),
    inputs: [[2, 3, 5, 6]],
  },
  "MaxPool3d with indices": { make: () => new nn.MaxPool3d(2, { returnIndices: true }), inputs: [[1, 2, 4, 5, 4]] },
  "MaxPool3d with all options, and indices": {
    make: () =>
      new nn.MaxPool3d([3, 2, 2], {
        ...{ stride: [2, 1, 2], padding: [1, 1, 0], dilation: [1, 2, 1] },
        ...{ ceilMode: true, returnIndices: true },
      }),
    inputs: [[2, 5, 4, 5]],
  },
  "indices of equal elements and of no numbers": {
    call: (_, [x]) => F.maxPool3d(x!, 2, { stride: 1, returnIndices: true }),
    inputs: [odd],
  },
  "indices of no images": { call: (_, [x]) => F.maxPool2d(x!, 2, { returnIndices: true }), inputs: [[0, 2, 4, 4]] },
  "AdaptiveMaxPool1d with indices": {
    make: () => new nn.AdaptiveMaxPool1d(3, { returnIndices: true }),
    inputs: [[2, 2, 7]],
  },
  "AdaptiveMaxPool2d with indices": {
    make: () => new nn.AdaptiveMaxPool2d([3, 2], { returnIndices: true }),
    inputs: [[1, 2, 7, 5]],
  },
  "adaptiveMaxPool2d with indices to more": {
    call: (_, [x]) => F.adaptiveMaxPool2d(x!, [null, 5], { returnIndices: true }),
    inputs: [[2, 3, 3]],
  },
  MaxUnpool1d: {
    call: (_, [x]) =>
      scope(() => new nn.MaxUnpool1d(2).forward(...new nn.MaxPool1d(2, { returnIndices: true }).forward(x!))),
    inputs: [[2, 3, 8]],
  },
  MaxUnpool2d: {
    call: (_, [x]) =>
      scope(() => {
        const options = { stride: 2, padding: 1 };
        const found = new nn.MaxPool2d(3, { ...options, returnIndices: true }).forward(x!);
        return new nn.MaxUnpool2d(3, options).forward(...found);
      }),
    inputs: [[2, 2, 7, 9]],
  },
  MaxUnpool3d: {
    call: (_, [x]) =>
      scope(() => new nn.MaxUnpool3d([2, 1, 2]).forward(...F.maxPool3d(x!, [2, 1, 2], { returnIndices: true }))),
    inputs: [[2, 4, 3, 2]],
  },
  "maxUnpool2d to a size": {
    call: (_, [x]) =>
      scope(() => F.maxUnpool2d(...F.maxPool2d(x!, 2, { returnIndices: true }), 2, { outputSize: [1, 2, 5, 4] })),
    inputs: [[1, 2, 5, 4]],
  },
});

test("the type follows the option", () => {
  expectTypeOf(new nn.MaxPool2d(2).forward).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(new nn.MaxPool2d(2, { returnIndices: true }).forward).returns.toEqualTypeOf<
    nn.functional.Pooled<true>
  >();
});

test("unpooled maxima have gradients of gradients", async () => {
  const x = tensor(
    Array.from({ length: 24 }, (_, i) => ((7 * i) % 24) / 8 + 0.5),
    { shape: [1, 1, 4, 6] },
  );
  x.requiresGrad = true;
  const penalty = (x: Tensor) => {
    const [values, indices] = F.maxPool2d(x.mul(x), 2, { returnIndices: true });
    const [dx] = grad(F.maxUnpool2d(values, indices, 2).square().sum(), [x], { createGraph: true });
    return dx!.square().sum();
  };
  expect(await gradcheck(penalty, x, { directions: 2 })).toBe(true);
  x.dispose();
});

test("what does not fit is told", async () => {
  const [x, x5, indices, floats] = [
    zeros([1, 1, 2, 2]),
    zeros([1, 1, 3, 3, 3]),
    tensor(
      [
        [
          [
            [0, 1],
            [2, 99],
          ],
        ],
      ],
      { dtype: "i32" },
    ),
    zeros([1, 1, 2, 2]),
  ];
  expect(() => F.maxUnpool2d(x, floats, 2)).toThrow(DtypeError);
  expect(() => F.maxUnpool2d(x5, indices, 2)).toThrow(ShapeError);
  expect(() => F.maxUnpool1d(x5, indices, 2)).toThrow(ShapeError);
  expect(() => F.maxUnpool2d(x, indices, 2, { outputSize: [6, 4] })).toThrow(
    /less than a stride \[2, 2\] from \[4, 4\]/,
  );
  expect(() => F.maxUnpool2d(x, indices, 2, { outputSize: [4] })).toThrow(ValueError);
  const y = F.maxUnpool2d(x, indices, 2);
  await expect(y.data()).rejects.toThrow(/an index is 99/);
  expect(() => new nn.Conv1d(1, 1, 3, { paddingMode: "mirror" as never })).toThrow(
    /zeros, reflect, replicate, circular/,
  );
  expect(() => new nn.ConvTranspose2d(1, 1, 3, { paddingMode: "reflect" as never })).toThrow(
    /Only "zeros" padding mode is supported for ConvTranspose2d; got "reflect"/,
  );
  const round = new nn.Conv1d(1, 2, 3, { padding: 1, paddingMode: "circular" });
  expect(String(round)).toBe("Conv1d(1, 2, [3], padding: 1, paddingMode: circular)");
  const wide = new nn.Conv3d(1, 1, 3, { padding: 3, paddingMode: "reflect" });
  expect(() => wide.forward(x5)).toThrow(/\[Conv3d\] padding 3 .* reflect takes at most 2/);
  expect(() => wide.forward(x)).toThrow(ShapeError);
  for (const t of [x, x5, indices, floats, y, wide, round]) t.dispose();
});

test("the function of volumes is the layer's", async () => {
  const x = wave([1, 2, 4, 3, 2], 1);
  const [values, indices] = F.maxPool3d(x, [2, 1, 2], { returnIndices: true });
  const results = [
    F.maxUnpool3d(values, indices, [2, 1, 2]),
    new nn.MaxUnpool3d([2, 1, 2]).forward(values, indices),
  ] as const;
  const [own, layers] = await Promise.all(results.map((t) => t.data()));
  expect(own).toEqual(layers);
  for (const t of [x, values, indices, ...results]) t.dispose();
});
