// Elementwise functions that only nn has, as in unary-rows.ts. Sorted by name.
import { ERFC, LOG1P } from "./special-functions.ts";
import { unaryOp } from "./unary.ts";

// The normal distribution's cdf at x, from erfc so that it keeps its relative precision in the lower tail.
const CDF = `let v = x * 0.7071067812; ${ERFC}
  let cdf = 0.5 * select(tail, 2.0 - tail, v >= 0.0);`;
export const elu = unaryOp("elu", {
  scalars: ["alpha"],
  f: "select(x, alpha * (exp_nan(x) - 1.0), is_negative(x))",
  dx: "select(dy * (alpha * exp_nan(x)), dy, is_positive(x))",
  saves: "x",
});
export const gelu = unaryOp("gelu", {
  f: `${CDF} return x * cdf`,
  dx: `${CDF} return dy * (cdf + x * 0.3989422804 * exp_nan(-0.5 * x * x))`,
  saves: "x",
});
export const hardsigmoid = unaryOp("hardsigmoid", {
  f: "clamp_nan(x / 6.0 + 0.5, 0.0, 1.0)",
  dx: "select(0.0, dy / 6.0, x > -3.0 && x < 3.0 && !is_nan(x))",
  saves: "x",
});
export const hardswish = unaryOp("hardswish", {
  f: "x * clamp_nan(x + 3.0, 0.0, 6.0) / 6.0",
  // -0.5 at the corner -3 and 1 at 3, as PyTorch's vectorised kernel has it.
  dx: "select(select(select(dy * (x / 3.0 + 0.5), dy, x >= 3.0), 0.0, x < -3.0), dy * x, is_nan(x))",
  saves: "x",
});
export const leakyRelu = unaryOp("leakyRelu", {
  scalars: ["slope"],
  f: "select(slope * x, x, is_positive(x))",
  dx: "select(slope * dy, dy, is_positive(x))",
  saves: "x",
});
export const relu6 = unaryOp("relu6", {
  f: "clamp_nan(x, 0.0, 6.0)",
  dx: "select(0.0, dy, x > 0.0 && x < 6.0 && !is_nan(x))",
  saves: "y",
});
export const silu = unaryOp("silu", {
  f: "x / (1.0 + exp_nan(-x))",
  dx: "let s = 1.0 / (1.0 + exp_nan(-x)); return dy * s * (1.0 + x * (1.0 - s))",
  saves: "x",
});
// The smooth L1 loss of a difference x.
export const smoothL1 = unaryOp("smoothL1", {
  scalars: ["beta"],
  f: "let z = abs(x); return select(0.5 * z * z / beta, z - 0.5 * beta, z >= beta)",
  dx: "select(dy * x / beta, select(-dy, dy, x > 0.0), abs(x) >= beta && !is_nan(x))",
  saves: "x",
});
// Beyond beta x > threshold the function is the identity, as in PyTorch.
export const softplus = unaryOp("softplus", {
  scalars: ["beta", "threshold"],
  f: `let z = x * beta;
    let e = exp_nan(-abs(z));
    return select((max(z, 0.0) + ${LOG1P}) / beta, x, z > threshold)`,
  dx: "select(dy / (1.0 + exp_nan(-x * beta)), dy, x * beta > threshold && !is_nan(x))",
  saves: "x",
});
