// Further ways to make tensors: like another one, numbers at equal distances, the identity.
import { checkTensor } from "../autograd/run.ts";
import { checkNumber, checkWhole } from "../errors.ts";
import { checkCreation, checkRoom, constantFrom, full, type TensorOptions } from "./create.ts";
import { checkDtype, type Dtype } from "./dtype.ts";
import type { Shape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** A tensor of x's shape, every element `value`; x's dtype and device unless the options say otherwise. @see https://pytorch.org/docs/stable/generated/torch.full_like.html */
export function fullLike<S extends Shape>(x: Tensor<S>, value: number, options: TensorOptions = {}): Tensor<S> {
  checkTensor("fullLike", "input", x);
  checkCreation("fullLike", options);
  return full<S>(x.shape, value, { dtype: x.dtype, device: x.device, ...options });
}

/** A tensor of zeros of x's shape; x's dtype and device unless the options say otherwise. @see https://pytorch.org/docs/stable/generated/torch.zeros_like.html */
export const zerosLike = <S extends Shape>(x: Tensor<S>, options: TensorOptions = {}): Tensor<S> =>
  fullLike(x, 0, options);

/** A tensor of ones of x's shape; x's dtype and device unless the options say otherwise. @see https://pytorch.org/docs/stable/generated/torch.ones_like.html */
export const onesLike = <S extends Shape>(x: Tensor<S>, options: TensorOptions = {}): Tensor<S> =>
  fullLike(x, 1, options);

/**
 * A tensor of x's shape to be written to; it holds zeros, which cost no more than a fill. x's dtype and device unless the options say
 * otherwise.
 * @see https://pytorch.org/docs/stable/generated/torch.empty_like.html
 */
export const emptyLike = <S extends Shape>(x: Tensor<S>, options: TensorOptions = {}): Tensor<S> =>
  fullLike(x, 0, options);

/**
 * `steps` numbers at equal distances from `start` to `end`, both included, shape [steps]. f32 unless `dtype` says otherwise;
 * integers are rounded toward zero.
 * @throws ValueError for arguments that are no numbers, or numbers that the dtype does not hold.
 * @see https://pytorch.org/docs/stable/generated/torch.linspace.html
 */
export function linspace(start: number, end: number, steps: number, options: TensorOptions = {}): Tensor<[number]> {
  checkNumber("linspace", "the start", start);
  checkNumber("linspace", "the end", end);
  checkWhole("linspace", "the number of steps", steps, 0);
  checkCreation("linspace", options);
  checkRoom("linspace", steps, options.device);
  const { dtype = "f32" } = options;
  const step = steps > 1 ? (end - start) / (steps - 1) : 0;
  // From both ends, so that both are met.
  const at = (i: number) => (i < steps / 2 ? start + i * step : end - (steps - 1 - i) * step);
  return numbers("linspace", steps, at, dtype, options);
}

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
};

function numbers(name: string, n: number, at: (i: number) => number, dtype: Dtype, options: TensorOptions) {
  checkDtype(name, "dtype", dtype, "f32", "i32", "u32");
  const [least, most] = RANGES[dtype] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const Kind = dtype === "f32" ? Float32Array : dtype === "i32" ? Int32Array : Uint32Array;
  const data = new Kind(n);
  for (let i = 0; i < n; i++) {
    const value = dtype === "f32" ? at(i) : Math.trunc(at(i));
    checkNumber(name, `value ${i}`, value, least, most);
    data[i] = value;
  }
  return constantFrom<[number]>(data, [n], dtype, options);
}
