// The messages of an ONNX file that a graph of tensors needs, as bytes of protocol buffers. Numbers of fields and enumerations are
// those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3.
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Dtype } from "../tensor/dtype.ts";

/** Version of the operators' definitions: https://github.com/onnx/onnx/blob/main/docs/Operators.md. */
export const OPSET = 17;
/** Version of the format that came with it: https://github.com/onnx/onnx/blob/main/docs/Versioning.md. */
const IR_VERSION = 8;

/** TensorProto.DataType. */
export const elementTypes = { f32: 1, i32: 6, i64: 7, bool: 9, f16: 10, u32: 12 } as const;
export type ElementType = keyof typeof elementTypes;

/** A whole number, a float (which has to say so), text, or a list of whole numbers or texts. */
export type Attribute =
  | number
  | { readonly float: number }
  | string
  | readonly number[]
  | { readonly texts: readonly string[] };

export interface NodeInfo {
  readonly type: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Initializer {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Little-endian, row-major. */
  readonly bytes: Uint8Array;
}

/** Of an input or output of the graph: sizes, or a name where any will do. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly (number | string)[];
}

export interface GraphInfo {
  readonly name: string;
  readonly nodes: readonly NodeInfo[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

type Write = (writer: BinaryWriter) => void;

const text = (w: BinaryWriter, field: number, value: string): void =>
  void w.tag(field, WireType.LengthDelimited).string(value);
const whole = (w: BinaryWriter, field: number, value: number): void => void w.tag(field, WireType.Varint).int64(value);

function message(w: BinaryWriter, field: number, write: Write): void {
  w.tag(field, WireType.LengthDelimited).fork();
  write(w);
  w.join();
}

const packed = (w: BinaryWriter, field: number, values: readonly number[]): void =>
  message(w, field, () => {
    for (const value of values) w.int64(value);
  });

/** AttributeProto, whose `type` is FLOAT 1, INT 2, STRING 3, INTS 7 or STRINGS 8. */
function attribute(w: BinaryWriter, name: string, value: Attribute): void {
  text(w, 1, name);
  if (typeof value === "string") {
    w.tag(4, WireType.LengthDelimited).bytes(new TextEncoder().encode(value));
    whole(w, 20, 3);
  } else if (typeof value === "number") {
    whole(w, 3, value);
    whole(w, 20, 2);
  } else if ("float" in value) {
    w.tag(2, WireType.Bit32).float(value.float);
    whole(w, 20, 1);
  } else if ("texts" in value) {
    for (const each of value.texts) w.tag(9, WireType.LengthDelimited).bytes(new TextEncoder().encode(each));
    whole(w, 20, 8);
  } else {
    packed(w, 8, value);
    whole(w, 20, 7);
  }
}

/** NodeProto. */
function node(w: BinaryWriter, { type, name, inputs, outputs, attributes }: NodeInfo): void {
  for (const input of inputs) text(w, 1, input);
  for (const output of outputs) text(w, 2, output);
  text(w, 3, name);
  text(w, 4, type);
  for (const [key, value] of Object.entries(attributes)) message(w, 5, () => attribute(w, key, value));
}

/** TensorProto. */
function initializer(w: BinaryWriter, { name, type, shape, bytes }: Initializer): void {
  packed(w, 1, shape);
  whole(w, 2, elementTypes[type]);
  text(w, 8, name);
  w.tag(9, WireType.LengthDelimited).bytes(bytes);
}

/** ValueInfoProto, with TypeProto, its Tensor and TensorShapeProto. */
function tensorInfo(w: BinaryWriter, { name, dtype, shape }: TensorInfo): void {
  text(w, 1, name);
  message(w, 2, () =>
    message(w, 1, () => {
      whole(w, 1, elementTypes[dtype]);
      message(w, 2, () => {
        for (const size of shape) {
          message(w, 1, () => (typeof size === "string" ? text(w, 2, size) : whole(w, 1, size)));
        }
      });
    }),
  );
}

/** ModelProto: the whole file. */
export function writeModel({ name, nodes, initializers, inputs, outputs }: GraphInfo): Uint8Array<ArrayBuffer> {
  const w = new BinaryWriter();
  whole(w, 1, IR_VERSION);
  text(w, 2, "wgrad");
  message(w, 7, () => {
    for (const each of nodes) message(w, 1, () => node(w, each));
    text(w, 2, name);
    for (const each of initializers) message(w, 5, () => initializer(w, each));
    for (const each of inputs) message(w, 11, () => tensorInfo(w, each));
    for (const each of outputs) message(w, 12, () => tensorInfo(w, each));
  });
  message(w, 8, () => {
    text(w, 1, "");
    whole(w, 2, OPSET);
  });
  return w.finish();
}
