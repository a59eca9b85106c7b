// exportOnnx: a model as an ONNX file.
import { deviceOf } from "../autograd/run.ts";
import { check, checkOptions, ExportError, LimitError, told, ValueError } from "../errors.ts";
import { currentDevice } from "../gpu/device.ts";
import { Module } from "../nn/module.ts";
import type { Dtype } from "../tensor/dtype.ts";
import { sameShape } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import { bytesOf, checkTwins, repeatedConstants } from "./constants.ts";
import { elementwise } from "./elementwise.ts";
import { Graph } from "./graph.ts";
import { layers } from "./layers.ts";
import type { Given, Mapped } from "./mapping.ts";
import { places } from "./places.ts";
import { products } from "./products.ts";
import { type ElementType, type TensorInfo, writeModel } from "./proto.ts";
import { recurrentLayers } from "./recurrent.ts";
import { type Batches, isFixed, NotLinear, type Sizes, sizesOfTwo } from "./sizes.ts";
import { statesOf, type Traced, traceForward, type Value } from "./trace.ts";

/** What `exportOnnx` takes beside the model and an input. */
export interface OnnxOptions {
  /** Name of the graph's input. Default "input". */
  inputName?: string;
  /** Name of the graph's output. Default "logits". */
  outputName?: string;
  /**
   * True: the first size of the input and of what follows from it may be any, named "batch". False: it is that of the given input.
   * Default: true where the model permits it.
   */
  dynamicBatch?: boolean;
}

const OPTIONS = ["inputName", "outputName", "dynamicBatch"];
const NAME = "exportOnnx";
/** Two batches that no size of a model is likely to be a multiple of by chance; what is the same with both is no batch. */
const BATCHES: Batches = [2, 3];
/** Attributes that hold sizes, which mappings read for both batches, or what an operation has at its end. */
const SIZED = new Set([
  "shape",
  "a",
  "b",
  "c",
  "q",
  "k",
  "v",
  "y",
  "batch",
  "heads",
  "maskAt",
  "maskBatches",
  "activation",
  "op",
]);
/** A protocol buffer has at most so many bytes. */
const MOST_BYTES = 2 ** 31 - 1;

const mappings = { ...elementwise, ...layers, ...places, ...products, ...recurrentLayers };

/**
 * A model as an ONNX file, which ONNX Runtime and others run. The model's forward is traced once in evaluation mode on an input of
 * this shape and dtype, the values of which do not matter: what it computes for it is the graph, whatever the input is later on.
 * Parameters and buffers have their names in the state dict. Batch norm uses its running statistics, dropout does nothing, and the
 * model's mode is what it was afterwards.
 *
 * ```ts
 * import { exportOnnx } from "wgrad/onnx";
 *
 * const bytes = await exportOnnx(model, rand([1, 3, 224, 224]));
 * await writeFile("resnet18.onnx", bytes); // of node:fs/promises
 * ```
 *
 * @param input f32 or i32, the batch first.
 * @throws ExportError for an operation that has no mapping, naming it and the module that calls it; for a forward that changes tensors
 * in place or does not return one tensor; and with `dynamicBatch: true` where sizes or constants depend on the batch otherwise
 * than by a factor. @throws LimitError for a model beyond 2 GiB, the most that a file of this format holds.
 * @see https://onnx.ai and https://pytorch.org/docs/stable/onnx.html
 */
export async function exportOnnx<I extends Tensor>(
  model: Module<readonly [I], unknown>,
  input: I,
  options: OnnxOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  check(model instanceof Module, () => `[${NAME}] got ${told(model)} in the place of a model`, ValueError);
  const device = deviceOf(NAME, [input]) ?? currentDevice();
  checkOptions(NAME, options, OPTIONS);
  const { inputName = "input", outputName = "logits", dynamicBatch } = options;
  for (const name of [inputName, outputName])
    check(typeof name === "string" && name !== "", () => `[${NAME}] names are text, got ${told(name)}`, ValueError);
  check(inputName !== outputName, () => `[${NAME}] input and output are both called ${told(inputName)}`, ValueError);
  const { shape, dtype } = input;
  const states = statesOf(model);
  const traced = (batch: number | null): Traced => {
    const spec: Spec = { shape: batch === null ? shape : [batch, ...shape.slice(1)], dtype };
    return traceForward(model, spec, device, states);
  };
  const names = [inputName, outputName] as const;
  if (dynamicBatch !== false && shape.length > 0) {
    const pair = BATCHES.map(traced);
    const [first, second] = pair;
    try {
      if (first && second) return await write(first, second, BATCHES, names);
    } catch (error) {
      if (dynamicBatch || !(error instanceof NotLinear)) throw error;
    } finally {
      for (const { held } of pair) for (const t of held) t.dispose();
    }
  }
  const only = traced(null);
  try {
    return await write(only, only, [1, 1], names);
  } finally {
    for (const t of only.held) t.dispose();
  }
}

/** The file of a forward that was traced with two batches (or twice the same trace). */
async function write(
  first: Traced,
  second: Traced,
  batches: Batches,
  [inputName, outputName]: readonly [string, string],
): Promise<Uint8Array<ArrayBuffer>> {
  const stateNames = [...first.calls.flatMap(({ inputs }) => inputs), first.output].flatMap((value) =>
    value?.kind === "state" ? [value.name] : [],
  );
  const g = new Graph(inputName, [inputName, outputName, ...stateNames]);
  const refs = new Map<Value, Given>();
  const data = new Map<Value, string>();
  const twins: [Value, Value, string][] = [];
  const repeated = await repeatedConstants(first, second);

  const refOf = (value: Value, twin: Value, what: () => string): Given => {
    const known = refs.get(value);
    if (known) return known;
    const again = repeated.get(value);
    if (again) {
      const sizes = sizesOfTwo(value.shape, twin.shape, batches, what);
      const once = g.constant(elementTypeOf(value.dtype), again.shape, again.bytes);
      const shapes = [value.shape, twin.shape] as const;
      const ref: Given = { name: g.node("Expand", [once, g.shape(sizes)]), sizes, dtype: value.dtype, shapes };
      refs.set(value, ref);
      return ref;
    }
    const fixed = value.kind === "constant" || value.kind === "state";
    check(
      !fixed || sameShape(value.shape, twin.shape),
      () => `[${NAME}] a constant in ${what()} has another shape for each batch`,
      NotLinear,
    );
    const name = value.kind === "input" ? inputName : value.kind === "state" ? value.name : g.name("constant");
    const sizes = sizesOfTwo(value.shape, twin.shape, batches, what);
    const ref: Given = { name, sizes, dtype: value.dtype, shapes: [value.shape, twin.shape] };
    refs.set(value, ref);
    if (fixed) data.set(value, name);
    if (value.kind === "constant") twins.push([value, twin, what()]);
    return ref;
  };

  check(first.calls.length === second.calls.length, () => `[${NAME}] forward differs from batch to batch`, NotLinear);
  for (const [i, call] of first.calls.entries()) {
    const other = second.calls[i];
    const what = () => `${call.op}${call.path ? ` of ${call.path}` : ""}`;
    check(
      other?.op === call.op && sameAttributes(call.attrs, other.attrs),
      () => `[${NAME}] ${what()} differs from batch to batch`,
      NotLinear,
    );
    const map = Object.hasOwn(mappings, call.op) ? mappings[call.op] : undefined;
    check(
      map !== undefined,
      () =>
        `[${NAME}] the operation ${call.op} (${call.path ? `in ${call.path}` : "in the model's own forward"}) has no mapping to ONNX: compute it outside of the model, or of other operations`,
      ExportError,
    );
    g.path = call.path;
    const mapped: Mapped<unknown> = {
      type: call.op,
      op: what(),
      inputs: call.inputs.map((value, j) => value && refOf(value, other.inputs[j] ?? value, what)),
      attrs: call.attrs,
      other: other.attrs,
      outputs: call.outputs.map((value, j) => {
        const twin = other.outputs[j] ?? value;
        const shapes = [value.shape, twin.shape] as const;
        return { sizes: sizesOfTwo(...shapes, batches, what), shapes, dtype: value.dtype };
      }),
      batches,
    };
    for (const [j, name] of map(g, mapped).entries()) {
      const value = call.outputs[j];
      const output = mapped.outputs[j];
      if (value && output) refs.set(value, { ...output, name, made: mapped });
    }
  }
  g.path = "";
  const output = refOf(first.output, second.output, () => "the result");
  g.nodes.push({
    type: "Identity",
    name: g.name("Identity"),
    inputs: [output.name],
    outputs: [outputName],
    attributes: {},
  });

  g.prune([outputName]);
  await checkTwins(NAME, twins);
  for (const [{ tensor, shape, dtype }, name] of data) {
    if (tensor && g.reads(name))
      g.initializers.push({ name, type: elementTypeOf(dtype), shape, bytes: await bytesOf(tensor) });
  }
  const total = g.initializers.reduce((sum, { bytes }) => sum + bytes.length, 0);
  check(
    total < MOST_BYTES,
    () => `[${NAME}] ${total} bytes of weights are more than a file holds, ${MOST_BYTES}`,
    LimitError,
  );
  const { shape, dtype } = first.input;
  const inputSizes = sizesOfTwo(shape, second.input.shape, batches, () => "the input");
  const input: TensorInfo = { name: inputName, dtype, shape: named(inputSizes) };
  return writeModel({
    name: "wgrad",
    nodes: g.nodes,
    initializers: g.initializers,
    inputs: [input],
    outputs: [{ name: outputName, dtype: output.dtype, shape: named(output.sizes) }],
  });
}

/** f16 comes from the device as f32. */
const elementTypeOf = (dtype: Dtype): ElementType => (dtype === "f16" ? "f32" : dtype);

/** Sizes as a file says them: the batch by its name, and multiples of it. */
const named = (sizes: Sizes): (number | string)[] =>
  sizes.map((size) => (isFixed(size) ? size : size.times === 1 ? "batch" : `${size.times}*batch`));

/** Whether attributes agree but for sizes, which mappings look at. */
function sameAttributes(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  const text = (attrs: unknown) =>
    JSON.stringify(attrs, (key, value) =>
      SIZED.has(key) ? undefined : ArrayBuffer.isView(value) || typeof value !== "number" ? value : String(value),
    );
  return text(a) === text(b);
}
