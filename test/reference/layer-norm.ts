// Layer norm in f64: rows of x, the last dimensions of which are `length` elements in all.
import { type HostArray, host } from "../support/host.ts";

interface Args {
  readonly weight?: HostArray | undefined;
  readonly bias?: HostArray | undefined;
  readonly eps: number;
}

function normalised(x: HostArray, length: number, eps: number) {
  const xhat = new Float64Array(x.data.length);
  const rstd = new Float64Array(x.data.length / length);
  for (let row = 0; row < rstd.length; row++) {
    const part = x.data.subarray(row * length, (row + 1) * length);
    const mean = part.reduce((a, b) => a + b, 0) / length;
    const variance = part.reduce((a, b) => a + (b - mean) ** 2, 0) / length;
    rstd[row] = 1 / Math.sqrt(variance + eps);
    for (let c = 0; c < length; c++) xhat[row * length + c] = (part[c]! - mean) * rstd[row]!;
  }
  return { xhat, rstd };
}

export function layerNorm(x: HostArray, length: number, { weight, bias, eps }: Args): HostArray {
  const { xhat } = normalised(x, length, eps);
  return host(
    x.shape,
    xhat.map((v, i) => v * (weight?.data[i % length] ?? 1) + (bias?.data[i % length] ?? 0)),
  );
}

export function layerNormVjp(dy: HostArray, x: HostArray, length: number, shape: readonly number[], a: Args) {
  const { xhat, rstd } = normalised(x, length, a.eps);
  const [dx, dw, db] = [host(x.shape), host(shape), host(shape)];
  for (let row = 0; row < rstd.length; row++) {
    let [mean, slope] = [0, 0];
    const g = (c: number) => dy.data[row * length + c]! * (a.weight?.data[c] ?? 1);
    for (let c = 0; c < length; c++) {
      const i = row * length + c;
      mean += g(c) / length;
      slope += (g(c) * xhat[i]!) / length;
      dw.data[c]! += dy.data[i]! * xhat[i]!;
      db.data[c]! += dy.data[i]!;
    }
    for (let c = 0; c < length; c++)
      dx.data[row * length + c] = rstd[row]! * (g(c) - mean - xhat[row * length + c]! * slope);
  }
  return { x: dx, weight: dw, bias: db };
}
