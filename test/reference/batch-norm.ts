// Batch norm in f64: y = relu?((x - mean) * rstd * w + b + residual?), its gradients, and the running statistics.
import { type HostArray, host } from "../support/host.ts";

export interface BatchNormArgs {
  readonly x: HostArray;
  readonly weight?: HostArray | undefined;
  readonly bias?: HostArray | undefined;
  readonly residual?: HostArray | undefined;
  /** Given: evaluation. */
  readonly running?: { readonly mean: HostArray; readonly variance: HostArray } | undefined;
  readonly relu?: boolean;
  readonly eps?: number;
}

/** Calls `visit(channel, index)` for every element of [N, C, ...]. */
function each({ shape }: HostArray, visit: (c: number, i: number) => void): void {
  const [n = 1, channels = 1, ...rest] = shape;
  const plane = rest.reduce((a, b) => a * b, 1);
  let i = 0;
  for (let image = 0; image < n; image++) {
    for (let c = 0; c < channels; c++) for (let p = 0; p < plane; p++) visit(c, i++);
  }
}

function perChannel(x: HostArray, f: (i: number, c: number) => number): Float64Array {
  const sums = new Float64Array(x.shape[1]!);
  each(x, (c, i) => {
    sums[c]! += f(i, c);
  });
  return sums;
}

/** Mean, biased variance and number of elements of each channel. */
export function statistics(x: HostArray): { mean: Float64Array; variance: Float64Array; count: number } {
  const count = x.data.length / x.shape[1]!;
  const mean = perChannel(x, (i) => x.data[i]! / count);
  const variance = perChannel(x, (i, c) => (x.data[i]! - mean[c]!) ** 2 / count);
  return { mean, variance, count };
}

function normalise({ x, running, eps = 1e-5 }: BatchNormArgs) {
  const batch = running ? { mean: running.mean.data, variance: running.variance.data, count: 0 } : statistics(x);
  const rstd = batch.variance.map((v) => 1 / Math.sqrt(v + eps));
  const xhat = new Float64Array(x.data.length);
  each(x, (c, i) => {
    xhat[i] = (x.data[i]! - batch.mean[c]!) * rstd[c]!;
  });
  return { rstd, xhat, count: batch.count };
}

/** The value before the ReLU. */
export function batchNormLinear(args: BatchNormArgs): HostArray {
  const { x, weight, bias, residual } = args;
  const { xhat } = normalise(args);
  const y = host(x.shape);
  each(x, (c, i) => {
    y.data[i] = xhat[i]! * (weight?.data[c] ?? 1) + (bias?.data[c] ?? 0) + (residual?.data[i] ?? 0);
  });
  return y;
}

export function batchNormReference(args: BatchNormArgs): HostArray {
  const y = batchNormLinear(args);
  return args.relu
    ? host(
        y.shape,
        y.data.map((v) => Math.max(v, 0)),
      )
    : y;
}

export function batchNormVjp(dy: HostArray, args: BatchNormArgs) {
  const { x, weight, running, relu } = args;
  const { rstd, xhat, count } = normalise(args);
  const pre = relu ? batchNormLinear(args).data : null;
  const g = host(
    x.shape,
    dy.data.map((v, i) => (pre && pre[i]! <= 0 ? 0 : v)),
  );
  const db = perChannel(x, (i) => g.data[i]!);
  const dw = perChannel(x, (i) => g.data[i]! * xhat[i]!);
  const dx = host(x.shape);
  each(x, (c, i) => {
    const centred = running ? g.data[i]! : g.data[i]! - db[c]! / count - (xhat[i]! * dw[c]!) / count;
    dx.data[i] = (weight?.data[c] ?? 1) * rstd[c]! * centred;
  });
  return { x: dx, weight: host([x.shape[1]!], dw), bias: host([x.shape[1]!], db), residual: g };
}
