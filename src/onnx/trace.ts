// One forward of a model as a list of calls, with nothing computed but what neither the input nor a parameter takes part in.
import { noGrad } from "../autograd/mode.ts";
import { type AnyOp, type Inputs, type Outputs, visibleOutputs } from "../autograd/op.ts";
import type { Trace } from "../autograd/trace.ts";
import { context, within } from "../context.ts";
import { check, ExportError, told } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import type { AnyModule, Module } from "../nn/module.ts";
import { bytesPerElement } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { sameShape, sizeOf } from "../tensor/shape.ts";
import { Storage } from "../tensor/storage.ts";
import { internalHandle, type Spec, Tensor } from "../tensor/tensor.ts";

/** What a call takes or gives. */
export interface Value extends Spec {
  readonly kind: "input" | "state" | "constant" | "result";
  /** Of a state, its name in the model's state dict. */
  readonly name: string;
  /** Holds the elements of a state or constant; whoever traced disposes it. */
  readonly tensor: Tensor | null;
}

/** An operation as it was called. */
export interface Call {
  readonly op: string;
  readonly inputs: readonly (Value | null)[];
  readonly attrs: unknown;
  readonly outputs: readonly Value[];
  /** Path of the module that it was called in; "" is the model itself. */
  readonly path: string;
}

/** All calls of a forward, in their order, and its result. */
export interface Traced {
  readonly calls: readonly Call[];
  readonly input: Value;
  readonly output: Value;
  /** Handles on states and constants, to be disposed. */
  readonly held: readonly Tensor[];
}

const where = (path: string): string => (path ? `in ${path}` : "in the model's own forward");

/** Traces `model` on an input of this spec, as it is in evaluation mode. */
export function traceForward(
  model: Module<readonly [Tensor], unknown>,
  spec: Spec,
  device: Device,
  states: ReadonlyMap<Tensor, string>,
): Traced {
  const calls: Call[] = [];
  const held: Tensor[] = [];
  /** By storage; a constant may be seen under several shapes. */
  const values = new Map<Storage, Value[]>();
  const paths = new Map<object, string>(Array.from(model.namedModules(), ([path, module]) => [module, path] as const));
  const here = () => (context.module ? (paths.get(context.module) ?? "") : "");

  const hold = (t: Tensor, kind: "state" | "constant", name: string): Value => {
    const tensor = internalHandle(t.storage, t);
    held.push(tensor);
    const value: Value = { kind, name, shape: t.shape, dtype: t.dtype, tensor };
    values.set(t.storage, [...(values.get(t.storage) ?? []), value]);
    return value;
  };
  const find = (t: Tensor): Value | undefined =>
    values.get(t.storage)?.find(({ shape, dtype }) => dtype === t.dtype && sameShape(shape, t.shape));
  const seen = (t: Tensor): Value => find(t) ?? hold(t, "constant", "");
  for (const [t, name] of states) hold(t, "state", name);

  /** A tensor that stands for one that nothing computes. */
  const standIn = (kind: "input" | "result", { shape, dtype }: Spec): [Tensor, Value] => {
    const path = here();
    const producer = {
      run(): void {
        throw new ExportError(
          `[exportOnnx] the value of a result was asked for while the model was traced (${where(path)}): the graph has to be the same whatever the input is`,
        );
      },
      released(): void {},
    };
    const storage = new Storage(device, sizeOf(shape) * bytesPerElement(dtype), { producer });
    const value: Value = { kind, name: "", shape, dtype, tensor: null };
    values.set(storage, [value]);
    return [new Tensor(storage, shape, dtype), value];
  };

  const trace: Trace = {
    apply(op: AnyOp, inputs: Inputs, attrs: unknown, specs: readonly Spec[]): Outputs | null {
      // What depends on neither the input nor a parameter is computed: it is a constant.
      if (!inputs.some((t) => t && (find(t)?.kind ?? "constant") !== "constant")) return null;
      const given = inputs.map((t) => t && seen(t));
      const made = specs.slice(0, visibleOutputs(op, specs.length, attrs)).map((spec) => standIn("result", spec));
      calls.push({ op: op.name, inputs: given, attrs, outputs: made.map(([, value]) => value), path: here() });
      return made.map(([t]) => t);
    },
    write(op: AnyOp, inputs: Inputs, into: Outputs): void {
      const known = [...inputs, ...into].some((t) => t && values.has(t.storage));
      check(
        !known,
        () =>
          `[exportOnnx] the operation ${op.name} changes a tensor in place (${where(here())}), which a graph cannot say: use the one that gives a new tensor`,
        ExportError,
      );
    },
  };

  const modes = new Map<AnyModule, boolean>(
    Array.from(model.modules(), (module) => [module, module.training] as const),
  );
  model.eval();
  try {
    const [input, output] = within({ trace }, () =>
      noGrad(() =>
        scope(() => {
          const [x, input] = standIn("input", spec);
          const result = model.forward(x);
          check(
            result instanceof Tensor,
            () =>
              `[exportOnnx] forward must return one tensor, got ${told(result)}: wrap the model in a module that returns the one wanted`,
            ExportError,
          );
          return [input, seen(result)] as const;
        }),
      ),
    );
    return { calls, input, output, held };
  } catch (error) {
    for (const t of held) t.dispose();
    throw error;
  } finally {
    for (const [module, training] of modes) module.training = training;
  }
}

/** Parameters and buffers of a model with their names in its state dict. */
export function statesOf(model: AnyModule): Map<Tensor, string> {
  const all = new Map<Tensor, string>();
  for (const [name, t] of [...model.namedParameters(), ...model.namedBuffers()]) all.set(t, name);
  return all;
}
