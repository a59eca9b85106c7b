// Averages of a model's weights while it is trained: a moving one (EMA) or that of all updates (SWA); with the batch norms'
// statistics and the schedule that go with it.
import { noGrad } from "../autograd/mode.ts";
import { beforeReplay } from "../capture/hooks.ts";
import { check, checkNumber, checkOptions, checkWhole, listed, StateError, told, ValueError } from "../errors.ts";
import { deepCopy } from "../nn/deep-copy.ts";
import { type AnyModule, Module } from "../nn/module.ts";
import { BatchNorm } from "../nn/norm-layers.ts";
import { binary } from "../ops/binary.ts";
import * as binaries from "../ops/binary-rows.ts";
import { to } from "../ops/cast.ts";
import { add_, fill_ } from "../ops/inplace.ts";
import { expand } from "../ops/sum-expand.ts";
import { unary } from "../ops/unary.ts";
import * as unaries from "../ops/unary-rows.ts";
import { where } from "../ops/where.ts";
import { copy_ } from "../tensor/copy.ts";
import { full, zeros } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { sameShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { HyperTable } from "./hyper-table.ts";
import { type AnyGroup, type AnyOptimizer, LRScheduler } from "./lr-scheduler.ts";
import { type Member, sideBySide, update, updateKernel } from "./update-op.ts";
import { batches } from "./update-rule.ts";

// avg = (1 - weight) avg + weight p, of several tensors in a launch.
const averageKernel = () =>
  updateKernel(
    {
      Hyper: "struct Hyper { weight: f32 }",
      advance: `fn advance(h: Hyper, parameter: vec4f, gradient: vec4f, i: u32) -> vec4f {
  return parameter * (1.0 - h.weight) + gradient * h.weight;
}`,
    },
    "average",
  );

/** What `AveragedModel` takes beside the model. */
export interface AveragedModelOptions {
  /**
   * Share that the average keeps at each update, from 0 to 1, as 0.999: an exponential moving average. Default null: the mean of all
   * updates, for stochastic weight averaging.
   */
  emaDecay?: number | null;
  /** Average buffers of floats as well (running statistics); false: they are the model's at the last update. Default false. */
  useBuffers?: boolean;
}

/**
 * A copy of a model whose parameters are an average of the model's: call `updateParameters(model)` after each `optimizer.step()`,
 * inside of a captured step or not, and evaluate the copy. The first update takes the model's values. A state dict has PyTorch's
 * keys: `module.` before each name, and `n_averaged`.
 *
 * ```ts
 * const average = new optim.swaUtils.AveragedModel(model, { emaDecay: 0.999 });
 * const step = capture((x: Tensor, y: Tensor) => { ...; optimizer.step(); average.updateParameters(model); });
 * average.eval().forward(images);
 * ```
 * @see https://arxiv.org/abs/1803.05407 and https://pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema
 */
export class AveragedModel<I extends readonly unknown[] = readonly [Tensor], O = Tensor> extends Module<I, O> {
  /** The copy, whose parameters are the average. */
  readonly module: Module<I, O>;
  /** Updates so far: i32, shape []. */
  readonly nAveraged: Tensor;
  /** Share that the average keeps at each update; null: the mean of all updates. */
  readonly emaDecay: number | null;
  /** Whether buffers of floats are averaged. */
  readonly useBuffers: boolean;
  /** Where the launches find the weight of an update, which the device computes. */
  private readonly table: { readonly row: HyperTable } | null = null;

  constructor(model: Module<I, O>, options: AveragedModelOptions = {}) {
    super();
    checkOptions("AveragedModel", options, ["emaDecay", "useBuffers"]);
    const { emaDecay = null, useBuffers = false } = options;
    if (emaDecay !== null) checkNumber("AveragedModel", "emaDecay", emaDecay, 0, 1);
    this.module = deepCopy(model);
    this.emaDecay = emaDecay;
    this.useBuffers = useBuffers;
    this.nAveraged = this.registerBuffer("nAveraged", zeros([], { dtype: "i32" }));
    this.train(model.training);
  }

  override forward(...inputs: I): O {
    return this.module.forward(...inputs);
  }

  /**
   * Moves the average towards the present values of `model`, which has the same layers.
   * @throws StateError for a model with other parameters.
   */
  updateParameters(model: AnyModule): void {
    check(model instanceof Module, () => `[AveragedModel] takes a model, got ${told(model)}`, ValueError);
    const [averaged, copied] = this.pairs(model);
    noGrad(() =>
      scope(() => {
        const table = this.weights();
        const kernel = averageKernel();
        for (const launch of batches(averaged, 3, sideBySide)) update("AveragedModel", kernel, table, 0, launch);
        for (const [target, source] of copied) copy_(target, source);
        add_(this.nAveraged, 1);
        // A replay copies what batch norms had counted on the device; what they count on the host comes with it.
        const norms = (of: AnyModule) => [...of.modules()].filter((module) => module instanceof BatchNorm);
        const theirs = norms(model);
        const both = norms(this.module).flatMap((own, i) => (theirs[i] ? [[own, theirs[i]] as const] : []));
        beforeReplay(() => {
          for (const [own, other] of both) own.waitAs(other);
        });
      }),
    );
  }

  /** What is averaged, and what is copied. */
  private pairs(model: AnyModule): [averaged: Member[], copied: [Tensor, Tensor][]] {
    const averaged: Member[] = [];
    const copied: [Tensor, Tensor][] = [];
    const together = (mine: Iterable<[string, Tensor]>, theirs: Iterable<[string, Tensor]>, average: boolean) => {
      const values = new Map(theirs);
      let count = 0;
      for (const [name, p] of mine) {
        const g = values.get(name);
        check(
          g !== undefined && sameShape(g.shape, p.shape) && g.dtype === p.dtype,
          () => `[AveragedModel] the model's ${name} is ${g ? String(g) : "missing"}, but the average has ${String(p)}`,
          StateError,
        );
        count++;
        if (average && p.dtype === "f32") averaged.push({ p, g, state: [] });
        else copied.push([p, g]);
      }
      check(
        count === values.size,
        () => `[AveragedModel] the model has ${values.size} parameters or buffers, but the average has ${count}`,
        StateError,
      );
    };
    together(this.module.namedParameters(), model.namedParameters(), true);
    together(this.module.namedBuffers(), model.namedBuffers(), this.useBuffers);
    return [averaged, copied];
  }

  /** The table with the weight of the next update, by the count that the device has. */
  private weights(): HyperTable {
    const { emaDecay, nAveraged } = this;
    let row = this.table?.row;
    if (!row) {
      row = new HyperTable(nAveraged.device, 1);
      Object.defineProperty(this, "table", { value: { row }, configurable: true, enumerable: false });
    }
    const weight =
      emaDecay === null
        ? unary(unaries.reciprocal, unary(unaries.affine, to(nAveraged, "f32"), { scale: 1, offset: 1 }))
        : where(binary(binaries.eq, nAveraged, full([], 0, { dtype: "i32" })), 1, full([], 1 - emaDecay));
    copy_(row.tensor, expand(weight, row.tensor.shape));
    return row;
  }

  override dispose(): void {
    super.dispose();
    this.table?.row.dispose();
  }
}

/** What `updateBn` takes of each batch: the inputs, a list that begins with them, or an object that has them as `images`. */
export type BnBatch = Tensor | readonly [inputs: Tensor, ...rest: unknown[]] | { readonly images: Tensor };

/**
 * Computes the running statistics of a model's batch norms anew, as the mean over the batches of `loader`: after averaging
 * weights, whose statistics nobody has seen. Batches are the caller's to dispose.
 * @throws ValueError for batches of another kind.
 * @see https://pytorch.org/docs/stable/optim.html#torch.optim.swa_utils.update_bn
 */
export async function updateBn(loader: Iterable<BnBatch> | AsyncIterable<BnBatch>, model: Module): Promise<void> {
  check(model instanceof Module, () => `[updateBn] takes a model, got ${told(model)}`, ValueError);
  check(
    typeof loader === "object" && loader !== null && (Symbol.iterator in loader || Symbol.asyncIterator in loader),
    () => `[updateBn] takes batches to loop over, got ${told(loader)}`,
    ValueError,
  );
  const norms = [...model.modules()].filter((module) => module instanceof BatchNorm);
  if (norms.length === 0) return;
  const modes = Array.from(model.modules(), (module) => [module, module.training] as const);
  const momenta = norms.map((norm) => [norm, norm.momentum] as const);
  noGrad(() => {
    for (const { runningMean, runningVar, numBatchesTracked } of norms) {
      if (runningMean) fill_(runningMean, 0);
      if (runningVar) fill_(runningVar, 1);
      if (numBatchesTracked) fill_(numBatchesTracked, 0);
    }
  });
  model.train();
  for (const norm of norms) norm.momentum = null;
  try {
    for await (const batch of loader) {
      const inputs = inputsOf(batch);
      check(
        inputs instanceof Tensor,
        () => `[updateBn] a batch is a tensor, a list that begins with one, or has one as images, got ${told(batch)}`,
        ValueError,
      );
      noGrad(() => scope(() => void model.forward(inputs)));
    }
  } finally {
    for (const [norm, momentum] of momenta) norm.momentum = momentum;
    for (const [module, training] of modes) module.training = training;
  }
}

function inputsOf(batch: unknown): unknown {
  if (Array.isArray(batch)) return batch[0];
  return typeof batch === "object" && batch !== null && "images" in batch ? batch.images : batch;
}

/** What `SWALR` takes. */
export interface SwaLrOptions {
  /** The learning rate to get to, of all groups or of each. */
  swaLr: number | readonly number[];
  /** Steps that it takes. Default 10. */
  annealEpochs?: number;
  /** By a cosine or in a line. Default "cos". */
  annealStrategy?: "cos" | "linear";
}

/**
 * Takes each group's learning rate to `swaLr` within `annealEpochs` steps, and keeps it there: for the epochs that are averaged.
 * @see https://arxiv.org/abs/1803.05407 and https://pytorch.org/docs/stable/optim.html#torch.optim.swa_utils.SWALR
 */
export class SWALR extends LRScheduler {
  /** The rates to get to, by group. */
  readonly swaLrs: readonly number[];
  /** Steps that it takes. */
  readonly annealEpochs: number;
  /** By a cosine or in a line. */
  readonly annealStrategy: "cos" | "linear";

  constructor(optimizer: AnyOptimizer, options: SwaLrOptions) {
    super(optimizer);
    checkOptions("SWALR", options, ["swaLr", "annealEpochs", "annealStrategy"]);
    const { swaLr, annealEpochs = 10, annealStrategy = "cos" } = options;
    const { length } = optimizer.paramGroups;
    const rates =
      typeof swaLr === "number"
        ? optimizer.paramGroups.map(() => swaLr)
        : listed("SWALR", "swaLr: a number, or one for each group", swaLr);
    check(
      rates.length === length,
      () => `[SWALR] swaLr has ${rates.length} rates for ${length} groups: give a number, or one for each`,
      ValueError,
    );
    for (const rate of rates) checkNumber("SWALR", "swaLr", rate, 0);
    checkWhole("SWALR", "annealEpochs", annealEpochs, 0);
    check(
      annealStrategy === "cos" || annealStrategy === "linear",
      () => `[SWALR] annealStrategy must be "cos" or "linear", got ${told(annealStrategy)}`,
      ValueError,
    );
    this.swaLrs = rates;
    this.annealEpochs = annealEpochs;
    this.annealStrategy = annealStrategy;
    this.start();
  }

  protected override lr(group: AnyGroup, _: number, index: number): number {
    const { annealEpochs, annealStrategy, swaLrs } = this;
    const step = annealEpochs === 0 ? Math.max(1, this.lastEpoch) : this.lastEpoch;
    const share = (at: number): number => {
      const t = Math.max(0, Math.min(1, at / Math.max(1, annealEpochs)));
      return annealStrategy === "cos" ? (1 - Math.cos(Math.PI * t)) / 2 : t;
    };
    const goal = swaLrs[index] ?? group.lr;
    const [before, now] = [share(step - 1), share(step)];
    // The rate that it started from, whatever other schedulers have made of it since.
    const start = before === 1 ? goal : (group.lr - before * goal) / (1 - before);
    return goal * now + start * (1 - now);
  }
}
