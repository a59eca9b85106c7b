// Activations that are no function of one tensor by element: PReLU, whose slope is learned, GLU and tanhshrink.
import { apply1 } from "../autograd/apply.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkWhole } from "../errors.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { normalizeDim, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { binary, binaryOp } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { narrow } from "./movement.ts";
import { unary } from "./unary.ts";
import * as unaries from "./unary-rows.ts";
import { view } from "./view.ts";

/** PReLU's slope at a: 1 above 0, else b. Its own gradient is that of `where`, see backward/compositions.ts. */
export const slopeOp = binaryOp("preluSlope", { f: "select(b, 1.0, is_positive(a))", dtypes: ["f32"] });

const preluOp = binaryOp("prelu", {
  f: "select(b * a, a, is_positive(a))",
  dtypes: ["f32"],
  saves: "both",
  vjp: [
    (dy, c) => binary(binaries.mul, dy, apply1(slopeOp, [c.input(0), c.input(1)], undefined)),
    (dy, c) => binary(binaries.mulOrZero, dy, unary(unaries.minimumScalar, c.input(0), { other: 0 })),
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
  return scope(() =>
    binary(binaries.mul, narrow(x, at, 0, size / 2), unary(unaries.sigmoid, narrow(x, at, size / 2, size / 2))),
  );
}

/**
 * x - tanh(x) by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.tanhshrink.html
 */
export function tanhshrink(x: Tensor): Tensor {
  checkTensor("tanhshrink", "input", x);
  return scope(() => binary(binaries.sub, x, unary(unaries.tanh, x)));
}
