// What the types of tensors say of shapes: checked by `tsc`, as `npm run typecheck` compiles the tests. Nothing runs here.
import { expectTypeOf, test } from "vitest";
import {
  arange,
  bernoulli,
  full,
  init,
  nn,
  ones,
  rand,
  randint,
  randn,
  randperm,
  type Shape,
  type Tensor,
  tensor,
  zeros,
} from "wgrad";

/** Type-checks `fn` without running it: most of what is asked here would need a device. */
const types = (name: string, _fn: (n: number, shape: Shape, x: Tensor) => void) => test(name, () => {});

types("creation functions keep literal shapes", (n, shape) => {
  expectTypeOf(zeros([2, 3])).toEqualTypeOf<Tensor<[2, 3]>>();
  expectTypeOf(ones([2, 3], { dtype: "i32" })).toEqualTypeOf<Tensor<[2, 3]>>();
  expectTypeOf(full([4], 7)).toEqualTypeOf<Tensor<[4]>>();
  expectTypeOf(full([], 7)).toEqualTypeOf<Tensor<[]>>();
  expectTypeOf(rand([2, 3])).toEqualTypeOf<Tensor<[2, 3]>>();
  expectTypeOf(randn([2, n])).toEqualTypeOf<Tensor<[2, number]>>();
  expectTypeOf(randint(0, 5, [2])).toEqualTypeOf<Tensor<[2]>>();
  expectTypeOf(bernoulli([2], 0.5)).toEqualTypeOf<Tensor<[2]>>();
  expectTypeOf(tensor(new Float32Array(6), { shape: [2, 3] })).toEqualTypeOf<Tensor<[2, 3]>>();
  expectTypeOf(zeros([2, 3] as const)).toEqualTypeOf<Tensor<[2, 3]>>();
  expectTypeOf(zeros([n, 3])).toEqualTypeOf<Tensor<[number, 3]>>();
  // What is not known to TypeScript stays so.
  expectTypeOf(zeros(shape)).toEqualTypeOf<Tensor>();
  expectTypeOf(zeros(shape.map((size) => size + 1))).toEqualTypeOf<Tensor<number[]>>();
  expectTypeOf(tensor([[1, 2]])).toEqualTypeOf<Tensor>();
  expectTypeOf(new nn.Parameter(zeros([2, 3]))).toExtend<Tensor<readonly [2, 3]>>();
});

types("a tensor of known shape is a tensor", (n) => {
  expectTypeOf(zeros([2, 3])).toExtend<Tensor>();
  expectTypeOf(zeros([2, 3])).toExtend<Tensor<readonly [2, 3]>>();
  expectTypeOf(zeros([2, 3])).toExtend<Tensor<readonly [number, number]>>();
  expectTypeOf(zeros([2, n])).not.toExtend<Tensor<[2, 3]>>();
  expectTypeOf(zeros([2, 3])).not.toExtend<Tensor<[3, 2]>>();
  let h: Tensor = zeros([1, 64]);
  h = h.matmul(h);
  expectTypeOf(zeros([2, 3]).shape[1]).toEqualTypeOf<3>();
});

types("arange has one dimension, and takes options behind any of its arguments", () => {
  expectTypeOf(arange(5)).toEqualTypeOf<Tensor<[number]>>();
  expectTypeOf(arange(5, { dtype: "i32" })).toEqualTypeOf<Tensor<[number]>>();
  expectTypeOf(arange(1, 5, { dtype: "i32" })).toEqualTypeOf<Tensor<[number]>>();
  expectTypeOf(arange(1, 5, 2, { dtype: "i32" })).toEqualTypeOf<Tensor<[number]>>();
  expectTypeOf(randperm(5)).toEqualTypeOf<Tensor<[number]>>();
  // @ts-expect-error: unknown option
  arange(5, { type: "i32" });
});

types(
  "reshape, view, expand and broadcastTo give the shape asked for, and say of -1 that it is a number",
  (n, shape, x) => {
    expectTypeOf(x.reshape([4, 3])).toEqualTypeOf<Tensor<[4, 3]>>();
    expectTypeOf(x.reshape([-1, 8])).toEqualTypeOf<Tensor<[number, 8]>>();
    expectTypeOf(x.view([-1])).toEqualTypeOf<Tensor<[number]>>();
    expectTypeOf(x.view([n, 2] as const)).toEqualTypeOf<Tensor<[number, 2]>>();
    expectTypeOf(x.reshape([])).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(x.reshape(shape)).toExtend<Tensor>();
    expectTypeOf(x.reshape([...shape, 1]).shape).toEqualTypeOf<[...number[], 1]>();
    expectTypeOf(x.expand([5, -1])).toEqualTypeOf<Tensor<[5, number]>>();
    expectTypeOf(x.broadcastTo([5, 2])).toEqualTypeOf<Tensor<[5, 2]>>();
  },
);

types(
  "elementwise methods keep the shape; arithmetic does with numbers and with tensors of the same shape",
  (n, _, x) => {
    const a = zeros([2, 3]);
    expectTypeOf(a.relu().neg().clamp(0, 1).clone().detach()).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(a.add(1).mul(a).lt(0.5)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(zeros([n, 3]).add(a)).toEqualTypeOf<Tensor<[number, 3]>>();
    expectTypeOf(a.add(zeros([3]))).toEqualTypeOf<Tensor>();
    expectTypeOf(a.add(x)).toEqualTypeOf<Tensor>();
    expectTypeOf(a.add(Math.random() > 0.5 ? x : 1)).toEqualTypeOf<Tensor>();
    expectTypeOf(x.add(a)).toEqualTypeOf<Tensor>();
    expectTypeOf(a.add_(1)).toEqualTypeOf<typeof a>();
    // @ts-expect-error: a string is neither a tensor nor a number
    a.add("1");
  },
);

types("a module's forward takes tensors of any known shape", () => {
  expectTypeOf(new nn.Linear(3, 4).forward(zeros([2, 3]))).toEqualTypeOf<Tensor>();
  expectTypeOf(init).returns.resolves.toHaveProperty("info");
});
