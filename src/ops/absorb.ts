// What operations recognise in the one that follows them, to take it into their own pass over memory: see `absorb` in Op.
import { apply1 } from "../autograd/apply.ts";
import type { AnyOp, Following } from "../autograd/op.ts";
import type { Activation } from "../kernels/elementwise.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { binary } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import type { UnaryOp } from "./unary.ts";

/** An elementwise function at the end of another operation, with the op of its gradient. */
export interface AbsorbedActivation extends Activation {
  readonly gradient: UnaryOp["gradient"];
}

const isUnary = (op: AnyOp): op is UnaryOp => "row" in op && "gradient" in op;

/** An elementwise function of the tables. */
export function asActivation({ op, attrs }: Following): AbsorbedActivation | null {
  if (!isUnary(op)) return null;
  // Such an op's attributes are its scalars.
  return { name: op.name, row: op.row, scalars: attrs as readonly number[], gradient: op.gradient };
}

/** What is added to the result: a tensor of any shape that broadcasts with it. */
export const asAddition = ({ op, inputs, at }: Following): Tensor | null =>
  op === binaries.add ? (inputs[1 - at] ?? null) : null;

/**
 * The gradient of what the activation is given, from that of its result. `kept` gives the result or, if it was kept, that;
 * `more` is a gradient that reached what was kept directly.
 */
export function behindActivation(
  activation: AbsorbedActivation | null,
  dy: Tensor,
  kept: (what: "x" | "y") => Tensor | null,
  more?: Tensor,
): Tensor {
  if (!activation) return dy;
  const { gradient, row, scalars } = activation;
  const behind = apply1(gradient, [dy, row.saves === "none" ? null : kept(row.saves)], scalars);
  return more ? binary(binaries.add, behind, more) : behind;
}
