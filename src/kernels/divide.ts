// Operations on tensors that are larger than one binding may be: computed piece by piece along a dimension. A piece is a part
// of the tensor itself where it lies in one place that may be bound, and a copy where it does not.
import type { Inputs, Outputs } from "../autograd/op.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import { grid1d } from "../gpu/queue.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { Storage } from "../tensor/storage.ts";
import { Tensor } from "../tensor/tensor.ts";
import { alignedCount, allFit, bindingElements, inParts, padded, partOf, powerOfTwo } from "./binding-parts.ts";
import { Kernel } from "./kernel.ts";
import { move } from "./move.ts";
import { Run } from "./run.ts";
import inplaceWgsl, { PER, WG } from "./wgsl/inplace.wgsl";

/** How an operation may be computed in pieces. */
export interface Division<A> {
  /** The dimension of each input that is divided; null: every piece takes all of it. */
  readonly inputs: readonly (number | null)[];
  /** The same of outputs; null: every piece writes all of it, the same each time; "sum": what pieces give is added up. */
  readonly outputs: readonly (number | null | "sum")[];
  /** The operation reads what is in its outputs, too. */
  readonly inPlace?: boolean;
  /** Inputs that it writes to, by position. */
  readonly writes?: readonly number[];
  /** The most that a piece may have of the dimension, for the sake of something else than bindings. */
  readonly most?: number;
  /** The piece's attributes, where they are not those of the whole. */
  attrs?(first: number, count: number): A;
}

/** The part of `Op` that is of interest here. */
interface Dividable<In extends Inputs, Out extends Outputs, A> {
  forward(run: Run, inputs: In, outputs: Out, attrs: A): void;
  divisions?(inputs: In, outputs: Out, attrs: A, info: DeviceInfo): Iterable<Division<A>>;
  crowded?(inputs: In, outputs: Out, info: DeviceInfo): boolean;
}

/**
 * Runs `op.forward` on tensors of any size. Where one does not fit into a binding, the first of `op.divisions` that makes one of
 * those smaller is taken, and another one for the pieces if that is not enough. Where none helps `forward` is run as it is, and
 * the queue tells what does not fit.
 */
export function forwardOf<In extends Inputs, Out extends Outputs, A>(
  op: Dividable<In, Out, A>,
  run: Run,
  inputs: In,
  outputs: Out,
  attrs: A,
): void {
  const { info } = run.device;
  const small = allFit(info, inputs) && allFit(info, outputs) && !op.crowded?.(inputs, outputs, info);
  for (const division of small ? [] : (op.divisions?.(inputs, outputs, attrs, info) ?? [])) {
    const counts = countsOf(info, inputs, outputs, division);
    if (!counts) continue;
    const { size, count } = counts;
    for (let first = 0; first < size; first += count) {
      const here = Math.min(count, size - first);
      inPiece(run, op, inputs, outputs, division.attrs?.(first, here) ?? attrs, division, first, here);
    }
    return;
  }
  op.forward(run, inputs, outputs, attrs);
}

/** Elements in front of a dimension, and behind it. */
const around = ({ shape }: Tensor, dim: number): readonly [outer: number, inner: number] => [
  sizeOf(shape.slice(0, dim)),
  sizeOf(shape.slice(dim + 1)),
];

/** The size of the divided dimension, and how much of it a piece gets; null where the division is of no use. */
function countsOf(
  info: DeviceInfo,
  inputs: Inputs,
  outputs: Outputs,
  { inputs: ins, outputs: outs, most = Number.POSITIVE_INFINITY }: Division<unknown>,
): { readonly size: number; readonly count: number } | null {
  const elements = bindingElements(info);
  let size = 1;
  let count = most;
  let stretch = 0;
  let helps = false;
  const tensors = [...inputs.map((t, i) => [t, ins[i]] as const), ...outputs.map((t, i) => [t, outs[i]] as const)];
  for (const [t, dim] of tensors) {
    if (!t || typeof dim !== "number") continue;
    const [outer, inner] = around(t, dim);
    size = t.shape[dim] ?? 1;
    helps ||= t.numel > elements || size > most;
    count = Math.min(count, Math.floor(elements / (outer * inner)));
    // What lies in one place: the tensor with the fewest powers of two decides for all.
    if (outer === 1 && (stretch === 0 || powerOfTwo(inner) < powerOfTwo(stretch))) stretch = inner;
  }
  count = Math.max(1, stretch > 0 ? alignedCount(count, stretch) : count);
  return helps && count < size ? { size, count } : null;
}

/** A run with handles of parts of tensors. */
export class Pieces extends Run {
  readonly #parts: Tensor[] = [];

  /** The elements of `t` from `at` on, under this shape and in t's own memory; null where a binding cannot start there. */
  part(t: Tensor, shape: Shape, at: number): Tensor | null {
    if (at !== padded(at)) return null;
    const { storage, dtype } = t;
    const own = new Storage(this.device, 4 * sizeOf(shape), { part: { of: storage, offset: storage.offset + 4 * at } });
    const part = new Tensor(own, shape, dtype, null, 0, { internal: true });
    this.#parts.push(part);
    return part;
  }

  /** The same to read from: a copy where there is no such part. */
  read(t: Tensor, shape: Shape, at: number): Tensor {
    const part = this.part(t, shape, at);
    if (part) return part;
    const copy = this.scratch(shape, t.dtype);
    this.queue.copy(partOf(t.storage, at, copy.numel), copy.storage);
    return copy;
  }

  override release(): void {
    for (const t of this.#parts.splice(0)) t.dispose();
    super.release();
  }
}

function inPiece<In extends Inputs, Out extends Outputs, A>(
  run: Run,
  op: Dividable<In, Out, A>,
  inputs: In,
  outputs: Out,
  attrs: A,
  { inputs: ins, outputs: outs, inPlace = false, writes = [] }: Division<A>,
  first: number,
  count: number,
): void {
  const on = new Pieces(run.device);
  const after: (() => void)[] = [];
  /** `reads`: the piece needs what is in the tensor; `writes`: the tensor what is in the piece. */
  const pieceOf = (t: Tensor, dim: number, reads: boolean, writes: boolean): Tensor => {
    const [outer, inner] = around(t, dim);
    const shape = t.shape.map((n, d) => (d === dim ? count : n));
    const at = first * inner;
    const part = outer === 1 ? on.part(t, shape, at) : null;
    if (part) return part;
    const piece = on.scratch(shape, t.dtype);
    const length = count * inner;
    const there = { t, strides: [(t.shape[dim] ?? 1) * inner, 1], start: at };
    const here = { t: piece, strides: [length, 1], start: 0 };
    if (reads) transfer(on, [outer, length], there, here);
    if (writes) after.push(() => transfer(on, [outer, length], here, there));
    return piece;
  };
  const pieces = inputs.map((t, i) => {
    const dim = ins[i] ?? null;
    return t && dim !== null ? pieceOf(t, dim, true, writes.includes(i)) : t;
  });
  const results = outputs.map((t, i) => {
    const dim = outs[i] ?? null;
    if (typeof dim === "number") return pieceOf(t, dim, inPlace, true);
    if (dim === null || first === 0) return t;
    const piece = on.scratch(t.shape, t.dtype);
    after.push(() => accumulate(on, t, piece));
    return piece;
  });
  try {
    // As many of each, in the same places.
    forwardOf(op, on, pieces as Inputs as In, results as Outputs as Out, attrs);
    for (const then of after) then();
  } finally {
    on.release();
  }
}

/** Copies rows between two sides that may be far apart in one of them. */
function transfer(run: Run, shape: readonly [outer: number, length: number], from: Side, to: Side): void {
  if (shape[0] > 1) move(run, shape, from, to);
  else run.queue.copy(partOf(from.t.storage, from.start, shape[1]), partOf(to.t.storage, to.start, shape[1]));
}
type Side = Parameters<typeof move>[2];

const kernel = new Kernel(inplaceWgsl);

/** total += part. */
function accumulate(run: Run, total: Tensor, part: Tensor): void {
  const variant = kernel.variant({ T: total.dtype, RANK: "1u", f: "fn f(a: T, b: T) -> T { return a + b; }" });
  inParts(run.device.info, [total.numel], (bound, n) => {
    variant.launch(run, { y: bound(total), b: bound(part) }, { n, shape: [n], strides: [1] }, grid1d(n, WG * PER));
  });
}

/** Divisions of an operation whose inputs broadcast to its output, which it may update in place. */
export function* broadcastDivisions(inputs: Inputs, shape: Shape, inPlace = false): Generator<Division<never>> {
  // One walk for all: see inParts.
  const n = sizeOf(shape);
  if (inputs.every((t) => t === null || t.numel === n || t.numel === 1)) return;
  for (const [d, size] of shape.entries()) {
    if (size === 1) continue;
    const dims = inputs.map((t) => {
      const at = t ? d - (shape.length - t.ndim) : -1;
      return at >= 0 && t?.shape[at] === size ? at : null;
    });
    yield { inputs: dims, outputs: [d], inPlace };
  }
}

/** Divisions along each of these dimensions of tensors of one kind of shape, the outermost first. */
export const alike = (dims: Iterable<number>, inputs: number, outputs: number): Division<never>[] =>
  Array.from(dims, (d) => ({ inputs: new Array<number>(inputs).fill(d), outputs: new Array<number>(outputs).fill(d) }));

/** The dimensions of a tensor but this one. */
export const otherDims = ({ shape }: Tensor, dim: number): number[] => [...shape.keys()].filter((d) => d !== dim);
