// What writes into tensors that exist, or fills new ones: it counts as a change, has a name, and stays on one device.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  bernoulli,
  cat,
  type Device,
  DeviceError,
  init,
  nn,
  ones,
  rand,
  randint,
  randn,
  randperm,
  type Tensor,
  useDevice,
  where,
} from "wgrad";
import { context } from "../../src/context.ts";
import { currentDevice } from "../../src/gpu/device.ts";
import { uniform } from "../../src/ops/random.ts";
import { withDevice } from "../support/case.ts";

withDevice();

const live: Tensor[] = [];
const keep = <T extends Tensor>(t: T): T => {
  live.push(t);
  return t;
};
afterEach(() => {
  vi.restoreAllMocks();
  for (const t of live.splice(0)) t.dispose();
});

/** The operations that kernels are launched, or copies made, on behalf of while `fn` runs. */
function namesIn(fn: () => void): (string | undefined)[] {
  const { queue } = currentDevice();
  const names: (string | undefined)[] = [];
  for (const method of ["dispatch", "copy"] as const) {
    const original = queue[method].bind(queue) as (...args: never[]) => void;
    vi.spyOn(queue, method).mockImplementation((...args: unknown[]) => {
      names.push(context.origin?.name);
      original(...(args as never[]));
    });
  }
  fn();
  vi.restoreAllMocks();
  return names;
}

describe("a change in place", () => {
  test.each<[string, (x: Tensor, y: Tensor) => Tensor]>([
    ["add_", (x, y) => x.add_(y)],
    ["sub_", (x, y) => x.sub_(y)],
    ["mul_", (x, y) => x.mul_(y)],
    ["div_", (x, y) => x.div_(y)],
    ["copy_", (x, y) => x.copy_(y)],
    ["fill", (x) => x.fill_(2)],
  ])("%s bumps the version once and is named", (name, change) => {
    const [x, y] = [keep(ones([2, 3])), keep(ones([2, 3]))];
    const before = [x.storage.version, y.storage.version];
    expect(namesIn(() => change(x, y))).toEqual([name]);
    expect([x.storage.version, y.storage.version]).toEqual([before[0]! + 1, before[1]]);
  });

  test("by a number, too", async () => {
    const x = keep(ones([2, 2]));
    const before = x.storage.version;
    expect(namesIn(() => x.add_(3))).toEqual(["fill", "add_"]);
    expect(x.storage.version).toBe(before + 1);
    expect(await x.array()).toEqual([
      [4, 4],
      [4, 4],
    ]);
  });

  test("errors would tell the shapes of both operands", () => {
    const [x, row] = [keep(ones([2, 3])), keep(ones([3]))];
    const inputs: unknown[] = [];
    vi.spyOn(currentDevice().queue, "dispatch").mockImplementation(() => {
      inputs.push(context.origin?.inputs.map((t) => t?.shape));
    });
    x.mul_(row);
    expect(inputs).toEqual([[[2, 3], [3]]]);
  });
});

test("random numbers are named", () => {
  const made: [string, () => Tensor][] = [
    ["rand", () => rand([3])],
    ["randn", () => randn([3])],
    ["randint", () => randint(0, 5, [3])],
    ["bernoulli", () => bernoulli([3], 0.5)],
    ["uniform", () => uniform([3], 1, 2)],
  ];
  for (const [name, run] of made) expect(namesIn(() => keep(run()))).toEqual([name]);
});

describe("two devices", () => {
  let first: Device;
  let second: Device;
  let here: Tensor;
  let there: Tensor;
  beforeEach(async () => {
    first = currentDevice();
    second = await init();
    useDevice(first);
    here = keep(ones([2]));
    there = keep(ones([2], { device: second }));
  });
  afterEach(() => second.destroy());

  test("mixing them is a typed error", () => {
    const version = here.storage.version;
    for (const [name, mix] of [
      ["add_", () => here.add_(there)],
      ["copy_", () => here.copy_(there)],
      ["where", () => where(here, there, 0)],
      ["where", () => where(here, here, there)],
      ["cat", () => cat([here, there])],
      ["add", () => here.add(there)],
    ] as const) {
      expect(mix, name).toThrow(DeviceError);
    }
    expect(here.storage.version).toBe(version);
  });

  test("helpers live on the tensors' own, not on the current one", async () => {
    expect(await keep(where(there, 3, 4)).array()).toEqual([3, 3]);
    expect(await keep(there.ge(1)).array()).toEqual([1, 1]);
    expect(await keep(keep(there.to("i32")).add(2)).array()).toEqual([3, 3]);
    expect(await there.add_(1).array()).toEqual([2, 2]);
    const x = keep(ones([2], { device: second, requiresGrad: true }));
    const y = keep(where(there, x, 0));
    y.backward(keep(ones([2], { device: second })));
    expect(await x.grad?.array()).toEqual([1, 1]);
    expect(keep(nn.functional.dropout(there, 0.5, true)).device).toBe(second);
  });

  test("random numbers on a device that is asked for", () => {
    const made = [
      rand([2], { device: second }),
      randn([2], { device: second, requiresGrad: true }),
      randint(0, 3, [2], { device: second }),
      bernoulli([2], 0.5, 2, { device: second }),
      randperm(3, { device: second }),
    ].map(keep);
    for (const t of made) expect(t.device).toBe(second);
    expect(made[1]?.requiresGrad).toBe(true);
  });
});

test("shapes of random tensors are literal types", () => {
  const x = keep(rand([2, 3]));
  const shape: readonly [2, 3] = x.shape;
  expect(shape).toEqual([2, 3]);
});
