// GpuDataset: images and labels by index, chunks, padding, augmentation inside a captured step.
import { describe, expect, test } from "vitest";
import { capture, DeviceError, init, manualSeed, memory, tensor, useDevice, vision } from "wgrad";
import { currentDevice } from "../../src/gpu/device.ts";
import { withDevice } from "../support/case.ts";
import { rng } from "../support/host.ts";

function makeDataset(length: number, shape: readonly [number, number, number], from = 1): vision.ImageDataset {
  const next = rng(from);
  const size = shape[0] * shape[1] * shape[2];
  return new vision.ImageDataset({
    images: Uint8Array.from({ length: length * size }, () => Math.floor(next() * 256)),
    labels: Int32Array.from({ length }, (_, i) => (i * 7) % 10),
    classes: Array.from("abcdefghij"),
    shape,
  });
}

/** What a batch must hold, without transforms. */
function expected(dataset: vision.ImageDataset, indices: readonly number[]) {
  const blank = new Uint8Array(dataset.images.length / dataset.length);
  const known = (i: number) => i >= 0 && i < dataset.length;
  return {
    images: indices.flatMap((i) => Array.from(known(i) ? dataset.image(i) : blank, (v) => v / 255)),
    labels: indices.map((i) => (known(i) ? dataset.labels[i] : -100)),
  };
}

function near(got: ArrayLike<number>, want: readonly number[]): void {
  expect(got.length).toBe(want.length);
  let worst = 0;
  want.forEach((v, i) => {
    worst = Math.max(worst, Math.abs(got[i]! - v));
  });
  expect(worst).toBeLessThan(1e-6);
}

describe("GpuDataset", () => {
  withDevice();

  // Images of a whole number of words and not, in one chunk and in several.
  for (const shape of [
    [3, 4, 5],
    [1, 5, 5],
    [3, 3, 3],
    [5, 2, 3],
  ] as const) {
    for (const perChunk of [100, 7, 1]) {
      test(`images [${shape}], ${perChunk} a chunk: each with its label`, async () => {
        const host = makeDataset(23, shape);
        const words = Math.ceil((shape[0] * shape[1] * shape[2]) / 4);
        const dataset = new vision.GpuDataset(host, { chunkBytes: 4 * words * perChunk + 3 });
        expect([dataset.length, dataset.shape, dataset.classes]).toEqual([23, shape, host.classes]);
        const order = [22, 0, 6, 7, 13, 14, 7, -1, 21, -2147483648];
        const indices = tensor(Int32Array.from(order));
        const { images, labels } = dataset.batch(indices);
        expect(images.shape).toEqual([order.length, ...shape]);
        expect(labels.dtype).toBe("i32");
        const want = expected(host, order);
        near(await images.data(), want.images);
        expect([...(await labels.data())]).toEqual(want.labels);
        for (const t of [images, labels, indices]) t.dispose();
        dataset.dispose();
      });
    }
  }

  test("a normalization that comes first is done while gathering", async () => {
    const host = makeDataset(5, [3, 4, 4]);
    const dataset = new vision.GpuDataset(host);
    const indices = tensor(Int32Array.of(4, 2));
    const { images, labels } = dataset.batch(
      indices,
      vision.compose([
        vision.toTensor(),
        vision.normalize(vision.IMAGENET_MEAN, vision.IMAGENET_STD),
        vision.resize(8),
      ]),
    );
    expect(images.shape).toEqual([2, 3, 8, 8]);
    const plain = dataset.batch(indices, vision.normalize(vision.IMAGENET_MEAN, vision.IMAGENET_STD));
    const want = expected(host, [4, 2]).images.map((v, i) => {
      const c = Math.floor(i / 16) % 3;
      return (v - vision.IMAGENET_MEAN[c]!) / vision.IMAGENET_STD[c]!;
    });
    near(
      (await plain.images.data()).map((v) => v / 4),
      want.map((v) => v / 4),
    );
    for (const t of [images, labels, plain.images, plain.labels, indices]) t.dispose();
    dataset.dispose();
  });

  test("a captured step augments each batch anew, as an uncaptured one", async () => {
    const host = makeDataset(40, [3, 8, 8]);
    const dataset = new vision.GpuDataset(host, { chunkBytes: 3 * 8 * 8 * 15 });
    const augment = vision.compose([
      vision.randomCrop(8, { padding: 2 }),
      vision.randomHorizontalFlip(),
      vision.colorJitter({ brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 }),
      vision.randomRotation(15),
      vision.normalize(vision.CIFAR10_MEAN, vision.CIFAR10_STD),
    ]);
    const batches = [
      [0, 39, 14, 15],
      [7, 7, 29, 30],
      [0, 39, 14, 15],
    ].map((b) => tensor(Int32Array.from(b)));
    const step = capture((indices) => {
      const { images, labels } = dataset.batch(indices, augment);
      return [images, labels];
    });
    const runs: number[][][] = [];
    for (const f of [step, (i: (typeof batches)[0]) => Object.values(dataset.batch(i, augment))]) {
      manualSeed(3);
      const out: number[][] = [];
      for (const indices of batches) {
        const tensors = f(indices);
        for (const t of tensors) {
          out.push([...(await t.data())]);
          t.dispose();
        }
      }
      runs.push(out);
    }
    expect(step.recordings).toBe(1);
    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0]![0]).not.toEqual(runs[0]![4]);
    expect(runs[0]![1]).toEqual(runs[0]![5]);
    step.dispose();
    for (const t of batches) t.dispose();
    dataset.dispose();
  });

  test("an index beyond the end is reported at the next readback", async () => {
    const dataset = new vision.GpuDataset(makeDataset(23, [1, 2, 2]), { chunkBytes: 40 });
    const indices = tensor(Int32Array.of(3, 23));
    const { images, labels } = dataset.batch(indices);
    await expect(images.data()).rejects.toThrow("[GpuDataset.batch] there is no image 23; expected 0..22");
    expect([...(await labels.data())]).toEqual([1, -100]);
    for (const t of [images, labels, indices]) t.dispose();
    dataset.dispose();
  });

  test("lives on the device that it is given, and with it batches and random numbers", async () => {
    const current = currentDevice();
    const device = await init();
    useDevice(current);
    const host = makeDataset(5, [3, 4, 4]);
    const dataset = new vision.GpuDataset(host, { device });
    const transform = vision.compose([
      vision.randomHorizontalFlip(0),
      vision.colorJitter({ contrast: [1, 2] }),
      vision.resize(4),
    ]);
    const loader = new vision.DataLoader(dataset, { batchSize: 2, transform });
    const labels: number[] = [];
    for await (const batch of loader) {
      for (const t of [batch.images, batch.labels, batch.indices]) expect(t.device).toBe(device);
      labels.push(...(await batch.labels.data()));
    }
    expect(labels).toEqual([...host.labels]);
    const elsewhere = tensor(Int32Array.of(0));
    expect(() => dataset.batch(elsewhere)).toThrow(DeviceError);
    elsewhere.dispose();
    dataset.dispose();
    device.destroy();
  });

  test("dispose frees the images; bad input is a typed error", () => {
    const { bytes } = memory();
    const dataset = new vision.GpuDataset(makeDataset(64, [3, 4, 4]));
    const indices = tensor(Int32Array.of(0));
    const floats = tensor([0]);
    expect(() => dataset.batch(floats)).toThrow("[GpuDataset.batch] indices is f32 but must be i32");
    expect(() => dataset.batch(indices, vision.randomCrop(9))).toThrow("[randomCrop] a crop of 9 x 9");
    expect(() => dataset.batch(indices, vision.normalize([0, 0], [1, 1]))).toThrow(
      "[normalize] images have 3 channels",
    );
    dataset.dispose();
    dataset.dispose();
    expect(() => dataset.batch(indices)).toThrow("[GpuDataset.batch] the data set was disposed");
    const empty = makeDataset(4, [1, 2, 2]).subset(0);
    expect(() => new vision.GpuDataset(empty)).toThrow("[GpuDataset] the data set has no images");
    expect(() => new vision.GpuDataset(makeDataset(4, [1, 9, 9]), { chunkBytes: 80 })).toThrow(
      "does not fit into a chunk",
    );
    floats.dispose();
    indices.dispose();
    expect(memory().bytes).toBe(bytes);
  });
});
