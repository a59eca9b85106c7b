// Parameter: a tensor that a module owns and an optimizer trains.
import { deviceOf } from "../autograd/run.ts";
import { keep } from "../tensor/scope.ts";
import type { Shape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/**
 * A leaf that requires a gradient and that `Module` finds among its properties. Shares `data`'s storage and takes the
 * handle over: `new Parameter(randn([10, 3]))` needs no `dispose()` of the argument. Lives outside of scopes.
 */
export class Parameter<S extends Shape = Shape> extends Tensor<S> {
  constructor(data: Tensor<S>, requiresGrad = true) {
    deviceOf("Parameter", [data]);
    super(data.storage.retain(), data.shape, data.dtype);
    data.dispose();
    keep(this);
    this.requiresGrad = requiresGrad;
  }
}
