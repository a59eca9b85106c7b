// Elementwise functions of torch that are functions only: tables as in unary-rows.ts and binary.ts, apart so that a bundle without
// them leaves them out.
import { apply1 } from "../autograd/apply.ts";
import type { UnaryRow } from "../kernels/elementwise.ts";
import { full } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type BinaryRow, binary, binaryOpOf } from "./binary.ts";
import { unary, unaryOpsOf } from "./unary.ts";
import { ERFC, TURN } from "./unary-rows.ts";

// WGSL's inverse functions promise few digits: these are the polynomials of Moshier's Cephes library for f32 (asinf, atanf, sinhf).
/** `angle`: the arcus sine of w from 0 to 1. */
const ASIN = `let far = w > 0.5;
  let z = select(w * w, 0.5 * (1.0 - w), far);
  let r = select(w, sqrt(z), far);
  let near = ((((4.2163199048e-2 * z + 2.4181311049e-2) * z + 4.5470025998e-2) * z + 7.4953002686e-2) * z + 1.6666752422e-1)
    * z * r + r;
  let angle = select(near, 1.5707963268 - 2.0 * near, far);`;
/** `angle`: the arcus tangent of w, not negative. */
const ATAN = `let steep = w > 2.414213562;
  let middle = w > 0.4142135624;
  let v = select(select(w, (w - 1.0) / (w + 1.0), middle), -1.0 / w, steep);
  let z = v * v;
  let angle = select(select(0.0, 0.7853981634, middle), 1.5707963268, steep) + v +
    (((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1) * z * v;`;
const NONE = "from_bits(0x7fc00000u)";

/** Sorted by name. */
export const mathRows = {
  acos: {
    // Of |x| near 1 by the sine of half the angle, which loses no digits.
    f: `let w = sqrt(0.5 * (1.0 - abs(x)));
      ${ASIN}
      let twice = 2.0 * angle;
      let y = select(twice, 3.1415926536 - twice, x < 0.0);
      return select(y, ${NONE}, abs(x) > 1.0 || is_nan(x))`,
    dx: "-dy * inverseSqrt(1.0 - x * x)",
    saves: "x",
  },
  asin: {
    f: `let w = abs(x);
      ${ASIN}
      return select(select(angle, -angle, x < 0.0), ${NONE}, w > 1.0 || is_nan(x))`,
    dx: "dy * inverseSqrt(1.0 - x * x)",
    saves: "x",
  },
  atan: {
    f: `let w = abs(x); ${ATAN} return select(select(angle, -angle, x < 0.0), x, is_nan(x))`,
    dx: "dy / (x * x + 1.0)",
    saves: "x",
  },
  // By half of x, so that only what is beyond f32 overflows.
  cosh: {
    f: "let e = exp_nan(0.5 * abs(x)); let w = e * e; return 0.5 * e * e + 0.5 / w",
    dx: `let e = exp_nan(0.5 * abs(x));
      let w = e * e;
      let z = x * x;
      let near = ((2.03721912945e-4 * z + 8.33028376239e-3) * z + 1.66667160211e-1) * z * x + x;
      let far = 0.5 * e * e - 0.5 / w;
      return dy * select(select(far, -far, x < 0.0), near, abs(x) < 1.0)`,
    saves: "x",
  },
  erfc: {
    f: `let v = x; ${ERFC} return select(select(2.0 - tail, tail, v >= 0.0), v, is_nan(v))`,
    dx: "-1.1283791671 * exp_nan(-x * x) * dy",
    saves: "x",
  },
  exp2: { f: "exp2_nan(x)", dx: "dy * x * 0.6931471806", saves: "y" },
  // Near 0, where exp(x) - 1 cancels, the Taylor series.
  expm1: {
    f: `let near = x * (1.0 + x * (0.5 + x * (1.6666667e-1 + x * (4.1666667e-2 + x * (8.3333333e-3 + x * (1.3888889e-3 +
        x * (1.9841270e-4 + x * 2.4801587e-5)))))));
      return select(exp_nan(x) - 1.0, near, abs(x) < 0.5)`,
    dx: "dy * (x + 1.0)",
    saves: "y",
  },
  log10: { f: "log2_nan(x) * 0.3010299957", dx: "dy / (x * 2.302585093)", saves: "x" },
  // Near 0, where 1 + x loses x, the series of the area tangent: log(1 + x) = 2 artanh(x / (2 + x)).
  log1p: {
    f: `let s = x / (2.0 + x);
      let z = s * s;
      let near = 2.0 * s * (1.0 + z * (0.33333333 + z * (0.2 + z * (0.14285714 + z * (0.11111111 + z * (0.090909091 +
        z * (0.076923077 + z * 0.066666667)))))));
      return select(log_nan(1.0 + x), near, abs(x) < 0.5)`,
    dx: "dy / (x + 1.0)",
    saves: "x",
  },
  log2: { f: "log2_nan(x)", dx: "dy / (x * 0.6931471806)", saves: "x" },
  sinh: {
    f: `let e = exp_nan(0.5 * abs(x));
      let w = e * e;
      let z = x * x;
      let near = ((2.03721912945e-4 * z + 8.33028376239e-3) * z + 1.66667160211e-1) * z * x + x;
      let far = 0.5 * e * e - 0.5 / w;
      return select(select(far, -far, x < 0.0), near, abs(x) < 1.0)`,
    dx: "let e = exp_nan(0.5 * abs(x)); let w = e * e; return dy * (0.5 * e * e + 0.5 / w)",
    saves: "x",
  },
  tan: { f: `${TURN} return sin(angle) / cos(angle)`, dx: "dy * (1.0 + x * x)", saves: "y" },
  trunc: { f: "trunc(x)", dx: "0.0", saves: "none" },
} as const satisfies Record<string, UnaryRow>;

export type MathName = keyof typeof mathRows;

export const mathOps = unaryOpsOf(mathRows);

/** Applies a row of the table. */
export const math = (name: MathName, x: Tensor): Tensor => apply1(mathOps[name], [x], []);

// The remainder without rounding: |b| times falling powers of two is taken away, each time exactly. `power of two` by its bits.
const FMOD = `let d = abs(b);
  let inf = from_bits(0x7f800000u);
  var r = abs(a);
  if (is_nan(a) || is_nan(b) || r == inf || d == 0.0) { return ${NONE}; }
  if (r >= d) {
    for (var k = i32(bitcast<u32>(r) >> 23u) - i32(max(bitcast<u32>(d) >> 23u, 1u)); k >= 0; k--) {
      let half = k / 2;
      let t = d * from_bits(u32(half + 127) << 23u) * from_bits(u32(k - half + 127) << 23u);
      if (r >= t) { r -= t; }
    }
  }
  r = select(r, -r, is_negative(a));`;

/** a / b rounded to a whole number, as of what no gradient passes. */
const quotient = (round: (x: Tensor) => Tensor, a: Tensor, b: Tensor): Tensor => round(binary("div", a, b));
const negated = (x: Tensor): Tensor => unary("affine", x, { scale: -1, offset: -0 });
const nothing = (dy: Tensor): Tensor => full(dy.shape, 0, { device: dy.device });
/** The gradient of a - b round(a / b). */
const modulo = (round: (x: Tensor) => Tensor): NonNullable<BinaryRow["vjp"]> => [
  (dy) => dy,
  (dy, c) => negated(binary("mul", dy, quotient(round, c.input(0), c.input(1)))),
];
const INTEGER_FLOOR = "let q = a / b; return select(q, q - T(1), a % b != T(0) && (a < T(0)) != (b < T(0)))";

type MathBinaryName = "atan2" | "divFloor" | "divTrunc" | "fmod" | "remainder";

/** Sorted by name. Integers divided by 0 are what WGSL makes of them: the dividend, and a remainder of 0. */
export const mathBinaryRows: Record<MathBinaryName, BinaryRow> = {
  // The angle of the point (b, a), by that of the smaller side over the larger one.
  atan2: {
    f: `let least = min(abs(a), abs(b));
      let most = max(abs(a), abs(b));
      let w = select(select(least / most, 1.0, least == most), 0.0, most == 0.0);
      ${ATAN}
      let first = select(angle, 1.5707963268 - angle, abs(a) > abs(b));
      let left = (bitcast<u32>(b) >> 31u) == 1u;
      let turned = select(first, 3.1415926536 - first, left);
      let y = select(turned, -turned, (bitcast<u32>(a) >> 31u) == 1u);
      return select(y, a + b, is_nan(a) || is_nan(b))`,
    dtypes: ["f32"],
    saves: "both",
    vjp: [
      (dy, c) => binary("mul", dy, binary("div", c.input(1), squares(c.input(0), c.input(1)))),
      (dy, c) => binary("mul", dy, binary("div", negated(c.input(0)), squares(c.input(0), c.input(1)))),
    ],
  },
  // As PyTorch: from the exact remainder, so that (a // b) b + a % b is a.
  divFloor: {
    f: INTEGER_FLOOR,
    float: `if (b == 0.0) { return a / b; }
      ${FMOD}
      var q = (a - r) / b;
      if (r != 0.0 && (b < 0.0) != (r < 0.0)) { q -= 1.0; }
      let y = round(q);
      return select(y, select(0.0, -0.0, (a < 0.0) != (b < 0.0)), q == 0.0)`,
    vjp: [nothing, nothing],
  },
  divTrunc: { f: "a / b", float: "trunc(a / b)", vjp: [nothing, nothing] },
  fmod: { f: "a % b", float: `${FMOD} return r`, saves: "both", vjp: modulo((x) => math("trunc", x)) },
  remainder: {
    f: "let r = a % b; return select(r, r + b, r != T(0) && (r < T(0)) != (b < T(0)))",
    float: `${FMOD} return select(r, r + b, r != 0.0 && (r < 0.0) != (b < 0.0))`,
    saves: "both",
    vjp: modulo((x) => unary("floor", x)),
  },
};
const squares = (a: Tensor, b: Tensor): Tensor => binary("add", unary("square", a), unary("square", b));

const mathBinaryOps = Object.fromEntries(
  Object.entries(mathBinaryRows).map(([name, row]) => [name, binaryOpOf(name, row)]),
) as Record<MathBinaryName, ReturnType<typeof binaryOpOf>>;

/** Applies a row of the table to two tensors of one dtype, broadcast against each other. */
export const mathBinary = (name: MathBinaryName, a: Tensor, b: Tensor): Tensor =>
  apply1(mathBinaryOps[name], [a, b], undefined);
