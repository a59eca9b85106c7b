// The pool of buffers: what a steady step uses stays, what is long unused goes back to the device.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { capture, type Device, init, memory, noGrad, ones, StateError, scope, type Tensor } from "wgrad";

const MIB = 2 ** 20;

describe("the pool", () => {
  let device: Device;
  /** In MiB, to the nearest. */
  const pooled = () => Math.round(memory().pooledBytes / MIB);
  /** Batches that use one small buffer. */
  const otherWork = async (batches: number) => {
    const x = ones([4]);
    for (let i = 0; i < batches; i++) {
      x.add_(0);
      device.queue.flush();
    }
    x.dispose();
    await device.sync();
  };

  beforeEach(async () => {
    device?.destroy();
    device = await init();
    // Kernels are compiled before anything is measured.
    const x = ones([4]);
    x.add(1).dispose();
    await otherWork(1);
    x.dispose();
  });
  afterEach(() => expect(memory().tensors).toBe(0));

  test("tensors of growing size, each disposed before the next, leave little behind", async () => {
    let most = 0;
    for (let i = 0; i < 60; i++) {
      const n = Math.round((MIB / 4) * (1 + i * 0.5));
      const x = ones([n]);
      most = Math.max(most, 4 * n);
      await device.sync();
      x.dispose();
    }
    expect(memory().pooledBytes).toBeLessThanOrEqual(2 * most);
  });

  test("a step that needs one size after the other soon makes no more buffers, and keeps them", async () => {
    const step = async () => {
      for (let size = 5; size <= 11; size++) {
        const x = ones([(size * MIB) / 4]);
        await device.sync();
        x.dispose();
      }
    };
    for (let i = 0; i < 3; i++) await step();
    const { created, allocatedBytes } = device.pool;
    for (let i = 0; i < 20; i++) await step();
    expect(device.pool.created).toBe(created);
    expect(device.pool.allocatedBytes).toBe(allocatedBytes);
  });

  test("what no batch has used for long is given back, what is used stays", async () => {
    const [big, used] = [ones([4 * MIB]), ones([MIB])];
    await device.sync();
    big.dispose();
    await otherWork(100);
    expect(pooled()).toBe(20);
    await otherWork(700);
    expect(pooled()).toBe(4);
    expect((await used.data()).every((v) => v === 1)).toBe(true);
    used.dispose();
  });

  test("nothing goes that commands yet to be submitted use", async () => {
    const results: Tensor[] = [];
    for (let i = 0; i < 40; i++) {
      const x = ones([MIB + i * 2 ** 17]);
      results.push(scope(() => x.mul(i).max()));
      x.dispose();
    }
    for (const [i, r] of results.entries()) expect(await r.item()).toBe(i);
    for (const r of results) r.dispose();
  });

  test("a captured step that used a tensor disposed since says so", async () => {
    const [w, x] = [ones([2 ** 16], { requiresGrad: true }), ones([1])];
    const h = w.mul(2);
    const step = capture((input: Tensor) => noGrad(() => input.add(h).sum()));
    for (let i = 0; i < 2; i++) step(x).dispose();
    h.dispose();
    await otherWork(800);
    expect(() => step(x)).toThrow(StateError);
    step.dispose();
    for (const t of [w, x]) t.dispose();
    await otherWork(1);
  });
});
