// Learning rate schedules against PyTorch's sequences, and going on from a state dict.

import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { optim, tensor, ValueError } from "wgrad";
import { withDevice } from "../support/case.ts";
import { golden, type Sequence } from "./golden.ts";

withDevice();

const lambdas: Record<string, (epoch: number) => number> = {
  decay: (epoch) => 0.95 ** epoch,
  inverse: (epoch) => 1 / (1 + epoch),
};

type Opt = InstanceType<typeof optim.SGD> | InstanceType<typeof optim.Adam>;

function optimizerOf(s: Sequence): Opt {
  const groups = s.lrs.map((lr) => ({ params: [tensor([0], { requiresGrad: true })], lr }));
  return s.optimizer === "SGD" ? new optim.SGD(groups, { lr: 1, momentum: 0.9 }) : new optim.Adam(groups);
}

type Scheduler = optim.LRScheduler | optim.SequentialLR | optim.ChainedScheduler | optim.ReduceLROnPlateau;
type Part = [kind: string, positional: Sequence["positional"], options: object];

/** The schedulers of one that has several. */
const partsOf = (s: Sequence, opt: Opt) =>
  (s.positional[0] as unknown as Part[]).map(([kind, positional, options]) => {
    const part = schedulerOf({ ...s, kind, positional, options }, opt);
    if (!(part instanceof optim.LRScheduler)) throw new Error(`${kind} is none that others can hold`);
    return part;
  });

function schedulerOf(s: Sequence, opt: Opt): Scheduler {
  const [first, second] = s.positional;
  switch (s.kind) {
    case "LinearLR":
      return new optim.LinearLR(opt, s.options);
    case "ConstantLR":
      return new optim.ConstantLR(opt, s.options);
    case "PolynomialLR":
      return new optim.PolynomialLR(opt, s.options);
    case "CosineAnnealingWarmRestarts":
      return new optim.CosineAnnealingWarmRestarts(opt, first as number, s.options);
    case "CyclicLR":
      return new optim.CyclicLR(opt, first as number | number[], second as number | number[], s.options);
    case "SequentialLR":
      return new optim.SequentialLR(opt, partsOf(s, opt), second as number[]);
    case "ChainedScheduler":
      return new optim.ChainedScheduler(partsOf(s, opt));
    case "LambdaLR":
      return new optim.LambdaLR(opt, lambdas[first as string]!);
    case "StepLR":
      return new optim.StepLR(opt, first as number, s.options);
    case "MultiStepLR":
      return new optim.MultiStepLR(opt, first as number[], s.options);
    case "ExponentialLR":
      return new optim.ExponentialLR(opt, first as number);
    case "CosineAnnealingLR":
      return new optim.CosineAnnealingLR(opt, first as number, s.options);
    case "OneCycleLR":
      return new optim.OneCycleLR(opt, first as number | number[], s.options);
    default:
      return new optim.ReduceLROnPlateau(opt, s.options);
  }
}

const read = (opt: Opt) => opt.paramGroups.map((g) => [g.lr, "betas" in g ? g.betas[0] : g.momentum] as const);
const free = (opt: Opt) => {
  for (const group of opt.paramGroups) for (const p of group.params) p.dispose();
  opt.dispose();
};

function expectRates(opt: Opt, values: Sequence["values"][number], what: string): void {
  for (const [g, [lr, momentum]] of read(opt).entries()) {
    const [wantedLr, wantedMomentum] = values[g]!;
    if (Math.abs(lr - wantedLr) > 1e-12 || Math.abs(momentum - wantedMomentum) > 1e-12) {
      throw new Error(
        `${what}, group ${g}: lr ${lr}, momentum ${momentum}; PyTorch has ${wantedLr}, ${wantedMomentum}`,
      );
    }
  }
}

describe("sequences equal PyTorch's", () => {
  for (const s of golden.sequences) {
    test(s.name, () => {
      let opt = optimizerOf(s);
      let scheduler = schedulerOf(s, opt);
      expectRates(opt, s.values[0]!, "at the start");
      for (const [epoch, values] of s.values.slice(1).entries()) {
        if (epoch === 17) {
          // Both continue from their state dicts in fresh objects.
          const [optState, state] = [opt.stateDict(), JSON.parse(JSON.stringify(scheduler.stateDict()))];
          free(opt);
          opt = optimizerOf(s);
          scheduler = schedulerOf(s, opt);
          opt.loadStateDict(optState);
          scheduler.loadStateDict(state);
        }
        if (s.byHand[epoch] !== undefined) for (const group of opt.paramGroups) group.lr = s.byHand[epoch];
        if (scheduler instanceof optim.ReduceLROnPlateau) scheduler.step(s.metrics![epoch]!);
        else scheduler.step();
        expectRates(opt, values, `after step ${epoch}`);
        expect(scheduler.getLastLr()).toEqual(opt.paramGroups.map((group) => group.lr));
      }
      free(opt);
    });
  }
});

test("one minLr is that of groups that are added later, too", () => {
  const [a, b] = [tensor([0], { requiresGrad: true }), tensor([0], { requiresGrad: true })];
  const opt = new optim.SGD([a], { lr: 0.1 });
  const plateau = new optim.ReduceLROnPlateau(opt, { patience: 0, minLr: 0.05 });
  opt.addParamGroup({ params: [b], lr: 1 });
  for (let i = 0; i < 6; i++) plateau.step(1);
  expect(opt.paramGroups.map(({ lr }) => lr)).toEqual([0.05, 0.05]);
  for (const disposable of [opt, a, b]) disposable.dispose();
});

test("bad arguments", () => {
  const p = tensor([0], { requiresGrad: true });
  const opt = new optim.SGD([p], { lr: 1 });
  expect(() => new optim.StepLR(opt, 0)).toThrow(ValueError);
  expect(() => new optim.OneCycleLR(opt, 0.1, {})).toThrow(/totalSteps/);
  expect(() => new optim.ReduceLROnPlateau(opt, { factor: 1 })).toThrow(/factor must be below 1/);
  expect(() => new optim.ReduceLROnPlateau(opt, { minLr: [0, 0] })).toThrow(/2 values of minLr for 1 groups/);
  const cycle = new optim.OneCycleLR(opt, 0.1, { totalSteps: 2 });
  cycle.step();
  cycle.step();
  expect(() => cycle.step()).toThrow(/beyond the cycle of 2 steps/);
  opt.dispose();
  p.dispose();
});

test("a scheduler shows its options, its state and its learning rates", () => {
  const p = tensor([0], { requiresGrad: true });
  const opt = new optim.SGD([p], { lr: 0.5 });
  const step = new optim.StepLR(opt, 1, { gamma: 0.5 });
  step.step();
  expect(String(step)).toBe("StepLR(lastEpoch: 1, baseLrs: [0.5], stepSize: 1, gamma: 0.5, lr: [0.25])");
  expect(inspect(step)).toBe(String(step));
  const plateau = new optim.ReduceLROnPlateau(opt, { patience: 3 });
  plateau.step(2);
  expect(String(plateau)).toBe(
    'ReduceLROnPlateau(mode: "min", factor: 0.1, patience: 3, threshold: 0.0001, thresholdMode: "rel", cooldown: 0, ' +
      "minLr: 0, eps: 1e-8, best: 2, numBadEpochs: 0, cooldownCounter: 0, lastEpoch: 1, lr: [0.25])",
  );
  expect(inspect(plateau)).toBe(String(plateau));
  opt.dispose();
  p.dispose();
});
