// Elementwise functions of one tensor: a row of the table is the whole definition of an op.
import { apply1 } from "../autograd/apply.ts";
import { type Op, savesNothing } from "../autograd/op.ts";
import { f32Bits, grid1d } from "../gpu/queue.ts";
import { Kernel } from "../kernels/specialize.ts";
import unaryWgsl from "../kernels/wgsl/unary.wgsl";
import backwardWgsl from "../kernels/wgsl/unary_backward.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Up to two numbers that a row's WGSL reads as `p.a` and `p.b`. */
export type Scalars = readonly [a?: number, b?: number];

export interface UnaryRow {
  /** WGSL of f(x); statements separated from the returned expression by `return`. */
  readonly f: string;
  /** WGSL of df/dx in terms of the saved value `x` (which is the output y where `saves` says so). */
  readonly df: string;
  readonly saves: "x" | "y" | "none";
  /** The same function on f64, and where tests may sample it. */
  readonly ref: (x: number, a: number, b: number) => number;
  readonly domain: readonly [number, number];
}

// Abramowitz and Stegun 7.1.26 would give 1e-7; this rational form (Numerical Recipes, erfc Chebyshev) gives 1e-7 relative.
const ERF = `let t = 1.0 / (1.0 + 0.5 * abs(v));
  let r = t * exp(-v * v - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t *
    (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277)))))))));
  let erf = select(r - 1.0, 1.0 - r, v >= 0.0);`;

/** erf on f64, to 1.2e-7 relative: the reference of gelu and erf is pinned by golden vectors. */
export function erf(v: number): number {
  // Series for small arguments, continued fraction for large ones: both to f64 precision.
  if (Math.abs(v) < 2.5) {
    let term = v;
    let sum = v;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 100; n++) {
      term *= (-v * v) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (Math.abs(v) + fraction);
  const erfc = Math.exp(-v * v) / Math.sqrt(Math.PI) / (Math.abs(v) + fraction);
  return Math.sign(v) * (1 - erfc);
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Sorted by name. */
export const unaryRows = {
  abs: { f: "abs(x)", df: "sign(x)", saves: "x", ref: Math.abs, domain: [-3, 3] },
  affine: { f: "fma(x, p.a, p.b)", df: "p.a", saves: "none", ref: (x, a, b) => x * a + b, domain: [-3, 3] },
  clamp: {
    f: "clamp(x, p.a, p.b)",
    df: "select(0.0, 1.0, x >= p.a && x <= p.b)",
    saves: "x",
    ref: (x, a, b) => Math.min(Math.max(x, a), b),
    domain: [-3, 3],
  },
  cos: { f: "cos(x)", df: "-sin(x)", saves: "x", ref: Math.cos, domain: [-3, 3] },
  erf: {
    f: `let v = x; ${ERF} return erf`,
    df: "1.1283791671 * exp(-x * x)",
    saves: "x",
    ref: erf,
    domain: [-3, 3],
  },
  exp: { f: "exp(x)", df: "x", saves: "y", ref: Math.exp, domain: [-3, 3] },
  gelu: {
    f: `let v = x * 0.7071067812; ${ERF} return 0.5 * x * (1.0 + erf)`,
    df: `let v = x * 0.7071067812; ${ERF} return 0.5 * (1.0 + erf) + x * 0.3989422804 * exp(-0.5 * x * x)`,
    saves: "x",
    ref: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
    domain: [-4, 4],
  },
  hardsigmoid: {
    f: "clamp(x / 6.0 + 0.5, 0.0, 1.0)",
    df: "select(0.0, 1.0 / 6.0, x > -3.0 && x < 3.0)",
    saves: "x",
    ref: (x) => Math.min(Math.max(x / 6 + 0.5, 0), 1),
    domain: [-5, 5],
  },
  hardswish: {
    f: "x * clamp(x / 6.0 + 0.5, 0.0, 1.0)",
    df: "select(select(x / 3.0 + 0.5, 1.0, x >= 3.0), 0.0, x <= -3.0)",
    saves: "x",
    ref: (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1),
    domain: [-5, 5],
  },
  leakyRelu: {
    f: "select(p.a * x, x, x > 0.0)",
    df: "select(p.a, 1.0, x > 0.0)",
    saves: "x",
    ref: (x, a) => (x > 0 ? x : a * x),
    domain: [-3, 3],
  },
  log: { f: "log(x)", df: "1.0 / x", saves: "x", ref: Math.log, domain: [0.1, 5] },
  powScalar: {
    // WGSL's pow is undefined for a negative base; whole exponents keep the sign.
    f: `if (x == 0.0) { return select(0.0, 1.0, p.a == 0.0); }
      let whole = floor(p.a) == p.a;
      let m = exp2(p.a * log2(abs(x)));
      let odd = whole && (p.a - 2.0 * floor(p.a * 0.5)) == 1.0;
      return select(m, -m, x < 0.0 && odd)`,
    df: `if (x == 0.0) { return select(0.0, 1.0, p.a == 1.0); }
      let m = p.a * exp2((p.a - 1.0) * log2(abs(x)));
      let even = (p.a - 2.0 * floor(p.a * 0.5)) == 0.0;
      return select(m, -m, x < 0.0 && even)`,
    saves: "x",
    ref: (x, a) => x ** a,
    domain: [0.2, 3],
  },
  reciprocal: { f: "1.0 / x", df: "-x * x", saves: "y", ref: (x) => 1 / x, domain: [0.3, 3] },
  relu: { f: "max(x, 0.0)", df: "select(0.0, 1.0, x > 0.0)", saves: "y", ref: (x) => Math.max(x, 0), domain: [-3, 3] },
  relu6: {
    f: "clamp(x, 0.0, 6.0)",
    df: "select(0.0, 1.0, x > 0.0 && x < 6.0)",
    saves: "y",
    ref: (x) => Math.min(Math.max(x, 0), 6),
    domain: [-3, 9],
  },
  rsqrt: {
    f: "inverseSqrt(x)",
    df: "-0.5 * x * x * x",
    saves: "y",
    ref: (x) => 1 / Math.sqrt(x),
    domain: [0.3, 3],
  },
  sigmoid: { f: "1.0 / (1.0 + exp(-x))", df: "x * (1.0 - x)", saves: "y", ref: sigmoid, domain: [-5, 5] },
  silu: {
    f: "x / (1.0 + exp(-x))",
    df: "let s = 1.0 / (1.0 + exp(-x)); return s * (1.0 + x * (1.0 - s))",
    saves: "x",
    ref: (x) => x * sigmoid(x),
    domain: [-5, 5],
  },
  sin: { f: "sin(x)", df: "cos(x)", saves: "x", ref: Math.sin, domain: [-3, 3] },
  sqrt: { f: "sqrt(x)", df: "0.5 / x", saves: "y", ref: Math.sqrt, domain: [0.1, 5] },
  square: { f: "x * x", df: "2.0 * x", saves: "x", ref: (x) => x * x, domain: [-3, 3] },
  // WGSL's tanh overflows to NaN for large arguments on some drivers.
  tanh: { f: "tanh(clamp(x, -15.0, 15.0))", df: "1.0 - x * x", saves: "y", ref: Math.tanh, domain: [-3, 3] },
} satisfies Record<string, UnaryRow>;

export type UnaryName = keyof typeof unaryRows;

const forwardKernel = new Kernel("unary", unaryWgsl);
const backwardKernel = new Kernel("unary_backward", backwardWgsl);
const body = (wgsl: string) => (wgsl.includes("return ") ? `${wgsl};` : `return ${wgsl};`);
const WG = 64;

function unaryOp(name: string, row: UnaryRow): Op<Scalars> {
  const forward = forwardKernel.variant({ f: `fn f(x: T) -> T { ${body(row.f)} }` }, name);
  const backward = backwardKernel.variant({ df: `fn df(x: f32) -> f32 { ${body(row.df)} }` }, name);
  const params = (n: number, [a = 0, b = 0]: Scalars) => [n, f32Bits(a), f32Bits(b)];

  const gradient: Op<Scalars> = {
    name: `${name}Backward`,
    infer: ([dy]) => [dy!],
    forward: (queue, [dy, s], [dx], scalars) =>
      queue.dispatch(
        backward,
        [dy!.storage, s!.storage, dx!.storage],
        params(dy!.numel, scalars),
        grid1d(dy!.numel, WG),
      ),
    saves: savesNothing,
    vjp: "not differentiable",
  };
  return {
    name,
    infer([x]) {
      checkDtype(name, "input", x!.dtype, "f32");
      return [x!];
    },
    forward: (queue, [x], [y], scalars) =>
      queue.dispatch(forward, [x!.storage, y!.storage], params(sizeOf(x!.shape), scalars), grid1d(x!.numel, WG)),
    saves: () => ({ inputs: row.saves === "x" ? [0] : [], outputs: row.saves === "y" ? [0] : [] }),
    vjp: ([dy], c) => {
      const saved = row.saves === "x" ? c.input(0) : row.saves === "y" ? c.output(0) : dy!;
      return [apply1(gradient, [dy!, saved], c.attrs)];
    },
  };
}

export const unaryOps = Object.fromEntries(
  Object.entries(unaryRows).map(([name, row]) => [name, unaryOp(name, row)]),
) as Record<UnaryName, Op<Scalars>>;

/** Applies a row of the table. */
export const unary = (name: UnaryName, x: Tensor, ...scalars: number[]): Tensor =>
  apply1(unaryOps[name], [x], [scalars[0], scalars[1]]);
