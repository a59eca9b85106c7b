// Creation from host data: tensor(), zeros(), ones(), full(), arange().

import { runInto } from "../autograd/run.ts";
import { context, within } from "../context.ts";
import {
  check,
  checkNumber,
  checkOptions,
  DtypeError,
  LimitError,
  ShapeError,
  StateError,
  told,
  ValueError,
} from "../errors.ts";
import { checkDevice, currentDevice, type Device } from "../gpu/device.ts";
import { fillOp } from "../kernels/fill.ts";
import { bytesPerElement, checkDtype, checkValue, type Dtype, type TensorData } from "./dtype.ts";
import { checkShape, type Shape, type ShapeInput, show, sizeOf } from "./shape.ts";
import { Storage } from "./storage.ts";
import { empty, Tensor } from "./tensor.ts";

/** What creation functions take beside the shape or the data. */
export interface TensorOptions {
  /** Type of the elements. Default "f32"; typed arrays bring their own. */
  dtype?: Dtype;
  /** Whether `backward` computes a gradient for it. Default false. */
  requiresGrad?: boolean;
  /** The device that it lives on. Default: the one that `init` opened last, see `useDevice`. */
  device?: Device;
}

/** Typed arrays of numbers that tensors are made of. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array;

/** Numbers as in `NestedArray`, or truth values, which are 1 and 0. */
export type NestedValues = number | boolean | NestedValues[];

/**
 * A tensor from a number, nested arrays, or a typed array with a shape (default: one dimension).
 * The data is copied. Int32Array gives i32, Uint32Array u32, other integer arrays i32, floats f32; true and false alone give i32, 1 and 0.
 * @throws ShapeError for ragged arrays, or a shape that does not fit the data.
 * @throws ValueError for what is no number, or not one that the dtype holds: integers are neither rounded nor wrapped.
 * @throws DtypeError for dtype "f16": convert an f32 tensor.
 * @throws StateError inside a captured step, whose replays would not see other data.
 * @see https://pytorch.org/docs/stable/generated/torch.tensor.html
 */
export function tensor<const S extends ShapeInput = Shape>(
  data: NestedValues | NumericArray,
  options: TensorOptions & {
    /** The data, row-major, under this shape. Default: that of the nested arrays, or one dimension. */
    shape?: S;
  } = {},
): Tensor<S> {
  checkCreation("tensor", options, WITH_SHAPE);
  check(
    !(data instanceof DataView) && !(data instanceof ArrayBuffer),
    () => `[tensor] ${told(data)} is bytes of no type: make a typed array of it, e.g. new Float32Array(buffer)`,
    DtypeError,
  );
  const isArray = ArrayBuffer.isView(data);
  const { flat, truth } = isArray ? { flat: data, truth: false } : flatten(data);
  const own = isArray ? dtypeOf(data) : truth ? "i32" : "f32";
  const shape = options.shape ?? (isArray ? [data.length] : shapeOf(data));
  checkShape("tensor", shape);
  check(
    flat.length === sizeOf(shape),
    () => `[tensor] ${flat.length} values do not fill shape ${show(shape)}, which holds ${sizeOf(shape)}`,
  );
  const dtype = options.dtype ?? own;
  // Of a typed array every value is a number, and of its own dtype.
  return fromHost(
    encode("tensor", flat, dtype, isArray && (own === dtype || dtype === "f32")),
    shape as S,
    dtype,
    options,
  );
}

/** Of creation functions, by name. */
const OPTIONS = ["dtype", "requiresGrad", "device"];
const WITH_SHAPE = [...OPTIONS, "shape"];

/** Throws for options that no creation function takes, or not this one. */
export function checkCreation(op: string, options: TensorOptions, known: readonly string[] = OPTIONS): void {
  checkOptions(op, options, known);
  checkDevice(op, options.device);
}

/** Arrays in arrays. */
const DEEPEST = 64;

/** The values in a row; `truth`: they are all true or false. */
function flatten(data: NestedValues): { readonly flat: number[]; readonly truth: boolean } {
  const flat: number[] = [];
  let truths = 0;
  const visit = (item: NestedValues, depth: number): void => {
    check(depth <= DEEPEST, () => `[tensor] arrays are nested more than ${DEEPEST} deep: does one hold itself?`);
    if (Array.isArray(item)) for (const inner of item) visit(inner, depth + 1);
    else {
      const truth = typeof item === "boolean";
      if (truth) truths++;
      flat.push(truth ? Number(item) : item);
    }
  };
  visit(data, 0);
  return { flat, truth: truths > 0 && truths === flat.length };
}

function dtypeOf(data: NumericArray): Dtype {
  const kind = data[Symbol.toStringTag];
  check(
    /^(Float|U?[iI]nt)/.test(kind),
    () =>
      `[tensor] a ${kind} is no array of numbers that a tensor holds: convert it, e.g. Int32Array.from(data, Number)`,
    DtypeError,
  );
  if (kind.startsWith("Float")) return "f32";
  return kind === "Uint32Array" ? "u32" : "i32";
}

function shapeOf(data: NestedValues): number[] {
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

/** `fits`: every value is known to be one of the dtype. */
function encode(op: string, values: ArrayLike<number>, dtype: Dtype, fits = false): TensorData {
  if (dtype !== "f16") checkDtype(op, "dtype", dtype, "f32", "i32", "u32");
  for (let i = 0; i < values.length && !fits; i++) checkValue(op, () => `value ${i}`, values[i], dtype);
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

/** Throws `LimitError` where the device cannot hold `n` numbers, before the host makes them. */
export function checkRoom(op: string, n: number, device = currentDevice()): void {
  const most = device.gpu.limits.maxBufferSize / 4;
  check(!(n > most), () => `[${op}] ${n} numbers do not fit a buffer of this device, which holds ${most}`, LimitError);
}

/** Uploads an array that nobody else will write to. */
export function fromHost<S extends Shape>(
  data: TensorData,
  shape: S,
  dtype: Dtype,
  { device = currentDevice(), requiresGrad = false }: Omit<TensorOptions, "dtype"> = {},
): Tensor<S> {
  check(
    !context.capture,
    () =>
      `[capture] the step makes a tensor ${show(shape)} of data from the host, which each replay would find as it is now: make it outside of the step and give it as an input, or use full(), zeros() or a number`,
    StateError,
  );
  const storage = new Storage(device, sizeOf(shape) * bytesPerElement(dtype), {
    idleAfter: device.queue.submittedBatch,
  });
  if (data.byteLength > 0) device.queue.write(storage.buffer, data);
  const t = new Tensor(storage, shape, dtype);
  if (requiresGrad) t.requiresGrad = true;
  return t;
}

/** The same for data that follow from shapes and attributes alone, which a captured step may upload, too. */
export function constantFrom<S extends Shape>(
  data: TensorData,
  shape: S,
  dtype: Dtype,
  options?: Omit<TensorOptions, "dtype">,
): Tensor<S> {
  const { capture } = context;
  const made = () => fromHost(data, shape, dtype, options);
  if (!capture) return made();
  // What waits is part of the step, and an upload would run it.
  context.pending?.run();
  // As constant as the numbers that it comes from: not part of the recorded step, but as long-lived.
  const t = within({ capture: null }, made);
  capture.hold(t);
  return t;
}

/**
 * A tensor of this shape, every element `value`: filled on the device. f32, i32 or u32.
 * @throws ShapeError for a size that is no whole number or negative.
 * @throws ValueError where an integer dtype does not hold the value.
 * @throws DtypeError for dtype "f16": convert an f32 tensor.
 * @see https://pytorch.org/docs/stable/generated/torch.full.html
 */
export function full<const S extends ShapeInput>(shape: S, value: number, options: TensorOptions = {}): Tensor<S> {
  checkShape("full", shape);
  checkCreation("full", options);
  const dtype = options.dtype ?? "f32";
  checkDtype("full", "dtype", dtype, "f32", "i32", "u32");
  checkValue("full", () => "the value", value, dtype);
  const t = empty(shape, dtype, options.device) as Tensor<S>;
  runInto(fillOp, [], { value }, [t]);
  if (options.requiresGrad) t.requiresGrad = true;
  return t;
}

/**
 * A tensor of this shape, every element 0, filled on the device. The type keeps a literal shape: `zeros([2, 3])` is a
 * `Tensor<[2, 3]>`; a variable that will hold others too is a `Tensor`: `let h: Tensor = zeros([1, 64])`.
 * @throws ShapeError for a size that is no whole number or negative.
 * @see https://pytorch.org/docs/stable/generated/torch.zeros.html
 */
export const zeros = <const S extends ShapeInput>(shape: S, options?: TensorOptions): Tensor<S> =>
  full(shape, 0, options);

/**
 * A tensor of this shape, every element 1, filled on the device. The type keeps a literal shape, see `zeros`.
 * @throws ShapeError for a size that is no whole number or negative.
 * @see https://pytorch.org/docs/stable/generated/torch.ones.html
 */
export const ones = <const S extends ShapeInput>(shape: S, options?: TensorOptions): Tensor<S> =>
  full(shape, 1, options);

/**
 * The numbers 0, 1, ... below `end`, shape [end]. f32 unless `dtype` says otherwise.
 * @see https://pytorch.org/docs/stable/generated/torch.arange.html
 */
export function arange(end: number, options?: TensorOptions): Tensor<[number]>;
/**
 * The numbers start, start + 1, ... below `end`, shape [ceil(end - start)]. f32 unless `dtype` says otherwise.
 * @see https://pytorch.org/docs/stable/generated/torch.arange.html
 */
export function arange(start: number, end: number, options?: TensorOptions): Tensor<[number]>;
/**
 * The numbers start, start + step, ... below `end` (above it where `step`, by default 1, is negative), shape
 * [ceil((end - start) / step)]. f32 unless `dtype` says otherwise. Without `end`: those from 0 to the first argument.
 * @throws ValueError for a step of 0 or away from the end, or numbers that the dtype does not hold.
 * @see https://pytorch.org/docs/stable/generated/torch.arange.html
 */
export function arange(start: number, end?: number, step?: number, options?: TensorOptions): Tensor<[number]>;
export function arange(
  start: number,
  second?: number | TensorOptions,
  third: number | TensorOptions = 1,
  fourth: TensorOptions = {},
): Tensor<[number]> {
  const end = typeof second === "number" ? second : undefined;
  const step = typeof third === "number" ? third : 1;
  const options = [second, third].find((argument) => typeof argument === "object") ?? fourth;
  const [from, to] = end === undefined ? [0, start] : [start, end];
  for (const given of [second, third])
    check(
      given === undefined || typeof given === "number" || typeof given === "object",
      () => `[arange] takes numbers and options, got ${told(given)}`,
      ValueError,
    );
  checkNumber("arange", end === undefined ? "the end" : "the start", start);
  checkCreation("arange", options);
  check(
    step !== 0 && Number.isFinite(step),
    () => `[arange] step must be a number other than 0, got ${told(step)}`,
    ValueError,
  );
  const n = Math.max(0, Math.ceil((to - from) / step)); // no -0
  check(
    Number.isFinite(to - from) && (to - from) * step >= 0,
    () => `[arange] cannot count from ${from} to ${to} by ${step}: give numbers, and a step towards the end`,
    ValueError,
  );
  checkRoom("arange", n, options.device);
  const dtype = options.dtype ?? "f32";
  const data = encode(
    "arange",
    Array.from({ length: n }, (_, i) => from + i * step),
    dtype,
  );
  return constantFrom<[number]>(data, [n], dtype, options);
}
