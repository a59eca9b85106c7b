// Elementwise functions of two tensors, with broadcasting: a row of the table is the whole definition of an op.
import { apply1 } from "../autograd/apply.ts";
import { type Op, type Saved, savesNothing, type VjpContext } from "../autograd/op.ts";
import { check, DtypeError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import { inParts } from "../kernels/binding-parts.ts";
import { broadcastDivisions } from "../kernels/divide.ts";
import { bodyOf } from "../kernels/elementwise.ts";
import { Kernel } from "../kernels/kernel.ts";
import { broadcastStrides, mergeDims, rankOf } from "../kernels/strided-walk.ts";
import binaryWgsl, { PER, WG } from "../kernels/wgsl/binary.wgsl";
import type { Dtype } from "../tensor/dtype.ts";
import { broadcastShapes } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { sumTo } from "./sum-expand.ts";
import { unary } from "./unary.ts";

type Context = VjpContext<readonly [a: Tensor, b: Tensor], void, readonly [Tensor]>;

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
  | "logOrZero"
  | "lt"
  | "maximum"
  | "minimum"
  | "mul"
  | "mulOrZero"
  | "ne"
  | "pow"
  | "sub";

export interface BinaryRow {
  /** WGSL of f(a, b). */
  readonly f: string;
  /** WGSL of it for f32, where NaN takes more: may call wgsl/lib/nan.wgsl. */
  readonly float?: string;
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
/** dy where `wins`, half of it where both are equal, else 0; dy for both where one is NaN. So PyTorch shares it. */
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
      (dy, c) =>
        unary("affine", binary("div", binary("mul", dy, c.input(0)), unary("square", c.input(1))), {
          scale: -1,
          offset: 0,
        }),
    ],
  },
  eq: compare("=="),
  equalMask: { f: "select(0.0, 1.0, a == b)", dtypes: ["f32"] },
  ge: compare(">="),
  greaterMask: { f: "select(select(1.0, 0.5, a == b), 0.0, a < b)", dtypes: ["f32"] },
  gt: compare(">"),
  le: compare("<="),
  lessMask: { f: "select(select(1.0, 0.5, a == b), 0.0, a > b)", dtypes: ["f32"] },
  // The logarithm in the gradient of a^b: at 0 there is none to count, where b says that 0^b is no infinity.
  logOrZero: { f: "select(log(a), 0.0, a == 0.0 && b >= 0.0)", dtypes: ["f32"] },
  lt: compare("<"),
  maximum: { f: "max(a, b)", float: "max_nan(a, b)", saves: "both", vjp: share("greaterMask") },
  minimum: { f: "min(a, b)", float: "min_nan(a, b)", saves: "both", vjp: share("lessMask") },
  mul: {
    f: "a * b",
    saves: "other",
    vjp: [(dy, c) => binary("mul", dy, c.input(1)), (dy, c) => binary("mul", dy, c.input(0))],
  },
  // 0 where a is, even times infinity: an exponent of 0 leaves no gradient.
  mulOrZero: { f: "select(a * b, 0.0, a == 0.0)", dtypes: ["f32"] },
  // NaN differs from everything, where != may say no.
  ne: { f: "select(1, 0, a == b)", result: "i32" },
  pow: {
    // WGSL's pow takes no negative base: |a|^b, with the sign that a whole exponent gives. Other exponents give NaN.
    f: `if (b == 0.0 || a == 1.0) { return 1.0; }
      if (a == 0.0) { return select(0.0, 1.0 / abs(a), b < 0.0); }
      let m = exp2(b * log2(select(a, abs(a), floor(b) == b)));
      let odd = (b - 2.0 * floor(b * 0.5)) == 1.0;
      return select(m, -m, a < 0.0 && odd)`,
    dtypes: ["f32"],
    saves: "both",
    vjp: [
      (dy, c) => {
        const [a, b] = [c.input(0), c.input(1)];
        return binary(
          "mul",
          dy,
          binary("mulOrZero", b, binary("pow", a, unary("affine", b, { scale: 1, offset: -1 }))),
        );
      },
      (dy, c) => {
        const [a, b] = [c.input(0), c.input(1)];
        return binary("mul", dy, binary("mul", binary("pow", a, b), binary("logOrZero", a, b)));
      },
    ],
  },
  sub: { f: "a - b", vjp: [(dy) => dy, (dy) => unary("affine", dy, { scale: -1, offset: 0 })] },
};

/** The dtypes that a row takes. */
export const dtypesOf = (name: BinaryName): readonly Dtype[] => binaryRows[name].dtypes ?? ["f32", "i32", "u32"];

const kernel = new Kernel(binaryWgsl);

type BinaryOp = Op<readonly [a: Tensor, b: Tensor]>;

function binaryOp(name: BinaryName, row: BinaryRow): BinaryOp {
  const variant = (dtype: Dtype, rank: string) => {
    const result = row.result ?? dtype;
    const text = dtype === "f32" ? (row.float ?? row.f) : row.f;
    const f = `fn f(a: T, b: T) -> R { ${bodyOf(text)} }`;
    return kernel.variant({ T: dtype, R: result, RANK: rank, f }, `${name} ${dtype} rank=${rank}`);
  };
  const { vjp } = row;
  return {
    name,
    infer([a, b]) {
      check(
        a.dtype === b.dtype && dtypesOf(name).includes(a.dtype),
        () =>
          `[${name}] takes two tensors of one dtype (${dtypesOf(name).join(", ")}), got ${a.dtype} and ${b.dtype}: convert with .to(dtype)`,
        DtypeError,
      );
      return [{ shape: broadcastShapes(name, a.shape, b.shape), dtype: row.result ?? a.dtype }];
    },
    forward(run, [a, b], [y]) {
      const walk = mergeDims(name, y.shape, [broadcastStrides(a.shape, y.shape), broadcastStrides(b.shape, y.shape)]);
      const [sa, sb] = walk.strides;
      const { shape } = walk;
      const shader = variant(a.dtype, rankOf(walk));
      inParts(run.device.info, shape, (part, n) => {
        shader.launch(run, { a: part(a), b: part(b), y: part(y) }, { n, shape, sa, sb }, grid1d(n, WG * PER));
      });
    },
    divisions: (inputs, [y]) => broadcastDivisions(inputs, y.shape),
    saves: row.saves
      ? ([a, b]): Saved => {
          if (row.saves === "both") return { inputs: [0, 1], outputs: [] };
          return { inputs: [...(b ? [0] : []), ...(a ? [1] : [])], outputs: [] };
        }
      : savesNothing,
    vjp: vjp
      ? ([dy], c) => [
          c.needs[0] ? sumTo(vjp[0](dy, c), c.inputSpecs[0].shape) : null,
          c.needs[1] ? sumTo(vjp[1](dy, c), c.inputSpecs[1].shape) : null,
        ]
      : "not differentiable",
  };
}

export const binaryOps = Object.fromEntries(
  Object.entries(binaryRows).map(([name, row]) => [name, binaryOp(name as BinaryName, row)]),
) as Record<BinaryName, BinaryOp>;

/** Applies a row of the table to two tensors of one dtype, broadcast against each other. */
export function binary(name: BinaryName, a: Tensor, b: Tensor): Tensor {
  return apply1(binaryOps[name], [a, b], undefined);
}
