// NumPy scalars in pickles: training scripts put an accuracy or a loss beside the weights.
import { halfToFloat } from "../tensor/half.ts";
import { describe, expectPickle, PickleCallable, PickleObject, PickleOpaque } from "./pickle.ts";

class NumpyDtype extends PickleObject {
  readonly code: string;
  littleEndian = true;
  constructor(code: string) {
    super();
    this.code = code;
  }
  /** NumPy's state is (version, byte order, ...). */
  override build(state: unknown): void {
    this.littleEndian = !(Array.isArray(state) && state[1] === ">");
  }
}

const READERS: ReadonlyMap<string, (view: DataView, littleEndian: boolean) => unknown> = new Map([
  ["f8", (v: DataView, le: boolean): unknown => v.getFloat64(0, le)],
  ["f4", (v, le) => v.getFloat32(0, le)],
  ["f2", (v, le) => halfToFloat(Uint16Array.of(v.getUint16(0, le)))[0]],
  ["i8", (v, le) => Number(v.getBigInt64(0, le))],
  ["i4", (v, le) => v.getInt32(0, le)],
  ["i2", (v, le) => v.getInt16(0, le)],
  ["i1", (v) => v.getInt8(0)],
  ["u8", (v, le) => Number(v.getBigUint64(0, le))],
  ["u4", (v, le) => v.getUint32(0, le)],
  ["u2", (v, le) => v.getUint16(0, le)],
  ["u1", (v) => v.getUint8(0)],
  ["b1", (v) => v.getUint8(0) !== 0],
]);

/** The globals that a pickled NumPy scalar needs, by `module.name`. */
export function numpyGlobals(source: string): Map<string, unknown> {
  const globals = new Map<string, unknown>();
  const allow = (path: string, call: (args: readonly unknown[]) => unknown) =>
    globals.set(path, new PickleCallable(path, call));

  allow("numpy.dtype", ([code]) => {
    expectPickle(typeof code === "string", source, () => `numpy.dtype is called with ${describe(code)}`);
    return new NumpyDtype(code);
  });
  for (const core of ["numpy.core", "numpy._core"]) {
    allow(`${core}.multiarray.scalar`, ([dtype, given]) => {
      // Python 2 wrote bytes as text.
      const data = typeof given === "string" ? new TextEncoder().encode(given) : given;
      expectPickle(
        dtype instanceof NumpyDtype && data instanceof Uint8Array,
        source,
        () => `a numpy scalar is made from ${describe(dtype)} and ${describe(data)}`,
      );
      const read = READERS.get(dtype.code);
      if (read === undefined) return new PickleOpaque(`${core}.multiarray.scalar`); // text, a date
      const size = Number(dtype.code.slice(1));
      expectPickle(
        data.length === size,
        source,
        () => `a numpy scalar of ${data.length} bytes has dtype "${dtype.code.slice(0, 20)}"`,
      );
      return read(new DataView(data.buffer, data.byteOffset, size), dtype.littleEndian);
    });
  }
  // Protocol 2 has no bytes: Python 3 writes them as latin-1 text to be encoded. One result per text, so that a
  // stream that asks again and again cannot multiply its size.
  const encoded = new Map<string, Uint8Array>();
  allow("_codecs.encode", ([text, encoding]) => {
    expectPickle(typeof text === "string" && encoding === "latin1", source, () => "bytes are not latin-1 text");
    let bytes = encoded.get(text);
    if (bytes === undefined) {
      bytes = Uint8Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
      encoded.set(text, bytes);
    }
    return bytes;
  });
  return globals;
}
