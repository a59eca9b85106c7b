// RNNCell, LSTMCell and GRUCell: one step of the recurrent layers, for loops of one's own.
import { checkTensor } from "../autograd/run.ts";
import { check, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import { add } from "../ops/arithmetic.ts";
import { linear } from "../ops/matmul.ts";
import { uniform } from "../ops/random.ts";
import { type CellKind, gatesOf, recurrent } from "../ops/recurrent.ts";
import { squeeze, unsqueeze } from "../ops/view.ts";
import { zeros } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** What cells take beside the sizes. */
export interface CellOptions {
  /** Two learned numbers added to each gate. Default true. */
  bias?: boolean;
}

/** What `RNNCell` takes beside the sizes. */
export interface RNNCellOptions extends CellOptions {
  /** Default "tanh". */
  nonlinearity?: "tanh" | "relu";
}

abstract class Cell<H, O> extends Module<readonly [input: Tensor, state?: H | null], O> {
  /** Features of the input. */
  readonly inputSize: number;
  /** Units. */
  readonly hiddenSize: number;
  /** Weights of the inputs: [gates * hiddenSize, inputSize]. */
  weightIh: Parameter;
  /** Weights of the state: [gates * hiddenSize, hiddenSize]. */
  weightHh: Parameter;
  /** Added to what the inputs give: [gates * hiddenSize]. */
  biasIh: Parameter | null;
  /** Added to what the state gives: [gates * hiddenSize]. */
  biasHh: Parameter | null;
  private readonly kind: CellKind;

  constructor(kind: CellKind, inputSize: number, hiddenSize: number, options: CellOptions, own: string[] = []) {
    super();
    const { name } = new.target;
    checkOptions(name, options, ["bias", ...own]);
    checkWhole(name, "inputSize", inputSize, 1);
    checkWhole(name, "hiddenSize", hiddenSize, 1);
    this.kind = kind;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    const bound = 1 / Math.sqrt(hiddenSize);
    const rows = gatesOf(kind) * hiddenSize;
    const made = (...shape: number[]) => new Parameter(uniform(shape, -bound, bound));
    const { bias = true } = options;
    this.weightIh = made(rows, inputSize);
    this.weightHh = made(rows, hiddenSize);
    this.biasIh = bias ? made(rows) : null;
    this.biasHh = bias ? made(rows) : null;
  }

  /** The state after one step, [batch, hiddenSize] or [hiddenSize]; a missing one before it is 0. */
  protected step(input: Tensor, h: Tensor | null, c: Tensor | null): { h: Tensor; c: Tensor | null } {
    const { name } = this.constructor;
    const { kind, inputSize, hiddenSize, biasIh, biasHh } = this;
    checkTensor(name, "input", input);
    check(
      (input.ndim === 1 || input.ndim === 2) && input.shape.at(-1) === inputSize,
      () => `[${name}] input has shape ${show(input.shape)} but must be [batch, ${inputSize}] or [${inputSize}]`,
    );
    const single = input.ndim === 1;
    const shape = [...input.shape.slice(0, -1), hiddenSize];
    const state = (what: string, given: Tensor | null): Tensor => {
      if (!given) return zeros(single ? [1, hiddenSize] : shape, { device: input.device });
      checkTensor(name, what, given);
      check(
        sameShape(given.shape, shape),
        () => `[${name}] ${what} has shape ${show(given.shape)} but must be ${show(shape)}`,
      );
      return single ? unsqueeze(given, 0) : given;
    };
    const rows = single ? unsqueeze(input, 0) : input;
    const lstm = kind === "lstm";
    // LSTM adds both biases at one place.
    const joined = lstm && biasIh && biasHh ? add(biasIh, biasHh) : biasIh;
    const { y, c: cells } = recurrent(kind, {
      x: unsqueeze(linear(rows, this.weightIh, joined), 0),
      weight: this.weightHh,
      bias: lstm ? null : biasHh,
      h0: state("h", h),
      c0: lstm ? state("c", c) : null,
    });
    const alone = (t: Tensor) => (single ? squeeze(t, 0) : t);
    return { h: alone(squeeze(y, 0)), c: cells && alone(cells) };
  }

  override describe(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.biasIh ? "" : ", bias: false"}`;
  }
}

/**
 * One step of `RNN`: h' = tanh(W_ih x + b_ih + W_hh h + b_hh). `forward(input, h?)`: [batch, inputSize] and [batch, hiddenSize], or
 * both without the batch; a missing h is 0. Weights start uniform in +-1/sqrt(hiddenSize).
 * @see https://pytorch.org/docs/stable/generated/torch.nn.RNNCell.html
 */
export class RNNCell extends Cell<Tensor, Tensor> {
  /** What the sum goes through. */
  readonly nonlinearity: "tanh" | "relu";

  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    const { nonlinearity = "tanh" } = options ?? {};
    check(
      nonlinearity === "tanh" || nonlinearity === "relu",
      () => `[RNNCell] nonlinearity must be "tanh" or "relu", got ${told(nonlinearity)}`,
      ValueError,
    );
    super(nonlinearity, inputSize, hiddenSize, options, ["nonlinearity"]);
    this.nonlinearity = nonlinearity;
  }

  override forward(input: Tensor, h?: Tensor | null): Tensor {
    return scope(() => this.step(input, h ?? null, null).h);
  }
}

/**
 * One step of `LSTM`. `forward(input, [h, c]?)` gives `[h, c]`; shapes as `RNNCell`'s, cells as states.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html
 */
export class LSTMCell extends Cell<readonly [h: Tensor, c: Tensor], [h: Tensor, c: Tensor]> {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super("lstm", inputSize, hiddenSize, options);
  }

  override forward(input: Tensor, state?: readonly [h: Tensor, c: Tensor] | null): [h: Tensor, c: Tensor] {
    return scope(() => {
      const { h, c } = this.step(input, state?.[0] ?? null, state?.[1] ?? null);
      return [h, c ?? h];
    });
  }
}

/**
 * One step of `GRU`. `forward(input, h?)` gives the next h; shapes as `RNNCell`'s.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.GRUCell.html
 */
export class GRUCell extends Cell<Tensor, Tensor> {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super("gru", inputSize, hiddenSize, options);
  }

  override forward(input: Tensor, h?: Tensor | null): Tensor {
    return scope(() => this.step(input, h ?? null, null).h);
  }
}
