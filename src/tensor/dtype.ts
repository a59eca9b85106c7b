// Element types: their size on the device and their typed array on the host.
import { DtypeError } from "../errors.ts";

/** Type of the elements. f32 computes and has gradients, i32 and u32 count and index, f16 stores. */
export type Dtype = "f32" | "f16" | "i32" | "u32";
/** What `data()` returns: f16 tensors are read back as f32 values. */
export type TensorData = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** The typed arrays of the dtypes that JavaScript has one for. */
export const arrayTypes = { f32: Float32Array, i32: Int32Array, u32: Uint32Array };

export const bytesPerElement = (dtype: Dtype): number => (dtype === "f16" ? 2 : 4);

/** Throws unless `dtype` is one of `allowed`. */
export function checkDtype(op: string, what: string, dtype: Dtype, ...allowed: Dtype[]): void {
  if (allowed.includes(dtype)) return;
  throw new DtypeError(
    `[${op}] ${what} is ${dtype} but must be ${allowed.join(" or ")}: convert it with .to("${allowed[0]}")`,
  );
}
