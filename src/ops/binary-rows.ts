// The elementwise functions of two tensors: each is a constant of its own, so that a bundle holds those that it uses. Sorted by
// name.
import { type BinaryOp, type BinaryRow, binary, binaryOp } from "./binary.ts";
import { unary } from "./unary.ts";
import * as unaries from "./unary-rows.ts";

/** No number compares with NaN, which a comparison alone may overlook. */
const compare = (op: string): BinaryRow => ({
  f: `select(0, 1, a ${op} b)`,
  float: `select(0, 1, a ${op} b && !is_nan(a) && !is_nan(b))`,
  result: "i32",
});
/** Which of two takes the gradient: 1 where a is not the other side of b, half where equal, else 0. For both where one is NaN. */
const mask = (loses: string): BinaryRow => ({
  f: `select(select(select(1.0, 0.5, a == b), 0.0, a ${loses} b), 1.0, is_nan(a) || is_nan(b))`,
  dtypes: ["f32"],
});
/** dy where `wins`, half of it where both are equal, else 0; dy for both where one is NaN. So PyTorch shares it. */
const share = (wins: () => BinaryOp): NonNullable<BinaryRow["vjp"]> => [
  (dy, c) => binary(mulOrZero, dy, binary(wins(), c.input(0), c.input(1))),
  (dy, c) => binary(mulOrZero, dy, binary(wins(), c.input(1), c.input(0))),
];

export const add = binaryOp("add", { f: "a + b", vjp: [(dy) => dy, (dy) => dy] });
export const div = binaryOp("div", {
  f: "a / b",
  dtypes: ["f32"],
  saves: "both",
  vjp: [
    (dy, c) => binary(div, dy, c.input(1)),
    (dy, c) =>
      unary(unaries.affine, binary(mul, dy, binary(div, binary(div, c.input(0), c.input(1)), c.input(1))), {
        scale: -1,
        offset: 0,
      }),
  ],
});
// A vector's direction, none at the origin.
export const divOrZero = binaryOp("divOrZero", { f: "select(a / b, 0.0, b == 0.0)", dtypes: ["f32"] });
export const eq = binaryOp("eq", compare("=="));
export const equalMask = binaryOp("equalMask", { f: "select(0.0, 1.0, a == b)", dtypes: ["f32"] });
export const ge = binaryOp("ge", compare(">="));
export const greaterMask = binaryOp("greaterMask", mask("<"));
export const gt = binaryOp("gt", compare(">"));
export const le = binaryOp("le", compare("<="));
export const lessMask = binaryOp("lessMask", mask(">"));
// The logarithm in the gradient of a^b: at 0 there is none to count, where b says that 0^b is no infinity.
export const logOrZero = binaryOp("logOrZero", { f: "select(log_nan(a), 0.0, a == 0.0 && b >= 0.0)", dtypes: ["f32"] });
export const lt = binaryOp("lt", compare("<"));
export const maximum = binaryOp("maximum", {
  f: "max(a, b)",
  float: "max_nan(a, b)",
  saves: "both",
  vjp: share(() => greaterMask),
});
export const minimum = binaryOp("minimum", {
  f: "min(a, b)",
  float: "min_nan(a, b)",
  saves: "both",
  vjp: share(() => lessMask),
});
export const mul = binaryOp("mul", {
  f: "a * b",
  saves: "other",
  vjp: [(dy, c) => binary(mul, dy, c.input(1)), (dy, c) => binary(mul, dy, c.input(0))],
});
// 0 where the mask b is, even of infinity and NaN.
export const mulOrZero = binaryOp("mulOrZero", { f: "select(a * b, 0.0, b == 0.0)", dtypes: ["f32"] });
// NaN differs from everything, where != may say no.
export const ne = binaryOp("ne", {
  f: "select(1, 0, a == b)",
  float: "select(1, 0, a == b && !is_nan(a) && !is_nan(b))",
  result: "i32",
});
// An exponent b of 0 leaves no gradient, even of infinity and NaN.
export const orZero = binaryOp("orZero", { f: "select(a, 0.0, b == 0.0)", dtypes: ["f32"] });
export const pow = binaryOp("pow", {
  f: "power(a, b)",
  dtypes: ["f32"],
  saves: "both",
  vjp: [
    (dy, c) => {
      const [a, b] = [c.input(0), c.input(1)];
      const lower = binary(pow, a, unary(unaries.affine, b, { scale: 1, offset: -1 }));
      return binary(orZero, binary(mul, dy, binary(mul, b, lower)), b);
    },
    (dy, c) => {
      const [a, b] = [c.input(0), c.input(1)];
      return binary(mul, dy, binary(mul, binary(pow, a, b), binary(logOrZero, a, b)));
    },
  ],
});
export const sub = binaryOp("sub", {
  f: "a - b",
  vjp: [(dy) => dy, (dy) => unary(unaries.affine, dy, { scale: -1, offset: 0 })],
});
