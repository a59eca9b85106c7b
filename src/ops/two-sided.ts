// Arithmetic functions that take tensors or numbers on either side, and division with remainders.
import { checkTensor } from "../autograd/run.ts";
import { check, checkOptions, told, ValueError } from "../errors.ts";
import { full } from "../tensor/create.ts";
import { checkDtype, checkValue } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Operand } from "./arithmetic.ts";
import * as arithmetic from "./arithmetic.ts";
import { type BinaryOp, binary } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { to } from "./cast.ts";
import * as mathBinaries from "./math-binary-rows.ts";
import { unary } from "./unary.ts";
import * as unaries from "./unary-rows.ts";

/** Throws unless both are tensors or numbers, and one of them a tensor, which it gives. */
function checkOperands(name: string, a: Operand, b: Operand): Tensor {
  for (const [i, x] of [a, b].entries()) if (typeof x !== "number") checkTensor(name, i, x);
  const tensor = typeof a !== "number" ? a : b;
  check(
    typeof tensor !== "number",
    () => `[${name}] got two numbers, ${told(a)} and ${told(b)}: one side must be a tensor`,
    ValueError,
  );
  checkDtype(name, "input", tensor.dtype, "f32", "i32", "u32");
  return tensor;
}

/** A number as a tensor that goes with `like`. */
function tensorOf(name: string, x: Operand, { dtype, device }: Tensor): Tensor {
  if (typeof x !== "number") return x;
  checkValue(name, () => "the number", x, dtype);
  return full([], x, { dtype, device });
}

const both =
  (op: BinaryOp, right: (a: Tensor, b: Operand) => Tensor) =>
  (a: Operand, b: Operand): Tensor => {
    const { name } = op;
    const tensor = checkOperands(name, a, b);
    if (typeof a !== "number") return right(a, b);
    return scope(() => binary(op, tensorOf(name, a, tensor), tensor));
  };

/**
 * a + b, elementwise: tensors of one dtype, which broadcast, or a number on one side. f32, i32 or u32.
 * @throws ShapeError, DtypeError for what does not fit. @see https://pytorch.org/docs/stable/generated/torch.add.html
 */
export const add = both(binaries.add, arithmetic.add);
/**
 * a - b, elementwise: tensors of one dtype, which broadcast, or a number on one side, as in `sub(1, x)`. f32, i32 or u32.
 * @throws ShapeError, DtypeError for what does not fit. @see https://pytorch.org/docs/stable/generated/torch.sub.html
 */
export const sub = both(binaries.sub, arithmetic.sub);
/**
 * a * b, elementwise: tensors of one dtype, which broadcast, or a number on one side. f32, i32 or u32.
 * @throws ShapeError, DtypeError for what does not fit. @see https://pytorch.org/docs/stable/generated/torch.mul.html
 */
export const mul = both(binaries.mul, arithmetic.mul);
/**
 * a to the power of b, elementwise: tensors, which broadcast, or a number on one side, as in `pow(2, x)`. f32.
 * @throws ShapeError, DtypeError for what does not fit. @see https://pytorch.org/docs/stable/generated/torch.pow.html
 */
export const pow = both(binaries.pow, arithmetic.pow);
/**
 * The larger of a and b, elementwise, NaN where one is: tensors of one dtype, which broadcast, or a number on one side.
 * @throws ShapeError, DtypeError for what does not fit. @see https://pytorch.org/docs/stable/generated/torch.maximum.html
 */
export const maximum = both(binaries.maximum, arithmetic.maximum);
/**
 * The smaller of a and b, elementwise, NaN where one is: tensors of one dtype, which broadcast, or a number on one side.
 * @throws ShapeError, DtypeError for what does not fit. @see https://pytorch.org/docs/stable/generated/torch.minimum.html
 */
export const minimum = both(binaries.minimum, arithmetic.minimum);
/** b - a, elementwise: `sub` the other way round. @see https://pytorch.org/docs/stable/generated/torch.rsub.html */
export function rsub(a: Tensor, b: Operand): Tensor {
  checkTensor("rsub", "input", a);
  return sub(b, a);
}

const trueDivision = both(binaries.div, arithmetic.div);

/** What `div` takes beside the operands. */
export interface DivOptions {
  /** Round the quotient down ("floor") or toward zero ("trunc"); integers stay integers then. Default null: neither. */
  roundingMode?: "floor" | "trunc" | null;
}

/**
 * a / b, elementwise: tensors of one dtype, which broadcast, or a number on one side, as in `div(1, x)`. Integers give f32, as
 * PyTorch's true division does; with a `roundingMode` they stay integers, and an integer over 0 is itself.
 * @throws ShapeError, DtypeError for what does not fit. @see https://pytorch.org/docs/stable/generated/torch.div.html
 */
export function div(a: Operand, b: Operand, options: DivOptions = {}): Tensor {
  const tensor = checkOperands("div", a, b);
  checkOptions("div", options, ["roundingMode"]);
  const { roundingMode = null } = options;
  check(
    roundingMode === null || roundingMode === "floor" || roundingMode === "trunc",
    () => `[div] roundingMode must be "floor", "trunc" or null, got ${told(roundingMode)}`,
    ValueError,
  );
  return scope(() => {
    if (roundingMode !== null) {
      const op = roundingMode === "floor" ? mathBinaries.divFloor : mathBinaries.divTrunc;
      return binary(op, tensorOf("div", a, tensor), tensorOf("div", b, tensor));
    }
    const float = (x: Operand) => (typeof x === "number" ? x : to(x, "f32"));
    return trueDivision(float(a), float(b));
  });
}

const whole =
  (name: string, op: BinaryOp) =>
  (a: Operand, b: Operand): Tensor => {
    const tensor = checkOperands(name, a, b);
    return scope(() => binary(op, tensorOf(name, a, tensor), tensorOf(name, b, tensor)));
  };

/** a / b rounded down, as Python's `//`: `div` with roundingMode "floor". @see https://pytorch.org/docs/stable/generated/torch.floor_divide.html */
export const floorDivide = whole("floorDivide", mathBinaries.divFloor);
/**
 * What is left of a divided by b, with the sign of b, as Python's `%`: f32 without rounding, i32 or u32; an integer over 0 leaves 0. Tensors
 * of one dtype, which broadcast, or a number on one side.
 * @see https://pytorch.org/docs/stable/generated/torch.remainder.html
 */
export const remainder = whole("remainder", mathBinaries.remainder);
/**
 * What is left of a divided by b, with the sign of a, as C's `fmod`: f32 without rounding, i32 or u32; an integer over 0 leaves 0. Tensors
 * of one dtype, which broadcast, or a number on one side.
 * @see https://pytorch.org/docs/stable/generated/torch.fmod.html
 */
export const fmod = whole("fmod", mathBinaries.fmod);

/** The angle of the point (x, y), in radians from -pi to pi, elementwise; shapes broadcast. f32. @see https://pytorch.org/docs/stable/generated/torch.atan2.html */
export function atan2(y: Tensor, x: Tensor): Tensor {
  checkTensor("atan2", 0, y);
  checkTensor("atan2", 1, x);
  return binary(mathBinaries.atan2, y, x);
}

/** start + weight (end - start), elementwise; `weight` is a number or a tensor, all broadcast. f32. @see https://pytorch.org/docs/stable/generated/torch.lerp.html */
export function lerp(start: Tensor, end: Tensor, weight: Operand): Tensor {
  checkTensor("lerp", 0, start);
  checkTensor("lerp", 1, end);
  if (typeof weight !== "number") checkTensor("lerp", "the weight (or a number)", weight);
  return scope(() => {
    const way = binary(binaries.sub, end, start);
    // From the nearer end, so that weight 1 gives `end` itself.
    if (typeof weight === "number" && weight >= 0.5) return binary(binaries.sub, end, arithmetic.mul(way, 1 - weight));
    return binary(binaries.add, start, arithmetic.mul(way, weight));
  });
}

/** What `addcmul` and `addcdiv` take beside the tensors. */
export interface ScaledOptions {
  /** Times the product or quotient. Default 1. */
  value?: number;
}

function scaled(name: string, by: BinaryOp, x: Tensor, a: Tensor, b: Tensor, options: ScaledOptions): Tensor {
  for (const [i, t] of [x, a, b].entries()) checkTensor(name, i, t);
  checkOptions(name, options, ["value"]);
  const { value = 1 } = options;
  checkValue(name, () => "value", value, "f32");
  checkDtype(name, "input", x.dtype, "f32");
  return scope(() => {
    const term = binary(by, a, b);
    return binary(binaries.add, x, value === 1 ? term : unary(unaries.affine, term, { scale: value, offset: -0 }));
  });
}
/** x + value a b, elementwise; shapes broadcast. f32. @see https://pytorch.org/docs/stable/generated/torch.addcmul.html */
export const addcmul = (x: Tensor, a: Tensor, b: Tensor, options: ScaledOptions = {}): Tensor =>
  scaled("addcmul", binaries.mul, x, a, b, options);
/** x + value a / b, elementwise; shapes broadcast. f32. @see https://pytorch.org/docs/stable/generated/torch.addcdiv.html */
export const addcdiv = (x: Tensor, a: Tensor, b: Tensor, options: ScaledOptions = {}): Tensor =>
  scaled("addcdiv", binaries.div, x, a, b, options);

/** i32: whether elements are other than 0; NaN is. */
function truth(name: string, x: Tensor): Tensor {
  checkTensor(name, "input", x);
  return arithmetic.ne(x, 0);
}
const logical =
  (name: string, join: (a: Tensor, b: Tensor) => Tensor) =>
  (a: Tensor, b: Tensor): Tensor =>
    scope(() => join(truth(name, a), truth(name, b)));

/** i32: 1 where both elements are other than 0, else 0; shapes broadcast. Any dtypes but f16. @see https://pytorch.org/docs/stable/generated/torch.logical_and.html */
export const logicalAnd = logical("logicalAnd", arithmetic.mul);
/** i32: 1 where one of the elements or both are other than 0, else 0; shapes broadcast. Any dtypes but f16. @see https://pytorch.org/docs/stable/generated/torch.logical_or.html */
export const logicalOr = logical("logicalOr", arithmetic.maximum);
/** i32: 1 where just one of the elements is other than 0, else 0; shapes broadcast. Any dtypes but f16. @see https://pytorch.org/docs/stable/generated/torch.logical_xor.html */
export const logicalXor = logical("logicalXor", arithmetic.ne);
/** i32: 1 where an element is 0, else 0. Any dtype but f16. @see https://pytorch.org/docs/stable/generated/torch.logical_not.html */
export function logicalNot(x: Tensor): Tensor {
  checkTensor("logicalNot", "input", x);
  return arithmetic.eq(x, 0);
}
