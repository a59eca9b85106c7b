// Strides for kernels that walk an output and read inputs through strides: merged to the fewest dimensions.
import { check, LimitError } from "../errors.ts";
import type { Shape } from "../tensor/shape.ts";

/** The most dimensions that a strided kernel takes after merging. */
const MAX_RANK = 8;

/** The merged shape, and the strides of each operand. */
export interface Walk<Operands extends readonly Shape[] = readonly Shape[]> {
  readonly shape: Shape;
  readonly strides: { readonly [K in keyof Operands]: Shape };
}

/** Strides that read a tensor of shape `from` as if it had the (broadcast) shape `to`. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = new Array<number>(to.length).fill(0);
  let step = 1;
  for (let i = from.length - 1; i >= 0; i--) {
    const size = from[i] ?? 1;
    if (size !== 1) strides[i + to.length - from.length] = step;
    step *= size;
  }
  return strides;
}

/** Throws where a strided kernel cannot walk so many dimensions. */
export const checkRank = (op: string, rank: number): void =>
  check(
    rank <= MAX_RANK,
    () => `[${op}] walks ${rank} dimensions that cannot be merged, at most ${MAX_RANK} are supported`,
    LimitError,
  );

/** Drops dimensions of size 1 and merges neighbours that every operand walks as one. At least one dimension is left. */
export function mergeDims<const Operands extends readonly Shape[]>(
  op: string,
  shape: Shape,
  strides: Operands,
): Walk<Operands> {
  const dims: { size: number; steps: Shape }[] = [];
  for (const [i, size] of shape.entries()) {
    if (size === 1) continue;
    const steps = strides.map((operand) => operand[i] ?? 0);
    const last = dims.at(-1);
    if (last && steps.every((step, k) => last.steps[k] === step * size)) {
      last.size *= size;
      last.steps = steps;
    } else dims.push({ size, steps });
  }
  if (dims.length === 0) dims.push({ size: 1, steps: [] });
  checkRank(op, dims.length);
  const merged = strides.map((_, k) => dims.map(({ steps }) => steps[k] ?? 0));
  // One list of strides for each operand: TypeScript does not follow `map` through tuples.
  return { shape: dims.map(({ size }) => size), strides: merged as readonly Shape[] as Walk<Operands>["strides"] };
}

/** A rank as the value of a kernel's constant. */
export const rankOf = ({ shape }: Pick<Walk, "shape">): string => `${Math.max(1, shape.length)}u`;
