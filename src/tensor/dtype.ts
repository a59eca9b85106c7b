// Element types: their size on the device and their typed array on the host.
import { check, DtypeError, told, ValueError } from "../errors.ts";

/** Type of the elements. f32 computes and has gradients, i32 and u32 count and index, f16 stores. */
export type Dtype = "f32" | "f16" | "i32" | "u32";
/** What `data()` returns: f16 tensors are read back as f32 values. */
export type TensorData = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** The typed arrays of the dtypes that JavaScript has one for. */
export const arrayTypes = { f32: Float32Array, i32: Int32Array, u32: Uint32Array };

export const bytesPerElement = (dtype: Dtype): number => (dtype === "f16" ? 2 : 4);

const dtypes: readonly Dtype[] = ["f32", "f16", "i32", "u32"];

/** Throws unless `dtype` is one of `allowed`. */
export function checkDtype(op: string, what: string, dtype: Dtype, ...allowed: Dtype[]): void {
  if (allowed.includes(dtype)) return;
  throw new DtypeError(
    !dtypes.includes(dtype)
      ? `[${op}] ${what} is ${told(dtype)}, which is no dtype: there are ${dtypes.join(", ")}`
      : `[${op}] ${what} is ${dtype} but must be ${allowed.join(" or ")}: convert it with .to("${allowed[0]}")`,
  );
}

const ranges: Partial<Record<Dtype, readonly [least: number, most: number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
};

/** Throws `ValueError` unless a tensor of `dtype` holds `value`. `what` says where it stands. */
export function checkValue(op: string, what: () => string, value: unknown, dtype: Dtype): void {
  const range = ranges[dtype];
  check(
    typeof value === "number" && (!range || (Number.isInteger(value) && value >= range[0] && value <= range[1])),
    () =>
      range
        ? `[${op}] ${what()} is ${told(value)}, but ${dtype} holds whole numbers from ${range[0]} to ${range[1]}: give one, or take dtype "f32"`
        : `[${op}] ${what()} is ${told(value)}, but must be a number`,
    ValueError,
  );
}
