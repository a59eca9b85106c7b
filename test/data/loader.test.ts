// data.DataLoader: batches of any data set, errors in order, items fetched ahead, lifetime of tensors, exact resume.
import { beforeAll, describe, expect, test } from "vitest";
import {
  DataError,
  DtypeError,
  data,
  init,
  manualSeed,
  memory,
  rand,
  ShapeError,
  StateDictError,
  StateError,
  type Tensor,
  tensor,
  ValueError,
} from "wgrad";

beforeAll(async () => void (await init()));

const later = <T>(value: T, ms = 1): Promise<T> => new Promise((resolve) => setTimeout(resolve, ms, value));

/** Items i -> f(i). */
const made = <T>(length: number, get: (i: number) => T) => ({ length, get });

async function collected<T>(loader: AsyncIterable<Tensor | T>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const batch of loader) all.push(Array.from(await (batch as Tensor).data()));
  return all;
}

describe("defaultCollate", () => {
  test("keeps the structure and stacks what is in it", async () => {
    const before = memory().tensors;
    const items = [0, 1].map((i) => ({
      id: i,
      weight: i + 0.5,
      image: new data.HostTensor(Uint8Array.of(i, 255, 3, 4), [1, 2, 2]),
      ids: Int32Array.of(i, 7),
      pair: [Float32Array.of(i), `text ${i}`] as [Float32Array, string],
      row: tensor([i, 2, 3]),
      mask: i === 1,
      by: new Map([["count", Uint32Array.of(i)]]),
    }));
    const batch = data.defaultCollate(items);
    const { pair, by, ...plain } = batch;
    const seen = { ...plain, first: pair[0], count: by.get("count") as Tensor };
    const shapes = Object.fromEntries(Object.entries(seen).map(([key, t]) => [key, `${t.dtype} ${t.shape}`]));
    expect(shapes).toEqual({
      id: "i32 2",
      weight: "f32 2",
      image: "i32 2,1,2,2",
      ids: "i32 2,2",
      row: "f32 2,3",
      mask: "i32 2",
      first: "f32 2,1",
      count: "u32 2,1",
    });
    expect(pair[1]).toEqual(["text 0", "text 1"]);
    expect(await batch.image.array()).toEqual([
      [
        [
          [0, 255],
          [3, 4],
        ],
      ],
      [
        [
          [1, 255],
          [3, 4],
        ],
      ],
    ]);
    expect(await batch.row.array()).toEqual([
      [0, 2, 3],
      [1, 2, 3],
    ]);
    expect(await batch.mask.array()).toEqual([0, 1]);
    for (const t of [...Object.values(seen), ...items.map((item) => item.row)]) t.dispose();
    expect(memory().tensors).toBe(before);
  });

  test("says which item does not fit, where, and its shape", () => {
    const before = memory().tensors;
    const fails = (items: unknown[], Kind: new (m: string) => Error, message: RegExp) => {
      expect(() => data.defaultCollate(items, [40, 50])).toThrow(Kind);
      expect(() => data.defaultCollate(items, [40, 50])).toThrow(message);
    };
    const image = (...shape: number[]) => ({
      image: new data.HostTensor(new Uint8Array(shape.reduce((a, b) => a * b)), shape),
    });
    fails(
      [image(3, 2, 2), image(3, 2, 1)],
      ShapeError,
      /item 1 \(position 50\) has shape \[3, 2, 1\] at \.image, item 0 \(position 40\) has \[3, 2, 2\]/,
    );
    fails(
      [
        [1, Int32Array.of(1)],
        [1, Int32Array.of(1, 2)],
      ],
      ShapeError,
      /item 1 .* has shape \[2\] at \[1\]/,
    );
    fails([[1], [1, 2]], ShapeError, /item 1 .* has 2 elements, item 0 .* has 1/);
    fails([Int32Array.of(1), Float32Array.of(1)], DtypeError, /item 1 .* is Float32Array, item 0 .* is Int32Array/);
    fails([{ a: 1 }, { b: 1 }], ValueError, /item 1 .* lacks "a"/);
    fails([{ a: 1 }, { a: "1" }], ValueError, /item 1 .* has "1" at \.a, item 0 .* has 1/);
    fails([{ a: null }, { a: null }], ValueError, /item 0 .* has null at \.a: numbers/);
    fails([], ValueError, /at least one item/);
    const endless: unknown[] = [];
    endless.push(endless);
    fails([endless, endless], ShapeError, /nested more than 64 deep/);
    expect(memory().tensors).toBe(before);
  });
});

describe("DataLoader", () => {
  test("goes through a data set in order, in batches, the last one smaller or left out", async () => {
    const before = memory().tensors;
    const squares = made(7, (i) => i * i);
    const loader = new data.DataLoader(squares, { batchSize: 3 });
    expect(loader.length).toBe(3);
    expect(await collected(loader)).toEqual([[0, 1, 4], [9, 16, 25], [36]]);
    expect(await collected(new data.DataLoader(squares, { batchSize: 3, dropLast: true }))).toEqual([
      [0, 1, 4],
      [9, 16, 25],
    ]);
    expect(memory().tensors).toBe(before);
  });

  test("shuffles anew in each epoch, by seed, and as its order says", async () => {
    const options = { batchSize: 4, shuffle: true, seed: 3 };
    const loader = new data.DataLoader(
      made(20, (i) => i),
      options,
    );
    const orders = [[...loader.order(0)], [...loader.order(1)]];
    expect((await collected(loader)).flat()).toEqual(orders[0]);
    expect((await collected(loader)).flat()).toEqual(orders[1]);
    expect(orders[0]).not.toEqual(orders[1]);
    expect([...(orders[1] ?? [])].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect([
      ...new data.DataLoader(
        made(20, (i) => i),
        { ...options, seed: 4 },
      ).order(0),
    ]).not.toEqual(orders[0]);
  });

  test("a collate makes the batch, and is told positions", async () => {
    const texts = made(3, (i) => "abc".slice(0, i + 1));
    const loader = new data.DataLoader(texts, {
      batchSize: 2,
      collate: (items, positions) => ({
        lengths: tensor(items.map((text) => text.length)),
        at: [...positions],
      }),
    });
    const seen: [number[], unknown][] = [];
    for await (const { lengths, at } of loader) seen.push([at, await lengths.array()]);
    expect(seen).toEqual([
      [
        [0, 1],
        [1, 2],
      ],
      [[2], [3]],
    ]);
  });

  test("fetches items of coming batches at once, no more than prefetch ahead", async () => {
    for (const [prefetch, expected] of [
      [0, 2],
      [1, 4],
      [3, 8],
    ] as const) {
      let most = 0;
      let asked = 0;
      const slow = made(12, async (i) => {
        asked++;
        await later(null);
        return i;
      });
      const loader = new data.DataLoader(slow, { batchSize: 2, prefetch });
      let batches = 0;
      for await (const _ of loader) {
        most = Math.max(most, asked - 2 * batches++);
      }
      expect([prefetch, most]).toEqual([prefetch, expected]);
    }
  });

  test("an item that cannot be had is told in its turn, with its position", async () => {
    const slow = made(8, async (i) => {
      // Those behind fail first.
      await later(null, 20 - 2 * i);
      if (i >= 4) throw new Error(`no ${i}`);
      return i;
    });
    const seen: unknown[] = [];
    const run = async () => {
      for await (const batch of new data.DataLoader(slow, { batchSize: 2, prefetch: 3 }))
        seen.push(await batch.array());
    };
    await expect(run()).rejects.toThrow(new DataError("[DataLoader] item 4 of the data set cannot be had: no 4"));
    expect(seen).toEqual([
      [0, 1],
      [2, 3],
    ]);
    const sync = made(2, (i) => {
      if (i === 1) throw new TypeError("broken");
      return tensor([i]);
    });
    const before = memory().tensors;
    await expect(collected(new data.DataLoader(sync, { batchSize: 2 }))).rejects.toThrow(
      /item 1 of the data set.*broken/,
    );
    expect(memory().tensors).toBe(before);
  });

  test("frees what a get made, and a batch when the loop goes on, breaks or throws; not what was kept", async () => {
    const before = memory().tensors;
    const rows = made(6, (i) => tensor([i, i]));
    const loader = new data.DataLoader(rows, { batchSize: 2 });
    let kept: Tensor | undefined;
    let gone: Tensor | undefined;
    for await (const batch of loader) {
      kept = batch.detach();
      gone = batch;
      break;
    }
    expect(gone?.disposed).toBe(true);
    expect(await kept?.array()).toEqual([
      [0, 0],
      [1, 1],
    ]);
    kept?.dispose();
    const early = made(8, async (i) => tensor([i]));
    for await (const _ of new data.DataLoader(early, { batchSize: 2 })) break;
    expect(await collected(new data.DataLoader(early, { batchSize: 8 }))).toEqual([[0, 1, 2, 3, 4, 5, 6, 7]]);
    expect(memory().tensors).toBe(before);
  });

  test("goes on in the middle of an epoch, with the same items and random numbers", async () => {
    const noisy = (): data.Dataset<{ i: number; noise: data.ToTensor }> =>
      made(10, (i) => later({ i, noise: { toTensor: () => rand([2]) } }));
    const options = { batchSize: 2, shuffle: true, seed: 9 };
    const record = async (loader: data.DataLoader<{ i: Tensor; noise: Tensor }>, stop?: number) => {
      const seen: unknown[] = [];
      for await (const { i, noise } of loader) {
        seen.push([await i.array(), await noise.array()]);
        if (seen.length === stop) break;
      }
      return seen;
    };
    manualSeed(1);
    const whole = new data.DataLoader(noisy(), options);
    const epochs = [await record(whole), await record(whole)].flat();
    manualSeed(1);
    const first = new data.DataLoader(noisy(), options);
    await record(first);
    const part = await record(first, 2);
    const state = JSON.parse(JSON.stringify(first.stateDict()));
    expect(state).toMatchObject({ epoch: 1, batch: 2 });
    const resumed = new data.DataLoader(noisy(), options);
    resumed.loadStateDict(state);
    expect([...part, ...(await record(resumed))]).toEqual(epochs.slice(5));
    expect(resumed.stateDict()).toMatchObject({ epoch: 2, batch: 0 });
    const other = new data.DataLoader(noisy(), { ...options, seed: 8 });
    expect(() => other.loadStateDict(state)).toThrow(
      new StateDictError("[loadStateDict] the loader has another order: seed was 9, is 8"),
    );
  });

  test("a sampler's state is known by its order", () => {
    const numbers = made(6, (i) => i);
    const of = (seed: number) => new data.DataLoader(numbers, { sampler: new data.RandomSampler(numbers, { seed }) });
    of(1).loadStateDict(of(1).stateDict());
    expect(() => of(2).loadStateDict(of(1).stateDict())).toThrow(/checksum was \d+, is \d+/);
  });

  test("takes iterables, sync and async, and goes on in them", async () => {
    const before = memory().tensors;
    const stream = {
      async *[Symbol.asyncIterator]() {
        for (let i = 0; i < 5; i++) yield later(i);
      },
    };
    const loader = new data.DataLoader(stream, { batchSize: 2 });
    expect(await collected(loader)).toEqual([[0, 1], [2, 3], [4]]);
    expect(await collected(loader)).toEqual([[0, 1], [2, 3], [4]]);
    expect(loader.stateDict()).toMatchObject({ epoch: 2, batch: 0 });
    expect(() => loader.length).toThrow(StateError);
    for await (const _ of loader) break;
    const resumed = new data.DataLoader(new Set([0, 1, 2, 3, 4]), { batchSize: 2, dropLast: true });
    resumed.loadStateDict({ ...loader.stateDict(), order: resumed.stateDict().order });
    expect(await collected(resumed)).toEqual([[2, 3]]);
    const failing = (function* () {
      yield 1;
      throw new Error("no more");
    })();
    await expect(collected(new data.DataLoader(failing))).rejects.toThrow(
      /item 1 of the iterable cannot be had: no more/,
    );
    expect(memory().tensors).toBe(before);
  });

  test("an array of items is a data set", async () => {
    const loader = new data.DataLoader(["a", "b", "c"], { batchSize: 3, shuffle: true });
    const order = loader.order();
    for await (const texts of loader) expect(texts).toEqual([...order].map((i) => "abc"[i]));
  });

  test("frees what was made for a batch that cannot be made", async () => {
    const before = memory().tensors;
    const rows = made(2, (i) => tensor(Array.from({ length: i + 1 }, () => 1)));
    await expect(collected(new data.DataLoader(rows, { batchSize: 2 }))).rejects.toThrow(ShapeError);
    expect(memory().tensors).toBe(before);
  });

  test("bad options and samplers are typed errors", async () => {
    const numbers = made(4, (i) => i);
    const make = (options: object) => () => new data.DataLoader(numbers, options);
    expect(make({ batchSize: 0 })).toThrow(ValueError);
    expect(make({ batchSize: 5, dropLast: true })).toThrow(/dropLast leaves no batch of 5 out of 4 items/);
    expect(make({ shuffle: true, sampler: new data.SequentialSampler(numbers) })).toThrow(
      /a sampler gives the order: leave out shuffle/,
    );
    expect(make({ sampler: {} })).toThrow(/takes a sampler/);
    expect(() => new data.DataLoader(new Set([1, 2]), { shuffle: true })).toThrow(/an iterable has no positions/);
    // @ts-expect-error: no data set
    expect(() => new data.DataLoader(3)).toThrow(/takes a data set, an object with a length and a method get/);
    const beyond = { length: 1, order: () => Int32Array.of(4) };
    await expect(collected(new data.DataLoader(numbers, { sampler: beyond }))).rejects.toThrow(
      /gave position 4; the data set has 0..3/,
    );
  });
});

describe("data sets", () => {
  test("TensorDataset: slices, and batches gathered on the device", async () => {
    const before = memory().tensors;
    const x = tensor([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    const y = tensor([7, 8, 9], { dtype: "i32" });
    const set = new data.TensorDataset(x, y);
    const [row, label] = set.get(1);
    expect([await row.array(), await label.array()]).toEqual([[2, 3], 8]);
    row.dispose();
    label.dispose();
    const loader = new data.DataLoader(set, { batchSize: 2, shuffle: true });
    const order = loader.order();
    const seen: unknown[] = [];
    for await (const [inputs, targets] of loader) {
      expect(inputs.shape.slice(1)).toEqual([2]);
      seen.push(...((await targets.array()) as number[]));
    }
    expect(seen).toEqual([...order].map((i) => 7 + i));
    expect(() => set.get(3)).toThrow(ValueError);
    expect(() => set.getBatch(Int32Array.of(-1))).toThrow(ValueError);
    const short = tensor([1]);
    expect(() => new data.TensorDataset(x, short)).toThrow(/tensor 1 has 1 items, tensor 0 has 3/);
    short.dispose();
    x.dispose();
    y.dispose();
    expect(memory().tensors).toBe(before);
  });

  test("Subset, ConcatDataset, randomSplit", async () => {
    const numbers = made(10, (i) => i);
    const subset = new data.Subset(numbers, [8, 3, 3]);
    expect([subset.length, subset.get(0), subset.get(2)]).toEqual([3, 8, 3]);
    expect(() => new data.Subset(numbers, [10])).toThrow(/there is no item 10; expected 0..9/);
    const both = new data.ConcatDataset([subset, made(0, () => 0), made(2, (i) => 100 + i)]);
    expect(Array.from({ length: both.length }, (_, i) => both.get(i))).toEqual([8, 3, 3, 100, 101]);
    expect(() => both.get(5)).toThrow(ValueError);
    const parts = data.randomSplit(numbers, [0.5, 0.25, 0.25], { seed: 1 });
    expect(parts.map((part) => part.length)).toEqual([6, 2, 2]);
    expect(parts.flatMap((part) => [...part.indices]).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, i) => i),
    );
    expect(data.randomSplit(numbers, [0.5, 0.25, 0.25], { seed: 1 })[0]?.indices).toEqual(parts[0]?.indices);
    expect(data.randomSplit(numbers, [7, 3]).map((part) => part.length)).toEqual([7, 3]);
    expect(() => data.randomSplit(numbers, [7, 4])).toThrow(/add up to 11; expected 10/);
    const x = tensor([5, 6, 7]);
    const ofTensors = new data.Subset(new data.TensorDataset(x), [2, 0]);
    for await (const [batch] of new data.DataLoader(ofTensors, { batchSize: 2 }))
      expect(await batch.array()).toEqual([7, 5]);
    x.dispose();
  });
});
