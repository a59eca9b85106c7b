// A model by the library and by ONNX Runtime, from the file that was exported.
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { expect } from "vitest";
import { type nn, noGrad, type Tensor, tensor } from "wgrad";
import { exportOnnx, type OnnxOptions } from "wgrad/onnx";

export type AnyModel = nn.Module<readonly [Tensor], Tensor>;

/** Runs a file on the CPU. */
export async function runOnnx(bytes: Uint8Array, x: Tensor): Promise<{ data: number[]; shape: readonly number[] }> {
  const session = await InferenceSession.create(bytes, { executionProviders: ["cpu"], logSeverityLevel: 3 });
  const data = await x.data();
  const input =
    x.dtype === "i32"
      ? new OrtTensor("int32", Int32Array.from(data), x.shape)
      : new OrtTensor("float32", Float32Array.from(data), x.shape);
  const result = await session.run({ [session.inputNames[0]!]: input });
  const output = result[session.outputNames[0]!]!;
  await session.release();
  return { data: Array.from(output.data as ArrayLike<number>), shape: output.dims };
}

/** The largest difference, as a share of the largest element. */
export function relativeError(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(got.length).toBe(wanted.length);
  const scale = Math.max(...Array.from(wanted, Math.abs).filter(Number.isFinite), 1e-30);
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) {
    if (Object.is(got[i], wanted[i])) continue;
    const error = Math.abs(got[i]! - wanted[i]!) / scale;
    worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(worst, error);
  }
  return worst;
}

/** Exports the model as it is for the first input, and compares results for all of them. Gives the largest error, and the bytes. */
export async function compare(
  model: AnyModel,
  inputs: readonly Tensor[],
  limit: number,
  options: OnnxOptions = {},
): Promise<{ error: number; bytes: Uint8Array }> {
  const bytes = await exportOnnx(model, inputs[0]!, options);
  model.eval();
  let error = 0;
  for (const x of inputs) {
    const y = noGrad(() => model.forward(x));
    const [wanted, got] = [await y.data(), await runOnnx(bytes, x)];
    expect(got.shape).toEqual(y.shape);
    y.dispose();
    error = Math.max(error, relativeError(got.data, wanted));
  }
  expect(error).toBeLessThan(limit);
  return { error, bytes };
}

/** Numbers from -2 to 2 that no formula of a model knows. */
export function sample(shape: readonly number[], seed = 1): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: count }, (_, i) => 2 * Math.sin(12.9898 * (i + 1) + 78.233 * seed));
  return tensor(data, { shape: [...shape] });
}
