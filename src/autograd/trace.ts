// What takes operations in the place of the device while a model is traced (see onnx/).
import type { Device } from "../gpu/device.ts";
import type { Spec } from "../tensor/tensor.ts";
import type { AnyOp, Inputs, Outputs } from "./op.ts";

/** Hears of operations in the order and form in which they are called, before any is taken into another's pass. */
export interface Trace {
  /** What stands for the visible outputs, which nothing computes; null where `op` is to run as always. */
  apply(op: AnyOp, inputs: Inputs, attrs: unknown, specs: readonly Spec[], device: Device): Outputs | null;
  /** Before `op` writes into tensors that exist. */
  write(op: AnyOp, inputs: Inputs, into: Outputs): void;
}
