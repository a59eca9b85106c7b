// Losses and distances as modules and functions against PyTorch.
import { describe, expect, test } from "vitest";
import { grad, nn, type Shape, ShapeError, scope, type Tensor, tensor, ValueError, zeros } from "wgrad";
import { withDevice } from "../support/case.ts";
import { type GoldenCase, goldenCases, read, wave } from "../support/golden-layers.ts";

withDevice();
const F = nn.functional;

const [M, V, C] = [[4, 3], [4], [3]] as const;
const ids = (...values: number[]): Tensor => tensor(values, { dtype: "i32" });
const signs = () => ids(1, -1, -1, 1);
const labels = () => ids(2, 0, 1, 2);

const cases: Record<string, GoldenCase> = {};
type Tensors = readonly Tensor[];
const one = (name: string, inputs: GoldenCase["inputs"], f: (...xs: Tensor[]) => Tensor) => {
  cases[name] = { inputs, call: (_, xs) => scope(() => f(...xs)) };
};
type Reductions = Readonly<{ reduction: nn.functional.Reduction }>;
/** A loss with each reduction. */
const all = (name: string, inputs: readonly Shape[], f: (options: Reductions, ...xs: Tensor[]) => Tensor) => {
  for (const reduction of ["none", "mean", "sum"] as const)
    one(`${name} ${reduction}`, inputs, (...xs) => f({ reduction }, ...xs));
};

all("BCELoss", [M, M], (o, x, t) => new nn.BCELoss(o).forward(x!.mul(3).sigmoid(), t!.sigmoid()));
one("BCELoss weighted mean", [M, M, C], (x, t, w) =>
  F.binaryCrossEntropy(x!.sigmoid(), t!.sigmoid(), { weight: w!.sigmoid().detach() }),
);
one("BCELoss of certain answers", [() => tensor([0, 1, 0, 1, 1e-6, 0.25])], (x) =>
  F.binaryCrossEntropy(x!, tensor([1, 1, 0, 0, 0, 1]), { reduction: "none" }),
);
one("BCEWithLogitsLoss weighted", [M, M, C, C], (x, t, w, p) =>
  new nn.BCEWithLogitsLoss({ weight: w!.detach(), posWeight: p!.detach() }).forward(x!.mul(9), t!.sigmoid()),
);
one("BCEWithLogitsLoss posWeight none", [M, M, C], (x, t, p) =>
  new nn.BCEWithLogitsLoss({ posWeight: p!.detach().add(2), reduction: "none" }).forward(x!, t!.sigmoid()),
);
all("KLDivLoss", [M, M], (o, x, t) => new nn.KLDivLoss(o).forward(x!, t!.sigmoid()));
one("KLDivLoss batchmean", [M, M], (x, t) => F.klDiv(x!, t!.sigmoid(), { reduction: "batchmean" }));
one("KLDivLoss logTarget", [M, M], (x, t) =>
  new nn.KLDivLoss({ reduction: "batchmean", logTarget: true }).forward(x!, t!),
);
one("KLDivLoss with zeros", [M], (x) => F.klDiv(x!, tensor([0, 1, 0.5]).expand([4, 3]), { reduction: "none" }));
all("NLLLoss", [M], (o, x) => new nn.NLLLoss(o).forward(x!.logSoftmax(1), labels()));
all("L1Loss", [M, M], (o, x, t) => new nn.L1Loss(o).forward(x!, t!));
all("SmoothL1Loss", [M, M], (o, x, t) => new nn.SmoothL1Loss({ beta: 0.5, ...o }).forward(x!, t!));
all("HuberLoss", [M, M], (o, x, t) => new nn.HuberLoss({ delta: 0.75, ...o }).forward(x!, t!));
all("PoissonNLLLoss", [M, M], (o, x, t) => new nn.PoissonNLLLoss(o).forward(x!, t!.mul(2).add(3)));
one("PoissonNLLLoss full", [M, M], (x, t) =>
  F.poissonNllLoss(x!.add(1.5), t!.detach().mul(2).add(2), { logInput: false, full: true }),
);
all("GaussianNLLLoss", [M, M, M], (o, x, t, v) => new nn.GaussianNLLLoss(o).forward(x!, t!, v!.sigmoid()));
one("GaussianNLLLoss full", [M, M, V], (x, t, v) => F.gaussianNllLoss(x!, t!, v!.sigmoid(), { full: true }));
one("GaussianNLLLoss least", [M, M, [4, 1]], (x, t, v) =>
  F.gaussianNllLoss(x!, t!, v!.sigmoid(), { eps: 0.5, reduction: "none" }),
);
all("SoftMarginLoss", [V], (o, x) => new nn.SoftMarginLoss(o).forward(x!, signs()));
all("HingeEmbeddingLoss", [V], (o, x) => new nn.HingeEmbeddingLoss({ margin: 0.5, ...o }).forward(x!, signs()));
all("MultiLabelSoftMarginLoss", [M, M], (o, x, t) =>
  new nn.MultiLabelSoftMarginLoss(o).forward(x!, t!.sigmoid().detach()),
);
one("MultiLabelSoftMarginLoss weighted", [C, C], (x, w) =>
  F.multilabelSoftMarginLoss(x!, tensor([1, 0, 1]), { weight: w!.detach() }),
);
all("CosineEmbeddingLoss", [M, M], (o, a, b) =>
  new nn.CosineEmbeddingLoss({ margin: -0.2, ...o }).forward(a!, b!, signs()),
);
all("MarginRankingLoss", [V, V], (o, a, b) => new nn.MarginRankingLoss({ margin: 0.3, ...o }).forward(a!, b!, signs()));
all("MultiMarginLoss", [M], (o, x) => new nn.MultiMarginLoss(o).forward(x!, labels()));
one("MultiMarginLoss squares", [M, C], (x, w) =>
  F.multiMarginLoss(x!, labels(), { p: 2, margin: 0.5, weight: w!.detach(), reduction: "none" }),
);
one("MultiMarginLoss of one", [C], (x) => F.multiMarginLoss(x!, ids(1).reshape([])));
all("TripletMarginLoss", [M, M, M], (o, a, p, n) =>
  new nn.TripletMarginLoss({ margin: 0.7, ...o }).forward(a!, p!, n!),
);
one("TripletMarginLoss swapped", [M, M, M], (a, p, n) =>
  F.tripletMarginLoss(a!, p!, n!, { p: 1, swap: true, reduction: "none" }),
);
one("CosineSimilarity", [M, M], (a, b) => new nn.CosineSimilarity().forward(a!, b!));
one("CosineSimilarity broadcast", [[2, 4, 3], C], (a, b) => F.cosineSimilarity(a!, b!, { dim: -1 }));
one("CosineSimilarity along a repeated dimension", [M, [1, 3]], (a, b) =>
  F.cosineSimilarity(a!, b!.detach(), { dim: 0 }),
);
one("PairwiseDistance", [M, M], (a, b) => new nn.PairwiseDistance().forward(a!, b!));
one("PairwiseDistance broadcast", [[2, 4, 3], C], (a, b) => F.pairwiseDistance(a!, b!, { p: 1, keepdim: true }));
one("normalize", [[2, 3, 4]], (x) => F.normalize(x!));
one("normalize by sizes", [M], (x) => F.normalize(x!, { p: 1, dim: -1 }));
one("normalize by the largest", [M], (x) => F.normalize(x!, { p: Number.POSITIVE_INFINITY, dim: 0 }));
one("normalize by cubes", [M], (x) => F.normalize(x!, { p: 3, dim: -1, eps: 0.1 }));
goldenCases("losses", cases);

const defaults: Record<string, readonly [(...xs: Tensor[]) => Tensor, (...xs: Tensor[]) => Tensor]> = {
  cosineEmbeddingLoss: [
    (a, b) => F.cosineEmbeddingLoss(a!, b!, signs()),
    (a, b) => new nn.CosineEmbeddingLoss().forward(a!, b!, signs()),
  ],
  hingeEmbeddingLoss: [
    (x) => F.hingeEmbeddingLoss(x!.reshape([12]), zeros([12]).add(-1)),
    (x) => x!.neg().add(1).mean(),
  ],
  huberLoss: [(a, b) => F.huberLoss(a!, b!), (a, b) => new nn.HuberLoss({ delta: 1 }).forward(a!, b!)],
  marginRankingLoss: [
    (a, b) => F.marginRankingLoss(a!, b!, a!.sign()),
    (a, b) => new nn.MarginRankingLoss({ margin: 0 }).forward(a!, b!, a!.sign()),
  ],
  softMarginLoss: [(a, b) => F.softMarginLoss(a!, b!.sign()), (a, b) => new nn.SoftMarginLoss().forward(a!, b!.sign())],
};
test.each(Object.entries(defaults))("%s has PyTorch's defaults", async (_, [f, g]) => {
  const [a = [], b = []] = await read(() => [f(wave(M, 0), wave(M, 1)), g(wave(M, 0), wave(M, 1))]);
  for (const [i, v] of a.entries()) expect(Math.abs(v - b[i]!)).toBeLessThan(1e-5);
});

test("the loss of probabilities has a gradient of its gradient", async () => {
  const h = 1 / 512;
  const [second = [], difference = []] = await read(() => {
    const slope = (offset: number, createGraph = false): Tensors => {
      const x = wave(M, 1, 0.3)
        .add(0.5 + offset)
        .detach();
      x.requiresGrad = true;
      return [
        x,
        ...grad([F.binaryCrossEntropy(x, wave(M, 2).sigmoid(), { reduction: "sum" })], [x], { createGraph }),
      ] as Tensor[];
    };
    const [x, dx] = slope(0, true);
    const [[, up], [, down]] = [slope(h), slope(-h)];
    return [grad([dx!.sum()], [x!])[0]!, up!.sub(down!).div(2 * h)];
  });
  for (const [i, v] of second.entries()) expect(Math.abs(v - difference[i]!)).toBeLessThan(0.01 * Math.abs(v));
});

describe("what is not finite", () => {
  test("NaN is NaN, in its element alone", async () => {
    const [bce, kl, huber] = await read(() => {
      const x = tensor([Number.NaN, 0.5]);
      const o = { reduction: "none" } as const;
      const t = tensor([0.5, 0.5]);
      return [F.binaryCrossEntropy(x, t, o), F.klDiv(x, t, o), F.huberLoss(x, t, o)];
    });
    for (const each of [bce, kl, huber]) {
      expect(each![0]).toBeNaN();
      expect(each![1]).not.toBeNaN();
    }
  });
  test("a vector of length 0 has the direction 0, and no gradient that is not finite", async () => {
    const [y, dx] = await read(() => {
      const x = zeros([1, 3], { requiresGrad: true });
      const y = F.normalize(x);
      y.sum().backward();
      return [y.detach(), x.grad!.clone()];
    });
    expect(y).toEqual([0, 0, 0]);
    expect(dx!.every(Number.isFinite)).toBe(true);
  });
});

test("an empty batch has the mean NaN and the sum 0, as in PyTorch", async () => {
  const [mean, sum] = await read(() => {
    const x = zeros([0, 3]);
    return [F.binaryCrossEntropy(x, x), F.huberLoss(x, x, { reduction: "sum" })];
  });
  expect(mean![0]).toBeNaN();
  expect(sum).toEqual([0]);
});

test("what does not fit is told", () => {
  const [x, y] = [zeros([2, 3]), zeros([3])];
  const [two, lone, short] = [ids(0, 1), ids(0), zeros([2])];
  expect(() => F.binaryCrossEntropy(x, y)).toThrow(ShapeError);
  expect(() => F.binaryCrossEntropy(x, x, { weight: short })).toThrow(/weight|broadcast/);
  expect(() => F.huberLoss(x, x, { delta: 0 })).toThrow(ValueError);
  expect(() => F.klDiv(x, x, { reduction: "batch" as never })).toThrow(/reduction must be one of/);
  expect(() => F.multiMarginLoss(x, two, { p: 3 })).toThrow(/p must be 1 or 2/);
  expect(() => F.multiMarginLoss(x, lone)).toThrow(/\[N, C\] and \[N\]/);
  expect(() => F.gaussianNllLoss(x, x, y)).toThrow(/variance has shape/);
  expect(() => F.cosineEmbeddingLoss(x, x, y)).toThrow(/\[N, D\] and \[N\]/);
  expect(() => new nn.BCELoss({ posWeight: y } as never)).toThrow(/has no option "posWeight"/);
  for (const t of [x, y, two, lone, short]) t.dispose();
});
