// Every method of Tensor exists, runs and gives the shape and dtype that it says; casts, copies and in-place updates.
import { describe, expect, test } from "vitest";
import {
  arange,
  DtypeError,
  full,
  LimitError,
  ones,
  randn,
  randperm,
  ShapeError,
  scope,
  Tensor,
  tensor,
  ValueError,
  WgradError,
  zeros,
} from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();

const free = (...tensors: Tensor[]) => {
  for (const t of tensors) t.dispose();
};

test("each method forwards to its operation", async () => {
  const results: Record<string, [() => Tensor, unknown]> = {};
  const x = tensor([
    [1, 4],
    [9, 16],
  ]);
  const y = tensor([
    [2, 2],
    [10, 10],
  ]);
  const m = (name: string, run: () => Tensor, value: unknown) => {
    results[name] = [run, value];
  };
  m("add", () => x.add(y), [
    [3, 6],
    [19, 26],
  ]);
  m("sub", () => x.sub(y), [
    [-1, 2],
    [-1, 6],
  ]);
  m("mul", () => x.mul(y), [
    [2, 8],
    [90, 160],
  ]);
  m("div", () => x.div(2), [
    [0.5, 2],
    [4.5, 8],
  ]);
  m("pow", () => x.pow(0.5), [
    [1, 2],
    [3, 4],
  ]);
  m("maximum", () => x.maximum(y), [
    [2, 4],
    [10, 16],
  ]);
  m("minimum", () => x.minimum(5), [
    [1, 4],
    [5, 5],
  ]);
  m("eq", () => x.eq(4), [
    [0, 1],
    [0, 0],
  ]);
  m("ne", () => x.ne(4), [
    [1, 0],
    [1, 1],
  ]);
  m("lt", () => x.lt(y), [
    [1, 0],
    [1, 0],
  ]);
  m("le", () => x.le(4), [
    [1, 1],
    [0, 0],
  ]);
  m("gt", () => x.gt(y), [
    [0, 1],
    [0, 1],
  ]);
  m("ge", () => x.ge(4), [
    [0, 1],
    [1, 1],
  ]);
  m("neg", () => x.neg(), [
    [-1, -4],
    [-9, -16],
  ]);
  m("abs", () => x.neg().abs(), [
    [1, 4],
    [9, 16],
  ]);
  m("square", () => x.square(), [
    [1, 16],
    [81, 256],
  ]);
  m("clamp", () => x.clamp(2, 10), [
    [2, 4],
    [9, 10],
  ]);
  m("clamp min", () => x.clamp({ min: 5 }), [
    [5, 5],
    [9, 16],
  ]);
  m("sqrt", () => x.sqrt(), [
    [1, 2],
    [3, 4],
  ]);
  m("floor", () => x.div(3).floor(), [
    [0, 1],
    [3, 5],
  ]);
  m("ceil", () => x.div(3).ceil(), [
    [1, 2],
    [3, 6],
  ]);
  m("round", () => x.div(3).round(), [
    [0, 1],
    [3, 5],
  ]);
  m("sign", () => x.sub(4).sign(), [
    [-1, 0],
    [1, 1],
  ]);
  m("relu", () => x.sub(5).relu(), [
    [0, 0],
    [4, 11],
  ]);
  m("exp log", () => x.log().exp().round(), [
    [1, 4],
    [9, 16],
  ]);
  m("rsqrt", () => x.rsqrt().reciprocal().round(), [
    [1, 2],
    [3, 4],
  ]);
  m("sin cos", () => x.sin().square().add(x.cos().square()).round(), [
    [1, 1],
    [1, 1],
  ]);
  m("tanh erf sigmoid", () => x.add(20).tanh().add(x.add(20).erf()).add(x.add(20).sigmoid()), [
    [3, 3],
    [3, 3],
  ]);
  m("sum", () => x.sum(0), [10, 20]);
  m("mean", () => x.mean(1, { keepdim: true }), [[2.5], [12.5]]);
  m("max", () => x.max(), 16);
  m("min", () => x.min(0), [1, 4]);
  m("var", () => x.var(1), [4.5, 24.5]);
  m("std", () => x.std(1, { correction: 0 }), [1.5, 3.5]);
  m("norm", () => tensor([3, 4]).norm(), 5);
  m("any", () => x.sub(4).any(1), [1, 1]);
  m("all", () => x.sub(4).all(1), [0, 1]);
  m("argmax", () => x.argmax(1), [1, 1]);
  m("argmin", () => x.argmin(), 0);
  m("topk", () => x.topk(1, 0).values, [[9, 16]]);
  m("reshape", () => x.reshape([4]), [1, 4, 9, 16]);
  m("view", () => x.view([1, -1]), [[1, 4, 9, 16]]);
  m("flatten", () => x.flatten(), [1, 4, 9, 16]);
  m("unsqueeze squeeze", () => x.unsqueeze(0).squeeze(0), [
    [1, 4],
    [9, 16],
  ]);
  m("permute", () => x.permute([1, 0]), [
    [1, 9],
    [4, 16],
  ]);
  m("transpose", () => x.transpose(-1, -2), [
    [1, 9],
    [4, 16],
  ]);
  m("t", () => x.t(), [
    [1, 9],
    [4, 16],
  ]);
  m("expand", () => x.slice([0]).expand([2, -1]), [
    [1, 4],
    [1, 4],
  ]);
  m("broadcastTo", () => x.select(1, 0).broadcastTo([2, 2]), [
    [1, 9],
    [1, 9],
  ]);
  m("narrow", () => x.narrow(1, 1, 1), [[4], [16]]);
  m("flip", () => x.flip(1), [
    [4, 1],
    [16, 9],
  ]);
  m("pad", () => x.slice([[0, 1]]).pad([1, 0]), [[0, 1, 4]]);
  m("gather", () => x.gather(1, x.argmax(1, { keepdim: true })), [[4], [16]]);
  m("indexSelect", () => x.indexSelect(0, tensor([1, 1], { dtype: "i32" })), [
    [9, 16],
    [9, 16],
  ]);
  m("clone", () => x.clone(), [
    [1, 4],
    [9, 16],
  ]);
  m("contiguous", () => x.contiguous(), [
    [1, 4],
    [9, 16],
  ]);
  for (const [name, [run, value]] of Object.entries(results)) {
    const t = scope(run);
    expect(await t.array(), name).toEqual(value);
    free(t);
  }
  free(x, y);
});

test("types: elementwise methods keep the shape type, reshape gives the one asked for", () => {
  const x = zeros([2, 3] as const);
  const y: Tensor<readonly [2, 3]> = x.relu();
  const z: Tensor<readonly [3, 2]> = x.reshape([3, 2] as const);
  expect([y.shape, z.shape]).toEqual([
    [2, 3],
    [3, 2],
  ]);
  free(x, y, z);
});

describe("to", () => {
  test("rounds floats toward zero, and back", async () => {
    const x = tensor([-1.7, 0.2, 2.9, 1e10]);
    const i = x.to("i32");
    const u = x.to("u32");
    const f = i.to("f32");
    expect([i.dtype, u.dtype, f.dtype]).toEqual(["i32", "u32", "f32"]);
    expect(((await i.array()) as number[]).slice(0, 3)).toEqual([-1, 0, 2]);
    expect(((await u.array()) as number[]).slice(1, 3)).toEqual([0, 2]);
    expect(((await f.array()) as number[]).slice(0, 3)).toEqual([-1, 0, 2]);
    free(x, i, u, f);
  });

  test("f16 stores halves, on any adapter", async () => {
    const values = [0, 1, -2.5, 65504, 1e-7, 70000, -1e9, 1 / 3, 2049];
    const x = tensor(values);
    const h = x.to("f16");
    const back = h.to("f32");
    const want = [0, 1, -2.5, 65504, 2 ** -24 * 2, Infinity, -Infinity, 0.333251953125, 2048];
    expect(h.storage.bytes).toBe(18);
    expect([...(await h.data())]).toEqual(want);
    expect([...(await back.data())]).toEqual(want);
    expect(() => h.add(1)).toThrow(DtypeError);
    expect(() => h.expand([2, 9])).toThrow(
      '[expand] input is f16 but must be f32 or i32 or u32: convert it with .to("f32")',
    );
    const copy = h.clone();
    expect([...(await copy.data())]).toEqual(want);
    expect(() => h.to("i32")).toThrow('[to] f16 does not convert to i32 directly: go through .to("f32")');
    free(x, h, back, copy);
  });

  test("the same dtype keeps the gradient", async () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const s = scope(() => x.to("f32").mul(2).sum());
    const i = x.to("i32");
    s.backward();
    expect(await x.grad!.array()).toEqual([2, 2]);
    expect(i.requiresGrad).toBe(false);
    free(x, s, i);
  });
});

describe("in place", () => {
  test("broadcasts the other operand, works on itself and on integers, returns itself", async () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const row = tensor([10, 20]);
    const i = tensor([1, 2, 3], { dtype: "i32" });
    expect(x.add_(row)).toBe(x);
    expect(await x.array()).toEqual([
      [11, 22],
      [13, 24],
    ]);
    expect(await x.mul_(x).array()).toEqual([
      [121, 484],
      [169, 576],
    ]);
    expect(await x.copy_(ones2()).array()).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(await x.fill_(2.5).sub_(0.5).div_(4).array()).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
    expect(await x.zero_().array()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(await i.add_(1).mul_(i).array()).toEqual([4, 9, 16]);
    expect(() => row.add_(x)).toThrow(ShapeError);
    expect(() => row.add_(x)).toThrow(
      "[add_] shape [2, 2] does not broadcast to [2], and a tensor cannot grow in place",
    );
    expect(() => i.div_(2)).toThrow(DtypeError);
    expect(() => x.add_(i)).toThrow(DtypeError);
    free(x, row, i, ...made.splice(0));
  });
  const made: Tensor[] = [];
  const ones2 = () => {
    const t = ones([2, 2]);
    made.push(t);
    return t;
  };

  test("shows in every handle on the storage, not in clones", async () => {
    const x = tensor([1, 2]);
    const [view, copy] = [x.reshape([2, 1]), x.clone()];
    x.add_(5);
    expect(await view.array()).toEqual([[6], [7]]);
    expect(await copy.array()).toEqual([1, 2]);
    free(x, view, copy);
  });
});

test("full, zeros and ones fill on the device", async () => {
  const all = [
    full([3], -7, { dtype: "i32" }),
    full([2], 4_000_000_000, { dtype: "u32" }),
    zeros([2]),
    ones([]),
    full([0], 3),
  ];
  expect(await Promise.all(all.map((t) => t.array()))).toEqual([
    [-7, -7, -7],
    [4_000_000_000, 4_000_000_000],
    [0, 0],
    1,
    [],
  ]);
  expect(() => full([2], 0.5, { dtype: "i32" })).toThrow(ValueError);
  expect(() => full([2], 0.5, { dtype: "f16" })).toThrow(DtypeError);
  free(...all);
});

test("arange takes options behind any of its arguments", async () => {
  const all = [
    arange(3),
    arange(3, { dtype: "i32" }),
    arange(1, 3, { dtype: "u32" }),
    arange(6, undefined, 2, { dtype: "i32" }),
    arange(5, 1, -2),
    arange(0, 1, 0.25, { requiresGrad: true }),
    arange(2, undefined, undefined, { dtype: "i32" }),
  ];
  expect(all.map(({ dtype }) => dtype)).toEqual(["f32", "i32", "u32", "i32", "f32", "f32", "i32"]);
  expect(all.map(({ requiresGrad }) => requiresGrad)).toEqual([false, false, false, false, false, true, false]);
  expect(await Promise.all(all.map((t) => t.array()))).toEqual([
    [0, 1, 2],
    [0, 1, 2],
    [1, 2],
    [0, 2, 4],
    [5, 3],
    [0, 0.25, 0.5, 0.75],
    [0, 1],
  ]);
  expect(() => arange(1, 2, 0)).toThrow(ValueError);
  free(...all);
});

// What JavaScript lets through: the types forbid most of it.
// biome-ignore lint/suspicious/noExplicitAny: on purpose
const untyped = <T>(f: (...any: any[]) => T) => f;

test("creation refuses what it cannot make a tensor of, by name", () => {
  const circular: unknown[] = [];
  circular.push(1, circular);
  const [make, zero, range] = [untyped(tensor), untyped(zeros), untyped(arange)];
  const cases: [() => unknown, typeof WgradError, RegExp][] = [
    [() => range(Number.NaN), ValueError, /^\[arange\] the end must be a number, got NaN/],
    [() => range(0, -3, 2), ValueError, /step towards the end/],
    [() => range(0, "5"), ValueError, /takes numbers and options, got "5"/],
    [() => range(1e10), LimitError, /^\[arange\] 10000000000 numbers/],
    [() => randperm(1e10), LimitError, /^\[randperm\]/],
    [() => randperm(0.5), ValueError, /^\[randperm\]/],
    [() => zero([1e308, 1e308]), LimitError, /Infinity bytes/],
    [() => zero(2, 3), ShapeError, /a shape is an array of sizes, such as \[2, 3\], got 2/],
    [() => zero([2], 3), ValueError, /got 3 in the place of its options/],
    [() => zero([2], { dtyp: "i32" }), ValueError, /has no option "dtyp", did you mean "dtype"\? it takes { dtype/],
    [() => zero([2], { dtype: "f64" }), DtypeError, /"f64", which is no dtype: there are f32/],
    [() => make([1], { dtype: "f64" }), DtypeError, /"f64", which is no dtype/],
    [() => make(new BigInt64Array(2)), DtypeError, /BigInt64Array.*Int32Array.from/],
    [() => make(circular), ShapeError, /does one hold itself/],
    [() => make(["a"]), ValueError, /^\[tensor\] value 0 is "a", but must be a number/],
    [() => make(undefined), ValueError, /value 0 is undefined/],
    [() => make([null]), ValueError, /value 0 is null/],
  ];
  for (const [f, Kind, message] of cases) {
    expect(f, String(message)).toThrow(Kind);
    expect(f).toThrow(message);
  }
});

test("methods refuse what is no tensor, list or dtype", () => {
  const x = zeros([2, 2]);
  const cases: [keyof Tensor, unknown, RegExp][] = [
    ["matmul", undefined, /^\[matmul\] input 1 must be a tensor, got undefined/],
    ["add", "x", /^\[add\] input 1 must be a tensor, got "x"/],
    ["add_", undefined, /^\[add_\] input 1 must be a tensor/],
    ["copy_", [1], /^\[copy_\] input 1 must be a tensor, got \[1\]/],
    ["reshape", 4, /^\[reshape\] a shape is an array of sizes, such as \[2, 3\], got 4/],
    ["permute", 1, /^\[permute\] the order is an array/],
    ["sum", "x", /^\[sum\] dimensions are a number or an array/],
    ["to", "f64", /^\[to\] dtype is "f64", which is no dtype/],
    ["fill_", "x", /^\[fill_\] the value is "x"/],
  ];
  for (const [name, argument, message] of cases) {
    const call = untyped(x[name] as (argument: unknown) => unknown).bind(x);
    expect(() => call(argument), String(message)).toThrow(WgradError);
    expect(() => call(argument)).toThrow(message);
  }
  expect(() => untyped(randn)([2], 3)).toThrow(/^\[randn\] got 3 in the place of its options/);
  free(x);
});

test("integer tensors refuse what they do not hold", async () => {
  const i32 = { dtype: "i32" } as const;
  const make = untyped(tensor);
  for (const value of [0.5, 2 ** 31, -(2 ** 31) - 1, Number.NaN, undefined, "cat"]) {
    expect(() => make([1, value], i32), String(value)).toThrow(/^\[tensor\] value 1 is .*i32 holds whole numbers from/);
  }
  expect(() => tensor([-1], { dtype: "u32" })).toThrow(ValueError);
  expect(() => tensor(Float32Array.of(0.5), i32)).toThrow(ValueError);
  expect(() => tensor(Uint32Array.of(2 ** 31), i32)).toThrow(ValueError);
  expect(() => full([1], 3e9, i32)).toThrow(ValueError);
  expect(() => arange(0, 1, 0.25, i32)).toThrow(/^\[arange\] value 1 is 0.25/);
  const all = [zeros([1], i32), tensor([2 ** 31 - 1, -(2 ** 31)], i32), full([1], 2 ** 32 - 1, { dtype: "u32" })];
  expect(() => all[0]?.fill_(3e9)).toThrow(/^\[fill_\] the value is 3000000000/);
  expect(await Promise.all(all.map((t) => t.array()))).toEqual([[0], [2 ** 31 - 1, -(2 ** 31)], [2 ** 32 - 1]]);
  free(...all);
});

test("methods are of the prototype, not enumerable, and hand on what they are given", () => {
  const names = Object.keys(Tensor.prototype);
  expect(names).toEqual([]);
  const x = zeros([2]);
  for (const name in x) expect(name in Tensor.prototype && typeof Reflect.get(x, name) === "function").toBe(false);
  free(x);
});
