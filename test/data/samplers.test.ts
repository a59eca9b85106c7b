// Samplers: which positions, how often, and that an epoch's order is always the same.
import { describe, expect, test } from "vitest";
import { data, ValueError } from "wgrad";

const ten = { length: 10 };
const sorted = (order: Iterable<number>) => [...order].sort((a, b) => a - b);

describe("samplers", () => {
  test("SequentialSampler, RandomSampler, SubsetRandomSampler", () => {
    expect([...new data.SequentialSampler(ten).order(3)]).toEqual(sorted(ten.length ? Array(10).keys() : []));
    const random = new data.RandomSampler(ten, { seed: 5 });
    expect(sorted(random.order(0))).toEqual([...Array(10).keys()]);
    expect(random.order(1)).toEqual(new data.RandomSampler(ten, { seed: 5 }).order(1));
    expect(random.order(1)).not.toEqual(random.order(0));
    const longer = new data.RandomSampler(ten, { numSamples: 25 }).order(0);
    expect(sorted(longer.slice(10, 20))).toEqual([...Array(10).keys()]);
    expect(longer.slice(10, 20)).not.toEqual(longer.slice(0, 10));
    const subset = new data.SubsetRandomSampler([3, 9, 4]);
    expect([subset.length, sorted(subset.order(7))]).toEqual([3, [3, 4, 9]]);
  });

  test("with replacement each position is drawn from all", () => {
    const draws = new data.RandomSampler(ten, { replacement: true, numSamples: 20_000 }).order(0);
    const counts = new Float64Array(10);
    for (const i of draws) counts[i] = (counts[i] ?? 0) + 1;
    // Binomial: 2000 expected, standard deviation 42.
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(5 * 42);
  });

  test("WeightedRandomSampler draws by weight, and never what weighs nothing", () => {
    const weights = [0, 1, 3, 0, 6, 0];
    const draws = new data.WeightedRandomSampler(weights, 20_000, { seed: 2 }).order(0);
    const counts = new Float64Array(6);
    for (const i of draws) counts[i] = (counts[i] ?? 0) + 1;
    for (const [i, weight] of weights.entries()) {
      const p = weight / 10;
      expect(Math.abs((counts[i] ?? 0) - 20_000 * p)).toBeLessThanOrEqual(5 * Math.sqrt(20_000 * p * (1 - p)));
    }
    // Without replacement the first of two: with weights 1 and 3 the second comes first three times of four.
    const two = new data.WeightedRandomSampler([1, 3], 2, { replacement: false });
    let second = 0;
    for (let epoch = 0; epoch < 2000; epoch++) {
      const order = two.order(epoch);
      expect(sorted(order)).toEqual([0, 1]);
      second += order[0] === 1 ? 1 : 0;
    }
    expect(Math.abs(second - 1500)).toBeLessThan(5 * Math.sqrt(2000 * 0.75 * 0.25));
    expect(() => new data.WeightedRandomSampler([1, 0], 2, { replacement: false })).toThrow(
      /1 weights are above 0, but at least 2/,
    );
    expect(() => new data.WeightedRandomSampler([0, 0], 2)).toThrow(ValueError);
  });

  test("BatchSampler", () => {
    const sampler = new data.SequentialSampler({ length: 7 });
    expect(new data.BatchSampler(sampler, 3).batches(0).map((b) => [...b])).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(new data.BatchSampler(sampler, 3, true).length).toBe(2);
    const loader = new data.DataLoader(
      { length: 7, get: (i: number) => i },
      { batchSampler: new data.BatchSampler(sampler, 3) },
    );
    expect([loader.length, [...loader.order()]]).toEqual([3, [0, 1, 2, 3, 4, 5, 6]]);
  });
});
