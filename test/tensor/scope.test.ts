// scope(): what fn creates and does not return is freed when it ends.
import { describe, expect, test } from "vitest";
import { memory, StateError, scope, type Tensor, tensor } from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();

const count = () => memory().tensors;

describe("scope", () => {
  test("keeps a returned tensor, and those in arrays, maps, sets and plain objects", () => {
    const make = (i: number) => tensor([i]);
    const before = count();
    const one = scope(() => make(1).add(make(2)));
    const many = scope(() => {
      make(0);
      return {
        list: [make(1), [make(2)]],
        map: new Map([["k", make(3)]]),
        set: new Set([make(4)]),
        number: 5,
        none: null,
      };
    });
    expect(count()).toBe(before + 5);
    const [first, [second]] = many.list as [Tensor, [Tensor]];
    for (const t of [one, first, second, many.map.get("k")!, ...many.set]) {
      expect(t.disposed).toBe(false);
      t.dispose();
    }
  });

  test("nests: an inner result belongs to the outer scope", () => {
    let inner: Tensor | undefined;
    const before = count();
    const outer = scope(() => {
      inner = scope(() => tensor([1]).add(1));
      expect(inner.disposed).toBe(false);
      return inner.mul(2);
    });
    expect(inner!.disposed).toBe(true);
    expect(count()).toBe(before + 1);
    outer.dispose();
  });

  test("leaves what was made outside, and gradients, alone", async () => {
    const x = tensor([3], { requiresGrad: true });
    const same = scope(() => x);
    scope(() => x.square().sum().backward());
    expect(same).toBe(x);
    expect(await x.grad!.array()).toEqual([6]);
    x.dispose();
  });

  test("frees also when fn throws", () => {
    const before = count();
    expect(() =>
      scope(() => {
        tensor([1]).add(1);
        throw new RangeError("inside");
      }),
    ).toThrow(RangeError);
    expect(count()).toBe(before);
    const after = tensor([1]);
    expect(after.disposed).toBe(false);
    after.dispose();
  });

  test("refuses a promise", () => {
    const before = count();
    // @ts-expect-error: a promise is rejected by type as well
    const run = () => scope(async () => tensor([1]));
    expect(run).toThrow(StateError);
    expect(run).toThrow(/a scope is synchronous/);
    expect(count()).toBe(before);
  });

  test("a returned tensor keeps what its backward needs", async () => {
    const x = tensor([2], { requiresGrad: true });
    const y = scope(() => x.exp().square().sum());
    y.backward();
    expect((await x.grad!.data())[0]).toBeCloseTo(2 * Math.exp(4), 2);
    x.dispose();
    y.dispose();
  });
});

test("dispose and Symbol.dispose free once; memory() counts bytes of shared storage once", () => {
  const before = memory({ resetPeak: true });
  const x = tensor(new Float32Array(256));
  const v = x.reshape([16, 16]);
  expect(memory()).toMatchObject({
    tensors: before.tensors + 2,
    bytes: before.bytes + 1024,
    peakBytes: before.bytes + 1024,
  });
  x.dispose();
  expect(memory().bytes).toBe(before.bytes + 1024);
  v[Symbol.dispose]();
  v.dispose();
  expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
});
