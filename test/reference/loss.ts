// Softmax and cross-entropy in f64.
import { type HostArray, host } from "../support/host.ts";

/** Calls `visit` with the indices of each row along `dim`. */
export function eachRow(shape: readonly number[], dim: number, visit: (indices: number[], row: number) => void): void {
  const length = shape[dim]!;
  const inner = shape.slice(dim + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, dim).reduce((a, b) => a * b, 1);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++)
      visit(
        Array.from({ length }, (_, c) => (o * length + c) * inner + i),
        o * inner + i,
      );
  }
}

export function logSoftmax(x: HostArray, dim: number): HostArray {
  const y = host(x.shape);
  eachRow(x.shape, dim, (at) => {
    const m = Math.max(...at.map((i) => x.data[i]!));
    const s = at.reduce((sum, i) => sum + Math.exp(x.data[i]! - m), 0);
    for (const i of at) y.data[i] = x.data[i]! - m - Math.log(s);
  });
  return y;
}
export const softmax = (x: HostArray, dim: number): HostArray => host(x.shape, logSoftmax(x, dim).data.map(Math.exp));

export function softmaxVjp(dy: HostArray, x: HostArray, dim: number, log: boolean): HostArray {
  const y = softmax(x, dim);
  const dx = host(x.shape);
  eachRow(x.shape, dim, (at) => {
    const sum = at.reduce((total, i) => total + dy.data[i]! * (log ? 1 : y.data[i]!), 0);
    for (const i of at) dx.data[i] = log ? dy.data[i]! - y.data[i]! * sum : y.data[i]! * (dy.data[i]! - sum);
  });
  return dx;
}

export interface CrossEntropyArgs {
  readonly reduction: "mean" | "sum" | "none";
  readonly labelSmoothing?: number;
  readonly ignoreIndex?: number;
  readonly weight?: HostArray | undefined;
  /** The input holds log-probabilities (nllLoss). */
  readonly logs?: boolean;
}

/** Per sample: the target's share of each class, weighted, and what the sample counts for in a mean. */
function shares(x: HostArray, target: HostArray, a: CrossEntropyArgs) {
  const { labelSmoothing = 0, ignoreIndex = -100, weight } = a;
  const q = host(x.shape);
  const counts: number[] = [];
  const dim = x.shape.length === 1 ? 0 : 1;
  eachRow(x.shape, dim, (at, row) => {
    const labels = target.dtype === "i32";
    const label = target.data[row]!;
    const ignored = labels && label === ignoreIndex;
    counts.push(ignored ? 0 : labels ? (weight?.data[label] ?? 1) : 1);
    at.forEach((i, c) => {
      const hard = labels ? Number(label === c) : target.data[i]!;
      const share = (1 - labelSmoothing) * hard + labelSmoothing / at.length;
      q.data[i] = ignored ? 0 : share * (weight?.data[c] ?? 1);
    });
  });
  const total = counts.reduce((sum, c) => sum + c, 0);
  return { q, dim, factor: a.reduction === "mean" ? 1 / total : 1 };
}

export function crossEntropy(x: HostArray, target: HostArray, a: CrossEntropyArgs): HostArray {
  const { q, dim, factor } = shares(x, target, a);
  const logs = a.logs ? x : logSoftmax(x, dim);
  const losses: number[] = [];
  eachRow(x.shape, dim, (at) => losses.push(-at.reduce((sum, i) => sum + q.data[i]! * logs.data[i]!, 0)));
  if (a.reduction === "none")
    return host(
      x.shape.filter((_, i) => i !== dim),
      losses,
    );
  return host([], [losses.reduce((sum, l) => sum + l, 0) * factor]);
}

export function crossEntropyVjp(dy: HostArray, x: HostArray, target: HostArray, a: CrossEntropyArgs) {
  const { q, dim, factor } = shares(x, target, a);
  const logs = logSoftmax(x, dim);
  const dx = host(x.shape);
  const dtarget = host(x.shape);
  eachRow(x.shape, dim, (at, row) => {
    const g = (a.reduction === "none" ? dy.data[row]! : dy.data[0]!) * factor;
    const sum = at.reduce((total, i) => total + q.data[i]!, 0);
    at.forEach((i, c) => {
      dx.data[i] = g * ((a.logs ? 0 : Math.exp(logs.data[i]!) * sum) - q.data[i]!);
      dtarget.data[i] = -g * (1 - (a.labelSmoothing ?? 0)) * (a.weight?.data[c] ?? 1) * logs.data[i]!;
    });
  });
  return { x: dx, target: target.dtype === "f32" ? dtarget : null };
}

type Reduction = CrossEntropyArgs["reduction"];

/** A loss of single elements: f(x, t), df/dx and df/dt. */
interface Pointwise {
  readonly f: (x: number, t: number) => number;
  readonly df: (x: number, t: number) => [number, number];
}
const odd = (d: number): [number, number] => [d, -d];
/** smoothL1Loss has beta = 0.5 here. */
export const pointwise = {
  mseLoss: { f: (x, t) => (x - t) ** 2, df: (x, t) => odd(2 * (x - t)) },
  l1Loss: { f: (x, t) => Math.abs(x - t), df: (x, t) => odd(Math.sign(x - t)) },
  smoothL1Loss: {
    f: (x, t) => (Math.abs(x - t) < 0.5 ? (x - t) ** 2 : Math.abs(x - t) - 0.25),
    df: (x, t) => odd(Math.abs(x - t) < 0.5 ? 2 * (x - t) : Math.sign(x - t)),
  },
  binaryCrossEntropyWithLogits: {
    f: (x, t) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) - x * t,
    df: (x, t) => [1 / (1 + Math.exp(-x)) - t, -x],
  },
} satisfies Record<string, Pointwise>;

export function pointwiseLoss(
  name: keyof typeof pointwise,
  x: HostArray,
  t: HostArray,
  reduction: Reduction,
): HostArray {
  const losses = x.data.map((v, i) => pointwise[name].f(v, t.data[i]!));
  if (reduction === "none") return host(x.shape, losses);
  const total = losses.reduce((sum, l) => sum + l, 0);
  return host([], [reduction === "mean" ? total / losses.length : total]);
}

/** The gradients of x and t. */
export function pointwiseVjp(
  name: keyof typeof pointwise,
  dy: HostArray,
  x: HostArray,
  t: HostArray,
  reduction: Reduction,
): [HostArray, HostArray] {
  const scale = (i: number) =>
    reduction === "none" ? dy.data[i]! : dy.data[0]! / (reduction === "mean" ? x.data.length : 1);
  const side = (k: 0 | 1) =>
    host(
      x.shape,
      x.data.map((v, i) => scale(i) * pointwise[name].df(v, t.data[i]!)[k]),
    );
  return [side(0), side(1)];
}
