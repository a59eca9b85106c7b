// ImageDataset: what it refuses, and that subsets are the first images.
import { expect, test } from "vitest";
import { ShapeError, ValueError } from "../../src/errors.ts";
import { ImageDataset } from "../../src/vision/datasets/image-dataset.ts";

const small = () =>
  new ImageDataset({
    images: Uint8Array.from({ length: 5 * 12 }, (_, i) => i),
    labels: Int32Array.of(0, 1, 1, 2, 0),
    classes: ["a", "b", "c"],
    shape: [3, 2, 2],
  });

test("a subset is the first images", () => {
  const subset = small().subset(2);
  expect(subset.length).toBe(2);
  expect([...subset.labels]).toEqual([0, 1]);
  expect(subset.images).toEqual(small().images.slice(0, 24));
  expect(subset.image(1)).toEqual(small().images.slice(12, 24));
  expect(small().subset(0).length).toBe(0);
  expect(() => small().subset(6)).toThrow(ValueError);
  expect(() => small().image(5)).toThrow(/there is no image 5; expected 0..4/);
});

test("a selection is copied, in its order", () => {
  const picked = small().select([3, 0, 3]);
  expect([...picked.labels]).toEqual([2, 0, 2]);
  expect([...picked.image(1), ...picked.image(2)]).toEqual([...small().image(0), ...small().image(3)]);
  expect(() => small().select([5])).toThrow(/there is no item 5; expected 0..4/);
});

test("class counts", () => {
  expect(small().classCounts()).toEqual([2, 2, 1]);
});

test("parts that do not fit are refused", () => {
  const { images, labels, classes, shape } = small();
  expect(() => new ImageDataset({ images: images.subarray(1), labels, classes, shape })).toThrow(ShapeError);
  expect(() => new ImageDataset({ images, labels, classes, shape: [3, 4, 0] })).toThrow(ShapeError);
  expect(() => new ImageDataset({ images, labels, classes: ["a", "b"], shape })).toThrow(
    /label 2 of image 3 is out of range; expected 0..1/,
  );
  expect(() => new ImageDataset({ images, labels: Int32Array.of(0, -1, 0, 0, 0), classes, shape })).toThrow(ValueError);
});
