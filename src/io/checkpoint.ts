// A whole run in one file: states, values and random numbers as JSON in the metadata of a safetensors file of its tensors.
//
// The metadata begins with the SHA-256 of all bytes behind it, at a fixed place, so that damage is found before anything
// is read. WebGPU and Web Crypto both need a secure context: where there is a device there is `crypto.subtle`.
import { check, checkOptions, DeviceError, FormatError, StateDictError, told, ValueError } from "../errors.ts";
import { getRngState, type RngState, setRngState } from "../tensor/random-state.ts";
import { Tensor } from "../tensor/tensor.ts";
import { decodeTree, encodeTree } from "./checkpoint-tree.ts";
import { asBytes, loadSafetensors, safetensorsMetadata, saveSafetensors } from "./index.ts";

/** What has a state that a checkpoint holds: modules, optimizers, schedulers, data loaders, and classes of one's own. */
export interface Stateful {
  /** Plain objects, arrays, text, numbers, booleans and tensors (handles that the caller disposes). */
  stateDict(): unknown;
  /** Goes on from what `stateDict` gave; may be asynchronous. The tensors are only lent. */
  loadStateDict(state: never): unknown;
}

/** What `loadCheckpoint` takes beside the parts. */
export interface LoadCheckpointOptions {
  /** Go on with the random numbers (`setRngState`) of the time of saving. Default true. */
  rng?: boolean;
}

interface Content {
  /** By name: the states of what has one. */
  readonly states: Readonly<Record<string, unknown>>;
  /** By name: everything else. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly rng: RngState;
}

const VERSION = "1";
const HEADER_LENGTH_BYTES = 8;
const START = '{"__metadata__":{"sha256":"';
const DIGITS = 64;
/** Where the digits end: what they are the digest of. */
const DIGESTED = HEADER_LENGTH_BYTES + START.length + DIGITS;

/** Whether a checkpoint holds its state. */
export const isStateful = (value: unknown): value is Stateful =>
  typeof value === "object" &&
  value !== null &&
  "stateDict" in value &&
  typeof value.stateDict === "function" &&
  "loadStateDict" in value &&
  typeof value.loadStateDict === "function";

/**
 * A run as the bytes of one file, for `loadCheckpoint`: the state of every part that has a `stateDict()`, every other value
 * as it is, and the state of the random numbers. Values are what JSON holds, infinities, NaN and tensors as well. All is
 * of the time of the call: training may go on meanwhile.
 *
 * ```ts
 * const bytes = await saveCheckpoint({ model, optimizer, scheduler, loader, epoch, best });
 * ```
 *
 * In Node, `saveCheckpoint` of `wgrad/node` writes it to a path. The file is one of safetensors, and other tools read
 * its tensors, such as `model.layer1.0.conv1.weight`.
 *
 * @see https://pytorch.org/tutorials/beginner/saving_loading_models.html
 * @throws ValueError for a value that it cannot hold, naming it: a bigint, a function, an object of a class without
 * `stateDict`.
 */
export async function saveCheckpoint(parts: Readonly<Record<string, unknown>>): Promise<Uint8Array<ArrayBuffer>> {
  checkParts("saveCheckpoint", parts);
  const tensors = new Map<string, Tensor>();
  const lent = new Set<Tensor>();
  try {
    const states: [string, unknown][] = [];
    const values: [string, unknown][] = [];
    for (const [name, part] of Object.entries(parts)) {
      if (part === undefined) continue;
      if (!isStateful(part)) {
        values.push([name, encodeTree(part, name, tensors)]);
        continue;
      }
      const state = part.stateDict();
      collect(state, lent);
      states.push([name, encodeTree(state, name, tensors)]);
    }
    // Object.fromEntries makes even `__proto__` a plain key.
    const content: Content = {
      states: Object.fromEntries(states),
      values: Object.fromEntries(values),
      rng: getRngState(),
    };
    const state = JSON.stringify(content);
    const metadata = { sha256: "0".repeat(DIGITS), format: "wgrad.checkpoint", version: VERSION, state };
    // Reads are recorded here, before the first await.
    const bytes = await saveSafetensors(Object.fromEntries(tensors), metadata);
    bytes.set(new TextEncoder().encode(await digest(bytes)), DIGESTED - DIGITS);
    return bytes;
  } finally {
    for (const t of lent) t.dispose();
  }
}

/**
 * Puts a checkpoint that `saveCheckpoint` gave into `parts` by their names, each with its `loadStateDict`, and the random
 * numbers with `setRngState`. Returns the other values by name; what they hold of tensors is the caller's to dispose. Parts
 * of the checkpoint that are not asked for are left out.
 *
 * ```ts
 * const { epoch, best } = await loadCheckpoint(bytes, { model, optimizer, scheduler, loader });
 * ```
 *
 * A run goes on to the bit where its parts are made as those that were saved.
 *
 * @throws FormatError for a file that is damaged, cut off, or no checkpoint: nothing is loaded then. StateDictError for
 * a part that the checkpoint lacks (nothing is loaded) or that does not fit (those before it are loaded): it names it
 */
export async function loadCheckpoint(
  bytes: ArrayBuffer | Uint8Array,
  parts: Readonly<Record<string, Stateful>> = {},
  options: LoadCheckpointOptions = {},
): Promise<Record<string, unknown>> {
  checkOptions("loadCheckpoint", options, ["rng"]);
  checkParts("loadCheckpoint", parts);
  for (const [name, part] of Object.entries(parts))
    check(
      isStateful(part),
      () => `[loadCheckpoint] ${name} is ${told(part)} without stateDict() and loadStateDict(): values are returned`,
      ValueError,
    );
  const { states, values, rng } = await contentOf(bytes);
  const missing = Object.keys(parts).filter((name) => !Object.hasOwn(states, name));
  check(
    missing.length === 0,
    () =>
      `[loadCheckpoint] the checkpoint has no state of ${missing.join(", ")}; it has states of ${namesOf(states)}, and values ${namesOf(values)}`,
    StateDictError,
  );
  const tensors = await loadSafetensors(bytes);
  const made = new Set<Tensor>(Object.values(tensors));
  try {
    for (const [name, part] of Object.entries(parts)) {
      const state = decodeTree(states[name], tensors);
      collect(state, made);
      try {
        await part.loadStateDict(state as never);
      } catch (cause) {
        if (cause instanceof DeviceError) throw cause;
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new StateDictError(`[loadCheckpoint] ${name} does not fit: ${why}`, { cause });
      }
    }
    const extras = Object.fromEntries(Object.entries(values).map(([name, v]) => [name, decodeTree(v, tensors)]));
    if (options.rng ?? true) setRngState(rng);
    const returned = new Set<Tensor>();
    collect(extras, returned);
    for (const t of returned) made.delete(t);
    return extras;
  } finally {
    for (const t of made) t.dispose();
  }
}

function checkParts(name: string, parts: unknown): void {
  check(
    typeof parts === "object" && parts !== null && !Array.isArray(parts) && !isStateful(parts),
    () => `[${name}] got ${told(parts)} in the place of the parts by name: pass { model, optimizer, ... }`,
    ValueError,
  );
}

async function contentOf(given: ArrayBuffer | Uint8Array): Promise<Content> {
  const bytes = asBytes("loadCheckpoint", given);
  const text = (from: number, to: number) => new TextDecoder("latin1").decode(bytes.subarray(from, to));
  const isOurs = text(HEADER_LENGTH_BYTES, DIGESTED - DIGITS) === START;
  // Says what is wrong with a file that is not of safetensors at all.
  if (!isOurs) safetensorsMetadata(bytes);
  check(
    isOurs,
    () => "[loadCheckpoint] this is a safetensors file but not one of saveCheckpoint: use loadSafetensors",
    FormatError,
  );
  const [written, actual] = [text(DIGESTED - DIGITS, DIGESTED), await digest(bytes)];
  check(
    written === actual,
    () =>
      `[loadCheckpoint] the file is damaged or cut off: its content (${bytes.length} bytes) has the SHA-256 ${actual}, but ${written} was written`,
    FormatError,
  );
  const { format, version, state = "" } = safetensorsMetadata(bytes);
  check(
    format === "wgrad.checkpoint" && version === VERSION,
    () =>
      `[loadCheckpoint] the file is a ${format} of version ${version}, but this version of wgrad reads version ${VERSION}: update wgrad`,
    FormatError,
  );
  const content: Partial<Content> | null = JSON.parse(state);
  check(
    isRecord(content) && isRecord(content.states) && isRecord(content.values) && isRecord(content.rng),
    () => "[loadCheckpoint] the file's metadata are not those of saveCheckpoint: it was altered",
    FormatError,
  );
  return content as Content;
}

const isRecord = (value: unknown): value is object => typeof value === "object" && value !== null;

/** SHA-256 of what follows the digits, in hexadecimal. */
async function digest(bytes: Uint8Array): Promise<string> {
  const content = bytes.subarray(DIGESTED) as Uint8Array<ArrayBuffer>;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const namesOf = (record: object): string => Object.keys(record).join(", ") || "none";

/** The tensors inside a value. */
function collect(value: unknown, into: Set<Tensor>, seen = new Set<object>()): void {
  if (value instanceof Tensor) into.add(value);
  else if (typeof value === "object" && value !== null && !seen.has(value)) {
    seen.add(value);
    for (const item of Object.values(value)) collect(item, into, seen);
  }
}
