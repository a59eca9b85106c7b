// Sums of a few positions along the axes of planes, by tables that are made on the host: what interpolation and padding other than
// by a constant have in common. The gradient is the same with transposed tables.
import { apply1 } from "../autograd/apply.ts";
import { type Op, savesNothing } from "../autograd/op.ts";
import type { Run } from "../autograd/run.ts";
import { check, LimitError } from "../errors.ts";
import { alike } from "../kernels/divide.ts";
import { Kernel } from "../kernels/kernel.ts";
import { walkPlanes } from "../kernels/plane-plan.ts";
import tapsWgsl from "../kernels/wgsl/taps.wgsl";
import { constantFrom } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { view } from "./view.ts";

/** Of which of `from` positions, and by which weights, each of `to` is the sum. */
export interface Taps {
  readonly from: number;
  readonly to: number;
  /** The most that one is the sum of. */
  readonly most: number;
  /** For each of `to`, `most` pairs of a position and the bits of its weight; those that are no more weigh 0. */
  readonly table: Uint32Array<ArrayBuffer>;
  /** Each is one position of weight 1. */
  readonly copies: boolean;
}

/** Positions along an axis, so that f32 counts them. */
const MOST = 2 ** 24;

/** Throws where an axis has more positions than tables are made for. */
export function checkAxis(op: string, size: number): void {
  check(size <= MOST, () => `[${op}] ${size} positions along a dimension are more than ${MOST}`, LimitError);
}

/** The least weight that counts. */
const SMALLEST = 1e-30;

/** The table in which `each` puts the positions and weights of o; at most `most` of them, null where nothing changes. */
export function makeTaps(
  from: number,
  to: number,
  most: number,
  each: (o: number, put: (at: number, weight: number) => void) => void,
): Taps | null {
  const table = new Uint32Array(2 * most * to);
  const weights = new Float32Array(table.buffer);
  let same = from === to;
  let copies = most === 1;
  for (let o = 0; o < to; o++) {
    const first = 2 * most * o;
    let next = first;
    each(o, (at, weight) => {
      // What f32 may flush to 0 would end the list.
      if (Math.abs(weight) < SMALLEST) return;
      // The same position twice in a row, as where positions are clamped to the edge, is one.
      const again = next > first && table[next - 2] === at;
      const i = again ? next - 2 : next;
      if (!again) next += 2;
      table[i] = at;
      weights[i + 1] = (weights[i + 1] ?? 0) + weight;
    });
    copies &&= weights[first + 1] === 1;
    same &&= copies && table[first] === o;
  }
  return same ? null : { from, to, most, table, copies };
}

function transposed({ from, to, most, table }: Taps): Taps | null {
  const weights = new Float32Array(table.buffer);
  const counts = new Uint32Array(from);
  const visit = (f: (at: number, o: number, weight: number) => void) => {
    for (let i = 0; i < most * to; i++) {
      const weight = weights[2 * i + 1] ?? 0;
      if (weight !== 0) f(table[2 * i] ?? 0, Math.floor(i / most), weight);
    }
  };
  visit((at) => {
    counts[at] = (counts[at] ?? 0) + 1;
  });
  const widest = counts.reduce((a, b) => Math.max(a, b), 1);
  const other = new Uint32Array(2 * widest * from);
  const values = new Float32Array(other.buffer);
  counts.fill(0);
  visit((at, o, weight) => {
    const k = counts[at] ?? 0;
    counts[at] = k + 1;
    const i = 2 * (widest * at + k);
    other[i] = o;
    values[i + 1] = weight;
  });
  return { from: to, to: from, most: widest, table: other, copies: false };
}

interface TapsAttrs {
  readonly name: string;
  readonly down: Taps | null;
  readonly across: Taps | null;
}

const kernel = new Kernel(tapsWgsl);

/** Both loops are unrolled where they have so few turns together: more would take long to compile. */
const UNROLLED = 4;

/** Planes that an invocation takes together. */
const GROUP = 4;

/** x: [planes, rows, columns]. */
const tapsOp: Op<readonly [x: Tensor], TapsAttrs> = {
  name: "taps",
  infer([x], { name, down, across }) {
    checkDtype(name, "input", x.dtype, "f32");
    const [planes = 0, rows = 0, columns = 0] = x.shape;
    return [{ shape: [planes, down?.to ?? rows, across?.to ?? columns], dtype: "f32" }];
  },
  forward(run, [x], [y], { down, across }) {
    const [planes = 0, rows = 0, columns = 0] = y.shape;
    const group = planes < GROUP ? 1 : GROUP;
    const { params, grid } = walkPlanes(Math.ceil(planes / group), [rows, columns], run.device.info);
    const turns = [down?.most ?? 1, across?.most ?? 1] as const;
    const few = turns[0] * turns[1] <= UNROLLED;
    const variant = kernel.variant({
      GROUP: `${group}u`,
      COPY: turns[0] * turns[1] === 1 && [down, across].every((taps) => taps?.copies ?? true),
      ...(few ? { ROWS: `${turns[0]}u`, COLUMNS: `${turns[1]}u` } : {}),
    });
    const tables = [tableOf(run, down), tableOf(run, across)] as const;
    const size = [x.shape[1] ?? 0, x.shape[2] ?? 0] as const;
    variant.launch(run, { x, down: tables[0], across: tables[1], y }, { ...params, turns, planes, size }, grid);
    for (const table of tables) table?.dispose();
  },
  divisions: () => alike([0], 1, 1),
  saves: savesNothing,
  vjp: ([dy], { attrs: { name, down, across } }) => [
    planewise(name, dy, down && transposed(down), across && transposed(across)),
  ],
};

const tableOf = ({ device }: Run, taps: Taps | null): Tensor | null =>
  taps && constantFrom(taps.table, [taps.table.length], "u32", { device });

/** Both axes at once are worth it up to so many positions. */
const TOGETHER = 16;

/** The sums of x: [planes, rows, columns] along both axes, null where one stays as it is. */
function planewise(name: string, x: Tensor, down: Taps | null, across: Taps | null): Tensor {
  const pass = (x: Tensor, down: Taps | null, across: Taps | null) => apply1(tapsOp, [x], { name, down, across });
  if (!down || !across || down.most * across.most <= TOGETHER) return pass(x, down, across);
  // The axis that shrinks more goes first.
  if (down.to * across.from <= across.to * down.from) return pass(pass(x, down, null), null, across);
  return pass(pass(x, null, across), down, null);
}

/** The sums of x along its last dimensions, one table for each of them, null where one stays as it is. x itself without any. */
export function throughTaps(name: string, x: Tensor, axes: readonly (Taps | null)[]): Tensor {
  if (axes.every((taps) => taps === null)) return x;
  return scope(() => {
    const shape = [...x.shape];
    let result = x;
    // Two by two, the last ones first.
    for (let end = shape.length; end > shape.length - axes.length; end -= 2) {
      const last = axes.length - (shape.length - end) - 1;
      const [down, across] = [axes[last - 1] ?? null, axes[last] ?? null];
      if (!down && !across) continue;
      const inner = sizeOf(shape.slice(end));
      // What lies behind both is walked as a part of the second axis, which only has a table if nothing does.
      if (inner > 1 && across) {
        result = axis(name, result, shape, end - 1, across);
        if (down) result = axis(name, result, shape, end - 2, down);
        continue;
      }
      const [rows, columns] = [end > 1 ? (shape[end - 2] ?? 1) : 1, (shape[end - 1] ?? 1) * inner];
      const planes = sizeOf(shape.slice(0, Math.max(0, end - 2)));
      const y = planewise(name, view(name, result, [planes, rows, columns]), down, across);
      if (down) shape[end - 2] = down.to;
      if (across) shape[end - 1] = across.to;
      result = view(name, y, [...shape]);
    }
    return result;
  });
}

/** One axis of a tensor of this shape, which changes with it. */
function axis(name: string, x: Tensor, shape: number[], d: number, taps: Taps): Tensor {
  const planes = view(name, x, [sizeOf(shape.slice(0, d)), shape[d] ?? 1, sizeOf(shape.slice(d + 1))]);
  shape[d] = taps.to;
  return view(name, planewise(name, planes, taps, null), [...shape]);
}
