// The table of elementwise functions of one tensor that methods of Tensor need, so that every program carries it: WGSL of
// f and of its gradient, and what that needs; both may call wgsl/lib/nan.wgsl. Those of nn alone are in activation-rows.ts.
// Gradients are PyTorch's, in its order of multiplication, also at NaN and infinities: where it masks, 0 whatever dy is.

import type { UnaryRow } from "../kernels/elementwise.ts";

// erfc(|v|) = t exp(-v^2 + P(t)), t = 1 / (1 + |v| / 2), P of degree 9 fitted by Chebyshev polynomials: relative error below
// 1.2e-7 (Press et al., Numerical Recipes in C, 2nd edition, section 6.2).
export const ERFC = `let w = abs(v);
  let t = 1.0 / (1.0 + 0.5 * w);
  let tail = t * exp_nan(-w * w - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t *
    (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277)))))))));`;
// Near zero 1 - erfc cancels; the Taylor series of erf to v^11 is exact to f32 for |v| < 0.5.
const ERF = `${ERFC}
  let q = v * v;
  let near = v * (1.1283791671 + q * (-0.3761263890 + q * (0.1128379167 + q * (-0.0268661706 + q * (0.0052239776 -
    q * 0.0008548327)))));
  let erf = select(select(tail - 1.0, 1.0 - tail, v >= 0.0), near, w < 0.5);`;

// WGSL promises its sine and cosine to 5e-4, from -pi to pi alone: here are their Taylor series, to 1e-7. Of the angle between -pi/2 and pi/2 with the
// same ones as x but for the sign `turn`: the mantissa times 64 bits of
// 1 / (2 pi) from where their product counts parts of a turn (Payne and Hanek, Radian reduction for trigonometric
// functions, 1983), to 2e-9. NaN for infinities.
export const TURN = `let bits = bitcast<u32>(abs(x));
  let at = max(bits >> 23u, 118u) - 118u;
  let m = (bits & 0x7fffffu) | 0x800000u;
  var inverse = array(0u, 0x28be60dbu, 0x9391054au, 0x7f09d5f4u, 0x7d4d3770u, 0x36d8a566u, 0x4f10e410u, 0x7f9458eau);
  let w = min(at >> 5u, 5u);
  let s = at & 31u;
  let high = (inverse[w] << s) | ((inverse[w + 1u] >> 1u) >> (31u - s));
  let low = (inverse[w + 1u] << s) | ((inverse[w + 2u] >> 1u) >> (31u - s));
  let l = low >> 16u;
  let t = m >> 12u;
  let turns = m * high + ((t * l + (((m & 0xfffu) * l) >> 12u) + ((t * (low & 0xffffu)) >> 16u)) >> 4u);
  let turned = f32(bitcast<i32>(turns << 1u)) * 7.314590396e-10;
  let far = select(select(turned, -turned, x < 0.0), from_bits(0x7fc00000u), bits >= 0x7f800000u);
  let near = bits <= 0x3fc90fdbu;
  let angle = select(far, x, near);
  let turn = select(1.0, -1.0, !near && turns + 0x40000000u >= 0x80000000u);
  let q = angle * angle;`;
const SINE = `turn * angle * (1.0 - q * (0.16666667 - q * (8.3333333e-3 - q * (1.98412698e-4 - q * (2.75573192e-6 - q * 2.50521084e-8)))))`;
const COSINE = `turn * (1.0 - q * (0.5 - q * (0.041666667 - q * (1.38888889e-3 - q * (2.48015873e-5 - q * (2.75573192e-7 - q * 2.0876757e-9))))))`;
// PyTorch's sign of NaN is 0.
const SIGN = "select(sign(x), 0.0, is_nan(x))";

/** Sorted by name. */
export const unaryRows = {
  abs: { f: "abs(x)", dx: `dy * ${SIGN}`, saves: "x" },
  affine: { scalars: ["scale", "offset"], f: "fma(x, scale, offset)", dx: "dy * scale", saves: "none" },
  ceil: { f: "ceil(x)", dx: "0.0", saves: "none" },
  clamp: {
    scalars: ["low", "high"],
    f: "min_nan(max_nan(x, low), high)",
    dx: "select(0.0, dy, x >= low && x <= high && !is_nan(x) && !is_nan(low) && !is_nan(high))",
    saves: "x",
  },
  cos: { f: `${TURN} return ${COSINE}`, dx: `${TURN} return dy * -(${SINE})`, saves: "x" },
  divScalar: { scalars: ["other"], f: "x / other", dx: "dy / other", saves: "none" },
  erf: {
    f: `let v = x; ${ERF} return erf`,
    dx: "1.1283791671 * exp_nan(-x * x) * dy",
    saves: "x",
  },
  exp: { f: "exp_nan(x)", dx: "dy * x", saves: "y" },
  floor: { f: "floor(x)", dx: "0.0", saves: "none" },
  log: { f: "log_nan(x)", dx: "dy / x", saves: "x" },
  maximumScalar: {
    scalars: ["other"],
    f: "max_nan(x, other)",
    dx: "select(select(select(dy, 0.5 * dy, x == other), 0.0, x < other), dy, is_nan(x) || is_nan(other))",
    saves: "x",
  },
  minimumScalar: {
    scalars: ["other"],
    f: "min_nan(x, other)",
    dx: "select(select(select(dy, 0.5 * dy, x == other), 0.0, x > other), dy, is_nan(x) || is_nan(other))",
    saves: "x",
  },
  powScalar: {
    scalars: ["exponent"],
    // As PyTorch has it for this number, so that (-Infinity) ** -0.5 is NaN.
    f: "if (exponent == -0.5) { return inverseSqrt(x); } return power(x, exponent)",
    dx: "if (exponent == 0.0) { return 0.0; } return dy * (exponent * power(x, exponent - 1.0))",
    saves: "x",
  },
  reciprocal: { f: "1.0 / x", dx: "-dy * (x * x)", saves: "y" },
  // By bits, since max() may take 0 for NaN: what is not negative stays, and y is 0 or passes dy.
  relu: { f: "select(x, 0.0, is_negative(x))", dx: "select(dy, 0.0, bitcast<u32>(x) == 0u)", saves: "y" },
  round: { f: "round(x)", dx: "0.0", saves: "none" },
  rsqrt: { f: "inverseSqrt(x)", dx: "-0.5 * dy * (x * x * x)", saves: "y" },
  sigmoid: { f: "1.0 / (1.0 + exp_nan(-x))", dx: "dy * (1.0 - x) * x", saves: "y" },
  sign: { f: SIGN, dx: "0.0", saves: "none" },
  sin: { f: `${TURN} return ${SINE}`, dx: `${TURN} return dy * (${COSINE})`, saves: "x" },
  sqrt: { f: "sqrt(x)", dx: "dy / (2.0 * x)", saves: "y" },
  square: { f: "x * x", dx: "dy * (2.0 * x)", saves: "x" },
  // WGSL's tanh may overflow to NaN far from 0, and lose digits near it: 1 - 2 / (1 + exp(2|x|)) there, the Taylor series here.
  tanh: {
    f: `let w = min(abs(x), 15.0);
      let q = w * w;
      let near = w * (1.0 - q * (0.33333333 - q * (0.13333333 - q * (0.053968254 - q * (0.021869488 - q * 0.0088632355)))));
      let y = select(1.0 - 2.0 / (1.0 + exp_nan(2.0 * w)), near, w < 0.3);
      return select(select(y, -y, x < 0.0), x, is_nan(x))`,
    dx: "dy * (1.0 - x * x)",
    saves: "y",
  },
} as const satisfies Record<string, UnaryRow>;
