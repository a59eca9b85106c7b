// The f64 references of normalisation, pooling, softmax and losses against PyTorch (scripts/golden/norm_pool_loss.py).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { batchNormReference, batchNormVjp, statistics } from "../reference/batch-norm.ts";
import { layerNorm, layerNormVjp } from "../reference/layer-norm.ts";
import * as loss from "../reference/loss.ts";
import * as pool from "../reference/pool.ts";
import { type HostArray, host, sizeOf } from "../support/host.ts";

type Pair = readonly [number, number];
type Reduction = loss.CrossEntropyArgs["reduction"];
interface Case {
  readonly name: string;
  readonly shape: readonly number[];
  readonly outShape: readonly number[];
  readonly y: readonly number[];
  readonly grads: Readonly<Record<string, readonly number[]>>;
}
interface BatchNormCase extends Case {
  readonly affine: boolean;
  readonly training: boolean;
  readonly residual: boolean;
  readonly relu: boolean;
  readonly eps: number;
  readonly momentum: number;
  readonly runningMean: readonly number[];
  readonly runningVar: readonly number[];
}
interface CrossEntropyCase extends Case {
  readonly target: "labels" | "probabilities";
  readonly reduction: Reduction;
  readonly smoothing: number;
  readonly weighted: boolean;
  readonly ignore: number;
  readonly span: number;
}
type PointwiseCase = Case & { readonly reduction: Reduction };
interface Golden {
  readonly batchNorm: readonly BatchNormCase[];
  readonly layerNorm: readonly (Case & { readonly normalized: readonly number[]; affine: boolean; eps: number })[];
  readonly maxPool2d: readonly (Case & { readonly distinct: number; options: pool.PoolArgs })[];
  readonly avgPool2d: readonly (Case & { readonly options: pool.PoolArgs })[];
  readonly adaptiveAvgPool2d: readonly (Case & { readonly out: Pair })[];
  readonly softmax: readonly (Case & { readonly dim: number; span: number })[];
  readonly logSoftmax: readonly (Case & { readonly dim: number; span: number })[];
  readonly crossEntropy: readonly CrossEntropyCase[];
  readonly nllLoss: readonly (Case & { readonly reduction: Reduction; weighted: boolean })[];
  readonly mseLoss: readonly PointwiseCase[];
  readonly l1Loss: readonly PointwiseCase[];
  readonly smoothL1Loss: readonly PointwiseCase[];
  readonly binaryCrossEntropyWithLogits: readonly PointwiseCase[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../golden/norm_pool_loss.json", import.meta.url), "utf8"));

// Inputs as in the script.
function values(shape: readonly number[], k: number, low = -2, high = 2, distinct = 2003): HostArray {
  const at = (i: number) => low + ((high - low) * ((i * 7919 + k * 31337 + 17) % distinct)) / distinct;
  return host(
    shape,
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => at(i)),
  );
}
function labels(shape: readonly number[], classes: number, ignore: number): HostArray {
  const at = (i: number) => (i % 5 === 3 ? ignore : (i * 7 + 7) % classes);
  return host(
    shape,
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => at(i)),
    "i32",
  );
}
const samplesOf = (shape: readonly number[]) => (shape.length > 1 ? [shape[0]!, ...shape.slice(2)] : []);
const classesOf = (shape: readonly number[]) => (shape.length > 1 ? shape[1]! : shape[0]!);

type Grads = Readonly<Record<string, HostArray | null>>;

function close(got: ArrayLike<number>, expected: readonly number[], what: string): void {
  expect(got.length, what).toBe(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  for (const [i, v] of expected.entries()) {
    expect(Math.abs(got[i]! - v), `${what}, element ${i}: ${got[i]} instead of ${v}`).toBeLessThan(1e-9 * scale);
  }
}

/** A test for each case: `evaluate` gives the output, and the gradients for one of the output. */
function check<C extends Case>(
  kind: keyof Golden,
  cases: readonly C[],
  evaluate: (c: C) => { y: HostArray; vjp: (dy: HostArray) => Grads },
): void {
  for (const c of cases) {
    test(`${kind}: ${c.name}`, () => {
      const { y, vjp } = evaluate(c);
      expect(y.shape).toEqual(c.outShape);
      close(y.data, c.y, "output");
      const grads = vjp(c.outShape.length > 0 ? values(c.outShape, 99) : host([], [1.5]));
      for (const [name, expected] of Object.entries(c.grads)) close(grads[name]!.data, expected, `gradient of ${name}`);
    });
  }
}

check("batchNorm", golden.batchNorm, (c) => {
  const channels = [c.shape[1]!];
  const x = values(c.shape, 1);
  const args = {
    x,
    weight: c.affine ? values(channels, 2, 0.5, 1.5) : undefined,
    bias: c.affine ? values(channels, 3) : undefined,
    residual: c.residual ? values(c.shape, 4) : undefined,
    running: c.training ? undefined : { mean: values(channels, 5), variance: values(channels, 6, 0.5, 2) },
    relu: c.relu,
    eps: c.eps,
  };
  const batch = statistics(x);
  const moved = (running: HostArray, value: (c: number) => number) =>
    running.data.map((r, i) => (c.training ? (1 - c.momentum) * r + c.momentum * value(i) : r));
  close(
    moved(values(channels, 5), (i) => batch.mean[i]!),
    c.runningMean,
    "running mean",
  );
  const unbiased = batch.count / (batch.count - 1);
  close(
    moved(values(channels, 6, 0.5, 2), (i) => batch.variance[i]! * unbiased),
    c.runningVar,
    "running variance",
  );
  return { y: batchNormReference(args), vjp: (dy) => ({ ...batchNormVjp(dy, args) }) };
});

check("layerNorm", golden.layerNorm, ({ shape, normalized, affine, eps }) => {
  const x = values(shape, 1);
  const length = sizeOf(normalized);
  const args = affine ? { weight: values(normalized, 2, 0.5, 1.5), bias: values(normalized, 3), eps } : { eps };
  return { y: layerNorm(x, length, args), vjp: (dy) => ({ ...layerNormVjp(dy, x, length, normalized, args) }) };
});

check("maxPool2d", golden.maxPool2d, ({ shape, distinct, options }) => {
  const x = values(shape, 1, -2, 2, distinct);
  return { y: pool.maxPool(x, options), vjp: (dy) => ({ x: pool.maxPoolVjp(dy, x, options) }) };
});
check("avgPool2d", golden.avgPool2d, ({ shape, options }) => {
  const x = values(shape, 1);
  return { y: pool.avgPool(x, options), vjp: (dy) => ({ x: pool.avgPoolVjp(dy, x, options) }) };
});
check("adaptiveAvgPool2d", golden.adaptiveAvgPool2d, ({ shape, out }) => {
  const x = values(shape, 1);
  return { y: pool.adaptivePool(x, out), vjp: (dy) => ({ x: pool.adaptivePoolVjp(dy, x, out) }) };
});

for (const kind of ["softmax", "logSoftmax"] as const) {
  check(kind, golden[kind], ({ shape, dim, span }) => {
    const x = values(shape, 1, -span, span);
    const y = kind === "softmax" ? loss.softmax(x, dim) : loss.logSoftmax(x, dim);
    return { y, vjp: (dy) => ({ x: loss.softmaxVjp(dy, x, dim, kind === "logSoftmax") }) };
  });
}

check("crossEntropy", golden.crossEntropy, ({ shape, span, target, weighted, reduction, smoothing, ignore }) => {
  const x = values(shape, 1, -span, span);
  const classes = classesOf(shape);
  const t =
    target === "labels"
      ? labels(samplesOf(shape), classes, ignore)
      : loss.softmax(values(shape, 2), Math.min(1, shape.length - 1));
  const weight = weighted ? values([classes], 3, 0.2, 2) : undefined;
  const args = { reduction, labelSmoothing: smoothing, ignoreIndex: ignore, weight };
  return { y: loss.crossEntropy(x, t, args), vjp: (dy) => ({ ...loss.crossEntropyVjp(dy, x, t, args) }) };
});
check("nllLoss", golden.nllLoss, ({ shape, reduction, weighted }) => {
  const [x, t] = [values(shape, 1), labels(samplesOf(shape), classesOf(shape), -100)];
  const weight = weighted ? values([classesOf(shape)], 3, 0.2, 2) : undefined;
  const args = { reduction, weight, logs: true };
  return { y: loss.crossEntropy(x, t, args), vjp: (dy) => ({ x: loss.crossEntropyVjp(dy, x, t, args).x }) };
});
for (const kind of ["mseLoss", "l1Loss", "smoothL1Loss", "binaryCrossEntropyWithLogits"] as const) {
  check(kind, golden[kind], ({ shape, reduction }) => {
    const [x, t] = [values(shape, 1), values(shape, 2, 0, 1)];
    return {
      y: loss.pointwiseLoss(kind, x, t, reduction),
      vjp: (dy) => {
        const [dx, dt] = loss.pointwiseVjp(kind, dy, x, t, reduction);
        return { x: dx, target: dt };
      },
    };
  });
}
