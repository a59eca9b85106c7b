// The elementwise functions of one tensor that methods of Tensor need: WGSL of f and of its gradient, and what that needs; both
// may call wgsl/lib/nan.wgsl. Each is a constant of its own, so that a bundle holds those that it uses. Sorted by name.
// Gradients are PyTorch's, in its order of multiplication, also at NaN and infinities: where it masks, 0 whatever dy is.

import { ERFC, TURN } from "./special-functions.ts";
import { unaryOp } from "./unary.ts";

// Near zero 1 - erfc cancels; the Taylor series of erf to v^11 is exact to f32 for |v| < 0.5.
const ERF = `${ERFC}
  let q = v * v;
  let near = v * (1.1283791671 + q * (-0.3761263890 + q * (0.1128379167 + q * (-0.0268661706 + q * (0.0052239776 -
    q * 0.0008548327)))));
  let erf = select(select(tail - 1.0, 1.0 - tail, v >= 0.0), near, w < 0.5);`;

const SINE = `turn * angle * (1.0 - q * (0.16666667 - q * (8.3333333e-3 - q * (1.98412698e-4 - q * (2.75573192e-6 - q * 2.50521084e-8)))))`;
const COSINE = `turn * (1.0 - q * (0.5 - q * (0.041666667 - q * (1.38888889e-3 - q * (2.48015873e-5 - q * (2.75573192e-7 - q * 2.0876757e-9))))))`;
// PyTorch's sign of NaN is 0.
const SIGN = "select(sign(x), 0.0, is_nan(x))";

export const abs = unaryOp("abs", { f: "abs(x)", dx: `dy * ${SIGN}`, saves: "x" });
export const affine = unaryOp("affine", {
  scalars: ["scale", "offset"],
  f: "fma(x, scale, offset)",
  dx: "dy * scale",
  saves: "none",
});
export const ceil = unaryOp("ceil", { f: "ceil(x)", dx: "0.0", saves: "none" });
export const clamp = unaryOp("clamp", {
  scalars: ["low", "high"],
  f: "min_nan(max_nan(x, low), high)",
  dx: "select(0.0, dy, x >= low && x <= high && !is_nan(x) && !is_nan(low) && !is_nan(high))",
  saves: "x",
});
export const cos = unaryOp("cos", { f: `${TURN} return ${COSINE}`, dx: `${TURN} return dy * -(${SINE})`, saves: "x" });
export const divScalar = unaryOp("divScalar", { scalars: ["other"], f: "x / other", dx: "dy / other", saves: "none" });
export const erf = unaryOp("erf", {
  f: `let v = x; ${ERF} return erf`,
  dx: "1.1283791671 * exp_nan(-x * x) * dy",
  saves: "x",
});
export const exp = unaryOp("exp", { f: "exp_nan(x)", dx: "dy * x", saves: "y" });
export const floor = unaryOp("floor", { f: "floor(x)", dx: "0.0", saves: "none" });
export const log = unaryOp("log", { f: "log_nan(x)", dx: "dy / x", saves: "x" });
export const maximumScalar = unaryOp("maximumScalar", {
  scalars: ["other"],
  f: "max_nan(x, other)",
  dx: "select(select(select(dy, 0.5 * dy, x == other), 0.0, x < other), dy, is_nan(x) || is_nan(other))",
  saves: "x",
});
export const minimumScalar = unaryOp("minimumScalar", {
  scalars: ["other"],
  f: "min_nan(x, other)",
  dx: "select(select(select(dy, 0.5 * dy, x == other), 0.0, x > other), dy, is_nan(x) || is_nan(other))",
  saves: "x",
});
export const powScalar = unaryOp("powScalar", {
  scalars: ["exponent"],
  // As PyTorch has it for this number, so that (-Infinity) ** -0.5 is NaN.
  f: "if (exponent == -0.5) { return inverseSqrt(x); } return power(x, exponent)",
  dx: "if (exponent == 0.0) { return 0.0; } return dy * (exponent * power(x, exponent - 1.0))",
  saves: "x",
});
export const reciprocal = unaryOp("reciprocal", { f: "1.0 / x", dx: "-dy * (x * x)", saves: "y" });
// By bits, since max() may take 0 for NaN: what is not negative stays, and y is 0 or passes dy.
export const relu = unaryOp("relu", {
  f: "select(x, 0.0, is_negative(x))",
  dx: "select(dy, 0.0, bitcast<u32>(x) == 0u)",
  saves: "y",
});
export const round = unaryOp("round", { f: "round(x)", dx: "0.0", saves: "none" });
export const rsqrt = unaryOp("rsqrt", { f: "inverseSqrt(x)", dx: "-0.5 * dy * (x * x * x)", saves: "y" });
export const sigmoid = unaryOp("sigmoid", { f: "1.0 / (1.0 + exp_nan(-x))", dx: "dy * (1.0 - x) * x", saves: "y" });
export const sign = unaryOp("sign", { f: SIGN, dx: "0.0", saves: "none" });
export const sin = unaryOp("sin", { f: `${TURN} return ${SINE}`, dx: `${TURN} return dy * (${COSINE})`, saves: "x" });
export const sqrt = unaryOp("sqrt", { f: "sqrt(x)", dx: "dy / (2.0 * x)", saves: "y" });
export const square = unaryOp("square", { f: "x * x", dx: "dy * (2.0 * x)", saves: "x" });
// WGSL's tanh may overflow to NaN far from 0, and lose digits near it: 1 - 2 / (1 + exp(2|x|)) there, the Taylor series here.
export const tanh = unaryOp("tanh", {
  f: `let w = min(abs(x), 15.0);
    let q = w * w;
    let near = w * (1.0 - q * (0.33333333 - q * (0.13333333 - q * (0.053968254 - q * (0.021869488 - q * 0.0088632355)))));
    let y = select(1.0 - 2.0 / (1.0 + exp_nan(2.0 * w)), near, w < 0.3);
    return select(select(y, -y, x < 0.0), x, is_nan(x))`,
  dx: "dy * (1.0 - x * x)",
  saves: "y",
});
