// What takes operations in the place of the device while a model is traced (see onnx/), or looks at their results (see train/anomaly.ts).
import type { Device } from "../gpu/device.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import type { Node } from "./node.ts";
import type { AnyOp, Inputs, Outputs } from "./op.ts";

/** Hears of operations in the order and form in which they are called, before any is taken into another's pass. */
export interface Trace {
  /** What stands for the visible outputs, which nothing computes; null where `op` is to run as always. */
  apply(op: AnyOp, inputs: Inputs, attrs: unknown, specs: readonly Spec[], device: Device): Outputs | null;
  /** Before `op` writes into tensors that exist. */
  write(op: AnyOp, inputs: Inputs, into: Outputs): void;
  /** After `op` gave its visible outputs. */
  applied?(op: AnyOp, inputs: Inputs, outputs: Outputs): void;
  /** Around the derivation of the gradients of a node's inputs. */
  derive?(node: Node, run: () => readonly (Tensor | null)[] | null): readonly (Tensor | null)[] | null;
}
