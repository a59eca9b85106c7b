// adaptToSmallImages on one model of each family; `npm run test:models` has all of them.
import { expect, test } from "vitest";
import {
  adaptToSmallImages,
  cat,
  createModel,
  memory,
  nn,
  noGrad,
  rand,
  scope,
  type Tensor,
  tensor,
  ValueError,
} from "wgrad";
import { withDevice } from "../support/case.ts";
import { smallOf, testSmallImages } from "./small-images-case.ts";

withDevice();

for (const [name, options] of smallOf) testSmallImages(name, options);

const values = async (t: Tensor) => Array.from(await t.data());
/** The pixels, each a square of so many rows and columns. */
const enlarged = (x: Tensor, times: number): Tensor => nn.functional.interpolate(x, { scaleFactor: times });

test("a stem keeps the centre of its kernel, and all other parameters are the ones that they were", async () => {
  const model = createModel("resnet18", { numClasses: 3 });
  const whole = await values(model.conv1.weight);
  const [bn, fc] = [model.bn1.weight, model.fc.weight];
  adaptToSmallImages(model);
  expect(model.conv1.weight.shape).toEqual([64, 3, 3, 3]);
  const centre = Array.from({ length: 192 * 9 }, (_, i) => {
    const [map, row, column] = [Math.floor(i / 9), Math.floor((i % 9) / 3), i % 3];
    return whole[49 * map + 7 * (row + 2) + column + 2];
  });
  expect(await values(model.conv1.weight)).toEqual(centre);
  expect(model.maxpool).toBeInstanceOf(nn.Identity);
  expect([model.bn1.weight, model.fc.weight]).toEqual([bn, fc]);
  const kept = [...model.parameters()];
  adaptToSmallImages(model);
  expect([...model.parameters()].every((p, i) => p === kept[i])).toBe(true);
  model.dispose();
});

test("an interpolated kernel adds up to what the whole one does", async () => {
  const model = createModel("resnet18", { numClasses: 3 });
  const sums = () => scope(() => model.conv1.weight.sum([2, 3]));
  const before = sums();
  adaptToSmallImages(model, { kernels: "interpolate" });
  const after = sums();
  expect(model.conv1.weight.shape).toEqual([64, 3, 3, 3]);
  const wanted = await values(before);
  for (const [i, value] of (await values(after)).entries()) expect(value).toBeCloseTo(wanted[i] ?? 0, 4);
  for (const t of [before, after, model]) t.dispose();
});

test("patches answer as they would to an image enlarged four times", async () => {
  const model = createModel("deit_tiny_patch16_224", { depth: 1 });
  const x = rand([1, 3, 32, 32]);
  const before = noGrad(() => scope(() => model.patchEmbed.proj.forward(enlarged(x, 4))));
  adaptToSmallImages(model);
  const after = noGrad(() => model.patchEmbed.proj.forward(x));
  expect(after.shape).toEqual([1, 192, 8, 8]);
  const wanted = await values(before);
  for (const [i, value] of (await values(after)).entries()) expect(value).toBeCloseTo(wanted[i] ?? 0, 3);
  expect(model.posEmbed.shape).toEqual([1, 65, 192]);
  for (const t of [x, before, after, model]) t.dispose();
});

test("VGG gives the logits that it gave before, with a fifth of the parameters", async () => {
  const model = createModel("vgg11", { numClasses: 10 });
  model.eval();
  const x = rand([2, 3, 32, 32]);
  const forward = () => noGrad(() => scope(() => model.forward(x)));
  const before = forward();
  adaptToSmallImages(model);
  const after = forward();
  const wanted = await values(before);
  for (const [i, value] of (await values(after)).entries()) expect(value).toBeCloseTo(wanted[i] ?? 0, 4);
  expect(Array.from(model.parameters()).reduce((sum, p) => sum + p.numel, 0)).toBe(28_144_010);
  for (const t of [x, before, after, model]) t.dispose();
});

test("tables by relative position are interpolated, and BEiT's rows of the class token stay", async () => {
  const model = createModel("beit_base_patch16_224", { depth: 1 });
  const table = () => new Map(model.namedParameters()).get("blocks.0.attn.relative_position_bias_table")!;
  // What grows from row to row of the map goes on doing so.
  const slope = Float32Array.from({ length: 732 * 12 }, (_, i) => (i < 729 * 12 ? Math.floor(i / 12 / 27) : 100 + i));
  noGrad(() => scope(() => void table().copy_(tensor(slope, { shape: [732, 12] }))));
  adaptToSmallImages(model);
  expect(table().shape).toEqual([228, 12]);
  const rows = await values(table());
  expect(rows.slice(225 * 12)).toEqual(Array.from(slope.slice(729 * 12)));
  for (let row = 2; row < 13; row++) {
    const wanted = ((row + 0.5) * 27) / 15 - 0.5;
    // Bicubic interpolation of a slope is off by less than a tenth of a step.
    for (let i = 0; i < 15 * 12; i++) expect(Math.abs((rows[15 * 12 * row + i] ?? 0) - wanted)).toBeLessThan(0.1);
  }
  model.dispose();
});

test("LeNet-5 sees the gray image in three equal colours", async () => {
  const model = createModel("lenet5");
  const gray = rand([1, 1, 32, 32]);
  const before = noGrad(() => model.forward(gray));
  adaptToSmallImages(model);
  const after = noGrad(() => scope(() => model.forward(cat([gray, gray, gray], 1))));
  const wanted = await values(before);
  for (const [i, value] of (await values(after)).entries()) expect(value).toBeCloseTo(wanted[i] ?? 0, 5);
  for (const t of [gray, before, after, model]) t.dispose();
});

test("wrong arguments are told, and a model whose stem is another one", () => {
  const { tensors } = memory();
  const net = new nn.Sequential(new nn.Conv2d(3, 4, 3));
  expect(() => adaptToSmallImages(net as never)).toThrow(/give your own a getter `smallImages`/);
  const model = createModel("squeezenet1_1");
  expect(() => adaptToSmallImages(model, { kernels: "centre" as never })).toThrow(/"crop" or "interpolate"/);
  expect(() => adaptToSmallImages(model, { size: 64 } as never)).toThrow(/no option "size"/);
  const mine = Object.assign(net, { smallImages: { stems: ["1"], lastMap: 1 } });
  expect(() => adaptToSmallImages(mine)).toThrow(ValueError);
  for (const t of [model, net]) t.dispose();
  expect(memory().tensors).toBe(tensors);
});
