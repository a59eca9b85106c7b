// Elementwise functions of one tensor: the op of a row (see unary-rows.ts).
import { apply1 } from "../autograd/apply.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import { grid1d } from "../gpu/queue.ts";
import { inParts } from "../kernels/binding-parts.ts";
import { type UnaryRow, unaryBody, valuesOf } from "../kernels/elementwise.ts";
import { Kernel } from "../kernels/kernel.ts";
import unaryWgsl, { PER, WG } from "../kernels/wgsl/unary.wgsl";
import backwardWgsl from "../kernels/wgsl/unary-backward.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The values of a row's scalars, in the row's order. */
export type Scalars = readonly number[];

/** What a call gives besides the tensor: the row's scalars by name, nothing where it has none. */
export type ScalarsOf<R extends UnaryRow> = R extends { readonly scalars: readonly (infer S extends string)[] }
  ? readonly [scalars: Readonly<Record<S, number>>]
  : readonly [];

const forwardKernel = new Kernel(unaryWgsl);
const backwardKernel = new Kernel(backwardWgsl);

const TILE = WG * PER;

/** An elementwise op, and that of its gradient: dx from dy and what the row saves. */
export interface UnaryOp<R extends UnaryRow = UnaryRow> extends Op<readonly [Tensor], Scalars> {
  readonly gradient: Op<readonly [dy: Tensor, saved: Tensor | null], Scalars>;
  readonly row: R;
}

/** Makes the op of a row. */
export function unaryOp<const R extends UnaryRow>(name: string, row: R): UnaryOp<R> {
  const forward = forwardKernel.variant({ f: `fn f(x: T) -> T { ${unaryBody(row, row.f)} }` }, name);
  const backward = backwardKernel.variant(
    { back: `fn back(x: f32, dy: f32) -> f32 { ${unaryBody(row, row.dx)} }` },
    name,
  );

  const gradient: UnaryOp["gradient"] = {
    name: `${name}Backward`,
    required: 1,
    infer: ([dy]) => [dy],
    forward(run, [dy, s], [dx], [a = 0, b = 0]) {
      inParts(run.device.info, [dy.numel], (part, count) => {
        const n = Math.ceil(count / 4);
        backward.launch(run, { dy: part(dy), s: s && part(s), dx: part(dx) }, { n, a, b }, grid1d(n, TILE));
      });
    },
    ...withoutGradient,
  };
  return {
    gradient,
    row,
    name,
    infer([x]) {
      checkDtype(name, "input", x.dtype, "f32");
      return [x];
    },
    forward(run, [x], [y], [a = 0, b = 0]) {
      inParts(run.device.info, [x.numel], (part, count) => {
        const n = Math.ceil(count / 4);
        forward.launch(run, { x: part(x), y: part(y) }, { n, a, b }, grid1d(n, TILE));
      });
    },
    saves: () => ({ inputs: row.saves === "x" ? [0] : [], outputs: row.saves === "y" ? [0] : [] }),
    vjp: ([dy], c) => {
      const saved = row.saves === "x" ? c.input(0) : row.saves === "y" ? c.output(0) : null;
      return [apply1(gradient, [dy, saved], c.attrs)];
    },
  };
}

/** Applies an op of the tables, with its scalars by name. */
export const unary = <R extends UnaryRow>(op: UnaryOp<R>, x: Tensor, ...scalars: ScalarsOf<R>): Tensor => {
  const [given]: readonly Readonly<Record<string, number>>[] = scalars;
  return apply1(op, [x], valuesOf(op.name, op.row, given));
};
