// Random numbers: known answers of Philox, the device against a second implementation, and the laws that they follow.
import { afterEach, describe, expect, test } from "vitest";
import {
  bernoulli,
  getRngState,
  manualSeed,
  rand,
  randint,
  randn,
  randperm,
  setRngState,
  type Tensor,
  ValueError,
} from "wgrad";
import { currentDevice } from "../../src/gpu/device.ts";
import { uniform } from "../../src/ops/random.ts";
import { philox } from "../../src/tensor/philox.ts";
import { advanceStreams, permutation, rngShift, streamCount } from "../../src/tensor/random-state.ts";
import { withDevice } from "../support/case.ts";

withDevice();

/** Philox 4x32-10 with whole 64-bit products: written from the paper, not from the code under test. */
function reference(counter: number[], key: number[]): number[] {
  const mask = 0xffffffffn;
  let [a, b, c, d] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k, l] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const [p, q] = [a * 0xd2511f53n, c * 0xcd9e8d57n];
    [a, b, c, d] = [(q >> 32n) ^ b ^ k, q & mask, (p >> 32n) ^ d ^ l, p & mask];
    k = (k + 0x9e3779b9n) & mask;
    l = (l + 0xbb67ae85n) & mask;
  }
  return [a, b, c, d].map(Number);
}

const live: Tensor[] = [];
const keep = <T extends Tensor>(t: T): T => {
  live.push(t);
  return t;
};
afterEach(() => {
  for (const t of live.splice(0)) t.dispose();
});

describe("Philox 4x32-10", () => {
  // Random123's kat_vectors.
  test.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])("known answer for counter %j and key %j", (counter, key, words) => {
    expect(reference(counter, key)).toEqual(words);
    expect(philox(counter as [number, number, number, number], key as [number, number])).toEqual(words);
  });
});

describe("the device draws Philox's words", () => {
  test("uniform numbers are the upper 24 bits, element i from counter i / 4", async () => {
    const seed = 2 ** 40 + 12_345_678_901;
    manualSeed(seed);
    keep(rand([3]));
    const n = 1003;
    const got = await keep(rand([n])).data();
    for (let i = 0; i < n; i++) {
      const words = reference([Math.floor(i / 4), 0, 0, Math.floor(seed / 2 ** 32)], [seed % 2 ** 32, 1]);
      expect(got[i]).toBe((words[i % 4]! >>> 8) / 2 ** 24);
    }
  });

  test("normal numbers are Box and Muller's, whole numbers scale the word", async () => {
    manualSeed(7);
    const normal = await keep(randn([400])).data();
    const whole = await keep(randint(-5, 1000, [400])).data();
    for (let i = 0; i < 100; i++) {
      const [a, b, c, d] = reference([i, 0, 0, 0], [7, 0]) as [number, number, number, number];
      for (const [k, [u, v]] of [
        [a, b],
        [c, d],
      ].entries() as IterableIterator<[number, [number, number]]>) {
        const radius = Math.sqrt(-2 * Math.log(((u >>> 8) + 1) / 2 ** 24));
        const angle = (2 * Math.PI * (v >>> 8)) / 2 ** 24;
        expect(Math.abs(normal[4 * i + 2 * k]! - radius * Math.cos(angle))).toBeLessThan(1e-5);
        expect(Math.abs(normal[4 * i + 2 * k + 1]! - radius * Math.sin(angle))).toBeLessThan(1e-5);
      }
      const words = reference([i, 0, 0, 0], [7, 1]);
      for (const [k, w] of words.entries()) expect(whole[4 * i + k]).toBe(-5 + Math.floor((w * 1005) / 2 ** 32));
    }
  });

  test("the shift buffer adds to the stream", async () => {
    const device = currentDevice();
    manualSeed(3);
    const streams = [];
    for (let i = 0; i < 4; i++) streams.push(await keep(rand([9])).data());
    manualSeed(3);
    device.queue.write(rngShift(device).buffer, new Uint32Array([2]));
    expect(await keep(rand([9])).data()).toEqual(streams[2]);
    device.queue.write(rngShift(device).buffer, new Uint32Array([0]));
    expect(streamCount()).toBe(1);
    advanceStreams(2);
    expect(await keep(rand([9])).data()).toEqual(streams[3]);
  });
});

describe("seeds and states", () => {
  test("the same seed gives the same numbers, another one others", async () => {
    const draw = async () => [
      await keep(rand([50])).data(),
      await keep(randn([2, 25])).data(),
      await keep(randint(0, 9, [50])).data(),
      await keep(bernoulli([50], 0.5)).data(),
    ];
    manualSeed(11);
    const first = await draw();
    manualSeed(11);
    expect(await draw()).toEqual(first);
    manualSeed(12);
    expect(await draw()).not.toEqual(first);
  });

  test("a state goes on where it was taken", async () => {
    manualSeed(5);
    keep(rand([4]));
    permutation(3);
    const state = getRngState();
    const [a, order] = [await keep(rand([8])).data(), permutation(20)];
    manualSeed(99);
    setRngState(state);
    expect(await keep(rand([8])).data()).toEqual(a);
    expect(permutation(20)).toEqual(order);
    expect(JSON.parse(JSON.stringify(state))).toEqual({ seed: 5, streams: 2 });
  });
});

describe("distributions", () => {
  test("moments and ranges", async () => {
    manualSeed(1);
    const n = 100_000;
    const stats = (data: ArrayLike<number>) => {
      const list = Array.from(data);
      const mean = list.reduce((a, b) => a + b, 0) / n;
      return {
        mean,
        variance: list.reduce((a, b) => a + (b - mean) ** 2, 0) / n,
        min: list.reduce((a, b) => Math.min(a, b)),
        max: list.reduce((a, b) => Math.max(a, b)),
      };
    };
    const u = stats(await keep(rand([n])).data());
    expect(u.mean).toBeCloseTo(0.5, 2);
    expect(u.variance).toBeCloseTo(1 / 12, 2);
    expect(u.min).toBeGreaterThanOrEqual(0);
    expect(u.max).toBeLessThan(1);
    const v = stats(await keep(uniform([n], -3, 5)).data());
    expect(v.mean).toBeCloseTo(1, 1);
    expect(v.min).toBeGreaterThanOrEqual(-3);
    expect(v.max).toBeLessThanOrEqual(5);
    const g = stats(await keep(randn([n])).data());
    expect(Math.abs(g.mean)).toBeLessThan(0.02);
    expect(Math.abs(g.variance - 1)).toBeLessThan(0.02);
    expect(g.max).toBeGreaterThan(3.5);
    const k = await keep(randint(-2, 3, [n])).data();
    const counts = new Map<number, number>();
    for (const x of k) counts.set(x, (counts.get(x) ?? 0) + 1);
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
    for (const c of counts.values()) expect(Math.abs(c - n / 5)).toBeLessThan(600);
    const b = await keep(bernoulli([n], 0.25, 4)).data();
    expect(new Set(b)).toEqual(new Set([0, 4]));
    expect(Math.abs(stats(b).mean - 1)).toBeLessThan(0.03);
  });

  test("certain and impossible events, empty shapes", async () => {
    expect(await keep(bernoulli([5], 1, 2)).array()).toEqual([2, 2, 2, 2, 2]);
    expect(await keep(bernoulli([5], 0)).array()).toEqual([0, 0, 0, 0, 0]);
    expect(await keep(rand([0, 3])).array()).toEqual([]);
    expect(keep(rand([])).shape).toEqual([]);
    expect(keep(randn([2], { requiresGrad: true })).requiresGrad).toBe(true);
  });

  test("permutations hold every number once, all orders equally often", async () => {
    manualSeed(2);
    expect([...(await keep(randperm(100)).data())].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = permutation(3).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const c of counts.values()) expect(Math.abs(c - 1000)).toBeLessThan(150);
  });

  test("bad arguments", () => {
    expect(() => manualSeed(-1)).toThrow(ValueError);
    expect(() => randint(3, 3, [2])).toThrow("[randint] needs whole numbers low < high that fit i32, got 3 and 3");
    expect(() => bernoulli([2], 1.5)).toThrow("[bernoulli] the probability must be a number from 0 to 1, got 1.5");
    expect(() => rand([-1])).toThrow(/\[rand\] shape \[-1\]/);
    expect(() => permutation(1.5)).toThrow(ValueError);
  });
});
