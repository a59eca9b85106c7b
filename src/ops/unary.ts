// Elementwise functions of one tensor: each row of the table in unary-rows.ts becomes an op.
import { apply1 } from "../autograd/apply.ts";
import { type OldOp, savesNothing } from "../autograd/op.ts";
import { f32Bits, grid1d } from "../gpu/queue.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
import unaryWgsl from "../kernels/wgsl/unary.wgsl";
import backwardWgsl from "../kernels/wgsl/unary-backward.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type UnaryRow, unaryRows } from "./unary-rows.ts";

/** Up to two numbers that a row's WGSL reads as `p.a` and `p.b`. */
export type Scalars = readonly [a?: number, b?: number];

export type UnaryName = keyof typeof unaryRows;

const forwardKernel = new Kernel("unary", unaryWgsl);
const backwardKernel = new Kernel("unary_backward", backwardWgsl);

/** A row's WGSL as the body of a function: an expression, or statements that end in `return` and one. */
export const bodyOf = (wgsl: string): string => (wgsl.includes("return ") ? `${wgsl};` : `return ${wgsl};`);
/** Elements of a workgroup: WG * PER vectors of four in the .wgsl files. */
const TILE = 1024;

/** An elementwise op, and that of its gradient: dx from dy and what the row saves. */
export interface UnaryOp extends OldOp<Scalars> {
  readonly gradient: OldOp<Scalars>;
}

function unaryOp(name: string, row: UnaryRow): UnaryOp {
  const forward = forwardKernel.variant({ f: `fn f(x: T) -> T { ${bodyOf(row.f)} }` }, name);
  const backward = backwardKernel.variant({ df: `fn df(x: f32) -> f32 { ${bodyOf(row.df)} }` }, name);
  const params = (n: number, [a = 0, b = 0]: Scalars) => [n, f32Bits(a), f32Bits(b)];

  const gradient: OldOp<Scalars> = {
    name: `${name}Backward`,
    infer: ([dy]) => [dy!],
    forward: ({ queue }, [dy, s], [dx], scalars) =>
      queue.dispatch(
        backward,
        [dy!.storage, s!.storage, dx!.storage],
        params(dy!.numel, scalars),
        grid1d(dy!.numel, TILE),
      ),
    saves: savesNothing,
    vjp: "not differentiable",
  };
  return {
    gradient,
    name,
    infer([x]) {
      checkDtype(name, "input", x!.dtype, "f32");
      return [x!];
    },
    forward: ({ queue }, [x], [y], scalars) =>
      queue.dispatch(forward, [x!.storage, y!.storage], params(sizeOf(x!.shape), scalars), grid1d(x!.numel, TILE)),
    saves: () => ({ inputs: row.saves === "x" ? [0] : [], outputs: row.saves === "y" ? [0] : [] }),
    vjp: ([dy], c) => {
      const saved = row.saves === "x" ? c.input(0) : row.saves === "y" ? c.output(0) : dy!;
      return [apply1(gradient, [dy!, saved], c.attrs)];
    },
  };
}

/** The ops of a table's rows. */
export const unaryOpsOf = <K extends string>(rows: Readonly<Record<K, UnaryRow>>): Record<K, UnaryOp> =>
  Object.fromEntries(Object.entries<UnaryRow>(rows).map(([name, row]) => [name, unaryOp(name, row)])) as Record<
    K,
    UnaryOp
  >;

export const unaryOps = unaryOpsOf(unaryRows);

/** Applies a row of the table. */
export const unary = (name: UnaryName, x: Tensor, ...scalars: number[]): Tensor =>
  apply1(unaryOps[name], [x], [scalars[0], scalars[1]]);
