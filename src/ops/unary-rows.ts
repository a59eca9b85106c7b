// The table of elementwise functions of one tensor that methods of Tensor need, so that every program carries it: WGSL of
// f and df, and what the gradient needs. f may call wgsl/lib/nan.wgsl. Gradients at NaN are PyTorch's. Those of nn alone are in activation-rows.ts.

import type { UnaryRow } from "../kernels/elementwise.ts";

// erfc(|v|) = t exp(-v^2 + P(t)), t = 1 / (1 + |v| / 2), P of degree 9 fitted by Chebyshev polynomials: relative error below
// 1.2e-7 (Press et al., Numerical Recipes in C, 2nd edition, section 6.2).
export const ERFC = `let w = abs(v);
  let t = 1.0 / (1.0 + 0.5 * w);
  let tail = t * exp(-w * w - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t *
    (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277)))))))));`;
// Near zero 1 - erfc cancels; the Taylor series of erf to v^11 is exact to f32 for |v| < 0.5.
const ERF = `${ERFC}
  let q = v * v;
  let near = v * (1.1283791671 + q * (-0.3761263890 + q * (0.1128379167 + q * (-0.0268661706 + q * (0.0052239776 -
    q * 0.0008548327)))));
  let erf = select(select(tail - 1.0, 1.0 - tail, v >= 0.0), near, w < 0.5);`;

/** Sorted by name. */
export const unaryRows = {
  abs: { f: "abs(x)", df: "sign(x)", saves: "x" },
  affine: { scalars: ["scale", "offset"], f: "fma(x, scale, offset)", df: "scale", saves: "none" },
  ceil: { f: "ceil(x)", df: "0.0", saves: "none" },
  clamp: {
    scalars: ["low", "high"],
    f: "min_nan(max_nan(x, low), high)",
    df: "select(0.0, 1.0, x >= low && x <= high)",
    saves: "x",
  },
  cos: { f: "cos(x)", df: "-sin(x)", saves: "x" },
  erf: {
    f: `let v = x; ${ERF} return erf`,
    df: "1.1283791671 * exp(-x * x)",
    saves: "x",
  },
  exp: { f: "exp(x)", df: "x", saves: "y" },
  floor: { f: "floor(x)", df: "0.0", saves: "none" },
  log: { f: "log(x)", df: "1.0 / x", saves: "x" },
  maximumScalar: {
    scalars: ["other"],
    f: "max_nan(x, other)",
    df: "select(select(1.0, 0.5, x == other), 0.0, x < other)",
    saves: "x",
  },
  minimumScalar: {
    scalars: ["other"],
    f: "min_nan(x, other)",
    df: "select(select(1.0, 0.5, x == other), 0.0, x > other)",
    saves: "x",
  },
  powScalar: {
    scalars: ["exponent"],
    // WGSL's pow takes no negative base: |x|^exponent, with the sign that a whole exponent gives. Other exponents give NaN.
    f: `if (exponent == 0.0) { return 1.0; }
      if (x == 0.0) { return select(0.0, 1.0 / abs(x), exponent < 0.0); }
      let whole = floor(exponent) == exponent;
      let m = exp2(exponent * log2(select(x, abs(x), whole)));
      let odd = (exponent - 2.0 * floor(exponent * 0.5)) == 1.0;
      return select(m, -m, x < 0.0 && odd)`,
    df: `if (exponent == 0.0 || exponent == 1.0) { return exponent; }
      if (x == 0.0) { return select(0.0, exponent / x, exponent < 1.0); }
      let whole = floor(exponent) == exponent;
      let m = exponent * exp2((exponent - 1.0) * log2(select(x, abs(x), whole)));
      let even = (exponent - 2.0 * floor(exponent * 0.5)) == 0.0;
      return select(m, -m, x < 0.0 && even)`,
    saves: "x",
  },
  reciprocal: { f: "1.0 / x", df: "-x * x", saves: "y" },
  // max() may take 0 for NaN.
  relu: { f: "select(x, 0.0, x < 0.0)", df: "select(1.0, 0.0, x <= 0.0)", saves: "y" },
  round: { f: "round(x)", df: "0.0", saves: "none" },
  rsqrt: { f: "inverseSqrt(x)", df: "-0.5 * x * x * x", saves: "y" },
  sigmoid: { f: "1.0 / (1.0 + exp(-x))", df: "x * (1.0 - x)", saves: "y" },
  sign: { f: "sign(x)", df: "0.0", saves: "none" },
  sin: { f: "sin(x)", df: "cos(x)", saves: "x" },
  sqrt: { f: "sqrt(x)", df: "0.5 / x", saves: "y" },
  square: { f: "x * x", df: "2.0 * x", saves: "x" },
  // WGSL's tanh overflows to NaN for large arguments on some drivers.
  tanh: { f: "select(tanh(clamp(x, -15.0, 15.0)), x, is_nan(x))", df: "1.0 - x * x", saves: "y" },
} as const satisfies Record<string, UnaryRow>;
