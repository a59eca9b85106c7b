// detectAnomaly: the operation, the place and the kind of what is not finite.
import { expect, test } from "vitest";
import { AnomalyError, capture, detectAnomaly, nn, noGrad, StateError, scope, type Tensor, tensor } from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();

class Log extends nn.Module {
  forward(x: Tensor): Tensor {
    return x.log();
  }
}

class Deep extends nn.Module {
  readonly blocks = new nn.Sequential(new nn.Linear(2, 2), new nn.Sequential(new nn.ReLU(), new Log()));
  forward(x: Tensor): Tensor {
    return this.blocks.forward(x).sum();
  }
}

const anomalyOf = async (fn: () => Tensor | undefined, options?: { nanOnly?: boolean }): Promise<AnomalyError> => {
  const error = await detectAnomaly(fn, options).then(
    (t) => t?.dispose(),
    (e: unknown) => e,
  );
  if (error instanceof AnomalyError) return error;
  throw new Error(`no anomaly: ${error}`);
};

async function deep(weight: number[][]) {
  const model = new Deep();
  const [w, b] = [tensor(weight), tensor([0, 0])];
  await model.loadStateDict({ "blocks.0.weight": w, "blocks.0.bias": b });
  for (const t of [w, b]) t.dispose();
  return model;
}

test("the result of an operation, with the path of its layer", async () => {
  const model = await deep([
    [1, 0],
    [0, -1],
  ]);
  const x = tensor([[1, 2]]);
  const error = await anomalyOf(() => scope(() => model.forward(x)));
  expect(error).toMatchObject({ name: "AnomalyError", operation: "log", module: "blocks.1.1", kind: "output" });
  expect(error.message).toMatch(/^\[detectAnomaly\] the result of log is not finite \(in blocks\.1\.1\)/);
  // Infinities may be meant: then the first NaN is counted.
  const zero = tensor(0);
  const nan = await anomalyOf(() => scope(() => model.forward(x).mul(zero)), { nanOnly: true });
  expect([nan.kind, nan.operation]).toEqual(["output", "mul"]);
  for (const d of [model, x, zero]) d.dispose();
});

test("a gradient, by the operation that it is of", async () => {
  const x = tensor([0, 4], { requiresGrad: true });
  const error = await anomalyOf(() => {
    scope(() => void x.sqrt().sum().backward());
    return undefined;
  });
  expect(error).toMatchObject({ operation: "sqrt", module: "", kind: "gradient" });
  expect(error.message).toMatch(/the gradient of input 0 of sqrt is not finite \(outside of modules\)/);

  const model = await deep([
    [1, 0],
    [0, 1],
  ]);
  const tiny = tensor([[1e-39, 1]]);
  const inLayer = await anomalyOf(() => {
    scope(() => void model.forward(tiny).mul(1e30).backward());
    return undefined;
  });
  expect(inLayer.module).toBe("blocks.1.1");
  for (const d of [x, model, tiny]) d.dispose();
});

test("a parameter that was not finite before", async () => {
  const model = await deep([
    [1, 0],
    [0, Number.NaN],
  ]);
  const x = tensor([[1, 2]]);
  const error = await anomalyOf(() => scope(() => noGrad(() => model.forward(x))));
  expect(error).toMatchObject({ operation: "matmul", module: "blocks.0", kind: "input" });
  expect(error.message).toMatch(/the module's weight, is not finite \(in blocks\.0\): it came so/);
  model.dispose();
  x.dispose();
});

test("where all is finite the step's result is given, with the same gradients", async () => {
  const model = await deep([
    [1, 0],
    [0, 1],
  ]);
  const x = tensor([[1, 2]]);
  const step = () => {
    const loss = model.forward(x);
    loss.backward();
    return loss.detach();
  };
  const run = () => scope(step);
  const loss = await detectAnomaly(run);
  expect(await loss.item()).toBeCloseTo(Math.log(2), 6);
  const gradients = await Promise.all(Array.from(model.parameters(), async (p) => [...(await p.grad!.data())]));
  model.zeroGrad();
  const plain = run();
  expect(await Promise.all(Array.from(model.parameters(), async (p) => [...(await p.grad!.data())]))).toEqual(
    gradients,
  );
  const captured = capture((t: Tensor) => model.forward(t));
  await expect(detectAnomaly(() => captured(x))).rejects.toThrow(StateError);
  await expect(detectAnomaly((async () => 1) as never)).rejects.toThrow(StateError);
  for (const d of [loss, plain, captured, model, x]) d.dispose();
});
