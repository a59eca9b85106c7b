// State of parameters, zero: tensors side by side in one buffer, so that a launch binds it once for all of them.
import { runInto } from "../autograd/run.ts";
import { unrecorded } from "../capture/hooks.ts";
import { padded } from "../kernels/binding-parts.ts";
import { fillOp } from "../kernels/fill.ts";
import { keep } from "../tensor/scope.ts";
import { Storage } from "../tensor/storage.ts";
import { Tensor } from "../tensor/tensor.ts";

/** A tensor like each of `params`, on their device. The memory is freed with the last of them. */
export function zerosSideBySide(params: readonly Tensor[]): (readonly [p: Tensor, state: Tensor])[] {
  const [first] = params;
  if (!first) return [];
  const { device } = first;
  const elements = params.reduce((sum, p) => sum + padded(p.numel), 0);
  return unrecorded(() => {
    const whole = new Storage(device, 4 * elements);
    const all = new Tensor(whole, [elements], "f32");
    runInto(fillOp, [], { value: 0 }, [all]);
    let at = 0;
    const states = params.map((p) => {
      const part = new Storage(device, 4 * p.numel, { part: { of: whole, offset: 4 * at } });
      at += padded(p.numel);
      return [p, keep(new Tensor(part, p.shape, "f32"))] as const;
    });
    all.dispose();
    return states;
  });
}
