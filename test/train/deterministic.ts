// Weights, images and labels from an integer hash: the same numbers as scripts/golden/train.py makes.
import { type nn, type Tensor, tensor } from "wgrad";

/** scale * (2 u - 1) + shift, u in [0, 1) from a 32 bit hash of stream and position. Loops: models have millions. */
function fill(stream: number, n: number, scale: number, shift: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(n);
  const start = Math.imul(stream, 0x85ebca77);
  for (let i = 0; i < n; i++) {
    let h = (Math.imul(i, 0x9e3779b1) + start) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    out[i] = scale * (2 * (((h ^ (h >>> 16)) >>> 0) / 2 ** 32) - 1) + shift;
  }
  return out;
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** He's uniform numbers for weights, about 1 for batch norm's, small ones for biases. */
function values(name: string, shape: readonly number[], stream: number): Float32Array<ArrayBuffer> {
  const n = product(shape);
  if (shape.length >= 2) return fill(stream, n, Math.sqrt(6 / product(shape.slice(1))), 0);
  return fill(stream, n, 0.1, name.endsWith("weight") ? 1 : 0);
}

/** Fills a model's parameters. */
export async function fillParameters(model: nn.Module): Promise<void> {
  for (const [stream, [name, parameter]] of [...model.namedParameters()].entries()) {
    const source = tensor(values(name, parameter.shape, stream), { shape: parameter.shape });
    await model.loadStateDict({ [name]: source }, { strict: false });
    source.dispose();
  }
}

/** A batch of 32x32 images: [batch, 3, 32, 32]. */
export const images = (step: number, batch: number): Tensor => {
  const shape = [batch, 3, 32, 32];
  return tensor(fill(1000 + step, product(shape), 2, 0), { shape });
};

/** Labels of ten classes: i32 [batch]. */
export const labels = (step: number, batch: number): Tensor =>
  tensor(Int32Array.from({ length: batch }, (_, i) => (3 * step + 7 * i) % 10));
