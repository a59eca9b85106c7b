// The Python globals that a PyTorch weight file may refer to, and what stands for each of them here.
import { numpyGlobals } from "./numpy-globals.ts";
import { describe, expectPickle, PickleCallable, PickleObject, PickleOpaque } from "./pickle.ts";
import type { FileDtype } from "./raw.ts";

/** A storage type as persistent ids name it. Untyped storages count bytes; the tensor brings the dtype. */
export class StorageType extends PickleObject {
  readonly dtype: FileDtype | "untyped";
  constructor(dtype: FileDtype | "untyped") {
    super();
    this.dtype = dtype;
  }
}

/** A reference to a storage of the file: `count` elements, or bytes where the type is untyped. */
export class StorageRef extends PickleObject {
  readonly key: string;
  readonly dtype: FileDtype | "untyped";
  readonly count: number;
  /** First element within the storage `key`: the legacy format stores views of storages. */
  readonly first: number;
  constructor(key: string, dtype: FileDtype | "untyped", count: number, first = 0) {
    super();
    this.key = key;
    this.dtype = dtype;
    this.count = count;
    this.first = first;
  }
}

/** A tensor as the pickle describes it, before its values are read. */
export class TensorRef extends PickleObject {
  readonly storage: StorageRef;
  readonly dtype: FileDtype;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly quantization: Quantization | undefined;
  constructor(
    storage: StorageRef,
    dtype: FileDtype,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
    quantization?: Quantization,
  ) {
    super();
    this.storage = storage;
    this.dtype = dtype;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
    this.quantization = quantization;
  }
}

/** The values are `scale * (q - zeroPoint)`, with one of each for the tensor, or for each index along `axis`. */
export interface Quantization {
  readonly axis: number | undefined;
  readonly scales: TensorRef | readonly number[];
  readonly zeroPoints: TensorRef | readonly number[];
}

/** torch.float32 and the like; `dtype` is undefined where no device dtype can hold it. */
class TorchDtype extends PickleObject {
  readonly dtype: FileDtype | undefined;
  constructor(dtype: FileDtype | undefined) {
    super();
    this.dtype = dtype;
  }
}

const STORAGES: readonly (readonly [string, FileDtype])[] = [
  ["DoubleStorage", "f64"],
  ["FloatStorage", "f32"],
  ["HalfStorage", "f16"],
  ["BFloat16Storage", "bf16"],
  ["LongStorage", "i64"],
  ["IntStorage", "i32"],
  ["ShortStorage", "i16"],
  ["CharStorage", "i8"],
  ["ByteStorage", "u8"],
  ["BoolStorage", "bool"],
  // Of quantised tensors: what rebuilds these says their scales.
  ["QInt8Storage", "i8"],
  ["QUInt8Storage", "u8"],
  ["QInt32Storage", "i32"],
];

const DTYPES: readonly (readonly [string, FileDtype | undefined])[] = [
  ["float64", "f64"],
  ["double", "f64"],
  ["float32", "f32"],
  ["float", "f32"],
  ["float16", "f16"],
  ["half", "f16"],
  ["bfloat16", "bf16"],
  ["int64", "i64"],
  ["long", "i64"],
  ["int32", "i32"],
  ["int", "i32"],
  ["int16", "i16"],
  ["short", "i16"],
  ["int8", "i8"],
  ["uint64", "u64"],
  ["uint32", "u32"],
  ["uint16", "u16"],
  ["uint8", "u8"],
  ["bool", "bool"],
  ["complex64", undefined],
  ["complex128", undefined],
  ["float8_e4m3fn", "f8_e4m3"],
  ["float8_e5m2", "f8_e5m2"],
  ["float8_e8m0fnu", "f8_e8m0"],
];

/** Bounds what calls may copy, so that a small pickle cannot grow: no checkpoint comes near it. */
const MAX_COPIED_ITEMS = 100_000;

/** What stands in the place of weights now and then, and how to save it so that it can be read. */
const ADVICE: readonly (readonly [string, string])[] = [
  ["torch._utils._rebuild_sparse_tensor", "a sparse tensor: call .to_dense() on it before torch.save"],
  ["torch._utils._rebuild_sparse_csr_tensor", "a sparse tensor: call .to_dense() on it before torch.save"],
  ["torch._utils._rebuild_nested_tensor", "a nested tensor: save its parts, .unbind(), one by one"],
  [
    "torch._utils._rebuild_meta_tensor_no_storage",
    "a tensor of the meta device, which has no values: save the real one",
  ],
  [
    "torch.nn.parameter.UninitializedParameter",
    "a parameter of a lazy layer, which has no values: save it after a forward pass",
  ],
  [
    "torch.nn.parameter.UninitializedBuffer",
    "a buffer of a lazy layer, which has no values: save it after a forward pass",
  ],
  ["numpy.core.multiarray._reconstruct", "an array of NumPy: torch.from_numpy(array) before torch.save"],
  ["numpy._core.multiarray._reconstruct", "an array of NumPy: torch.from_numpy(array) before torch.save"],
];

/**
 * The allowed globals by `module.name`, for one pickle. `torch.storage._load_from_bytes` is left out on purpose: it
 * unpickles what it is given. torch.load(weights_only=True) allows about the same set:
 * https://github.com/pytorch/pytorch/blob/main/torch/_weights_only_unpickler.py
 */
export function torchGlobals(source: string): ReadonlyMap<string, unknown> {
  const globals = new Map<string, unknown>(numpyGlobals(source));
  const allow = (path: string, call: (args: readonly unknown[]) => unknown) =>
    globals.set(path, new PickleCallable(path, call));

  let copied = 0;
  const items = (value: unknown): readonly unknown[] => {
    if (value === undefined) return [];
    expectPickle(Array.isArray(value), source, () => `a container is made from ${describe(value)}, not from a list`);
    copied += value.length;
    expectPickle(copied <= MAX_COPIED_ITEMS, source, () => `containers copy more than ${MAX_COPIED_ITEMS} items`);
    return value;
  };
  const pairs = (value: unknown): Map<unknown, unknown> => {
    if (value instanceof Map) return value;
    return new Map(
      items(value).map((pair): [unknown, unknown] => {
        expectPickle(Array.isArray(pair) && pair.length === 2, source, () => "a dict is made from something but pairs");
        return [pair[0], pair[1]];
      }),
    );
  };
  allow("collections.OrderedDict", ([entries]) => pairs(entries));
  allow("collections.Counter", ([entries]) => pairs(entries));
  const defaultdict = new PickleCallable("collections.defaultdict", ([, entries]) => pairs(entries), true);
  globals.set(defaultdict.name, defaultdict);
  // Python 2 names the module __builtin__, and protocol 2 keeps that name.
  for (const builtins of ["builtins", "__builtin__"]) {
    allow(`${builtins}.set`, ([entries]) => new Set(items(entries)));
    allow(`${builtins}.list`, ([entries]) => [...items(entries)]);
    allow(`${builtins}.dict`, ([entries]) => pairs(entries));
  }

  for (const [path, type] of storageTypes()) globals.set(path, type);
  for (const [path, advice] of ADVICE) globals.set(path, new PickleOpaque(path, advice));
  for (const [name, dtype] of DTYPES) globals.set(`torch.${name}`, new TorchDtype(dtype));
  for (const name of ["torch.Tensor", "torch.nn.parameter.Parameter"]) globals.set(name, new PickleObject());
  allow("torch.Size", ([sizes = []]) => sizes);
  allow("torch.device", () => null); // where a tensor was does not matter here

  const tensor = ([storage, offset, shape, strides]: readonly unknown[], dtype?: FileDtype) =>
    tensorRef(source, storage, offset, shape, strides, dtype);
  const rebuilders = new Set<unknown>();
  const rebuild = (name: string, call: (args: readonly unknown[]) => unknown) => {
    const callable = new PickleCallable(`torch._utils.${name}`, call);
    globals.set(callable.name, callable);
    rebuilders.add(callable);
  };
  rebuild("_rebuild_tensor", (args) => tensor(args));
  rebuild("_rebuild_tensor_v2", (args) => tensor(args));
  rebuild("_rebuild_tensor_v3", (args) => {
    const dtype = args[6] instanceof TorchDtype ? args[6].dtype : undefined;
    // Complex or float8: it may lie beside the weights.
    return dtype === undefined ? new PickleOpaque("torch._utils._rebuild_tensor_v3") : tensor(args, dtype);
  });
  rebuild("_rebuild_qtensor", ([storage, offset, shape, strides, params]) => {
    const quantization = quantizationOf(source, params);
    // Another scheme: it may lie beside the weights.
    if (quantization === undefined) return new PickleOpaque("torch._utils._rebuild_qtensor");
    return tensorRef(source, storage, offset, shape, strides, undefined, quantization);
  });
  rebuild("_rebuild_parameter", ([data]) => data);
  rebuild("_rebuild_parameter_with_state", ([data]) => data);
  // TorchScript marks containers with their types, and lists by what they hold.
  allow("torch.jit._pickle.restore_type_tag", ([value]) => value);
  for (const list of ["tensor", "int", "double", "bool"]) {
    allow(`torch.jit._pickle.build_${list}list`, ([value]) => value);
  }
  // What protocols 0 and 1 make an object with: (class, base class, state of the base).
  for (const copyreg of ["copyreg", "copy_reg"]) {
    const path = `${copyreg}._reconstructor`;
    const reconstruct = ([made]: readonly unknown[]) =>
      made instanceof PickleOpaque ? made.instance() : new PickleOpaque(path);
    globals.set(path, new PickleCallable(path, reconstruct, true));
  }
  // Tensors with Python attributes: (rebuild function, class, its arguments, attributes).
  allow("torch._tensor._rebuild_from_type_v2", ([callee, , args]) => {
    expectPickle(
      callee instanceof PickleCallable && rebuilders.has(callee) && Array.isArray(args),
      source,
      () => `a tensor is rebuilt by ${describe(callee)} from ${describe(args)}`,
    );
    return callee.call(args);
  });
  return globals;
}

/** The storage types by their paths, which protocol 0 writes as text. */
export function storageTypes(): Map<string, StorageType> {
  const types = new Map([["torch.storage.UntypedStorage", new StorageType("untyped")]]);
  for (const [name, dtype] of STORAGES) {
    for (const module of ["torch", "torch.cuda"]) types.set(`${module}.${name}`, new StorageType(dtype));
  }
  return types;
}

/** Reads (scheme, scale, zero point) or (scheme, scales, zero points, axis); undefined for a scheme that is not known. */
function quantizationOf(source: string, params: unknown): Quantization | undefined {
  expectPickle(Array.isArray(params), source, () => `a quantizer is ${describe(params)}`);
  const [scheme, scales, zeroPoints, axis]: readonly unknown[] = params;
  const path = scheme instanceof PickleOpaque ? scheme.path : "";
  if (path === "torch.per_tensor_affine" && typeof scales === "number" && typeof zeroPoints === "number") {
    return { axis: undefined, scales: [Math.fround(scales)], zeroPoints: [zeroPoints] }; // as PyTorch holds it
  }
  if (!/^torch\.per_channel_affine(_float_qparams)?$/.test(path)) return undefined;
  const isNumbers = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((item) => typeof item === "number");
  const isList = (value: unknown): value is TensorRef | number[] =>
    (value instanceof TensorRef && value.quantization === undefined) || isNumbers(value);
  expectPickle(
    isCount(axis) && isList(scales) && isList(zeroPoints),
    source,
    () => `a quantizer has ${describe(scales)} and ${describe(zeroPoints)} along axis ${describe(axis)}`,
  );
  return { axis, scales, zeroPoints };
}

function tensorRef(
  source: string,
  storage: unknown,
  offset: unknown,
  shape: unknown,
  strides: unknown,
  dtype?: FileDtype,
  quantization?: Quantization,
): TensorRef {
  expectPickle(storage instanceof StorageRef, source, () => `a tensor's storage is ${describe(storage)}`);
  const type = dtype ?? storage.dtype;
  expectPickle(type !== "untyped", source, () => "a tensor has neither a typed storage nor a dtype");
  expectPickle(isCount(offset), source, () => `a tensor's storage offset is ${describe(offset)}`);
  expectPickle(
    isCounts(shape) && isCounts(strides) && shape.length === strides.length,
    source,
    () => `a tensor's shape is ${describe(shape)} and its strides are ${describe(strides)}`,
  );
  // Copies: the pickle may go on to change its lists.
  return new TensorRef(storage, type, offset, [...shape], [...strides], quantization);
}

/** A whole number that can be a size, a stride or an offset. */
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** No tensor has more dimensions: PyTorch's own limit. */
const MAX_RANK = 64;
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= MAX_RANK && value.every(isCount);
