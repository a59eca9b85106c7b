// RNN, LSTM and GRU: layers over whole sequences, stacked and in both directions.

import { checkTensor } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, checkWhole, StateError, told, ValueError } from "../errors.ts";
import { add } from "../ops/arithmetic.ts";
import { cat, stack } from "../ops/cat.ts";
import { dropout } from "../ops/dropout.ts";
import { linear } from "../ops/matmul.ts";
import { select, transpose } from "../ops/movement.ts";
import { uniform } from "../ops/random.ts";
import { type CellKind, gatesOf, recurrent } from "../ops/recurrent.ts";
import { squeeze, unsqueeze } from "../ops/view.ts";
import { zeros } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** What recurrent layers take beside the sizes. */
export interface RecurrentOptions {
  /** Layers, each on the results of the one before. Default 1. */
  numLayers?: number;
  /** Two learned numbers added to each gate. Default true. */
  bias?: boolean;
  /** Input and output are [batch, steps, features] instead of [steps, batch, features]. Default false. */
  batchFirst?: boolean;
  /** Share of the results that is dropped between layers in training. Default 0. */
  dropout?: number;
  /** A second direction from the last step to the first, its results beside the first's. Default false. */
  bidirectional?: boolean;
}

/** What `RNN` takes beside the sizes. */
export interface RNNOptions extends RecurrentOptions {
  /** Default "tanh". */
  nonlinearity?: "tanh" | "relu";
}

const OPTIONS = ["numLayers", "bias", "batchFirst", "dropout", "bidirectional"];

interface States {
  readonly h: Tensor;
  readonly c: Tensor | null;
}

abstract class Recurrent<H> extends Module<readonly [input: Tensor, state?: H | null], [output: Tensor, state: H]> {
  /** Features of the input. */
  readonly inputSize: number;
  /** Units of each layer and direction. */
  readonly hiddenSize: number;
  /** Options, defaults filled in. */
  readonly options: Readonly<Required<RecurrentOptions>>;
  // Not private by `#`, which no copy of a module could have.
  private readonly kind: CellKind;

  constructor(kind: CellKind, inputSize: number, hiddenSize: number, options: RecurrentOptions, own: string[] = []) {
    super();
    const name = new.target.name;
    checkOptions(name, options, [...OPTIONS, ...own]);
    const { numLayers = 1, bias = true, batchFirst = false, dropout = 0, bidirectional = false } = options;
    checkWhole(name, "inputSize", inputSize, 1);
    checkWhole(name, "hiddenSize", hiddenSize, 1);
    checkWhole(name, "numLayers", numLayers, 1);
    checkNumber(name, "dropout", dropout, 0, 1);
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.options = { numLayers, bias, batchFirst, dropout, bidirectional };
    this.kind = kind;
    const bound = 1 / Math.sqrt(hiddenSize);
    const rows = gatesOf(kind) * hiddenSize;
    const add = (property: string, shape: number[]) =>
      Reflect.set(this, property, new Parameter(uniform(shape, -bound, bound)));
    for (const [layer, suffix] of this.places()) {
      add(`weightIh${suffix}`, [rows, layer === 0 ? inputSize : hiddenSize * this.directions]);
      add(`weightHh${suffix}`, [rows, hiddenSize]);
      if (!bias) continue;
      add(`biasIh${suffix}`, [rows]);
      add(`biasHh${suffix}`, [rows]);
    }
  }

  private get directions(): number {
    return this.options.bidirectional ? 2 : 1;
  }

  /** Layer, what its parameters' names end in, and whether it runs backwards. */
  private *places(): Iterable<readonly [layer: number, suffix: string, reversed: boolean]> {
    for (let layer = 0; layer < this.options.numLayers; layer++) {
      yield [layer, `L${layer}`, false];
      if (this.options.bidirectional) yield [layer, `L${layer}Reverse`, true];
    }
  }

  private parameter(name: string): Tensor | null {
    const value: unknown = Reflect.get(this, name);
    return value instanceof Parameter ? value : null;
  }

  /** All layers. Output [steps, batch, directions * hidden] (or as the options say); states [layers * directions, batch, hidden]. */
  protected run(input: Tensor, h0: Tensor | null, c0: Tensor | null): { output: Tensor; state: States } {
    const name = this.constructor.name;
    checkTensor(name, "input", input);
    const { batchFirst } = this.options;
    const expected = `[${batchFirst ? "batch, steps" : "steps, batch"}, ${this.inputSize}] or [steps, ${this.inputSize}]`;
    check(
      (input.ndim === 2 || input.ndim === 3) && input.shape.at(-1) === this.inputSize,
      () => `[${name}] input has shape ${show(input.shape)} but must be ${expected}`,
    );
    const single = input.ndim === 2;
    const time = single ? unsqueeze(input, 1) : batchFirst ? transpose(input, 0, 1) : input;
    const batch = time.shape[1] ?? 0;
    const shape = [this.options.numLayers * this.directions, ...(single ? [] : [batch]), this.hiddenSize];
    const state = (what: string, given: Tensor | null): Tensor => {
      if (!given) return zeros([shape[0] ?? 1, batch, this.hiddenSize], { device: input.device });
      checkTensor(name, what, given);
      check(
        String(given.shape) === String(shape),
        () => `[${name}] ${what} has shape ${show(given.shape)} but must be ${show(shape)}`,
      );
      return single ? unsqueeze(given, 1) : given;
    };
    const { output, h, c } = this.layers(time, state("h0", h0), this.kind === "lstm" ? state("c0", c0) : null);
    const batched = (t: Tensor) => (single ? squeeze(t, 1) : t);
    return {
      output: single ? squeeze(output, 1) : batchFirst ? transpose(output, 0, 1) : output,
      state: { h: batched(h), c: c && batched(c) },
    };
  }

  private layers(time: Tensor, h0: Tensor, c0: Tensor | null): { output: Tensor; h: Tensor; c: Tensor | null } {
    const kind = this.kind;
    const lasts: Tensor[] = [];
    const lastCells: Tensor[] = [];
    let x = time;
    let sides: Tensor[] = [];
    for (const [layer, suffix, reversed] of this.places()) {
      if (!reversed && layer > 0) x = this.between(sides);
      if (!reversed) sides = [];
      const weight = this.parameter(`weightHh${suffix}`);
      const weightIn = this.parameter(`weightIh${suffix}`);
      const [biasIn, bias] = [this.parameter(`biasIh${suffix}`), this.parameter(`biasHh${suffix}`)];
      if (!weight || !weightIn) throw new StateError(`[${this.constructor.name}] has lost weights of layer ${layer}`);
      // LSTM adds both biases at one place.
      const joined = kind === "lstm" && biasIn && bias ? add(biasIn, bias) : biasIn;
      const place = lasts.length;
      const { y, c } = recurrent(
        kind,
        {
          x: linear(x, weightIn, joined),
          weight,
          bias: kind === "lstm" ? null : bias,
          h0: select(h0, 0, place),
          c0: c0 && select(c0, 0, place),
        },
        reversed,
      );
      sides.push(y);
      lasts.push(select(y, 0, reversed ? 0 : -1));
      if (c) lastCells.push(c);
    }
    return { output: beside(sides), h: stack(lasts), c: lastCells.length > 0 ? stack(lastCells) : null };
  }

  private between(sides: readonly Tensor[]): Tensor {
    const { dropout: p } = this.options;
    const x = beside(sides);
    return p > 0 ? dropout(x, p, this.training) : x;
  }

  override describe(): string {
    const { numLayers, bias, batchFirst, dropout, bidirectional } = this.options;
    const parts = [`${this.inputSize}, ${this.hiddenSize}`];
    if (numLayers !== 1) parts.push(`numLayers: ${numLayers}`);
    if (!bias) parts.push("bias: false");
    if (batchFirst) parts.push("batchFirst: true");
    if (dropout) parts.push(`dropout: ${dropout}`);
    if (bidirectional) parts.push("bidirectional: true");
    return parts.join(", ");
  }
}

function beside(sides: readonly Tensor[]): Tensor {
  const [only] = sides;
  return sides.length === 1 && only ? only : cat(sides, 2);
}

/**
 * Elman's recurrent layer: h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh). `forward(input, h0?)` gives `[output, hN]`:
 * input [steps, batch, inputSize], output [steps, batch, directions * hiddenSize], h0 and hN
 * [numLayers * directions, batch, hiddenSize]; without the batch for a single sequence. The whole sequence is one launch
 * for each layer and direction.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.RNN.html
 */
export class RNN extends Recurrent<Tensor> {
  /** "tanh" or "relu". */
  readonly nonlinearity: "tanh" | "relu";

  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    const { nonlinearity = "tanh" } = options;
    check(
      nonlinearity === "tanh" || nonlinearity === "relu",
      () => `[RNN] nonlinearity must be "tanh" or "relu", got ${told(nonlinearity)}`,
      ValueError,
    );
    super(nonlinearity, inputSize, hiddenSize, options, ["nonlinearity"]);
    this.nonlinearity = nonlinearity;
  }

  override forward(input: Tensor, h0?: Tensor | null): [output: Tensor, hN: Tensor] {
    return scope(() => {
      const { output, state } = this.run(input, h0 ?? null, null);
      return [output, state.h];
    });
  }
}

/**
 * Long short-term memory, gates in PyTorch's order i, f, g, o. `forward(input, [h0, c0]?)` gives `[output, [hN, cN]]`; shapes as
 * `RNN`'s, cells as states. Weights start uniform in +-1/sqrt(hiddenSize).
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html and Hochreiter and Schmidhuber (1997)
 */
export class LSTM extends Recurrent<readonly [h: Tensor, c: Tensor]> {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super("lstm", inputSize, hiddenSize, options);
  }

  override forward(
    input: Tensor,
    state?: readonly [h: Tensor, c: Tensor] | null,
  ): [output: Tensor, state: [hN: Tensor, cN: Tensor]] {
    return scope(() => {
      const { output, state: end } = this.run(input, state?.[0] ?? null, state?.[1] ?? null);
      return [output, [end.h, end.c ?? end.h]];
    });
  }
}

/**
 * Gated recurrent unit, gates in PyTorch's order r, z, n, the reset gate applied after the product. `forward(input, h0?)` gives
 * `[output, hN]`; shapes as `RNN`'s.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.GRU.html and https://arxiv.org/abs/1406.1078
 */
export class GRU extends Recurrent<Tensor> {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super("gru", inputSize, hiddenSize, options);
  }

  override forward(input: Tensor, h0?: Tensor | null): [output: Tensor, hN: Tensor] {
    return scope(() => {
      const { output, state } = this.run(input, h0 ?? null, null);
      return [output, state.h];
    });
  }
}
