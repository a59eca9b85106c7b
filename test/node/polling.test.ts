// Gentle polling: what Dawn's binding does with setImmediate after a call, played by a class of the same name.

import { expect, test } from "vitest";
import { init, type Tensor, zeros } from "wgrad";
import { pollGently } from "../../src/node/polling.ts";

test("the stand-in polls until the work is done, and only while the binding's own code runs", async () => {
  const original = globalThis.setImmediate;
  const seen: (typeof setImmediate)[] = [];
  class GPUQueue {
    onSubmittedWorkDone(polls: number): Promise<string> {
      return new Promise((resolve) => {
        const look = (left: number) => {
          seen.push(globalThis.setImmediate);
          if (left === 0) resolve(`after ${polls}`);
          else globalThis.setImmediate(() => look(left - 1));
        };
        look(polls);
      });
    }
  }
  pollGently({ GPUQueue });
  const done = new GPUQueue().onSubmittedWorkDone(3);
  expect(globalThis.setImmediate).toBe(original);
  expect(await done).toBe("after 3");
  expect(globalThis.setImmediate).toBe(original);
  expect(seen).toHaveLength(4);
  for (const immediate of seen) expect(immediate).not.toBe(original);
});

test("errors of the binding pass through, and leave setImmediate as it was", () => {
  const original = globalThis.setImmediate;
  class GPUBuffer {
    mapAsync(): void {
      throw new Error("no");
    }
  }
  pollGently({ GPUBuffer });
  expect(() => new GPUBuffer().mapAsync()).toThrow("no");
  expect(globalThis.setImmediate).toBe(original);
});

test("Dawn's classes poll gently: while it waits for the device, the event loop turns few times", async () => {
  const device = await init();
  const x = zeros([256, 256]);
  // Work for some tens of milliseconds at least.
  let y: Tensor = x;
  for (let i = 0; i < 40; i++) y = y.matmul(x);
  let asked = 0;
  const original = globalThis.setImmediate;
  Reflect.set(globalThis, "setImmediate", (...args: Parameters<typeof setImmediate>) => {
    asked++;
    return original(...args);
  });
  await device.sync();
  Reflect.set(globalThis, "setImmediate", original);
  // Dawn would ask for the global one at every turn, thousands of times; the test runner may ask, too.
  expect(asked).toBeLessThan(50);
  device.destroy();
});
