// FeaturePyramidNetwork against torchvision: results, gradients and names of parameters; and what it says of wrong maps.
import { expect, test } from "vitest";
import { nn, ShapeError, scope, type Tensor, ValueError, vision, zeros } from "wgrad";
import { withDevice } from "../support/case.ts";
import { type GoldenCase, goldenCases } from "../support/golden-layers.ts";

withDevice();

const { FeaturePyramidNetwork, LastLevelMaxPool, LastLevelP6P7 } = vision;
const CHANNELS = [2, 3, 4];
const MAPS = [
  [1, 2, 5, 7],
  [1, 3, 3, 4],
  [1, 4, 2, 2],
];

const pyramid = (
  options: () => vision.FeaturePyramidOptions = () => ({}),
  channels: readonly number[] = CHANNELS,
  inputs: readonly (readonly number[])[] = MAPS,
): GoldenCase => ({
  make: () => new FeaturePyramidNetwork(channels, 3, options()),
  inputs,
  call: (m: vision.FeaturePyramidNetwork, maps) =>
    scope(() => Object.values(m.forward(Object.fromEntries(maps.map((x, i) => [`map${i}`, x]))))),
});

goldenCases("feature_pyramid", {
  FeaturePyramidNetwork: pyramid(),
  "FeaturePyramidNetwork of one map": pyramid(undefined, [2], [[2, 2, 2, 3]]),
  "FeaturePyramidNetwork with norms": pyramid(() => ({ norm: (channels) => new nn.BatchNorm2d(channels) })),
  LastLevelMaxPool: pyramid(() => ({ extraBlocks: new LastLevelMaxPool() })),
  "LastLevelP6P7 of the pyramid": pyramid(() => ({ extraBlocks: new LastLevelP6P7(3, 3) })),
  "LastLevelP6P7 of the network": pyramid(
    () => ({ extraBlocks: new LastLevelP6P7(4, 3) }),
    [2, 4],
    [
      [1, 2, 4, 3],
      [1, 4, 3, 2],
    ],
  ),
});

test("maps keep their names and sizes, the finest first", () => {
  const net = new FeaturePyramidNetwork(CHANNELS, 4, { extraBlocks: new LastLevelMaxPool() });
  const given = Object.fromEntries(MAPS.map((shape, i) => [String(i), zeros(shape)]));
  const maps = net.forward(given);
  expect(Object.entries(maps).map(([name, map]) => [name, map.shape])).toEqual([
    ["0", [1, 4, 5, 7]],
    ["1", [1, 4, 3, 4]],
    ["2", [1, 4, 2, 2]],
    ["pool", [1, 4, 1, 1]],
  ]);
  for (const t of [...Object.values(maps), ...Object.values(given), net]) t.dispose();
});

test("convolutions start within Kaiming's bound for a linear layer, biases at 0", async () => {
  const net = new FeaturePyramidNetwork([8], 16, { extraBlocks: new LastLevelP6P7(16, 16) });
  for (const [name, p] of net.namedParameters()) {
    const values = Array.from(await p.data());
    const [, fanIn = 1, rows = 1, columns = 1] = p.shape;
    const bound = Math.sqrt(3 / (fanIn * rows * columns));
    const largest = Math.max(...values.map(Math.abs));
    if (name.endsWith("bias")) expect(largest, name).toBe(0);
    else {
      expect(largest, name).toBeLessThanOrEqual(bound * (1 + 1e-6));
      expect(largest, name).toBeGreaterThan(0.9 * bound);
    }
  }
  net.dispose();
});

test("wrong channels, options and maps are told", () => {
  expect(() => new FeaturePyramidNetwork([], 4)).toThrow(/inChannelsList holds no number/);
  expect(() => new FeaturePyramidNetwork([0], 4)).toThrow(
    /each of inChannelsList must be a whole number of at least 1/,
  );
  expect(() => new FeaturePyramidNetwork([1], 4, { extraBlocks: 3 as never })).toThrow(/extraBlocks must be a module/);
  const net = new FeaturePyramidNetwork([2, 3], 4);
  const x = zeros([1, 2, 2, 2]);
  const flat = zeros([2, 4]);
  const bad: readonly [unknown, typeof ValueError | typeof ShapeError, RegExp][] = [
    [x, ValueError, /got a Tensor in the place of maps by name/],
    [{ a: x }, ValueError, /takes 2 maps, .* got 1: \["a"\]/],
    [{ a: x, b: 3 }, ValueError, /the map "b" must be a tensor, got 3/],
    [{ a: x, b: flat }, ShapeError, /the map "b" must be \[N, C, H, W\], got \[2, 4\]/],
    [{ a: x, b: x }, ShapeError, /2 channels.*in inner_blocks\.1/],
  ];
  for (const [maps, Kind, message] of bad) {
    const run = () => scope(() => net.forward(maps as Record<string, Tensor>));
    expect(run).toThrow(Kind);
    expect(run).toThrow(message);
  }
  for (const t of [x, flat, net]) t.dispose();
});
