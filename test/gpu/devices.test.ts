// Two devices in one process: what lives on the first goes on after a second init(), and mixing them is a DeviceError.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  capture,
  cat,
  type Device,
  DeviceError,
  defineOp,
  gradcheck,
  init,
  manualSeed,
  nn,
  noGrad,
  ones,
  optim,
  rand,
  saveSafetensors,
  scope,
  stack,
  type Tensor,
  tensor,
  useDevice,
  where,
} from "wgrad";

const F = nn.functional;
let old: Device;
let current: Device;

/** A model that has layers of every kind, and a batch, on the current device. */
const make = () => {
  manualSeed(3);
  const model = new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1 }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.Dropout(0.5),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(16, 3),
  );
  return { model, x: rand([5, 1, 4, 4]), labels: tensor(Int32Array.of(0, 1, 2, 0, 1)) };
};

beforeEach(async () => {
  old = await init();
  current = await init();
});
afterEach(() => {
  old.destroy();
  current.destroy();
});

type Batch = ReturnType<typeof make>;

/** Losses of three steps. */
async function losses(
  { model, x, labels }: Batch,
  optimizerOf: (params: Iterable<Tensor>) => optim.Optimizer,
  captured: boolean,
): Promise<number[]> {
  manualSeed(5);
  const optimizer = optimizerOf(model.parameters());
  const eager = (input: Tensor, target: Tensor) => {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model.forward(input), target);
    loss.backward();
    optimizer.step();
    return loss;
  };
  const step = capture(eager);
  const out: number[] = [];
  for (let i = 0; i < 3; i++) {
    const loss = captured ? step(x, labels) : scope(() => eager(x, labels));
    out.push(await loss.item());
  }
  return out;
}

describe("on the first device, with the second current", () => {
  const x = () => tensor([1, 2, 3], { device: old });

  const operations: Record<string, () => Tensor | readonly Tensor[]> = {
    "arithmetic of floats with numbers": () => x().mul(2).add(1).div(3).sub(0.5).neg().exp().pow(2).clamp(0, 1),
    "other operations with numbers": () => [
      x().maximum(2),
      x().gt(2),
      tensor([1, 2], { dtype: "i32", device: old }).add(1),
    ],
    "in place": () => x().add_(2).mul_(x()).sub_(1).fill_(4).div_(2).copy_(x()),
    "reductions and indices": () => [x().sum(), x().std(), x().argmax(0), x().topk(2).values, x().norm()],
    movement: () => [
      cat([x(), x()]),
      stack([x(), x()]),
      x().flip([0]),
      x().slice([[1, 3]]),
      x().reshape([3, 1]).expand([3, 2]),
    ],
    "where with numbers": () => where(x().gt(x()), x(), 0),
    dropout: () => F.dropout(x(), 0.5),
    gradients: () => {
      const leaf = x().requiresGrad_();
      leaf.square().mul(leaf).sum().backward();
      return [leaf, leaf.grad ?? leaf];
    },
    initialization: () => [nn.init.normal_(x(), 0, 1), nn.init.constant_(x(), 3), nn.init.uniform_(x())],
    "clipping of gradients": () => {
      const leaf = x().requiresGrad_();
      leaf.square().sum().backward();
      return [leaf, optim.clipGradNorm_([leaf], 1), leaf.grad ?? leaf];
    },
  };
  /** These still make a number, a mask or values on the current device. */
  const cases = Object.entries(operations);
  const check = async (run: () => Tensor | readonly Tensor[]) => {
    const results = scope(run);
    for (const t of Array.isArray(results) ? results : [results]) {
      expect(t.device).toBe(old);
      expect((await t.data()).length).toBe(t.numel);
    }
  };
  for (const [name, run] of cases) test(name, () => check(run));

  test("gradcheck", async () => {
    expect(await gradcheck((a) => a.mul(2).square(), x().requiresGrad_())).toBe(true);
  });

  test("an op of a user's", async () => {
    const copy = defineOp({
      name: "copy",
      infer: ([s]) => [s],
      forward: ({ device }, [a], [y]) => device.queue.copy(a.storage, y.storage),
      vjp: ([dy]) => [dy],
    });
    expect(await copy(x()).array()).toEqual([1, 2, 3]);
  });

  const optimizers = {
    SGD: (params: Iterable<Tensor>) => new optim.SGD(params, { lr: 0.1, momentum: 0.9 }),
    Adam: (params: Iterable<Tensor>) => new optim.Adam(params, { lr: 0.1 }),
  };
  describe.each(Object.entries(optimizers))("training with %s gives the same as on the current one", (_, optimizer) => {
    // Optimizers keep hyper-parameters on the current device; and see dropout.
    test.each([false, true])("captured: %s", async (captured) => {
      useDevice(old);
      const a = make();
      useDevice(current);
      const b = make();
      const [got, expected] = [await losses(a, optimizer, captured), await losses(b, optimizer, captured)];
      expect(got).toEqual(expected);
      expect(new Set(got).size).toBe(3);
    });
  });

  // Batch norm counts its batches on the current device.
  test("evaluation, saving and loading", async () => {
    useDevice(old);
    const { model, x: images } = make();
    useDevice(current);
    const bytes = await saveSafetensors(model.stateDict());
    model.train();
    model.forward(images);
    // Values that come from host data may live on the current device: these are on the old one.
    await model.loadStateDict(model.stateDict());
    model.eval();
    const y = noGrad(() => model.forward(images));
    expect(y.device).toBe(old);
    expect((await y.data()).length).toBe(15);
    expect(bytes.length).toBeGreaterThan(0);
  });
});

describe("mixing them is a DeviceError, and both go on", () => {
  const a = () => tensor([1, 2], { device: old, requiresGrad: true });
  const b = () => tensor([3, 4]);
  const mixed: Record<string, () => unknown> = {
    "in an operation": () => a().add(b()),
    "in a matrix product": () =>
      a()
        .reshape([1, 2])
        .matmul(b().reshape([2, 1])),
    "in cat": () => cat([a(), b()]),
    "in where": () => where(a().gt(0), a(), b()),
    "in place": () => noGrad(() => a().add_(b())),
    "in a copy": () => noGrad(() => a().copy_(b())),
    "as gradient": () => a().mul(2).backward(b()),
    "as a leaf's gradient": () => a().backward(b()),
    "as the gradient of an optimizer's parameter": () => {
      const w = a();
      w.grad = b();
      const optimizer = new optim.SGD([w], { lr: 0.1 });
      optimizer.step();
    },
    "in clipping": () => {
      const [w, v] = [a(), b().requiresGrad_()];
      w.sum().backward();
      v.sum().backward();
      optim.clipGradNorm_([w, v], 1);
    },
    "as inputs of a captured step": () => capture((s: Tensor, t: Tensor) => [s, t])(a(), b()),
    "inside a captured step": () => {
      const other = b();
      return capture((s: Tensor) => s.add(other))(a());
    },
  };
  test.each(Object.entries(mixed))("%s", async (_, run) => {
    expect(() => scope(() => void run())).toThrow(DeviceError);
    expect(await tensor([1], { device: old }).sum().item()).toBe(1);
    expect(await ones([2]).sum().item()).toBe(2);
  });

  test("in loadStateDict: copied, or refused", async () => {
    useDevice(old);
    const there = new nn.Linear(2, 2);
    useDevice(current);
    const here = new nn.Linear(2, 2);
    const expected = await there.weight.array();
    const error = await here.loadStateDict(there.stateDict()).then(
      () => null,
      (e: unknown) => e,
    );
    if (error) expect(error).toBeInstanceOf(DeviceError);
    else expect(await here.weight.array()).toEqual(expected);
    expect(await there.weight.array()).toEqual(expected);
    await current.sync();
  });
});
