// Quantised tensors of PyTorch as floats: (q - zero point) * scale.
import { brief, FormatError } from "../errors.ts";
import type { RawTensor } from "./raw.ts";

/** The parameters as numbers: one of each for the tensor, or for each index along `axis`. */
export interface QuantizationValues {
  readonly axis: number | undefined;
  readonly scales: ArrayLike<number>;
  readonly zeroPoints: ArrayLike<number>;
}

/**
 * The values that `q` stands for, rounded as PyTorch's `dequantize()` does
 * (https://pytorch.org/docs/stable/quantization.html).
 *
 * @throws FormatError unless there is a scale and a zero point for each index along the axis
 */
export function dequantize(name: string, q: RawTensor, { axis, scales, zeroPoints }: QuantizationValues): RawTensor {
  const channels = axis === undefined ? 1 : (q.shape[axis] ?? -1);
  if (scales.length !== channels || zeroPoints.length !== channels) {
    throw new FormatError(
      `[${brief(name)}] the quantised tensor has ${scales.length} scales and ${zeroPoints.length} zero points, but ${channels} of each were expected`,
    );
  }
  const inner = axis === undefined ? q.data.length : q.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const data = Float32Array.from(q.data, (value, i) => {
    const channel = Math.floor(i / inner) % channels;
    return (value - (zeroPoints[channel] ?? 0)) * (scales[channel] ?? 0);
  });
  return { dtype: "f32", shape: q.shape, data };
}
