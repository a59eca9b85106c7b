// DataLoader: order and size of batches, shuffling by seed and epoch, lifetime of tensors, steps in flight.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Device, init, memory, vision } from "wgrad";

const LENGTH = 23;
/** Image i is full of i. */
const host = new vision.ImageDataset({
  images: Uint8Array.from({ length: LENGTH * 12 }, (_, i) => Math.floor(i / 12)),
  labels: Int32Array.from({ length: LENGTH }, (_, i) => i % 5),
  classes: Array.from("abcde"),
  shape: [3, 2, 2],
});

describe("DataLoader", () => {
  let device: Device;
  let dataset: vision.GpuDataset;
  beforeAll(async () => {
    device = await init();
    dataset = new vision.GpuDataset(host);
  });
  afterAll(() => dataset.dispose());

  /** The batches of one epoch as positions, read from the pictures themselves, with their labels checked. */
  async function epoch(loader: vision.DataLoader): Promise<number[][]> {
    const { tensors } = memory();
    const batches: number[][] = [];
    for await (const { images, labels, indices, size } of loader) {
      const pixels = await images.data();
      const order = Array.from({ length: size }, (_, i) => Math.round(pixels[i * 12]! * 255));
      expect(images.shape).toEqual([size, 3, 2, 2]);
      expect([...(await indices.data())]).toEqual(order);
      expect([...(await labels.data())]).toEqual(order.map((i) => i % 5));
      batches.push(order);
    }
    expect(memory().tensors).toBe(tensors);
    return batches;
  }

  test("goes through the data set in order, the last batch smaller or dropped", async () => {
    const loader = new vision.DataLoader(dataset, { batchSize: 5 });
    expect(loader.length).toBe(5);
    const batches = await epoch(loader);
    expect(batches.map((b) => b.length)).toEqual([5, 5, 5, 5, 3]);
    expect(batches.flat()).toEqual(Array.from({ length: LENGTH }, (_, i) => i));
    const dropping = new vision.DataLoader(dataset, { batchSize: 5, dropLast: true });
    expect(dropping.length).toBe(4);
    expect((await epoch(dropping)).flat()).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect((await epoch(new vision.DataLoader(dataset))).length).toBe(LENGTH);
  });

  test("shuffles by seed and epoch, and goes on at a given epoch", async () => {
    const options = { batchSize: 4, shuffle: true, seed: 42 };
    const loader = new vision.DataLoader(dataset, options);
    const epochs = [await epoch(loader), await epoch(loader), await epoch(loader)].map((b) => b.flat());
    for (const order of epochs) {
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: LENGTH }, (_, i) => i));
    }
    expect(new Set(epochs.map(String)).size).toBe(3);
    expect(loader.epoch).toBe(3);
    const resumed = new vision.DataLoader(dataset, options);
    resumed.setEpoch(2);
    expect((await epoch(resumed)).flat()).toEqual(epochs[2]);
    const other = new vision.DataLoader(dataset, { ...options, seed: 43 });
    expect((await epoch(other)).flat()).not.toEqual(epochs[0]);
  });

  test("index batches are the same, and padded to one size where asked", async () => {
    const loader = new vision.DataLoader(dataset, { batchSize: 5, shuffle: true, seed: 1 });
    const order = (await epoch(loader)).flat();
    loader.setEpoch(0);
    const { tensors } = memory();
    const seen: number[] = [];
    for await (const { indices, size } of loader.indexBatches({ pad: true })) {
      expect(indices.shape).toEqual([5]);
      const values = [...(await indices.data())];
      seen.push(...values.slice(0, size));
      expect(values.slice(size)).toEqual(Array.from({ length: 5 - size }, () => -1));
      const { images, labels } = dataset.batch(indices);
      expect([...(await labels.data())]).toEqual(values.map((i) => (i < 0 ? -100 : i % 5)));
      images.dispose();
      labels.dispose();
    }
    expect(seen).toEqual(order);
    expect(memory().tensors).toBe(tensors);
  });

  test("frees a batch when the loop breaks or throws, and leaves what was kept", async () => {
    const { tensors } = memory();
    const loader = new vision.DataLoader(dataset, { batchSize: 5 });
    let kept: vision.LoadedBatch["images"] | undefined;
    let gone: vision.LoadedBatch["images"] | undefined;
    for await (const { images } of loader) {
      kept = images.detach();
      gone = images;
      break;
    }
    expect(gone!.disposed).toBe(true);
    expect((await kept!.data())[12]! * 255).toBeCloseTo(1);
    kept!.dispose();
    await expect(async () => {
      for await (const _ of loader) throw new Error("stop");
    }).rejects.toThrow("stop");
    expect(memory().tensors).toBe(tensors);
  });

  test("a loop without readback allocates no more with more batches", async () => {
    const loader = new vision.DataLoader(dataset, {
      batchSize: 2,
      transform: vision.compose([vision.randomCrop(2, { padding: 1 }), vision.normalize([0.5], [0.5])]),
    });
    const run = async () => {
      for await (const _ of loader);
      await device.sync();
      return device.pool.created;
    };
    await run();
    const created = await run();
    for (let i = 0; i < 5; i++) await run();
    expect(await run()).toBe(created);
  });

  test("bad options are typed errors", () => {
    expect(() => new vision.DataLoader(dataset, { batchSize: 0 })).toThrow(
      "[DataLoader] batchSize must be a whole number of at least 1",
    );
    expect(() => new vision.DataLoader(dataset, { seed: 0.5 })).toThrow("[DataLoader] seed");
    expect(() => new vision.DataLoader(dataset, { batchSize: 24, dropLast: true })).toThrow(
      "[DataLoader] dropLast leaves no batch of 24 out of 23",
    );
    expect(() => new vision.DataLoader(dataset).setEpoch(-1)).toThrow("[DataLoader] the epoch");
  });
});
