// defineOp(): an op of a user's own under backward, gradcheck, capture, scope and profiles; and what it refuses.
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  capture,
  defineOp,
  gradcheck,
  grid1d,
  kernel,
  noGrad,
  optim,
  rand,
  ShapeError,
  StateError,
  scope,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "wgrad";
import { currentDevice } from "../../src/gpu/device.ts";
import { Profiler } from "../../src/gpu/profile.ts";
import { withDevice } from "../support/case.ts";
import { swish, swishBackward } from "./kernels.ts";

withDevice();

interface Attrs {
  readonly beta: number;
}
type SwishInputs = [x: Tensor, bias: Tensor | null];

const channels = (x: { readonly shape: readonly number[] }) => x.shape.at(-1) ?? 1;

/** dx, and the gradient of the argument of the sigmoid. */
const backwardOp = defineOp<[...SwishInputs, dy: Tensor], Attrs, [dx: Tensor, dt: Tensor]>({
  name: "mySwishBackward",
  infer: ([x]) => [x, x],
  forward(run, [x, bias, dy], [dx, dt], { beta }) {
    const params = { n: x.numel, c: channels(x), beta };
    swishBackward.launch(run, { x, bias, dy, dx, dt }, params, grid1d(x.numel, 64));
  },
  vjp: "not differentiable",
});

const mySwish = defineOp<SwishInputs, Attrs>({
  name: "mySwish",
  infer([x, bias]) {
    if (bias && bias.shape[0] !== channels(x)) throw new ShapeError("[mySwish] bias must fit the rows");
    return [x];
  },
  forward(run, [x, bias], [y], { beta }) {
    const params = { n: x.numel, c: channels(x), beta, scale: [1, 0], shape: [], last: [] } as const;
    swish.launch(run, { x, bias, y }, params, grid1d(x.numel, 64));
  },
  vjp([dy], c) {
    const [dx, dt] = backwardOp(c.input(0), c.input(1), dy, c.attrs);
    return [dx, c.needs[1] ? dt.sum(0) : null];
  },
});

const double = kernel(
  "double",
  `struct Params { n: u32 }
   @group(0) @binding(0) var<storage, read> x: array<f32>;
   @group(0) @binding(1) var<storage, read_write> y: array<f32>;
   @group(0) @binding(2) var<uniform> p: Params;
   @compute @workgroup_size(64)
   fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
     let i = id.x + id.y * groups.x * 64u;
     if (i < p.n) { y[i] = 2.0 * x[i]; }
   }`,
);
const twice = defineOp({
  name: "twice",
  infer: ([x]) => [x],
  forward: (run, [x], [y]) => double.launch(run, { x, y }, { n: x.numel }, grid1d(x.numel, 64)),
  saves: { inputs: [] },
  vjp: ([dy]): [Tensor] => [twice(dy)],
});

test("types of a call", () => {
  expectTypeOf(twice).toEqualTypeOf<(x: Tensor) => Tensor>();
  expectTypeOf(mySwish).toEqualTypeOf<(x: Tensor, bias: Tensor | null, attrs: Attrs) => Tensor>();
  expectTypeOf(backwardOp).returns.toEqualTypeOf<[dx: Tensor, dt: Tensor]>();
  return () => {
    const x = zeros([1]);
    // @ts-expect-error: it takes one tensor
    twice(x, x);
    // @ts-expect-error: attributes are missing
    mySwish(x, null);
    // @ts-expect-error: x is not optional
    mySwish(null, null, { beta: 1 });
    // @ts-expect-error: attributes of another type
    mySwish(x, null, { beta: "1" });
    // @ts-expect-error: a vjp, or that there is none, must be said
    defineOp({ name: "none", infer: ([s]) => [s], forward: () => {} });
    defineOp<[x: Tensor], void, [Tensor, Tensor]>({
      name: "one too few",
      // @ts-expect-error: two outputs need two specs
      infer: ([s]) => [s],
      forward: () => {},
      vjp: "not differentiable",
    });
  };
});

describe("behaves like an op of the library", () => {
  test("values, and gradients of each input", async () => {
    const [x, bias] = [
      tensor([
        [1, 2],
        [-1, 0.5],
      ]),
      tensor([0.5, -1]),
    ];
    const beta = 1.5;
    const y = scope(() => mySwish(x, bias, { beta }));
    const [values, given, shift] = [await y.data(), await x.data(), await bias.data()];
    for (const [i, value] of given.entries()) {
      const expected = value / (1 + Math.exp(-(beta * value + (shift[i % 2] ?? 0))));
      expect(values[i]).toBeCloseTo(expected, 5);
    }
    const leaves = [rand([5, 3]).requiresGrad_(), rand([3]).requiresGrad_()] as const;
    expect(await gradcheck((a, b) => mySwish(a, b, { beta }), leaves)).toBe(true);
    expect(await gradcheck((a) => mySwish(a, null, { beta }), leaves[0])).toBe(true);
    expect(await gradcheck(twice, leaves[0])).toBe(true);
    for (const t of [x, bias, y, ...leaves]) t.dispose();
  });

  test("a wrong gradient is found by gradcheck", async () => {
    const wrong = defineOp({
      name: "wrong",
      infer: ([x]) => [x],
      forward: (run, [x], [y]) => double.launch(run, { x, y }, { n: x.numel }, grid1d(x.numel, 64)),
      vjp: ([dy]) => [dy],
    });
    const x = rand([4], { requiresGrad: true });
    await expect(gradcheck(wrong, x)).rejects.toThrow("[gradcheck] input 0");
    x.dispose();
  });

  test("in a captured training step, which gives what the eager one gives", async () => {
    const train = async (captured: boolean) => {
      const w = tensor([[0.5, -0.25]], { requiresGrad: true });
      const optimizer = new optim.SGD([w], { lr: 0.1, momentum: 0.9 });
      const eager = (x: Tensor) => {
        optimizer.zeroGrad();
        const loss = mySwish(twice(x.mul(w)), null, { beta: 1 })
          .square()
          .mean();
        loss.backward();
        optimizer.step();
        return loss;
      };
      const step = capture(eager);
      const losses: number[] = [];
      for (let i = 0; i < 4; i++) {
        const x = tensor([[1 + i, 2 - i]]);
        const loss = captured ? step(x) : scope(() => eager(x));
        losses.push(await loss.item());
        for (const t of [x, loss]) t.dispose();
      }
      expect(step.recordings).toBe(captured ? 1 : 0);
      step.dispose();
      optimizer.dispose();
      w.dispose();
      return losses;
    };
    const eager = await train(false);
    expect(await train(true)).toEqual(eager);
    expect(new Set(eager).size).toBe(4);
  });

  test("its name and the kernel's stand in profiles", async () => {
    const device = currentDevice();
    if (!device.info.features.includes("timestamp-query")) return;
    const profiler = new Profiler(device.gpu);
    const x = tensor([1, 2]);
    await device.sync();
    device.queue.profiler = profiler;
    scope(() => {
      mySwish(x, null, { beta: 1 });
    });
    await device.sync();
    device.queue.profiler = null;
    expect(await profiler.times()).toMatchObject([{ op: "mySwish", kernel: "swish -bias" }]);
    profiler.destroy();
    x.dispose();
  });

  test("outputs that are kept for the vjp alone, scratch memory, and in which the tape ends", async () => {
    const squareAndKeep = defineOp<[x: Tensor], void, [y: Tensor], [twiceX: Tensor]>({
      name: "keep",
      infer: ([x]) => [x, x],
      aux: 1,
      forward(run, [x], [y, kept]) {
        const { numel: n } = x;
        const between = run.scratch(x.shape);
        double.launch(run, { x, y: between }, { n }, grid1d(n, 64));
        double.launch(run, { x: between, y }, { n }, grid1d(n, 64));
        double.launch(run, { x, y: kept }, { n }, grid1d(n, 64));
      },
      saves: { inputs: [], outputs: [1] },
      vjp: ([dy], c) => [dy.mul(c.output(1))],
    });
    const x = tensor([1, 2, 3], { requiresGrad: true });
    const y = squareAndKeep(x);
    expect(await y.array()).toEqual([4, 8, 12]);
    scope(() => y.sum().backward());
    expect(await x.grad?.array()).toEqual([2, 4, 6]);
    const [dx, dt] = backwardOp(x, null, y, { beta: 1 });
    expect(dx.requiresGrad).toBe(false);
    const off = noGrad(() => twice(x));
    expect(off.requiresGrad).toBe(false);
    for (const t of [x, y, dx, dt, off]) t.dispose();
  });
});

describe("refuses", () => {
  const x = () => tensor([1, 2], { requiresGrad: true });
  const base = {
    name: "mine",
    infer: ([s]: readonly [{ shape: readonly number[]; dtype: "f32" }]) => [s] as const,
  };

  test("an infer that gives no specs, and inputs that infer refuses", () => {
    const none = defineOp({ ...base, infer: () => undefined as never, forward: () => {}, vjp: "not differentiable" });
    scope(() => {
      expect(() => none(x())).toThrow("[mine] infer must give a list with { shape, dtype } of each output");
      expect(() => mySwish(zeros([2, 3]), zeros([2]), { beta: 1 })).toThrow(ShapeError);
    });
  });

  test("arguments that are no tensors", () => {
    const loose = mySwish as (...args: unknown[]) => Tensor;
    scope(() => {
      expect(() => loose(x(), { beta: 1 }, null)).toThrow(ValueError);
      expect(() => loose([1, 2], null, { beta: 1 })).toThrow("[mySwish] takes its input tensors");
    });
  });

  test("gradients of another shape or number, and reading what was not saved", () => {
    const of = (vjp: (grads: readonly [Tensor], c: { input(i: 0): Tensor }) => unknown, inputs = [0]) =>
      defineOp({
        name: "mine",
        infer: ([s]) => [s],
        forward: (run, [a], [y]) => double.launch(run, { x: a, y }, { n: a.numel }, grid1d(a.numel, 64)),
        saves: { inputs },
        vjp: vjp as never,
      });
    const back = (op: (x: Tensor) => Tensor) => () => scope(() => op(x()).sum().backward());
    expect(back(of(([dy]) => [dy.sum()]))).toThrow(
      "[mine] vjp gives f32 [] as the gradient of input 0, which is f32 [2]",
    );
    expect(back(of(([dy]) => dy))).toThrow(
      "[mine] vjp must give a list with a gradient, or null, for each of its 1 inputs",
    );
    expect(back(of(async ([dy]) => [dy]))).toThrow(ValueError);
    expect(back(of((_, c) => [c.input(0)], []))).toThrow(StateError);
  });

  test("a forward that throws leaves no tensors behind", () => {
    const failing = defineOp({
      name: "mine",
      infer: ([s]) => [s],
      forward(run) {
        run.scratch([4]);
        throw new RangeError("mine");
      },
      vjp: "not differentiable",
    });
    const t = x();
    expect(() => failing(t)).toThrow(RangeError);
    t.dispose();
  });
});
