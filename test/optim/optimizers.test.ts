// Optimizers: trajectories against PyTorch's, state that appears at the first update, state dicts, clipping.

import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { init, nn, optim, StateDictError, type Tensor, tensor, useDevice, ValueError } from "wgrad";
import { currentDevice } from "../../src/gpu/device.ts";
import { withDevice } from "../support/case.ts";
import { golden, gradient, initial, optimizers, shapesOf, type Trajectory } from "./golden.ts";

withDevice();

const fill = (shape: readonly number[], f: (i: number) => number): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => f(i)),
    { shape },
  );
const makeParams = (shapes = golden.shapes): Tensor[] =>
  shapes.map((s, k) => fill(s, (i) => initial(k, i)).requiresGrad_());

function make(t: Trajectory, params: readonly Tensor[]) {
  const groups = t.groups.map((group) => ({ ...group, params: group.params.map((k) => params[k]!) }));
  return new optimizers[t.kind](groups, t.options);
}

/** Sets the gradients and learning rates of a step, and takes it. */
function advance(t: Trajectory, opt: ReturnType<typeof make>, params: readonly Tensor[], step: number): void {
  for (const [g, lr] of (t.lrs[step] ?? []).entries()) opt.paramGroups[g]!.lr = lr;
  for (const [k, p] of params.entries()) {
    const [from, to] = t.absent[k] ?? [0, 0];
    const absent = step >= from && step < to;
    // Half of the cases leave a gradient on a frozen parameter: it must not be used.
    p.requiresGrad = !absent;
    p.grad = absent && k !== 1 ? null : fill(p.shape, (i) => gradient(step, k, i));
  }
  opt.step();
}

async function expectValues(params: readonly Tensor[], values: readonly (readonly number[])[], what: string) {
  for (const [k, p] of params.entries()) {
    const got = await p.data();
    for (const [i, value] of values[k]!.entries()) {
      const error = Math.abs(got[i]! - value);
      if (!(error <= 4e-6 * Math.max(1, Math.abs(value)))) {
        throw new Error(`${what}: parameter ${k}, element ${i} is ${got[i]}, PyTorch has ${value}`);
      }
    }
  }
}

describe("trajectories follow PyTorch's", () => {
  for (const t of golden.trajectories) {
    test(t.name, async () => {
      const params = makeParams(shapesOf(t));
      const opt = make(t, params);
      for (let step = 0; step < golden.steps; step++) {
        advance(t, opt, params, step);
        await expectValues(params, t.values[step]!, `step ${step}`);
      }
      opt.dispose();
      for (const p of params) p.dispose();
    });
  }
});

test("the state dict goes on where it was, in another optimizer", async () => {
  for (const name of [
    "adam, frozen then released",
    "sgd, nesterov, weight decay",
    "adamw, amsgrad, groups",
    "rmsprop, centered, momentum, weight decay",
    "adagrad, initial value, decays, released late",
    "nadam, weight decay, released late",
    "lion, weight decay, groups",
    "muon, without nesterov, groups",
  ]) {
    const t = golden.trajectories.find((candidate) => candidate.name === name)!;
    const params = makeParams(shapesOf(t));
    const first = make(t, params);
    for (let step = 0; step < 7; step++) advance(t, first, params, step);
    const state = first.stateDict();
    const second = make(t, params);
    second.loadStateDict(state);
    for (const entry of Object.values(state.state)) {
      for (const value of Object.values(entry)) if (typeof value !== "number") value.dispose();
    }
    first.dispose();
    for (let step = 7; step < golden.steps; step++) advance(t, second, params, step);
    await expectValues(params, t.values.at(-1)!, name);
    second.dispose();
    for (const p of params) p.dispose();
  }
});

test("frozen parameters, and those without a gradient, are left alone and have no state", async () => {
  const params = makeParams();
  const opt = new optim.Adam(params);
  params[0]!.requiresGrad = false;
  params[0]!.grad = fill(params[0]!.shape, () => 1);
  params[1]!.grad = fill(params[1]!.shape, () => 1);
  opt.step();
  const { state } = opt.stateDict();
  expect(Object.keys(state)).toEqual(["1"]);
  expect(state[1]!.step).toBe(1);
  for (const value of Object.values(state[1]!)) if (typeof value !== "number") value.dispose();
  expect(Array.from(await params[0]!.data())).toEqual(Array.from({ length: 3 }, (_, i) => Math.fround(initial(0, i))));
  opt.zeroGrad();
  expect(params.map((p) => p.grad)).toEqual([null, null, null]);
  opt.dispose();
  for (const p of params) p.dispose();
});

test("a state dict that does not fit is an error", () => {
  const params = makeParams();
  const opt = new optim.Adam(params.slice(0, 2));
  for (const p of params) p.grad = fill(p.shape, () => 1);
  opt.step();
  const state = opt.stateDict();
  const other = new optim.Adam(params);
  expect(() => other.loadStateDict(state)).toThrow(StateDictError);
  const swapped = new optim.Adam([params[1]!, params[0]!]);
  expect(() => swapped.loadStateDict(state)).toThrow(/parameter 0: expAvg has shape \[3\], expected \[2, 2\]/);
  for (const entry of Object.values(state.state)) {
    for (const value of Object.values(entry)) if (typeof value !== "number") value.dispose();
  }
  for (const disposable of [opt, other, swapped, ...params]) disposable.dispose();
});

test("bad arguments", () => {
  const p = fill([2], () => 1).requiresGrad_();
  expect(() => new optim.SGD([], { lr: 0.1 })).toThrow(/\[SGD\] got no parameters/);
  expect(() => new optim.SGD([p], { lr: -1 })).toThrow(ValueError);
  expect(() => new optim.SGD([p], { lr: 1, nesterov: true })).toThrow(/nesterov needs a momentum/);
  expect(() => new optim.Adam([p], { betas: [0.9, 1] })).toThrow(/betas must be in/);
  expect(() => new optim.Adam([p, p])).toThrow(/appears twice/);
  expect(() => new optim.Adam([{ params: [p] }, { params: [p] }])).toThrow(/appears twice/);
  expect(() => new optim.RMSprop([p], { alpha: -1 })).toThrow(
    /\[RMSprop\] alpha must be a number of at least 0, got -1/,
  );
  expect(() => new optim.Adagrad([p], { lrDecay: Number.NaN })).toThrow(ValueError);
  expect(() => new optim.Lion([p], { betas: [-1, 0.9] })).toThrow(/\[Lion\] betas must be in/);
  expect(() => new optim.Muon([p])).toThrow(/\[Muon\] parameter 0 has shape \[2\].*give it to another optimizer/);
  p.dispose();
});

test("addParamGroup takes defaults, and its own rate", async () => {
  const [a, b] = [fill([2], () => 1).requiresGrad_(), fill([2], () => 1).requiresGrad_()];
  const opt = new optim.SGD([a], { lr: 0.5 });
  opt.addParamGroup({ params: [b], lr: 0.25 });
  expect(opt.paramGroups[1]!.momentum).toBe(0);
  a.grad = fill([2], () => 1);
  b.grad = fill([2], () => 1);
  opt.step();
  expect(Array.from(await a.data())).toEqual([0.5, 0.5]);
  expect(Array.from(await b.data())).toEqual([0.75, 0.75]);
  for (const disposable of [opt, a, b]) disposable.dispose();
});

test("clipGradNorm_ and clipGradValue_", async () => {
  const sizes = [1, 63, 16_384, 16_385, 40_000];
  const values = sizes.map((n, k) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 0.7 + k)));
  const params = values.map((v) => {
    const p = fill([v.length], () => 0).requiresGrad_();
    p.grad = tensor(v);
    return p;
  });
  const norm = Math.sqrt(values.reduce((sum, v) => v.reduce((s, x) => s + x * x, sum), 0));
  for (const [maxNorm, factor] of [
    [1e6, 1],
    [10, 10 / (norm + 1e-6)],
  ] as const) {
    const total = optim.clipGradNorm_(params, maxNorm);
    expect(Math.abs((await total.item()) / norm - 1)).toBeLessThan(1e-5);
    total.dispose();
    for (const [k, p] of params.entries()) {
      const got = await p.grad!.data();
      const worst = values[k]!.reduce((most, x, i) => Math.max(most, Math.abs(got[i]! - x * factor)), 0);
      expect(worst).toBeLessThan(1e-6);
    }
  }
  optim.clipGradValue_(params, 0.01);
  for (const p of params)
    expect(Math.max(...(await p.grad!.data()).map(Math.abs))).toBeLessThanOrEqual(Math.fround(0.01));
  for (const p of params) p.dispose();
});

test("a launch takes several parameters of many workgroups each, and ends where each ends", async () => {
  const sizes = [5000, 3, 2049, 64, 4096];
  for (const amsgrad of [false, true]) {
    const params = sizes.map((n, k) => fill([n], (i) => Math.sin(i + k)).requiresGrad_());
    const opt = new optim.Adam(params, { lr: 0.1, amsgrad });
    for (let step = 0; step < 2; step++) {
      for (const [k, p] of params.entries()) p.grad = fill([p.numel], (i) => Math.cos(i * 0.3 + k + step));
      opt.step();
    }
    for (const [k, p] of params.entries()) {
      const got = await p.data();
      for (let i = 0; i < sizes[k]!; i++) {
        let [x, m, v, top] = [Math.sin(i + k), 0, 0, 0];
        for (let step = 0; step < 2; step++) {
          const g = Math.cos(i * 0.3 + k + step);
          m = 0.9 * m + 0.1 * g;
          v = 0.999 * v + 0.001 * g * g;
          top = amsgrad ? Math.max(top, v) : v;
          x -= ((0.1 / (1 - 0.9 ** (step + 1))) * m) / (Math.sqrt(top / (1 - 0.999 ** (step + 1))) + 1e-8);
        }
        if (!(Math.abs(got[i]! - x) < 2e-4)) throw new Error(`parameter ${k}, element ${i} is ${got[i]}, not ${x}`);
      }
    }
    for (const disposable of [opt, ...params]) disposable.dispose();
  }
});

test("parameters that share their storage are updated one after the other", async () => {
  const a = fill([4], () => 1).requiresGrad_();
  const b = a.detach().requiresGrad_();
  const opt = new optim.SGD([a, b], { lr: 1 });
  for (const p of [a, b]) p.grad = fill([4], (i) => i);
  opt.step();
  expect(Array.from(await a.data())).toEqual([1, -1, -3, -5]);
  for (const disposable of [opt, a, b]) disposable.dispose();
});

test("a state dict with AMSGrad goes into an optimizer without, which takes over the option", async () => {
  const t = golden.trajectories.find(({ name }) => name === "adam, amsgrad")!;
  const params = makeParams();
  const [first, second] = [make(t, params), new optim.Adam(params)];
  for (let step = 0; step < 7; step++) advance(t, first, params, step);
  const { state, paramGroups } = first.stateDict();
  second.loadStateDict({ state, paramGroups });
  for (const entry of Object.values(state)) {
    for (const value of Object.values(entry)) if (typeof value !== "number") value.dispose();
  }
  for (let step = 7; step < golden.steps; step++) advance(t, second, params, step);
  await expectValues(params, t.values.at(-1)!, t.name);
  for (const disposable of [first, second, ...params]) disposable.dispose();
});

test("norms that are not finite", async () => {
  for (const [values, norm, expected] of [
    [[3, Number.NaN], Number.NaN, [Number.NaN, Number.NaN]],
    [[3, Number.NEGATIVE_INFINITY], Number.POSITIVE_INFINITY, [0, Number.NaN]],
    [[], 0, []],
  ] as const) {
    const p = fill([2], () => 0).requiresGrad_();
    if (values.length > 0) p.grad = tensor([...values]);
    const total = optim.clipGradNorm_([p], 1);
    expect(await total.item()).toBe(norm);
    expect(p.grad ? Array.from(await p.grad.data()) : []).toEqual(expected);
    total.dispose();
    p.dispose();
  }
});

test("everything happens on the parameters' own device", async () => {
  const first = currentDevice();
  const p = fill([2, 2], (i) => i + 1).requiresGrad_();
  p.grad = fill([2, 2], () => 3);
  const second = await init();
  try {
    const norm = optim.clipGradNorm_(p, 3);
    optim.clipGradValue_(p, 1);
    const optimizers = [
      new optim.SGD([p], { lr: 0.5 }),
      new optim.Adam([p], { lr: 0 }),
      new optim.Muon([p], { lr: 0 }),
    ];
    for (const opt of optimizers) opt.step();
    expect(await norm.item()).toBe(6);
    expect(Array.from(await p.data())).toEqual([0.5, 1.5, 2.5, 3.5]);
    expect(p.device).toBe(first);
    const q = fill([2], () => 1).requiresGrad_();
    expect(q.device).toBe(second);
    expect(() => new optim.Adam([p, q])).toThrow(/\[Adam\] inputs live on two devices/);
    for (const disposable of [norm, q, ...optimizers]) disposable.dispose();
  } finally {
    useDevice(first);
    p.dispose();
  }
});

test("three parameters a launch, one upload a step", async () => {
  const { queue } = currentDevice();
  const params = Array.from({ length: 7 }, () => fill([5], () => 1).requiresGrad_());
  const opt = new optim.Adam(params);
  const step = async () => {
    await queue.idle();
    for (const p of params) p.grad = fill([5], () => 1);
    const before = { ...queue.stats };
    opt.step();
    await queue.idle();
    return [queue.stats.dispatches - before.dispatches, queue.stats.writes - before.writes];
  };
  await step();
  expect(await step()).toEqual([3, 1]);
  for (const disposable of [opt, ...params]) disposable.dispose();
});

test("an optimizer of one's own is a formula", async () => {
  const rule = new optim.UpdateRule<{ lr: number }>({
    name: "signs",
    state: ["steps"],
    hyper: ({ lr }, step) => ({ lr: lr / step }),
    wgsl: "steps += vec4f(1.0); p -= h.lr * steps * sign(g);",
  });
  class SignSGD extends optim.Optimizer {
    protected override rule() {
      return rule;
    }
  }
  const params = makeParams();
  const opt = new SignSGD(params, { lr: 0.5 });
  for (let i = 0; i < 2; i++) {
    for (const p of params) p.grad = fill(p.shape, () => -3);
    opt.step();
  }
  await expectValues(
    params,
    params.map(({ numel }, k) => Array.from({ length: numel }, (_, i) => initial(k, i) + 1)),
    "after two steps",
  );
  const other = new optim.UpdateRule<{ lr: number }>({
    name: "signs",
    state: [],
    hyper: ({ lr }) => ({ lr }),
    wgsl: "",
  });
  class Other extends optim.Optimizer {
    protected override rule() {
      return other;
    }
  }
  const second = new Other(params, { lr: 1 });
  expect(() => second.step()).toThrow(/another formula is named "signs"/);
  for (const disposable of [opt, second, ...params]) disposable.dispose();
});

test("an optimizer refuses what is no hyper-parameter of its, in JavaScript too", () => {
  const linear = new nn.Linear(2, 2);
  const model = new nn.Sequential(linear);
  const p = tensor([1], { requiresGrad: true });
  // biome-ignore lint/suspicious/noExplicitAny: what the types forbid
  const { SGD, Adam, AdamW, Muon } = optim as Record<string, any>;
  const cases: [() => unknown, RegExp][] = [
    [() => new SGD(linear, { lr: 1 }), /^\[SGD\] got a Linear in the place of parameters.*model.parameters/],
    [() => new SGD(model, { lr: 1 }), /in the place of parameters/],
    [() => new SGD([p]), /got undefined in the place of its options: it takes { lr, momentum/],
    [() => new SGD([p], {}), /lr must be a number, got undefined/],
    [() => new SGD([{ params: [p], learningRate: 1 }], { lr: 1 }), /has no option "learningRate"/],
    [() => new Adam([p], 0.1), /got 0.1 in the place of its options/],
    [() => new AdamW([p], 0.1), /^\[AdamW\] got 0.1/],
    [() => new Adam([p], { learningRate: 1 }), /has no option "learningRate": it takes { lr, betas/],
    [() => new Adam([p], { lr: Number.NaN }), /lr must be a number of at least 0, got NaN/],
    [() => new Adam([p], { eps: "small" }), /eps must be a number, got "small"/],
    [() => new Adam([p], { betas: 0.9 }), /betas must be an array of 2 numbers, got 0.9/],
    [() => new Adam([p], { betas: [0.9] }), /betas must be an array of 2 numbers/],
    [() => new Adam([p], { amsgrad: 1 }), /amsgrad must be a boolean, got 1/],
    [() => new Muon([p], { nsCoefficients: "none" }), /nsCoefficients must be an array of 3 numbers/],
  ];
  for (const [f, message] of cases) {
    expect(f, String(message)).toThrow(ValueError);
    expect(f).toThrow(message);
  }
  const opt = new optim.Adam([p], { lr: 0.1, eps: undefined });
  const state = opt.stateDict();
  expect(opt.paramGroups[0].eps).toBe(1e-8);
  for (const bad of [{ lr: null }, { betas: undefined }, { betas: [0.9, 2] }, { eps: "small" }, { amsgrad: null }]) {
    const load = () => opt.loadStateDict({ ...state, paramGroups: [{ ...state.paramGroups[0]!, ...bad }] });
    expect(load).toThrow(StateDictError);
    expect(load).toThrow(`[loadStateDict] ${Object.keys(bad)[0]} must be`);
  }
  for (const bad of [undefined, {}, { state: {}, paramGroups: 1 }, { state: {}, paramGroups: [{}] }])
    expect(() => opt.loadStateDict(bad as never)).toThrow(StateDictError);
  expect(opt.paramGroups[0].lr).toBe(0.1);
  for (const disposable of [opt, model, p]) disposable.dispose();
});

test("an optimizer shows its groups in PyTorch's form", () => {
  const params = makeParams();
  const [first, ...rest] = params;
  const opt = new optim.Adam([{ params: first ? [first] : [], lr: 0.5 }, { params: rest }]);
  const text = `Adam (
Parameter Group 0
    amsgrad: false
    betas: [0.9,0.999]
    eps: 1e-8
    lr: 0.5
    weightDecay: 0
Parameter Group 1
    amsgrad: false
    betas: [0.9,0.999]
    eps: 1e-8
    lr: 0.001
    weightDecay: 0
)`;
  expect(String(opt)).toBe(text);
  expect(inspect(opt)).toBe(text);
  for (const disposable of [opt, ...params]) disposable.dispose();
});
