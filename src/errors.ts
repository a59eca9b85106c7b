// Every error that wgrad throws on purpose: typed, and saying what came, what was expected and what to do.
// A class says its name as a string, which survives minification, and on its prototype, where the stack's first line finds it.

/** Base class of all errors thrown on purpose by wgrad. */
export class WgradError extends Error {
  /** The class as a string, which survives minification. */
  override get name(): string {
    return "WgradError";
  }
}

/** Shapes that do not fit together, e.g. `[conv2d] input has 3 channels but weight [64, 4, 3, 3] expects 4`. */
export class ShapeError extends WgradError {
  override get name(): string {
    return "ShapeError";
  }
}

/** An operation got a dtype that it does not take. */
export class DtypeError extends WgradError {
  override get name(): string {
    return "DtypeError";
  }
}

/** An argument is out of its range: a label, a probability, an option. */
export class ValueError extends WgradError {
  override get name(): string {
    return "ValueError";
  }
}

/** A tensor or graph is used in a state that does not allow it: disposed, no gradient, graph already freed. */
export class StateError extends WgradError {
  override get name(): string {
    return "StateError";
  }
}

/** No WebGPU adapter, device lost, or an error that the device reported. */
export class DeviceError extends WgradError {
  override get name(): string {
    return "DeviceError";
  }
}

/** The device could not allocate a buffer. */
export class OutOfMemoryError extends DeviceError {
  override get name(): string {
    return "OutOfMemoryError";
  }
}

/** A buffer, binding or grid exceeds what the adapter allows. */
export class LimitError extends DeviceError {
  override get name(): string {
    return "LimitError";
  }
}

/**
 * A kernel does not compile on this adapter. Thrown once, by the next read or wait; its launch was left out, everything else
 * ran, and the device goes on. `line` and `column`, from 1, are places in its WGSL; null where the adapter names none.
 */
export class KernelError extends DeviceError {
  /** The kernel's name. */
  readonly kernel: string;
  /** The line of its text, from 1; null where the adapter names none. */
  readonly line: number | null;
  /** The place in the line, from 1; null where the adapter names none. */
  readonly column: number | null;

  constructor(
    message: string,
    options: {
      /** The kernel's name. */
      kernel: string;
      /** The line of its text, from 1, or null. */
      line: number | null;
      /** The place in the line, from 1, or null. */
      column: number | null;
      /** What the platform reported. Default: nothing. */
      cause?: unknown;
    },
  ) {
    super(message, { cause: options.cause });
    this.kernel = options.kernel;
    this.line = options.line;
    this.column = options.column;
  }

  override get name(): string {
    return "KernelError";
  }
}

/** A file is damaged, truncated or not of the format it claims. */
export class FormatError extends WgradError {
  override get name(): string {
    return "FormatError";
  }
}

/** A pickle asks for something other than tensors and plain containers. It was not run. */
export class UnsafePickleError extends FormatError {
  override get name(): string {
    return "UnsafePickleError";
  }
}

/** A state dict lacks a key, has one too many, or one with another shape. */
export class StateDictError extends WgradError {
  override get name(): string {
    return "StateDictError";
  }
}

/** A model has what the file format that it is to be written in does not. */
export class ExportError extends WgradError {
  override get name(): string {
    return "ExportError";
  }
}

/** Data that was asked for cannot be had: missing folder, failed download, wrong checksum. */
export class DataError extends WgradError {
  override get name(): string {
    return "DataError";
  }
}

/** A run's loss has become NaN or an infinity: at which place of which epoch. */
export class NonFiniteLossError extends WgradError {
  /** The epoch, counted from 1. */
  readonly epoch: number;
  /** The batch of the epoch whose loss it is, counted from 1. */
  readonly step: number;
  /** That loss. */
  readonly loss: number;

  constructor(
    message: string,
    at: {
      /** The epoch, counted from 1. */
      epoch: number;
      /** The batch of the epoch, counted from 1. */
      step: number;
      /** Its loss. */
      loss: number;
    },
  ) {
    super(message);
    this.epoch = at.epoch;
    this.step = at.step;
    this.loss = at.loss;
  }

  override get name(): string {
    return "NonFiniteLossError";
  }
}

/** An operation has given NaN or an infinity, in a result or in a gradient. */
export class AnomalyError extends WgradError {
  /** The operation, such as "log". */
  readonly operation: string;
  /** The path of the module that it was called in, such as "layer1.0.conv1"; "" outside of modules, or in the model itself. */
  readonly module: string;
  /** What is not finite: an input that no operation made (data or a parameter), a result, or a gradient of an input. */
  readonly kind: "input" | "output" | "gradient";

  constructor(
    message: string,
    at: {
      /** The operation. */
      operation: string;
      /** The path of the module that it was called in. */
      module: string;
      /** What is not finite. */
      kind: "input" | "output" | "gradient";
    },
  ) {
    super(message);
    this.operation = at.operation;
    this.module = at.module;
    this.kind = at.kind;
  }

  override get name(): string {
    return "AnomalyError";
  }
}

type WgradErrorClass = new (message: string) => WgradError;

/**
 * Throws `new Kind(message())` unless `condition` holds. The message is only built on failure. The production build hands over the
 * tag in the place of many messages (scripts/short-errors.ts).
 */
export function check(
  condition: boolean,
  message: (() => string) | string,
  Kind: WgradErrorClass = ShapeError,
): asserts condition {
  if (!condition) throw new Kind(typeof message === "string" ? `[${message}] see the development build` : message());
}

/** A value of any type in a few characters, for a message: text in quotes, short arrays whole, of an object its class. */
export function told(value: unknown, deep = 2): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value) && deep > 0 && value.length <= 8)
    return `[${Array.from(value, (item) => told(item, deep - 1)).join(", ")}]`;
  const { name } = value.constructor ?? {};
  const known = typeof name === "string" && name ? name : "Object";
  return `${/^[AEIOU]/.test(known) ? "an" : "a"} ${known}`;
}

/** The one of `known` that was probably meant by `key`: the same but for case and underscores, or for a letter or two. */
function meant(key: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.replaceAll("_", "").toLowerCase();
  const far = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (const [i, letter] of [...a].entries()) {
      const above = row;
      row = [i + 1];
      for (let j = 0; j < b.length; j++) {
        const kept = (above[j] ?? 0) + (letter === b[j] ? 0 : 1);
        row.push(Math.min(kept, (above[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
      }
    }
    return row[b.length] ?? 0;
  };
  const text = plain(key.slice(0, 40));
  return known.find((name) => far(text, plain(name)) <= Math.min(2, name.length / 3));
}

/** Whether an object is of no class, of this realm or another: a tensor in the options' place has a `dtype`, too. */
function isPlain(object: object): boolean {
  const made: unknown = object.constructor;
  return made === undefined || (typeof made === "function" && Object.getPrototypeOf(made.prototype ?? made) === null);
}

function hint(key: string, known: readonly string[]): string {
  const near = meant(key, known);
  return near ? `, did you mean "${near}"?` : ":";
}

/** Throws unless `options` is an object that has no other options than those `known`. */
export function checkOptions(name: string, options: unknown, known: readonly string[], Kind = ValueError): void {
  const takes = () => `it takes { ${known.join(", ")} }`;
  check(
    typeof options === "object" && options !== null && isPlain(options),
    () => `[${name}] got ${told(options)} in the place of its options: ${takes()}`,
    Kind,
  );
  // No list of keys is made of it: eager steps come by here.
  for (const key in options) {
    if (known.includes(key)) continue;
    throw new Kind(`[${name}] has no option ${JSON.stringify(key)}${hint(key, known)} ${takes()}`);
  }
}

/** Throws unless `value` is a number from `least` to `most`. NaN is none. */
export function checkNumber(
  name: string,
  what: string,
  value: unknown,
  least = Number.NEGATIVE_INFINITY,
  most = Number.POSITIVE_INFINITY,
  Kind: WgradErrorClass = ValueError,
): asserts value is number {
  check(
    typeof value === "number" && value >= least && value <= most,
    () => `[${name}] ${what} must be a number${within(least, most)}, got ${told(value)}`,
    Kind,
  );
}

/** Throws unless `value` is a whole number from `least` to `most`. */
export function checkWhole(
  name: string,
  what: string,
  value: unknown,
  least = Number.NEGATIVE_INFINITY,
  most = Number.POSITIVE_INFINITY,
): asserts value is number {
  check(
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most,
    () => `[${name}] ${what} must be a whole number${within(least, most)}, got ${told(value)}`,
    ValueError,
  );
}

const within = (least: number, most: number): string =>
  most < Number.POSITIVE_INFINITY ? ` from ${least} to ${most}` : Number.isFinite(least) ? ` of at least ${least}` : "";

/** What is iterated over, as a list. `expected` says what and what to pass. */
export function listed<T>(name: string, expected: string, given: Iterable<T>): T[] {
  const iterable = typeof given === "object" && given !== null && Symbol.iterator in given;
  check(iterable, () => `[${name}] got ${told(given)} in the place of ${expected}`, ValueError);
  return [...given];
}

/** Throws unless `value` is a function. */
export function checkFunction(name: string, what: string, value: unknown): void {
  check(typeof value === "function", () => `[${name}] ${what} must be a function, got ${told(value)}`, ValueError);
}

/**
 * Throws where a function that must be synchronous returned a promise. What the promise comes to is nobody's any more, also
 * where it rejects since its tensors are freed.
 */
export function checkSynchronous(name: string, what: string, result: unknown): void {
  if (result === null || typeof result !== "object" || !("then" in result) || typeof result.then !== "function") return;
  Promise.resolve(result as PromiseLike<unknown>).catch(() => {});
  throw new StateError(
    `[${name}] the function returned a promise: ${what} is synchronous. Await outside it, or dispose tensors by hand`,
  );
}

/** In the place of a function's result: what is no promise. */
export type NotPromise<T> = T extends PromiseLike<unknown> ? never : T;

/** A name as errors quote it: a file may have names of any length. */
export const brief = (name: string): string => (name.length > 120 ? `${name.slice(0, 120)}...` : name);
