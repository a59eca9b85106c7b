// Elementwise functions of torch that are functions only, as in unary-rows.ts. Sorted by name.
import { ATAN, ERFC, NONE, TURN } from "./special-functions.ts";
import { unaryOp } from "./unary.ts";

// WGSL's inverse functions promise few digits: these are the polynomials of Moshier's Cephes library for f32 (asinf, atanf, sinhf).
/** `angle`: the arcus sine of w from 0 to 1. */
const ASIN = `let far = w > 0.5;
  let z = select(w * w, 0.5 * (1.0 - w), far);
  let r = select(w, sqrt(z), far);
  let near = ((((4.2163199048e-2 * z + 2.4181311049e-2) * z + 4.5470025998e-2) * z + 7.4953002686e-2) * z + 1.6666752422e-1)
    * z * r + r;
  let angle = select(near, 1.5707963268 - 2.0 * near, far);`;

export const acos = unaryOp("acos", {
  // Of |x| near 1 by the sine of half the angle, which loses no digits.
  f: `let w = sqrt(0.5 * (1.0 - abs(x)));
    ${ASIN}
    let twice = 2.0 * angle;
    let y = select(twice, 3.1415926536 - twice, x < 0.0);
    return select(y, ${NONE}, abs(x) > 1.0 || is_nan(x))`,
  dx: "-dy * inverseSqrt(1.0 - x * x)",
  saves: "x",
});
export const asin = unaryOp("asin", {
  f: `let w = abs(x);
    ${ASIN}
    return select(select(angle, -angle, x < 0.0), ${NONE}, w > 1.0 || is_nan(x))`,
  dx: "dy * inverseSqrt(1.0 - x * x)",
  saves: "x",
});
export const atan = unaryOp("atan", {
  f: `let w = abs(x); ${ATAN} return select(select(angle, -angle, x < 0.0), x, is_nan(x))`,
  dx: "dy / (x * x + 1.0)",
  saves: "x",
});
// By half of x, so that only what is beyond f32 overflows.
export const cosh = unaryOp("cosh", {
  f: "let e = exp_nan(0.5 * abs(x)); let w = e * e; return 0.5 * e * e + 0.5 / w",
  dx: `let e = exp_nan(0.5 * abs(x));
    let w = e * e;
    let z = x * x;
    let near = ((2.03721912945e-4 * z + 8.33028376239e-3) * z + 1.66667160211e-1) * z * x + x;
    let far = 0.5 * e * e - 0.5 / w;
    return dy * select(select(far, -far, x < 0.0), near, abs(x) < 1.0)`,
  saves: "x",
});
export const erfc = unaryOp("erfc", {
  f: `let v = x; ${ERFC} return select(select(2.0 - tail, tail, v >= 0.0), v, is_nan(v))`,
  dx: "-1.1283791671 * exp_nan(-x * x) * dy",
  saves: "x",
});
export const exp2 = unaryOp("exp2", { f: "exp2_nan(x)", dx: "dy * x * 0.6931471806", saves: "y" });
// Near 0, where exp(x) - 1 cancels, the Taylor series.
export const expm1 = unaryOp("expm1", {
  f: `let near = x * (1.0 + x * (0.5 + x * (1.6666667e-1 + x * (4.1666667e-2 + x * (8.3333333e-3 + x * (1.3888889e-3 +
      x * (1.9841270e-4 + x * 2.4801587e-5)))))));
    return select(exp_nan(x) - 1.0, near, abs(x) < 0.5)`,
  dx: "dy * (x + 1.0)",
  saves: "y",
});
export const log10 = unaryOp("log10", { f: "log2_nan(x) * 0.3010299957", dx: "dy / (x * 2.302585093)", saves: "x" });
// Near 0, where 1 + x loses x, the series of the area tangent: log(1 + x) = 2 artanh(x / (2 + x)).
export const log1p = unaryOp("log1p", {
  f: `let s = x / (2.0 + x);
    let z = s * s;
    let near = 2.0 * s * (1.0 + z * (0.33333333 + z * (0.2 + z * (0.14285714 + z * (0.11111111 + z * (0.090909091 +
      z * (0.076923077 + z * 0.066666667)))))));
    return select(log_nan(1.0 + x), near, abs(x) < 0.5)`,
  dx: "dy / (x + 1.0)",
  saves: "x",
});
export const log2 = unaryOp("log2", { f: "log2_nan(x)", dx: "dy / (x * 0.6931471806)", saves: "x" });
export const sinh = unaryOp("sinh", {
  f: `let e = exp_nan(0.5 * abs(x));
    let w = e * e;
    let z = x * x;
    let near = ((2.03721912945e-4 * z + 8.33028376239e-3) * z + 1.66667160211e-1) * z * x + x;
    let far = 0.5 * e * e - 0.5 / w;
    return select(select(far, -far, x < 0.0), near, abs(x) < 1.0)`,
  dx: "let e = exp_nan(0.5 * abs(x)); let w = e * e; return dy * (0.5 * e * e + 0.5 / w)",
  saves: "x",
});
export const tan = unaryOp("tan", {
  f: `${TURN} return sin(angle) / cos(angle)`,
  dx: "dy * (1.0 + x * x)",
  saves: "y",
});
export const trunc = unaryOp("trunc", { f: "trunc(x)", dx: "0.0", saves: "none" });
