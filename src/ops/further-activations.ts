// Elementwise functions of nn that few models use: a table as in activation-rows.ts, apart so that a bundle without them leaves it
// out. With PReLU, whose slope is learned.
import { apply1 } from "../autograd/apply.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkWhole } from "../errors.ts";
import { type UnaryRow, valuesOf } from "../kernels/elementwise.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { normalizeDim, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { LOG1P } from "./activation-rows.ts";
import { binary, binaryOpOf } from "./binary.ts";
import { narrow } from "./movement.ts";
import { type ScalarsOf, unary, unaryOpsOf } from "./unary.ts";
import { view } from "./view.ts";

// Of Klambauer et al., Self-normalizing neural networks, 2017.
const SCALE = "1.0507009873554805";
const SCALE_ALPHA = "1.7580993408473766";
// The argument of tanh in GELU's approximation, twice, so that x sigmoid(u) = x (1 + tanh(u / 2)) / 2; and the sigmoid.
const TANH_GELU = "let u = 1.5957691216 * (x + 0.044715 * x * x * x); let s = 1.0 / (1.0 + exp_nan(-u));";
// tanh(log(1 + exp(x))) as a quotient; 1 from 20 on.
const MISH = "let e = exp_nan(min(x, 20.0)); let n = e * (e + 2.0); let t = n / (n + 2.0);";

/** Sorted by name. */
export const furtherRows = {
  celu: {
    scalars: ["alpha"],
    f: "select(x, alpha * (exp_nan(x / alpha) - 1.0), is_negative(x))",
    dx: "select(dy * exp_nan(x / alpha), dy, is_positive(x))",
    saves: "x",
  },
  geluTanh: {
    f: `${TANH_GELU} return x * s`,
    dx: `${TANH_GELU} return dy * (s + x * s * (1.0 - s) * (1.5957691216 + 0.2140644488 * x * x))`,
    saves: "x",
  },
  hardtanh: {
    scalars: ["low", "high"],
    f: "min_nan(max_nan(x, low), high)",
    dx: "select(0.0, dy, x > low && x < high && !is_nan(x))",
    saves: "x",
  },
  logSigmoid: {
    f: `let e = exp_nan(-abs(x)); return min_nan(x, 0.0) - ${LOG1P}`,
    dx: "dy / (1.0 + exp_nan(x))",
    saves: "x",
  },
  mish: {
    f: `${MISH} return x * t`,
    dx: `${MISH} return dy * (t + x * (1.0 / (1.0 + exp_nan(-x))) * (1.0 - t * t))`,
    saves: "x",
  },
  selu: {
    f: `select(${SCALE} * x, ${SCALE_ALPHA} * (exp_nan(x) - 1.0), is_negative(x))`,
    dx: `select(dy * (${SCALE_ALPHA} * exp_nan(x)), ${SCALE} * dy, is_positive(x))`,
    saves: "x",
  },
  // NaN at infinities, as the quotient and its derivative have it.
  softsign: {
    f: "x / (1.0 + abs(x))",
    dx: `let d = 1.0 + abs(x);
      return select(dy / (d * d), from_bits(0x7fc00000u), (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u)`,
    saves: "x",
  },
  threshold: {
    scalars: ["threshold", "value"],
    f: "select(x, value, x <= threshold && !is_nan(x))",
    dx: "select(dy, 0.0, x <= threshold && !is_nan(x))",
    saves: "x",
  },
} as const satisfies Record<string, UnaryRow>;

export type FurtherName = keyof typeof furtherRows;

export const furtherOps = unaryOpsOf(furtherRows);

/** Applies a row of the table. */
export const further = <N extends FurtherName>(
  name: N,
  x: Tensor,
  ...scalars: ScalarsOf<typeof furtherRows, N>
): Tensor => apply1(furtherOps[name], [x], valuesOf(name, furtherRows[name], scalars[0]));

/** PReLU's slope at a: 1 above 0, else b. Its own gradient is that of `where`, see backward/compositions.ts. */
export const slopeOp = binaryOpOf("preluSlope", { f: "select(b, 1.0, is_positive(a))", dtypes: ["f32"] });

const preluOp = binaryOpOf("prelu", {
  f: "select(b * a, a, is_positive(a))",
  dtypes: ["f32"],
  saves: "both",
  vjp: [
    (dy, c) => binary("mul", dy, apply1(slopeOp, [c.input(0), c.input(1)], undefined)),
    (dy, c) => binary("mulOrZero", dy, unary("minimumScalar", c.input(0), { other: 0 })),
  ],
});

/**
 * x where positive, else `weight` times x. x: f32 of any shape; weight: [1], or [C] for x: [N, C, ...].
 * @throws ShapeError for a weight of another size.
 * @see https://arxiv.org/abs/1502.01852 and https://pytorch.org/docs/stable/generated/torch.nn.functional.prelu.html
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  checkTensor("prelu", "input", x);
  checkTensor("prelu", "weight", weight);
  checkDtype("prelu", "weight", weight.dtype, "f32");
  const channels = x.ndim > 1 ? (x.shape[1] ?? 1) : 1;
  check(
    weight.ndim <= 1 && (weight.numel === 1 || weight.numel === channels),
    () =>
      `[prelu] weight has shape ${show(weight.shape)} but input ${show(x.shape)} expects [1]${channels > 1 ? ` or [${channels}]` : ""}`,
  );
  return scope(() => {
    const shape = weight.numel === 1 ? [] : [channels, ...x.shape.slice(2).map(() => 1)];
    return apply1(preluOp, [x, view("prelu", weight, shape)], undefined);
  });
}

/**
 * The first half of x along `dim`, times the sigmoid of the second half. f32 of any shape.
 * @throws ShapeError where the dimension has no halves.
 * @see https://arxiv.org/abs/1612.08083 and https://pytorch.org/docs/stable/generated/torch.nn.functional.glu.html
 */
export function glu(x: Tensor, dim = -1): Tensor {
  checkTensor("glu", "input", x);
  checkDtype("glu", "input", x.dtype, "f32");
  checkWhole("glu", "dim", dim);
  const at = normalizeDim("glu", dim, x.ndim);
  const size = x.shape[at] ?? 0;
  check(size % 2 === 0, () => `[glu] dimension ${dim} of input ${show(x.shape)} must be even, to have two halves`);
  return scope(() => binary("mul", narrow(x, at, 0, size / 2), unary("sigmoid", narrow(x, at, size / 2, size / 2))));
}

/**
 * x - tanh(x) by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.tanhshrink.html
 */
export function tanhshrink(x: Tensor): Tensor {
  checkTensor("tanhshrink", "input", x);
  return scope(() => binary("sub", x, unary("tanh", x)));
}
