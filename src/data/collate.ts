// Items to a batch, as PyTorch's default_collate: numbers and arrays become tensors with a batch dimension in front, and tuples,
// objects and maps stay what they are.
import { check, DtypeError, ShapeError, told, ValueError, WgradError } from "../errors.ts";
import { stack } from "../ops/cat.ts";
import { type NumericArray, tensor } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { type Shape, sameShape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { HostTensor, isNumeric, type ToTensor } from "./host-tensor.ts";

/** What `defaultCollate` makes of items of type T. */
export type Collated<T> = T extends string
  ? string[]
  : T extends number | boolean | NumericArray | ToTensor | Tensor
    ? Tensor
    : T extends ReadonlyMap<infer K, infer V>
      ? Map<K, Collated<V>>
      : T extends readonly unknown[]
        ? { -readonly [K in keyof T]: Collated<T[K]> }
        : { -readonly [K in keyof T]: Collated<T[K]> };

/** Nested deeper an item probably holds itself. */
const DEEPEST = 64;

/**
 * One batch of items that have the same structure: numbers become a tensor [N] (i32 where all are whole, else f32; truth
 * values 1 and 0), typed arrays, `HostTensor`s and tensors of one shape are stacked to [N, ...], texts become a list, and tuples,
 * objects and maps keep their structure, with a batch in each place. Whether numbers are whole is seen batch by batch: targets
 * that must be f32 in every batch are `Float32Array.of(x)`, or `new HostTensor(Float32Array.of(x), [])`.
 *
 * @param positions of the items in their data set, for error messages
 * @throws ShapeError, DtypeError, ValueError naming the item, the place in it and both shapes where items do not stack
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.default_collate
 */
export function defaultCollate<Item>(items: readonly Item[], positions?: ArrayLike<number>): Collated<Item> {
  check(
    Array.isArray(items) && items.length > 0,
    () => `[defaultCollate] takes an array of at least one item, got ${told(items)}`,
    ValueError,
  );
  const named = (i: number) =>
    Object(positions)[i] === undefined ? `item ${i}` : `item ${i} (position ${Object(positions)[i]})`;
  // Where an item does not fit, what was made before it is freed.
  return scope<unknown>(() => collateAt(Array.from(items), "", { named, depth: 0 })) as Collated<Item>;
}

interface Place {
  /** How item i of the batch is called. */
  readonly named: (i: number) => string;
  readonly depth: number;
}

function collateAt(items: readonly unknown[], path: string, place: Place): unknown {
  const [first] = items;
  const { named, depth } = place;
  const at = path === "" ? "" : ` at ${path}`;
  check(
    depth <= DEEPEST,
    () => `[defaultCollate] items are nested more than ${DEEPEST} deep: do they hold themselves?`,
  );
  const kind = kindOf(first);
  check(
    kind !== "none",
    () =>
      `[defaultCollate] ${named(0)} has ${told(first)}${at}: numbers, typed arrays, tensors, texts, and arrays, objects and maps of them make a batch; for others pass the loader a collate`,
    ValueError,
  );
  for (const [i, item] of items.entries()) {
    check(
      kindOf(item) === kind,
      () => `[defaultCollate] ${named(i)} has ${told(item)}${at}, ${named(0)} has ${told(first)}: all must be alike`,
      ValueError,
    );
  }
  const inner = { named, depth: depth + 1 };
  switch (kind) {
    case "number":
      return numbersTensor(items.map(Number));
    case "string":
      return [...items];
    case "array":
      return stackArrays(items as NumericArray[], at, named);
    case "tensor":
      return stackTensors(items as (Tensor | ToTensor)[], at, named);
    case "tuple": {
      const tuples = items as unknown[][];
      const length = tuples[0]?.length ?? 0;
      for (const [i, tuple] of tuples.entries()) {
        check(
          tuple.length === length,
          () =>
            `[defaultCollate] ${named(i)} has ${tuple.length} elements${at}, ${named(0)} has ${length}: pad them, or pass the loader a collate`,
        );
      }
      return Array.from({ length }, (_, k) =>
        collateAt(
          tuples.map((tuple) => tuple[k]),
          `${path}[${k}]`,
          inner,
        ),
      );
    }
    case "map": {
      const maps = items as Map<unknown, unknown>[];
      const keys = [...(maps[0]?.keys() ?? [])];
      return new Map(
        keys.map((key) => [
          key,
          collateAt(
            maps.map((map, i) => held(map.has(key), map.get(key), key, i, at, named)),
            `${path}.${told(key)}`,
            inner,
          ),
        ]),
      );
    }
    case "object": {
      const objects = items as Record<string, unknown>[];
      const batch: Record<string, unknown> = {};
      for (const key of Object.keys(objects[0] ?? {})) {
        const values = objects.map((object, i) => held(Object.hasOwn(object, key), object[key], key, i, at, named));
        // Not an assignment: a key may be called __proto__.
        Object.defineProperty(batch, key, {
          value: collateAt(values, `${path}.${key}`, inner),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return batch;
    }
  }
}

function held(has: boolean, value: unknown, key: unknown, i: number, at: string, named: Place["named"]): unknown {
  check(has, () => `[defaultCollate] ${named(i)} lacks ${told(key)}${at}, which ${named(0)} has`, ValueError);
  return value;
}

type Kind = "number" | "string" | "array" | "tensor" | "tuple" | "map" | "object" | "none";

function kindOf(value: unknown): Kind {
  if (typeof value === "number" || typeof value === "boolean") return "number";
  if (typeof value === "string") return "string";
  if (typeof value !== "object" || value === null) return "none";
  if (isNumeric(value)) return "array";
  if (value instanceof Tensor || typeof Reflect.get(value, "toTensor") === "function") return "tensor";
  if (Array.isArray(value)) return "tuple";
  if (value instanceof Map) return "map";
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? "object" : "none";
}

function numbersTensor(values: number[]): Tensor {
  const whole = values.every((value) => Number.isInteger(value) && Math.abs(value) < 2 ** 31);
  return tensor(values, { dtype: whole ? "i32" : "f32" });
}

/** One upload for all. */
function stackArrays(
  arrays: readonly NumericArray[],
  at: string,
  named: Place["named"],
  shapes: readonly Shape[] = arrays.map((array) => [array.length]),
): Tensor {
  const [first] = arrays;
  check(first !== undefined, () => "[defaultCollate] there is no item", ValueError);
  const [shape = []] = shapes;
  const type = (array: NumericArray) => array[Symbol.toStringTag];
  const whole = new (first.constructor as new (length: number) => NumericArray)(arrays.length * first.length);
  for (const [i, array] of arrays.entries()) {
    checkAlike(i, [shapes[i] ?? [], type(array)], [shape, type(first)], at, named);
    whole.set(array, i * first.length);
  }
  return tensor(whole, { shape: [arrays.length, ...shape] });
}

function stackTensors(parts: readonly (Tensor | ToTensor)[], at: string, named: Place["named"]): Tensor {
  if (parts.every((part) => part instanceof HostTensor)) {
    return stackArrays(
      parts.map((part) => part.data),
      at,
      named,
      parts.map((part) => part.shape),
    );
  }
  const tensors = parts.map((part, i) => {
    const made = part instanceof Tensor ? part : toTensorOf(part, i, at, named);
    check(
      made instanceof Tensor,
      () => `[defaultCollate] toTensor() of ${named(i)}${at} gave ${told(made)}`,
      ValueError,
    );
    return made;
  });
  const [first] = tensors;
  check(first !== undefined, () => "[defaultCollate] there is no item", ValueError);
  for (const [i, { shape, dtype }] of tensors.entries())
    checkAlike(i, [shape, dtype], [first.shape, first.dtype], at, named);
  return stack(tensors);
}

function toTensorOf(part: ToTensor, i: number, at: string, named: Place["named"]): Tensor {
  try {
    return part.toTensor();
  } catch (cause) {
    if (!(cause instanceof WgradError)) throw cause;
    // The same kind of error, which says where.
    const Kind = cause.constructor as new (message: string, options: ErrorOptions) => WgradError;
    throw new Kind(`[defaultCollate] ${named(i)}${at}: ${cause.message}`, { cause });
  }
}

type Like = readonly [shape: Shape, type: string];

function checkAlike(i: number, [shape, type]: Like, [shape0, type0]: Like, at: string, named: Place["named"]): void {
  check(
    sameShape(shape, shape0),
    () =>
      `[defaultCollate] ${named(i)} has shape ${show(shape)}${at}, ${named(0)} has ${show(shape0)}: bring them to one shape (for pictures: resize and centerCrop), or pass the loader a collate`,
    ShapeError,
  );
  check(
    type === type0,
    () => `[defaultCollate] ${named(i)} is ${type}${at}, ${named(0)} is ${type0}: all must be of one type`,
    DtypeError,
  );
}
