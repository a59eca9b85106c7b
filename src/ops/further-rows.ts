// Elementwise functions of nn that few models use, as in unary-rows.ts. Sorted by name.
import { LOG1P } from "./special-functions.ts";
import { unaryOp } from "./unary.ts";

// Of Klambauer et al., Self-normalizing neural networks, 2017.
const SCALE = "1.0507009873554805";
const SCALE_ALPHA = "1.7580993408473766";
// The argument of tanh in GELU's approximation, twice, so that x sigmoid(u) = x (1 + tanh(u / 2)) / 2; and the sigmoid.
const TANH_GELU = "let u = 1.5957691216 * (x + 0.044715 * x * x * x); let s = 1.0 / (1.0 + exp_nan(-u));";
// tanh(log(1 + exp(x))) as a quotient; 1 from 20 on.
const MISH = "let e = exp_nan(min(x, 20.0)); let n = e * (e + 2.0); let t = n / (n + 2.0);";

export const celu = unaryOp("celu", {
  scalars: ["alpha"],
  f: "select(x, alpha * (exp_nan(x / alpha) - 1.0), is_negative(x))",
  dx: "select(dy * exp_nan(x / alpha), dy, is_positive(x))",
  saves: "x",
});
export const geluTanh = unaryOp("geluTanh", {
  f: `${TANH_GELU} return x * s`,
  dx: `${TANH_GELU} return dy * (s + x * s * (1.0 - s) * (1.5957691216 + 0.2140644488 * x * x))`,
  saves: "x",
});
export const hardtanh = unaryOp("hardtanh", {
  scalars: ["low", "high"],
  f: "min_nan(max_nan(x, low), high)",
  dx: "select(0.0, dy, x > low && x < high && !is_nan(x))",
  saves: "x",
});
export const logSigmoid = unaryOp("logSigmoid", {
  f: `let e = exp_nan(-abs(x)); return min_nan(x, 0.0) - ${LOG1P}`,
  dx: "dy / (1.0 + exp_nan(x))",
  saves: "x",
});
export const mish = unaryOp("mish", {
  f: `${MISH} return x * t`,
  dx: `${MISH} return dy * (t + x * (1.0 / (1.0 + exp_nan(-x))) * (1.0 - t * t))`,
  saves: "x",
});
export const selu = unaryOp("selu", {
  f: `select(${SCALE} * x, ${SCALE_ALPHA} * (exp_nan(x) - 1.0), is_negative(x))`,
  dx: `select(dy * (${SCALE_ALPHA} * exp_nan(x)), ${SCALE} * dy, is_positive(x))`,
  saves: "x",
});
// NaN at infinities, as the quotient and its derivative have it.
export const softsign = unaryOp("softsign", {
  f: "x / (1.0 + abs(x))",
  dx: `let d = 1.0 + abs(x);
    return select(dy / (d * d), from_bits(0x7fc00000u), (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u)`,
  saves: "x",
});
export const threshold = unaryOp("threshold", {
  scalars: ["threshold", "value"],
  f: "select(x, value, x <= threshold && !is_nan(x))",
  dx: "select(dy, 0.0, x <= threshold && !is_nan(x))",
  saves: "x",
});
