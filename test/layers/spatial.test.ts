// Local response norm, shuffles, sampling by grids, against PyTorch.
import { expect, test } from "vitest";
import { grad, gradcheck, nn, ShapeError, type Tensor, tensor, ValueError, zeros } from "wgrad";
import { withDevice } from "../support/case.ts";
import { type GoldenCase, goldenCases, wave } from "../support/golden-layers.ts";

withDevice();
const F = nn.functional;

const cases: Record<string, GoldenCase> = {};
for (const alignCorners of [false, true]) {
  const corners = alignCorners ? "corners aligned" : "edges aligned";
  for (const paddingMode of ["zeros", "border", "reflection"] as const) {
    for (const mode of ["bilinear", "nearest"] as const) {
      cases[`gridSample ${mode}, ${paddingMode}, ${corners}`] = {
        call: (_, [x, grid]) => F.gridSample(x!, grid!, { mode, paddingMode, alignCorners }),
        inputs: [[2, 5, 4, 3], () => wave([2, 3, 5, 2], 1, 1.7)],
      };
    }
  }
  cases[`affineGrid, ${corners}`] = {
    call: (_, [theta]) => F.affineGrid(theta!, [2, 1, 3, 4], { alignCorners }),
    inputs: [[2, 2, 3]],
  };
  cases[`affineGrid of volumes, ${corners}`] = {
    call: (_, [theta]) => F.affineGrid(theta!, [1, 1, 2, 1, 3], { alignCorners }),
    inputs: [[1, 3, 4]],
  };
}

goldenCases("spatial", {
  ...cases,
  LocalResponseNorm: {
    make: () => new nn.LocalResponseNorm(3, { alpha: 0.5, beta: 0.6, k: 0.8 }),
    inputs: [[2, 5, 3, 2]],
  },
  "LocalResponseNorm of an even size, wider than the channels": {
    make: () => new nn.LocalResponseNorm(6, { alpha: 2 }),
    inputs: [[1, 4, 3]],
  },
  "localResponseNorm by default": { call: (_, [x]) => F.localResponseNorm(x!, 5), inputs: [[2, 7, 2, 1, 2]] },
  PixelShuffle: { make: () => new nn.PixelShuffle(2), inputs: [[2, 8, 2, 3]] },
  "pixelShuffle without a batch": { call: (_, [x]) => F.pixelShuffle(x!, 3), inputs: [[9, 1, 2]] },
  PixelUnshuffle: { make: () => new nn.PixelUnshuffle(2), inputs: [[1, 2, 4, 6]] },
  "pixelUnshuffle of more dimensions": { call: (_, [x]) => F.pixelUnshuffle(x!, 2), inputs: [[2, 1, 1, 2, 4]] },
  ChannelShuffle: { make: () => new nn.ChannelShuffle(3), inputs: [[2, 6, 2, 2]] },
  "gridSample of many points": {
    call: (_, [x, theta]) => {
      const grid = F.affineGrid(theta!, [1, 1, 12, 11]);
      const y = F.gridSample(x!, grid);
      grid.dispose();
      return y;
    },
    inputs: [
      [1, 1, 6, 7],
      [1, 2, 3],
    ],
  },
  "gridSample of no images": {
    call: (_, [x, grid]) => F.gridSample(x!, grid!),
    inputs: [
      [0, 2, 3, 3],
      [0, 2, 2, 2],
    ],
  },
});

test("the gradient of gridSample in its images has a gradient", async () => {
  const [x, grid] = [wave([1, 1, 3, 3], 0), wave([1, 2, 2, 2], 1, 0.8)];
  for (const t of [x, grid]) t.requiresGrad = true;
  const penalty = (x: Tensor, grid: Tensor) => {
    const [dx] = grad(F.gridSample(x, grid).square().sum(), [x], { createGraph: true });
    return dx!.square().sum();
  };
  expect(await gradcheck((x: Tensor) => penalty(x, grid), x, { directions: 2 })).toBe(true);
  for (const t of [x, grid]) t.dispose();
});

test("points that are no numbers lie outside", async () => {
  const x = tensor([1, 2, 3, 4], { shape: [1, 1, 2, 2] });
  const grid = tensor([Number.NaN, 0, Number.POSITIVE_INFINITY, 0, -1e30, 0, -0.5, -0.5], { shape: [1, 1, 4, 2] });
  const y = F.gridSample(x, grid);
  expect([...(await y.data())]).toEqual([0, 0, 0, 1]);
  for (const t of [x, grid, y]) t.dispose();
});

test("shapes and options that do not fit are told", () => {
  const [x, grid, theta] = [zeros([1, 3, 2, 2]), zeros([1, 2, 2, 3]), zeros([1, 2, 3])];
  expect(() => F.gridSample(x, grid)).toThrow(ShapeError);
  expect(() => F.gridSample(x, grid, { mode: "bicubic" as never })).toThrow(ValueError);
  expect(() => F.gridSample(x, grid, { paddingMode: "reflect" as never })).toThrow(/"reflection"/);
  expect(() => F.affineGrid(theta, [2, 1, 3, 3])).toThrow(/affineGrid.*\[N, 2, 3\]/);
  expect(() => F.pixelShuffle(x, 2)).toThrow(/multiple of 4/);
  expect(() => F.pixelUnshuffle(x, 3)).toThrow(/multiples of 3/);
  expect(() => F.channelShuffle(x, 2)).toThrow(/multiple of 2/);
  expect(() => F.localResponseNorm(x, 0)).toThrow(ValueError);
  expect(String(new nn.LocalResponseNorm(5, { k: 2 }))).toBe("LocalResponseNorm(5, k: 2)");
  for (const t of [x, grid, theta]) t.dispose();
});
