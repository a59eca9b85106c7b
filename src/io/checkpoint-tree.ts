// Nested values as JSON and tensors by name: what JSON does not hold (infinities, NaN, -0, tensors) is a tagged object.
import { check, FormatError, told, ValueError } from "../errors.ts";
import { to } from "../ops/cast.ts";
import { Tensor } from "../tensor/tensor.ts";

/** The only key of a tagged object. An object of the user's that has it is written as its entries. */
const TAG = "$";

const NUMBERS: Readonly<Record<string, number>> = {
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
  NaN: Number.NaN,
  "-0": -0,
};

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
};

/**
 * `value` as JSON. Its tensors are put into `tensors` under their paths, which begin with `path`.
 * @throws ValueError for what neither JSON nor a tensor holds, naming its place: a bigint, a function, an object of a
 * class, an object inside itself.
 */
export function encodeTree(value: unknown, path: string, tensors: Map<string, Tensor>, above: object[] = []): unknown {
  const refuse = (what: string, advice: string): never => {
    throw new ValueError(`[saveCheckpoint] ${path} is ${what}, which a checkpoint cannot hold: ${advice}`);
  };
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number")
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { [TAG]: Object.is(value, -0) ? "-0" : String(value) };
  if (typeof value === "bigint") return refuse(`the bigint ${value}`, "make it a number or text");
  if (typeof value !== "object") return refuse(`of type ${typeof value}`, "leave it out");
  if (value instanceof Tensor) {
    // Two paths may read the same: { a: { "b.c": t }, "a.b": { c: t } }. A whole number would come first in an object.
    let name = /^\d+$/.test(path) ? `${path}#` : path;
    for (let i = 2; tensors.has(name); i++) name = `${path}#${i}`;
    tensors.set(name, value);
    return { [TAG]: "tensor", name, dtype: value.dtype };
  }
  if (above.includes(value)) return refuse("inside itself", "break the circle");
  const inner = [...above, value];
  if (Array.isArray(value)) return Array.from(value, (item, i) => encodeTree(item, `${path}.${i}`, tensors, inner));
  if (!isPlain(value))
    return refuse(
      told(value),
      "pass what has stateDict() and loadStateDict(), tensors, plain objects, arrays, text, numbers or booleans",
    );
  // As in JSON, an entry that is undefined is none.
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => [key, encodeTree(item, `${path}.${key}`, tensors, inner)] as const);
  return TAG in value ? { [TAG]: "entries", entries } : Object.fromEntries(entries);
}

/**
 * The value that `encodeTree` wrote; its tensors are those of `tensors`, of f16 converted and the caller's.
 * @throws FormatError for a tag that there is not, or a tensor that the file lacks.
 */
export function decodeTree(value: unknown, tensors: Readonly<Record<string, Tensor>>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => decodeTree(item, tensors));
  const pairs = (entries: [string, unknown][]) =>
    Object.fromEntries(entries.map(([key, item]) => [key, decodeTree(item, tensors)]));
  if (!(TAG in value)) return pairs(Object.entries(value));
  const tag = String(value[TAG]);
  if (Object.hasOwn(NUMBERS, tag)) return NUMBERS[tag];
  if (tag === "entries" && "entries" in value && Array.isArray(value.entries)) return pairs(value.entries);
  const name = "name" in value ? String(value.name) : "";
  const known = tag === "tensor" && Object.hasOwn(tensors, name) ? tensors[name] : undefined;
  check(
    known !== undefined,
    () => `[loadCheckpoint] the file has no ${tag} "${name.slice(0, 80)}": it is damaged, or of a later version`,
    FormatError,
  );
  return "dtype" in value && value.dtype === "f16" ? to(known, "f16") : known;
}
