// Creation from host data: tensor(), zeros(), ones(), full(), arange().

import { runInto } from "../autograd/run.ts";
import { check, DtypeError, ShapeError, ValueError } from "../errors.ts";
import { currentDevice, type Device } from "../gpu/device.ts";
import { fillOp } from "../kernels/fill.ts";
import { bytesPerElement, checkDtype, type Dtype, type TensorData } from "./dtype.ts";
import { checkShape, type Shape, show, sizeOf } from "./shape.ts";
import { Storage } from "./storage.ts";
import { empty, type NestedArray, Tensor } from "./tensor.ts";

export interface TensorOptions {
  /** Default "f32"; typed arrays bring their own. */
  dtype?: Dtype;
  /** Whether `backward` computes a gradient for it. Default false. */
  requiresGrad?: boolean;
  /** The device that it lives on. Default: the one that `init` opened last, see `useDevice`. */
  device?: Device;
}

type NumericArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array;

/**
 * A tensor from a number, nested arrays, or a typed array with a shape (default: one dimension).
 * The data is copied. Int32Array gives i32, Uint32Array u32, other integer arrays i32, floats f32.
 * @throws ShapeError for ragged arrays, or a shape that does not fit the data.
 */
export function tensor<S extends Shape = Shape>(
  data: NestedArray | NumericArray,
  options: TensorOptions & { shape?: S } = {},
): Tensor<S> {
  const isArray = ArrayBuffer.isView(data);
  const shape = options.shape ?? (isArray ? [data.length] : shapeOf(data));
  checkShape("tensor", shape);
  const flat = isArray ? data : flatten(data);
  check(
    flat.length === sizeOf(shape),
    () => `[tensor] ${flat.length} values do not fill shape ${show(shape)}, which holds ${sizeOf(shape)}`,
  );
  const dtype = options.dtype ?? (isArray ? dtypeOf(data) : "f32");
  return fromHost(encode(flat, dtype), shape as S, dtype, options);
}

function flatten(data: NestedArray): number[] {
  const flat: number[] = [];
  const visit = (item: NestedArray): unknown => (Array.isArray(item) ? item.forEach(visit) : flat.push(item));
  visit(data);
  return flat;
}

function dtypeOf(data: NumericArray): Dtype {
  if (data instanceof Float32Array || data instanceof Float64Array) return "f32";
  return data instanceof Uint32Array ? "u32" : "i32";
}

function shapeOf(data: NestedArray): number[] {
  if (!Array.isArray(data)) return [];
  const first = data[0] === undefined ? [] : shapeOf(data[0]);
  for (const [i, item] of data.entries()) {
    const shape = shapeOf(item);
    check(
      String(shape) === String(first) && shape.length === first.length,
      () => `[tensor] nested arrays are ragged: element 0 has shape ${show(first)}, element ${i} has ${show(shape)}`,
      ShapeError,
    );
  }
  return [data.length, ...first];
}

function encode(values: ArrayLike<number>, dtype: Dtype): TensorData {
  switch (dtype) {
    case "f32":
      return values instanceof Float32Array ? new Float32Array(values) : Float32Array.from(values);
    case "i32":
      return Int32Array.from(values);
    case "u32":
      return Uint32Array.from(values);
    case "f16":
      throw new DtypeError('[tensor] f16 tensors are made from f32 ones: tensor(...).to("f16")');
  }
}

/** Uploads an array that nobody else will write to. */
export function fromHost<S extends Shape>(
  data: TensorData,
  shape: S,
  dtype: Dtype,
  { device = currentDevice(), requiresGrad = false }: Omit<TensorOptions, "dtype"> = {},
): Tensor<S> {
  const storage = new Storage(device, sizeOf(shape) * bytesPerElement(dtype), {
    idleAfter: device.queue.submittedBatch,
  });
  if (data.byteLength > 0) device.queue.write(storage.buffer, data);
  const t = new Tensor(storage, shape, dtype);
  if (requiresGrad) t.requiresGrad = true;
  return t;
}

/**
 * A tensor of this shape, every element `value`: filled on the device.
 * @throws ValueError where an integer dtype does not hold the value.
 */
export function full<S extends Shape>(shape: S, value: number, options: TensorOptions = {}): Tensor<S> {
  checkShape("full", shape);
  const dtype = options.dtype ?? "f32";
  checkDtype("full", "dtype", dtype, "f32", "i32", "u32");
  check(
    dtype === "f32" || Number.isInteger(value),
    () => `[full] ${value} is no ${dtype}: give a whole number, or dtype: "f32"`,
    ValueError,
  );
  const t = empty(shape, dtype, options.device) as Tensor<S>;
  runInto(fillOp, [], { value }, [t]);
  if (options.requiresGrad) t.requiresGrad = true;
  return t;
}

export const zeros = <S extends Shape>(shape: S, options?: TensorOptions): Tensor<S> => full(shape, 0, options);
export const ones = <S extends Shape>(shape: S, options?: TensorOptions): Tensor<S> => full(shape, 1, options);

/** `arange(end)` or `arange(start, end, step)`: start, start + step, ... below end. f32 unless `dtype` says otherwise. */
export function arange(start: number, end?: number, step = 1, options: TensorOptions = {}): Tensor<readonly [number]> {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  check(
    step !== 0 && Number.isFinite(step),
    () => `[arange] step must be a number other than 0, got ${step}`,
    ValueError,
  );
  const n = Math.max(0, Math.ceil((to - from) / step));
  const dtype = options.dtype ?? "f32";
  return fromHost(
    encode(
      Array.from({ length: n }, (_, i) => from + i * step),
      dtype,
    ),
    [n],
    dtype,
    options,
  );
}
