// defineOp(): an operation of one's own, which capture, scope, gradcheck and profiles treat like any other.
import { apply } from "../autograd/apply.ts";
import type { Gradients, Inputs, Op, Outputs, Saved, SpecsOf, Vjp } from "../autograd/op.ts";
import { check, checkFunction, checkOptions, ShapeError, told, ValueError } from "../errors.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import { sameShape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Launcher } from "./kernel.ts";

/**
 * What an op is. `In`: its inputs, a tuple, optional ones `Tensor | null`. `A`: its attributes, `void` without any. `Out`: what
 * a call gives. `Kept`: further outputs that exist for `vjp` alone.
 */
export interface OpDefinition<
  In extends Inputs = [x: Tensor],
  A = void,
  Out extends Outputs = [y: Tensor],
  Kept extends Outputs = [],
> {
  /** Stands in errors and profiles. */
  readonly name: string;
  /** Shapes and dtypes of all outputs, `Kept` ones last. Here inputs that do not fit are refused. */
  infer(inputs: SpecsOf<In>, attrs: A, device: DeviceInfo): SpecsOf<readonly [...Out, ...Kept]>;
  /** Launches the kernels that fill `outputs`, whose content is undefined before. */
  forward(run: Launcher, inputs: In, outputs: readonly [...Out, ...Kept], attrs: A): void;
  /** How many trailing outputs are `Kept`. Default 0. */
  readonly aux?: Kept["length"];
  /** Which inputs and outputs, by position, are kept for `vjp`. Default: all inputs, no outputs. */
  readonly saves?: Partial<Saved>;
  /**
   * Gradients of the inputs from those of the outputs, null where `context.needs` asks for none. It may use any operation;
   * what it makes on the way is freed.
   */
  readonly vjp: Vjp<In, A, Out, Kept> | "not differentiable";
}

/** An op as a function of its inputs and, where it has some, its attributes. */
export type DefinedOp<In extends Inputs, A, Out extends Outputs> = (
  // biome-ignore lint/suspicious/noConfusingVoidType: the default of A, as for Op
  ...args: [...inputs: In, ...attrs: [A] extends [void] ? [] : [attrs: A]]
) => Out extends readonly [Tensor] ? Out[0] : Out;

/**
 * Makes an operation from a shape rule, kernels and their gradient.
 *
 * ```ts
 * const double = kernel("double", `
 *   struct Params { n: u32 }
 *   @group(0) @binding(0) var<storage, read> x: array<f32>;
 *   @group(0) @binding(1) var<storage, read_write> y: array<f32>;
 *   @group(0) @binding(2) var<uniform> p: Params;
 *   @compute @workgroup_size(64)
 *   fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
 *     let i = id.x + id.y * groups.x * 64u;
 *     if (i < p.n) { y[i] = 2.0 * x[i]; }
 *   }`);
 * const twice = defineOp({
 *   name: "twice",
 *   infer: ([x]) => [x],
 *   forward: (run, [x], [y]) => double.launch(run, { x, y }, { n: x.numel }, grid1d(x.numel, 64)),
 *   saves: { inputs: [] },
 *   vjp: ([dy]) => [twice(dy)],
 * });
 * const y = twice(tensor([1, 2, 3]));
 * ```
 *
 * Inputs, attributes and outputs other than these are type arguments: `defineOp<[x: Tensor, bias: Tensor | null], { beta:
 * number }>({ ... })`, called as `op(x, bias, { beta: 1 })`. Check a gradient with `gradcheck`.
 * @see https://pytorch.org/docs/stable/notes/extending.html
 */
export function defineOp<
  In extends Inputs = [x: Tensor],
  A = void,
  Out extends Outputs = [y: Tensor],
  Kept extends Outputs = [],
>(definition: OpDefinition<In, A, Out, Kept>): DefinedOp<In, A, Out> {
  checkOptions("defineOp", definition, ["name", "infer", "forward", "aux", "saves", "vjp"]);
  const { name, aux, vjp, saves = {} } = definition;
  check(typeof name === "string", () => `[defineOp] name must be text, got ${told(name)}`, ValueError);
  checkFunction(name, "infer", definition.infer);
  checkFunction(name, "forward", definition.forward);
  if (vjp !== "not differentiable") checkFunction(name, 'vjp (or "not differentiable")', vjp);
  const op: Op<In, A, Out, Kept> = {
    name,
    required: 0,
    infer(inputs, attrs, device) {
      const specs: unknown = definition.infer(inputs, attrs, device);
      check(
        Array.isArray(specs) && specs.every((s: unknown) => isSpec(s)),
        () => `[${name}] infer must give a list with { shape, dtype } of each output`,
        ValueError,
      );
      return specs as unknown as SpecsOf<readonly [...Out, ...Kept]>;
    },
    forward: (run, inputs, outputs, attrs) => definition.forward(run, inputs, outputs, attrs),
    ...(aux === undefined ? {} : { aux }),
    saves: (needs) => ({ inputs: saves.inputs ?? [...needs.keys()], outputs: saves.outputs ?? [] }),
    vjp: vjp === "not differentiable" ? vjp : (grads, c) => checkedGradients(name, vjp(grads, c), c.inputSpecs),
  };
  const call = (...args: unknown[]): Tensor | Outputs => {
    const tensors = args.filter((t): t is Tensor | null => t === null || t instanceof Tensor);
    const [attrs, ...others] = args.slice(tensors.length);
    check(
      others.length === 0 && !(attrs instanceof Tensor || attrs === null),
      () => `[${name}] takes its input tensors (null for one that is left out) and then its attributes, if any`,
      ValueError,
    );
    // What the types of a call allow is what the op takes.
    const outputs: Outputs = apply(op, tensors as readonly (Tensor | null)[] as In, attrs as A);
    const [first] = outputs;
    return outputs.length === 1 && first ? first : outputs;
  };
  return call as unknown as DefinedOp<In, A, Out>;
}

const isSpec = (s: unknown): boolean =>
  typeof s === "object" && s !== null && "shape" in s && Array.isArray(s.shape) && "dtype" in s;

/** Throws for gradients that do not fit the inputs. */
function checkedGradients<In extends Inputs>(name: string, given: Gradients<In>, inputs: SpecsOf<In>): Gradients<In> {
  check(
    Array.isArray(given) && given.length === inputs.length,
    () => `[${name}] vjp must give a list with a gradient, or null, for each of its ${inputs.length} inputs`,
    ValueError,
  );
  for (const [i, grad] of given.entries()) {
    const input = inputs[i];
    if (!grad || !input) continue;
    check(
      sameShape(grad.shape, input.shape) && grad.dtype === input.dtype,
      () =>
        `[${name}] vjp gives ${grad.dtype} ${show(grad.shape)} as the gradient of input ${i}, which is ${input.dtype} ${show(input.shape)}`,
      ShapeError,
    );
  }
  return given;
}
