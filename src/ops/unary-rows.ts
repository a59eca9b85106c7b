// The table of elementwise functions of one tensor: WGSL of f and df, what the gradient needs, and the f64 reference.

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

// erfc(|v|) = t exp(-v^2 + P(t)), t = 1 / (1 + |v| / 2), P of degree 9 fitted by Chebyshev polynomials: relative error below
// 1.2e-7 (Press et al., Numerical Recipes in C, 2nd edition, section 6.2).
const ERFC = `let w = abs(v);
  let t = 1.0 / (1.0 + 0.5 * w);
  let tail = t * exp(-w * w - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t *
    (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277)))))))));`;
// Near zero 1 - erfc cancels; the Taylor series of erf to v^11 is exact to f32 for |v| < 0.5.
const ERF = `${ERFC}
  let q = v * v;
  let near = v * (1.1283791671 + q * (-0.3761263890 + q * (0.1128379167 + q * (-0.0268661706 + q * (0.0052239776 -
    q * 0.0008548327)))));
  let erf = select(select(tail - 1.0, 1.0 - tail, v >= 0.0), near, w < 0.5);`;
// The normal distribution's cdf at x, from erfc so that it keeps its relative precision in the lower tail.
const CDF = `let v = x * 0.7071067812; ${ERFC}
  let cdf = 0.5 * select(tail, 2.0 - tail, v >= 0.0);`;
// log(1 + e), e in [0, 1], without losing a small e.
const LOG1P = "select(log(1.0 + e), e * (1.0 - e * (0.5 - e * (1.0 / 3.0 - e * 0.25))), e < 0.01)";

/** erf on f64, to about 1e-16: Maclaurin series for small arguments, continued fraction of erfc for large ones. */
export function erf(v: number): number {
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

function roundHalfToEven(x: number): number {
  const nearest = Math.round(x);
  return Math.abs(x % 1) === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Sorted by name. */
export const unaryRows = {
  abs: { f: "abs(x)", df: "sign(x)", saves: "x", ref: Math.abs, domain: [-3, 3] },
  affine: { f: "fma(x, p.a, p.b)", df: "p.a", saves: "none", ref: (x, a, b) => x * a + b, domain: [-3, 3] },
  ceil: { f: "ceil(x)", df: "0.0", saves: "none", ref: Math.ceil, domain: [-3, 3] },
  clamp: {
    f: "clamp(x, p.a, p.b)",
    df: "select(0.0, 1.0, x >= p.a && x <= p.b)",
    saves: "x",
    ref: (x, a, b) => Math.min(Math.max(x, a), b),
    domain: [-3, 3],
  },
  cos: { f: "cos(x)", df: "-sin(x)", saves: "x", ref: Math.cos, domain: [-3, 3] },
  elu: {
    f: "select(p.a * (exp(x) - 1.0), x, x > 0.0)",
    df: "select(p.a * exp(x), 1.0, x > 0.0)",
    saves: "x",
    ref: (x, a) => (x > 0 ? x : a * Math.expm1(x)),
    domain: [-3, 3],
  },
  erf: {
    f: `let v = x; ${ERF} return erf`,
    df: "1.1283791671 * exp(-x * x)",
    saves: "x",
    ref: erf,
    domain: [-3, 3],
  },
  exp: { f: "exp(x)", df: "x", saves: "y", ref: Math.exp, domain: [-3, 3] },
  floor: { f: "floor(x)", df: "0.0", saves: "none", ref: Math.floor, domain: [-3, 3] },
  gelu: {
    f: `${CDF} return x * cdf`,
    df: `${CDF} return cdf + x * 0.3989422804 * exp(-0.5 * x * x)`,
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
    // -0.5 at the corner -3 and 1 at 3, as PyTorch's vectorised kernel has it.
    df: "select(select(x / 3.0 + 0.5, 1.0, x >= 3.0), 0.0, x < -3.0)",
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
    // WGSL's pow takes no negative base: |x|^a, with the sign that a whole exponent gives. Other exponents give NaN.
    f: `if (x == 0.0) { return select(select(0.0, 1.0 / abs(x), p.a < 0.0), 1.0, p.a == 0.0); }
      let whole = floor(p.a) == p.a;
      let m = exp2(p.a * log2(select(x, abs(x), whole)));
      let odd = (p.a - 2.0 * floor(p.a * 0.5)) == 1.0;
      return select(m, -m, x < 0.0 && odd)`,
    df: `if (x == 0.0) { return select(select(select(0.0, p.a / x, p.a < 1.0), 0.0, p.a == 0.0), 1.0, p.a == 1.0); }
      let whole = floor(p.a) == p.a;
      let m = p.a * exp2((p.a - 1.0) * log2(select(x, abs(x), whole)));
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
  round: { f: "round(x)", df: "0.0", saves: "none", ref: roundHalfToEven, domain: [-3, 3] },
  rsqrt: {
    f: "inverseSqrt(x)",
    df: "-0.5 * x * x * x",
    saves: "y",
    ref: (x) => 1 / Math.sqrt(x),
    domain: [0.3, 3],
  },
  sigmoid: { f: "1.0 / (1.0 + exp(-x))", df: "x * (1.0 - x)", saves: "y", ref: sigmoid, domain: [-4, 4] },
  sign: { f: "sign(x)", df: "0.0", saves: "none", ref: Math.sign, domain: [-3, 3] },
  silu: {
    f: "x / (1.0 + exp(-x))",
    df: "let s = 1.0 / (1.0 + exp(-x)); return s * (1.0 + x * (1.0 - s))",
    saves: "x",
    ref: (x) => x * sigmoid(x),
    domain: [-5, 5],
  },
  sin: { f: "sin(x)", df: "cos(x)", saves: "x", ref: Math.sin, domain: [-3, 3] },
  // p.a is beta; beyond beta x > p.b (the threshold) the function is the identity, as in PyTorch.
  softplus: {
    f: `let z = x * p.a;
      let e = exp(-abs(z));
      return select((max(z, 0.0) + ${LOG1P}) / p.a, x, z > p.b)`,
    df: "select(1.0 / (1.0 + exp(-x * p.a)), 1.0, x * p.a > p.b)",
    saves: "x",
    ref: (x, a, b) => (x * a > b ? x : (Math.max(x * a, 0) + Math.log1p(Math.exp(-Math.abs(x * a)))) / a),
    domain: [-6, 6],
  },
  sqrt: { f: "sqrt(x)", df: "0.5 / x", saves: "y", ref: Math.sqrt, domain: [0.1, 5] },
  square: { f: "x * x", df: "2.0 * x", saves: "x", ref: (x) => x * x, domain: [-3, 3] },
  // WGSL's tanh overflows to NaN for large arguments on some drivers.
  tanh: { f: "tanh(clamp(x, -15.0, 15.0))", df: "1.0 - x * x", saves: "y", ref: Math.tanh, domain: [-3, 3] },
} satisfies Record<string, UnaryRow>;
