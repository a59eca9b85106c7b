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
  | "divOrZero"
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
  | "orZero"
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

/** No number compares with NaN, which a comparison alone may overlook. */
const compare = (op: string): BinaryRow => ({
  f: `select(0, 1, a ${op} b)`,
  float: `select(0, 1, a ${op} b && !is_nan(a) && !is_nan(b))`,
  result: "i32",
});
/** Which of two takes the gradient: 1 where a is not the other side of b, half where equal, else 0. For both where one is NaN. */
const mask = (loses: string): BinaryRow => ({
  f: `select(select(select(1.0, 0.5, a == b), 0.0, a ${loses} b), 1.0, is_nan(a) || is_nan(b))`,
  dtypes: ["f32"],
});
/** dy where `wins`, half of it where both are equal, else 0; dy for both where one is NaN. So PyTorch shares it. */
const share = (wins: "greaterMask" | "lessMask"): NonNullable<BinaryRow["vjp"]> => [
  (dy, c) => binary("mulOrZero", dy, binary(wins, c.input(0), c.input(1))),
  (dy, c) => binary("mulOrZero", dy, binary(wins, c.input(1), c.input(0))),
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
        unary("affine", binary("mul", dy, binary("div", binary("div", c.input(0), c.input(1)), c.input(1))), {
          scale: -1,
          offset: 0,
        }),
    ],
  },
  // A vector's direction, none at the origin.
  divOrZero: { f: "select(a / b, 0.0, b == 0.0)", dtypes: ["f32"] },
  eq: compare("=="),
  equalMask: { f: "select(0.0, 1.0, a == b)", dtypes: ["f32"] },
  ge: compare(">="),
  greaterMask: mask("<"),
  gt: compare(">"),
  le: compare("<="),
  lessMask: mask(">"),
  // The logarithm in the gradient of a^b: at 0 there is none to count, where b says that 0^b is no infinity.
  logOrZero: { f: "select(log_nan(a), 0.0, a == 0.0 && b >= 0.0)", dtypes: ["f32"] },
  lt: compare("<"),
  maximum: { f: "max(a, b)", float: "max_nan(a, b)", saves: "both", vjp: share("greaterMask") },
  minimum: { f: "min(a, b)", float: "min_nan(a, b)", saves: "both", vjp: share("lessMask") },
  mul: {
    f: "a * b",
    saves: "other",
    vjp: [(dy, c) => binary("mul", dy, c.input(1)), (dy, c) => binary("mul", dy, c.input(0))],
  },
  // 0 where the mask b is, even of infinity and NaN.
  mulOrZero: { f: "select(a * b, 0.0, b == 0.0)", dtypes: ["f32"] },
  // NaN differs from everything, where != may say no.
  ne: { f: "select(1, 0, a == b)", float: "select(1, 0, a == b && !is_nan(a) && !is_nan(b))", result: "i32" },
  // An exponent b of 0 leaves no gradient, even of infinity and NaN.
  orZero: { f: "select(a, 0.0, b == 0.0)", dtypes: ["f32"] },
  pow: {
    f: "power(a, b)",
    dtypes: ["f32"],
    saves: "both",
    vjp: [
      (dy, c) => {
        const [a, b] = [c.input(0), c.input(1)];
        const lower = binary("pow", a, unary("affine", b, { scale: 1, offset: -1 }));
        return binary("orZero", binary("mul", dy, binary("mul", b, lower)), b);
      },
      (dy, c) => {
        const [a, b] = [c.input(0), c.input(1)];
        return binary("mul", dy, binary("mul", binary("pow", a, b), binary("logOrZero", a, b)));
      },
    ],
  },
  sub: { f: "a - b", vjp: [(dy) => dy, (dy) => unary("affine", dy, { scale: -1, offset: 0 })] },
};

const ALL: readonly Dtype[] = ["f32", "i32", "u32"];
/** The dtypes that a row takes. */
export const dtypesOf = (name: BinaryName): readonly Dtype[] => binaryRows[name].dtypes ?? ALL;

const kernel = new Kernel(binaryWgsl);

type BinaryOp = Op<readonly [a: Tensor, b: Tensor]>;

/** The op of a row, of the table or of another one. */
export function binaryOpOf(name: string, row: BinaryRow): BinaryOp {
  const variant = (dtype: Dtype, rank: string) => {
    const result = row.result ?? dtype;
    const text = dtype === "f32" ? (row.float ?? row.f) : row.f;
    const f = `fn f(a: T, b: T) -> R { ${bodyOf(text)} }`;
    return kernel.variant({ T: dtype, R: result, RANK: rank, f }, `${name} ${dtype} rank=${rank}`);
  };
  const { vjp, dtypes = ALL } = row;
  return {
    name,
    infer([a, b]) {
      check(
        a.dtype === b.dtype && dtypes.includes(a.dtype),
        () =>
          `[${name}] takes two tensors of one dtype (${dtypes.join(", ")}), got ${a.dtype} and ${b.dtype}: convert with .to(dtype)`,
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
  Object.entries(binaryRows).map(([name, row]) => [name, binaryOpOf(name, row)]),
) as Record<BinaryName, BinaryOp>;

/** Applies a row of the table to two tensors of one dtype, broadcast against each other. */
export function binary(name: BinaryName, a: Tensor, b: Tensor): Tensor {
  return apply1(binaryOps[name], [a, b], undefined);
}
