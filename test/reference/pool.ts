// Pooling in f64, written as the definitions read: every output visits its window.
import { type HostArray, host } from "../support/host.ts";

type Pair = readonly [number, number];

export interface PoolArgs {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation?: Pair;
  readonly ceilMode?: boolean;
  readonly countIncludePad?: boolean;
}

/** An output's window: the input positions it covers, inside the plane, and its divisor as an average. */
interface Visit {
  readonly output: number;
  readonly inputs: readonly number[];
  readonly divisor: number;
}

export function pooledShape(
  shape: readonly number[],
  { kernel, stride, padding, dilation = [1, 1], ceilMode }: PoolArgs,
): number[] {
  const out = [0, 1].map((i) => {
    const size = shape.at(i - 2)!;
    const room = (size + 2 * padding[i]! - dilation[i]! * (kernel[i]! - 1) - 1) / stride[i]!;
    const n = (ceilMode ? Math.ceil(room) : Math.floor(room)) + 1;
    return ceilMode && (n - 1) * stride[i]! >= size + padding[i]! ? n - 1 : n;
  });
  return [...shape.slice(0, -2), ...out];
}

function visits(
  shape: readonly number[],
  out: readonly number[],
  ranges: (o: number, axis: 0 | 1) => readonly (readonly [number, number])[],
): Visit[] {
  const [height, width] = [shape.at(-2)!, shape.at(-1)!];
  const [rows, columns] = [out.at(-2)!, out.at(-1)!];
  const planes = shape.slice(0, -2).reduce((a, b) => a * b, 1);
  const list: Visit[] = [];
  for (let plane = 0; plane < planes; plane++) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const [h, w] = [ranges(r, 0), ranges(c, 1)];
        const inputs = h
          .flatMap(([y]) => w.map(([x]) => [y, x] as const))
          .filter(([y, x]) => y >= 0 && y < height && x >= 0 && x < width);
        const share = (range: readonly (readonly [number, number])[]) =>
          range.reduce((sum, [, counts]) => sum + counts, 0);
        list.push({
          output: (plane * rows + r) * columns + c,
          inputs: inputs.map(([y, x]) => (plane * height + y) * width + x),
          divisor: share(h) * share(w),
        });
      }
    }
  }
  return list;
}

function windows(shape: readonly number[], a: PoolArgs): Visit[] {
  const { kernel, stride, padding, dilation = [1, 1], countIncludePad = true } = a;
  return visits(shape, pooledShape(shape, a), (o, axis) =>
    Array.from({ length: kernel[axis] }, (_, k) => {
      const at = o * stride[axis] - padding[axis] + k * dilation[axis];
      const size = shape.at(axis - 2)!;
      const inside = at >= 0 && at < size;
      return [at, Number(inside || (countIncludePad && at < size + padding[axis]))] as const;
    }),
  );
}

function adaptiveWindows(shape: readonly number[], out: Pair): Visit[] {
  return visits(shape, out, (o, axis) => {
    const size = shape.at(axis - 2)!;
    const begin = Math.floor((o * size) / out[axis]);
    const end = Math.ceil(((o + 1) * size) / out[axis]);
    return Array.from({ length: end - begin }, (_, k) => [begin + k, 1] as const);
  });
}

function average(x: HostArray, shape: readonly number[], list: Visit[]): HostArray {
  const y = host(shape);
  for (const v of list) y.data[v.output] = v.inputs.reduce((sum, i) => sum + x.data[i]!, 0) / v.divisor;
  return y;
}
function averageVjp(dy: HostArray, shape: readonly number[], list: Visit[]): HostArray {
  const dx = host(shape);
  for (const v of list) for (const i of v.inputs) dx.data[i]! += dy.data[v.output]! / v.divisor;
  return dx;
}

export const avgPool = (x: HostArray, a: PoolArgs) => average(x, pooledShape(x.shape, a), windows(x.shape, a));
export const avgPoolVjp = (dy: HostArray, x: HostArray, a: PoolArgs) => averageVjp(dy, x.shape, windows(x.shape, a));
export const adaptivePool = (x: HostArray, out: Pair) =>
  average(x, [...x.shape.slice(0, -2), ...out], adaptiveWindows(x.shape, out));
export const adaptivePoolVjp = (dy: HostArray, x: HostArray, out: Pair) =>
  averageVjp(dy, x.shape, adaptiveWindows(x.shape, out));

/** Where the maximum stands, the last NaN if there is one; -1 for a window whose elements all fall between or beside the inputs (padding alone). */
const winner = (x: HostArray, { inputs }: Visit): number =>
  inputs.reduce((best, i) => (best < 0 || x.data[i]! > x.data[best]! || Number.isNaN(x.data[i]!) ? i : best), -1);

export function maxPool(x: HostArray, a: PoolArgs): HostArray {
  const y = host(pooledShape(x.shape, a));
  for (const v of windows(x.shape, a)) y.data[v.output] = x.data[winner(x, v)] ?? Number.NEGATIVE_INFINITY;
  return y;
}
export function maxPoolVjp(dy: HostArray, x: HostArray, a: PoolArgs): HostArray {
  const dx = host(x.shape);
  for (const v of windows(x.shape, a)) if (v.inputs.length > 0) dx.data[winner(x, v)]! += dy.data[v.output]!;
  return dx;
}
