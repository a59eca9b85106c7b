// Elementwise functions of two tensors that are functions only, as in binary-rows.ts. Sorted by name. Integers divided by 0 are what
// WGSL makes of them: the dividend, and a remainder of 0.
import { full } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type BinaryRow, binary, binaryOp } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import * as math from "./math-rows.ts";
import { ATAN, NONE } from "./special-functions.ts";
import { unary } from "./unary.ts";
import * as unaries from "./unary-rows.ts";

const squares = (a: Tensor, b: Tensor): Tensor =>
  binary(binaries.add, unary(unaries.square, a), unary(unaries.square, b));
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
const quotient = (round: (x: Tensor) => Tensor, a: Tensor, b: Tensor): Tensor => round(binary(binaries.div, a, b));
const negated = (x: Tensor): Tensor => unary(unaries.affine, x, { scale: -1, offset: -0 });
const nothing = (dy: Tensor): Tensor => full(dy.shape, 0, { device: dy.device });
/** The gradient of a - b round(a / b). */
const modulo = (round: (x: Tensor) => Tensor): NonNullable<BinaryRow["vjp"]> => [
  (dy) => dy,
  (dy, c) => negated(binary(binaries.mul, dy, quotient(round, c.input(0), c.input(1)))),
];
const INTEGER_FLOOR = "let q = a / b; return select(q, q - T(1), a % b != T(0) && (a < T(0)) != (b < T(0)))";

// The angle of the point (b, a), by that of the smaller side over the larger one.
export const atan2 = binaryOp("atan2", {
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
    (dy, c) => binary(binaries.mul, dy, binary(binaries.div, c.input(1), squares(c.input(0), c.input(1)))),
    (dy, c) => binary(binaries.mul, dy, binary(binaries.div, negated(c.input(0)), squares(c.input(0), c.input(1)))),
  ],
});
// As PyTorch: from the exact remainder, so that (a // b) b + a % b is a.
export const divFloor = binaryOp("divFloor", {
  f: INTEGER_FLOOR,
  float: `if (b == 0.0) { return a / b; }
    ${FMOD}
    var q = (a - r) / b;
    if (r != 0.0 && (b < 0.0) != (r < 0.0)) { q -= 1.0; }
    let y = round(q);
    return select(y, select(0.0, -0.0, (a < 0.0) != (b < 0.0)), q == 0.0)`,
  vjp: [nothing, nothing],
});
export const divTrunc = binaryOp("divTrunc", { f: "a / b", float: "trunc(a / b)", vjp: [nothing, nothing] });
export const fmod = binaryOp("fmod", {
  f: "a % b",
  float: `${FMOD} return r`,
  saves: "both",
  vjp: modulo((x) => unary(math.trunc, x)),
});
export const remainder = binaryOp("remainder", {
  f: "let r = a % b; return select(r, r + b, r != T(0) && (r < T(0)) != (b < T(0)))",
  float: `${FMOD} return select(r, r + b, r != 0.0 && (r < 0.0) != (b < 0.0))`,
  saves: "both",
  vjp: modulo((x) => unary(unaries.floor, x)),
});
