// Elementwise functions of two tensors, with broadcasting: a row of the table is the whole definition of an op.
import { apply1 } from "../autograd/apply.ts";
import { type OldContext, type OldOp, type Saved, savesNothing } from "../autograd/op.ts";
import { check, DtypeError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
import { broadcastStrides, eightWords, mergeDims } from "../kernels/strided-walk.ts";
import binaryWgsl from "../kernels/wgsl/binary.wgsl";
import type { Dtype } from "../tensor/dtype.ts";
import { broadcastShapes, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { sumTo } from "./sum-expand.ts";
import { bodyOf, unary } from "./unary.ts";

type Context = OldContext<void>;

export type BinaryName =
  | "add"
  | "div"
  | "eq"
  | "equalMask"
  | "ge"
  | "greaterMask"
  | "gt"
  | "le"
  | "lessMask"
  | "lt"
  | "maximum"
  | "minimum"
  | "mul"
  | "ne"
  | "pow"
  | "sub";

export interface BinaryRow {
  /** WGSL of f(a, b). */
  readonly f: string;
  /** Comparisons give i32 (0 or 1). */
  readonly result?: "i32";
  /** Dtypes taken; default all but f16. */
  readonly dtypes?: readonly Dtype[];
  /** Inputs kept where the other one needs a gradient, or both for either; default none. */
  readonly saves?: "other" | "both";
  /** d/da and d/db times dy, before summing over broadcast dimensions. Left out: not differentiable. */
  readonly vjp?: readonly [(dy: Tensor, c: Context) => Tensor, (dy: Tensor, c: Context) => Tensor];
}

const compare = (op: string): BinaryRow => ({ f: `select(0, 1, a ${op} b)`, result: "i32" });
/** dy where `wins`, half of it where both are equal (as PyTorch shares it), else 0. */
const share = (wins: "greaterMask" | "lessMask"): NonNullable<BinaryRow["vjp"]> => [
  (dy, c) => binary("mul", dy, binary(wins, c.input(0), c.input(1))),
  (dy, c) => binary("mul", dy, binary(wins, c.input(1), c.input(0))),
];

/** Sorted by name. */
export const binaryRows: Record<BinaryName, BinaryRow> = {
  add: { f: "a + b", vjp: [(dy) => dy, (dy) => dy] },
  div: {
    f: "a / b",
    dtypes: ["f32"],
    saves: "both",
    vjp: [
      (dy, c) => binary("div", dy, c.input(1)),
      (dy, c) => unary("affine", binary("div", binary("mul", dy, c.input(0)), unary("square", c.input(1))), -1, 0),
    ],
  },
  eq: compare("=="),
  equalMask: { f: "select(0.0, 1.0, a == b)", dtypes: ["f32"] },
  ge: compare(">="),
  greaterMask: { f: "select(select(0.0, 0.5, a == b), 1.0, a > b)", dtypes: ["f32"] },
  gt: compare(">"),
  le: compare("<="),
  lessMask: { f: "select(select(0.0, 0.5, a == b), 1.0, a < b)", dtypes: ["f32"] },
  lt: compare("<"),
  maximum: { f: "max(a, b)", saves: "both", vjp: share("greaterMask") },
  minimum: { f: "min(a, b)", saves: "both", vjp: share("lessMask") },
  mul: {
    f: "a * b",
    saves: "other",
    vjp: [(dy, c) => binary("mul", dy, c.input(1)), (dy, c) => binary("mul", dy, c.input(0))],
  },
  ne: compare("!="),
  pow: {
    // WGSL's pow takes no negative base: |a|^b, with the sign that a whole exponent gives. Other exponents give NaN.
    f: `if (a == 0.0) { return select(select(0.0, 1.0 / abs(a), b < 0.0), 1.0, b == 0.0); }
      let m = exp2(b * log2(select(a, abs(a), floor(b) == b)));
      let odd = (b - 2.0 * floor(b * 0.5)) == 1.0;
      return select(m, -m, a < 0.0 && odd)`,
    dtypes: ["f32"],
    saves: "both",
    vjp: [
      (dy, c) => {
        const [a, b] = [c.input(0), c.input(1)];
        return binary("mul", dy, binary("mul", b, binary("pow", a, unary("affine", b, 1, -1))));
      },
      (dy, c) => binary("mul", dy, binary("mul", binary("pow", c.input(0), c.input(1)), unary("log", c.input(0)))),
    ],
  },
  sub: { f: "a - b", vjp: [(dy) => dy, (dy) => unary("affine", dy, -1, 0)] },
};

/** The dtypes that a row takes. */
export const dtypesOf = (name: BinaryName): readonly Dtype[] => binaryRows[name].dtypes ?? ["f32", "i32", "u32"];

const kernel = new Kernel("binary", binaryWgsl);
/** Elements of a workgroup: WG * PER in binary.wgsl. */
const TILE = 256;

function binaryOp(name: BinaryName, row: BinaryRow): OldOp {
  const variant = (dtype: Dtype, rank: number) => {
    const result = row.result ?? dtype;
    const f = `fn f(a: T, b: T) -> R { ${bodyOf(row.f)} }`;
    return kernel.variant({ T: dtype, R: result, RANK: `${rank}u`, f }, `${name} ${dtype} rank=${rank}`);
  };
  return {
    name,
    infer([a, b]) {
      check(
        a!.dtype === b!.dtype && dtypesOf(name).includes(a!.dtype),
        () =>
          `[${name}] takes two tensors of one dtype (${dtypesOf(name).join(", ")}), got ${a!.dtype} and ${b!.dtype}: convert with .to(dtype)`,
        DtypeError,
      );
      return [{ shape: broadcastShapes(name, a!.shape, b!.shape), dtype: row.result ?? a!.dtype }];
    },
    forward({ queue }, [a, b], [y]) {
      const strides = [broadcastStrides(a!.shape, y!.shape), broadcastStrides(b!.shape, y!.shape)];
      const walk = mergeDims(name, y!.shape, strides);
      const n = sizeOf(y!.shape);
      const params = [
        n,
        0,
        0,
        0,
        ...eightWords(walk.shape),
        ...eightWords(walk.strides[0]!),
        ...eightWords(walk.strides[1]!),
      ];
      queue.dispatch(
        variant(a!.dtype, walk.shape.length),
        [a!.storage, b!.storage, y!.storage],
        params,
        grid1d(n, TILE),
      );
    },
    saves: row.saves
      ? ([a, b]): Saved => {
          if (row.saves === "both") return { inputs: [0, 1], outputs: [] };
          return { inputs: [...(b ? [0] : []), ...(a ? [1] : [])], outputs: [] };
        }
      : savesNothing,
    vjp: row.vjp
      ? ([dy], c) => row.vjp!.map((rule, i) => (c.needs[i] ? sumTo(rule(dy!, c), c.inputSpecs[i]!.shape) : null))
      : "not differentiable",
  };
}

export const binaryOps = Object.fromEntries(
  Object.entries(binaryRows).map(([name, row]) => [name, binaryOp(name as BinaryName, row)]),
) as Record<BinaryName, OldOp>;

/** Applies a row of the table to two tensors of one dtype, broadcast against each other. */
export function binary(name: BinaryName, a: Tensor, b: Tensor): Tensor {
  return apply1(binaryOps[name], [a, b], undefined);
}
