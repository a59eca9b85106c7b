// Recurrent layers over a whole sequence: LSTM, GRU and the plain one, a launch forward and a launch back.
import { apply } from "../autograd/apply.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import { check, LimitError, StateError } from "../errors.ts";
import { copyStrided } from "../kernels/copy-strided.ts";
import { Kernel } from "../kernels/kernel.ts";
import forwardWgsl, { UNITS } from "../kernels/wgsl/recurrent.wgsl";
import backwardWgsl from "../kernels/wgsl/recurrent-backward.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { type Shape, sameShape, show } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import { cat } from "./cat.ts";
import { matmul } from "./matmul.ts";
import { narrow, t } from "./movement.ts";
import { sum } from "./sum-expand.ts";
import { view } from "./view.ts";

/** What a kind of cell replaces in the kernels, which are LSTM's as they stand. */
interface Cell {
  readonly gates: number;
  /** WGSL of h_t from the sums h W^T of the gates, and what it keeps. */
  readonly forward?: string;
  /** WGSL of the gates' gradients. */
  readonly backward?: string;
  /** Gates' values and cells are kept for the gradient; otherwise y is all that it needs. */
  readonly keeps: boolean;
  /** The gradient needs h_(t-1), and gives those of the sums apart from those of x. */
  readonly gated?: boolean;
}

const plain = (f: string, df: string): Cell => ({
  gates: 1,
  forward: `fn cell(at: Place, sums: array<vec4f, GATES>) -> vec4f { let v = x_of(at.gates) + sums[0]; return ${f}; }`,
  backward: `fn cell(at: Place, d: f32) -> f32 { let h = gates[at.gates]; dx[at.gates] = ${df}; return 0.0; }`,
  keeps: false,
});

const cells = {
  lstm: { gates: 4, keeps: true },
  gru: {
    gates: 3,
    keeps: true,
    gated: true,
    forward: `fn cell(at: Place, sums: array<vec4f, GATES>) -> vec4f {
  let r = sigmoid(x_of(at.gates) + sums[0]);
  let z = sigmoid(x_of(at.gates + p.hidden) + sums[1]);
  let n = squash(x_of(at.gates + 2u * p.hidden) + r * sums[2]);
  keep(at.gates, at.rows, r);
  keep(at.gates + p.hidden, at.rows, z);
  keep(at.gates + 2u * p.hidden, at.rows, n);
  for (var r = 0u; r < at.rows; r++) { cells[at.now + r * p.hidden] = sums[2][r]; }
  return n + z * (state[at.unit] - n);
}`,
    backward: `fn cell(at: Place, d: f32) -> f32 {
  let r = gates[at.gates];
  let z = gates[at.gates + p.hidden];
  let n = gates[at.gates + 2u * p.hidden];
  let d_n = d * (1.0 - z) * (1.0 - n * n);
  let d_r = d_n * cells[at.now] * r * (1.0 - r);
  let d_z = d * (before[at.now] - n) * z * (1.0 - z);
  dx[at.gates] = d_r;
  dh[at.gates] = d_r;
  dx[at.gates + p.hidden] = d_z;
  dh[at.gates + p.hidden] = d_z;
  dx[at.gates + 2u * p.hidden] = d_n;
  dh[at.gates + 2u * p.hidden] = d_n * r;
  return d * z;
}`,
  },
  tanh: plain("squash(v)", "d * (1.0 - h * h)"),
  // Not max(): NaN stays.
  relu: plain("select(v, vec4f(), v < vec4f())", "select(0.0, d, h > 0.0)"),
} as const satisfies Record<string, Cell>;

export type CellKind = keyof typeof cells;

interface Attrs {
  readonly kind: CellKind;
  /** From the last step to the first. */
  readonly reversed: boolean;
}

const forwardKernel = new Kernel(forwardWgsl);
const backwardKernel = new Kernel(backwardWgsl);

/** Samples that a workgroup takes. */
const ROWS = 4;

/** How samples are shared out, for x: [steps, batch, gates * hidden]. */
const plan = ([steps = 0, batch = 0, features = 0]: Shape, { kind, reversed }: Attrs) => ({
  params: { steps, batch, hidden: features / cells[kind].gates, reversed: reversed ? 1 : 0 },
  grid: [Math.ceil(batch / ROWS)] as const,
});

/** The overrides of either kernel. */
const overrides = (kind: CellKind, direction: "forward" | "backward") => {
  const { gates, [direction]: cell }: Cell = cells[kind];
  return { GATES: `${gates}u`, ...(cell && { cell }) };
};

type BackwardInputs = readonly [
  dy: Tensor,
  gates: Tensor,
  weight: Tensor,
  cells: Tensor | null,
  before: Tensor | null,
  c0: Tensor | null,
  dLast: Tensor | null,
];

/** dx, dh0; then for GRU those of the sums, for LSTM dc0. */
const backwardOp: Op<BackwardInputs, Attrs, readonly Tensor[]> = {
  name: "recurrentBackward",
  required: 3,
  infer([dy, , , , , c0], { kind }) {
    const { gates, gated }: Cell = cells[kind];
    const [steps = 0, batch = 0, hidden = 0] = dy.shape;
    const sums: Spec = { shape: [steps, batch, gates * hidden], dtype: "f32" };
    const state: Spec = { shape: [batch, hidden], dtype: "f32" };
    return [sums, state, ...(gated ? [sums] : []), ...(c0 ? [state] : [])];
  },
  forward(run, [dy, gates, weight, cells, before, c0, dLast], [dx, dh0, more], { kind, reversed }) {
    if (!dx || !dh0) return;
    const { params, grid } = plan(dx.shape, { kind, reversed });
    const [dh, dc] = c0 ? [null, more ?? null] : [more ?? null, null];
    if (dc && dLast && dc.numel > 0) run.queue.copy(dLast.storage, dc.storage);
    const buffers = { dy, gates, cells, before, c0, weight, dx, dh, dh0, dc };
    backwardKernel.variant(overrides(kind, "backward"), kind).launch(run, buffers, params, grid);
  },
  ...withoutGradient,
};

type Inputs = readonly [x: Tensor, weight: Tensor, h0: Tensor, bias: Tensor | null, c0: Tensor | null];

/** y, and LSTM's last cells; for the tape the gates' values and the cells. */
const recurrentOp: Op<Inputs, Attrs, readonly Tensor[], readonly Tensor[]> = {
  name: "recurrent",
  required: 3,
  aux: ({ kind }) => (cells[kind].keeps ? 2 : 0),
  infer([x, weight, h0, bias, c0], { kind }) {
    const { gates, keeps } = cells[kind];
    const [, hidden = 0] = weight.shape;
    for (const [what, given] of Object.entries({ input: x, weight, bias, h0, c0 })) {
      if (given) checkDtype(kind, what, given.dtype, "f32");
    }
    const [steps = 0, batch = 0] = x.shape;
    check(steps > 0, () => `[${kind}] input ${show(x.shape)} has no steps: a sequence has at least one`);
    for (const [what, given] of Object.entries({ h0, c0 })) {
      check(
        !given || sameShape(given.shape, [batch, hidden]),
        () => `[${kind}] ${what} has shape ${show(given?.shape ?? [])} but must be ${show([batch, hidden])}`,
      );
    }
    check(
      hidden <= UNITS,
      () =>
        `[${kind}] ${hidden} hidden units are more than the ${UNITS} that a workgroup keeps: use several smaller layers`,
      LimitError,
    );
    const y: Spec = { shape: [steps, batch, hidden], dtype: "f32" };
    const last: Spec = { shape: [batch, hidden], dtype: "f32" };
    const kept: Spec[] = keeps ? [{ shape: [steps, batch, gates * hidden], dtype: "f32" }, y] : [];
    return [y, ...(c0 ? [last] : []), ...kept];
  },
  forward(run, [x, weight, h0, bias, c0], outputs, attrs) {
    const [y, ...rest] = outputs;
    if (!y) return;
    const { params, grid } = plan(x.shape, attrs);
    const { hidden } = params;
    const last = c0 ? (rest.shift() ?? null) : null;
    const [gates = null, cells = null] = rest;
    // W^T, so that neighbouring units' weights are neighbours.
    const turned = run.scratch([hidden, x.shape[2] ?? 0]);
    copyStrided(run, weight, turned, [1, hidden]);
    const buffers = { x, weight: turned, bias, h0, c0, y, gates, cells, last };
    forwardKernel.variant(overrides(attrs.kind, "forward"), attrs.kind).launch(run, buffers, params, grid);
  },
  saves: (_, { kind }) => {
    const kept = kind === "lstm" ? [0, 2, 3] : cells[kind].keeps ? [0, 1, 2] : [0];
    return { inputs: kind === "lstm" ? [1, 2, 4] : [1, 2], outputs: kept };
  },
  vjp([dy, dLast], c) {
    const { kind, reversed } = c.attrs;
    const { gated, keeps }: Cell = cells[kind];
    const lstm = kind === "lstm";
    const [weight, h0, y] = [c.input(1), c.input(2), c.output(0)];
    const first = lstm ? 2 : 1;
    const [gates, kept] = keeps ? [c.output(first), c.output(first + 1)] : [y, null];
    if (!dy || !y || !gates) return [null, null, null, null, null];
    const [steps = 0, batch = 0] = y.shape;
    const before = earlier(y, h0, reversed);
    const given = [
      dy,
      gates,
      weight,
      kept ?? null,
      gated ? before : null,
      lstm ? c.input(4) : null,
      lstm ? (dLast ?? null) : null,
    ] as const;
    const [dx = null, dh0 = null, more = null] = apply(backwardOp, given, c.attrs);
    const sums = gated ? more : dx;
    const flat = (x: Tensor) => view("recurrent", x, [steps * batch, x.numel / (steps * batch)]);
    return [
      dx,
      c.needs[1] && sums ? matmul(t(flat(sums)), flat(before)) : null,
      dh0,
      c.needs[3] && sums ? sum(flat(sums), 0) : null,
      lstm ? more : null,
    ];
  },
};

/** h_(t-1) of every step. */
function earlier(y: Tensor, h0: Tensor, reversed: boolean): Tensor {
  const [steps = 1] = y.shape;
  const start = view("recurrent", h0, [1, ...h0.shape]);
  if (steps === 1) return start;
  const rest = narrow(y, 0, reversed ? 1 : 0, steps - 1);
  return cat(reversed ? [rest, start] : [start, rest]);
}

/** One layer in one direction. x: [steps, batch, gates * hidden], what the inputs contribute; weight: [gates * hidden, hidden]. */
export interface RecurrentInputs {
  readonly x: Tensor;
  readonly weight: Tensor;
  /** Added to h W^T: [gates * hidden]. LSTM has it in x. */
  readonly bias: Tensor | null;
  /** [batch, hidden]. */
  readonly h0: Tensor;
  /** [batch, hidden], LSTM's. */
  readonly c0: Tensor | null;
}

/** y: [steps, batch, hidden], and LSTM's last cells, [batch, hidden]. */
export function recurrent(
  kind: CellKind,
  { x, weight, bias, h0, c0 }: RecurrentInputs,
  reversed = false,
): { readonly y: Tensor; readonly c: Tensor | null } {
  const [y, c = null] = apply(recurrentOp, [x, weight, h0, bias, c0], { kind, reversed });
  if (!y) throw new StateError(`[${kind}] gave no output`);
  return { y, c };
}

/** Gates of a cell: so many rows of the weights belong to each hidden unit. */
export const gatesOf = (kind: CellKind): number => cells[kind].gates;
