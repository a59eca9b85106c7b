// Wrong arguments to everything public: what comes out is a value or one of wgrad's own errors, never a raw TypeError, and
// nothing hangs. A small run of fixed seed here; `npm run fuzz:surface` makes a large one of a random seed.
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { type Device, full, init, scope, Tensor, tensor, useDevice, WgradError, zeros } from "wgrad";
import { type Entry, surface } from "../support/surface.ts";

const CALLS = Number(process.env.FUZZ_CALLS ?? 2000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
/** A call that takes longer hangs. */
const PATIENCE = 20_000;

let device: Device;
beforeAll(async () => {
  device = await init();
});

/** A wrong argument: how to make it, since tensors belong to one call. */
type Wrong = () => unknown;

const constants: readonly unknown[] = [
  undefined,
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -1,
  -0,
  0,
  0.5,
  1,
  2 ** 31,
  2 ** 53,
  1e300,
  "",
  "1",
  "mean",
  true,
  false,
  Symbol("wrong"),
  1n,
];
const objects: readonly Wrong[] = [
  () => () => undefined,
  () => async () => 1,
  () => ({}),
  () => ({ lr: 0.1, padding: 1 }),
  () => ({ shape: [2], dtype: "f32" }),
  () => Object.create(null),
  () => ({ constructor: undefined }),
  () => ({ length: 3 }),
  () => [],
  () => [1, 2],
  () => [-1, 3],
  () => [[1, [2]], 3],
  () => new Array(3),
  () => [undefined, null],
  () => [Symbol("wrong"), 1n],
  () => [() => 1],
  () => [{}],
  () => new Map([["a", 1]]),
  () => new Set([1]),
  () => new Date(0),
  () => /x/,
  () => new Error("an error"),
  () => Promise.resolve(1),
  () => Float32Array.of(1, 2),
  () => BigInt64Array.of(1n),
  () => new ArrayBuffer(3),
  () => new DataView(new ArrayBuffer(3)),
  () => (function* () {})(),
  () => Tensor.prototype,
];
const tensors: readonly Wrong[] = [
  () => full([], 1),
  () => zeros([0]),
  () => zeros([0, 3]),
  () => zeros([2, 3]),
  () => zeros([2, 3], { dtype: "i32" }),
  () => zeros([7]),
  () => zeros([2, 3, 1, 1, 1]),
  () => full([2, 3], 1).to("f16"),
  () => tensor([-1, 9], { dtype: "i32" }),
  () => tensor([[-1], [9]], { dtype: "i32" }),
  () => full([2, 3], 1, { requiresGrad: true }).mul(2),
  () => {
    const t = zeros([2, 3]);
    t.dispose();
    return t;
  },
  () => [full([2], 1), null],
  () => [full([2], 1), full([3], 1)],
];

const wrong: fc.Arbitrary<Wrong> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...constants).map((value) => () => value) },
  { weight: 3, arbitrary: fc.constantFrom(...objects) },
  { weight: 3, arbitrary: fc.constantFrom(...tensors) },
  {
    weight: 1,
    arbitrary: fc.oneof(fc.anything(), fc.integer({ min: -9, max: 9 }), fc.double()).map((value) => () => value),
  },
);

/** What is done to the right arguments. `at` counts modulo how many there are. */
const change = fc.record({
  kind: fc.constantFrom("replace", "replace", "inside", "inside", "add", "drop", "option"),
  at: fc.nat(5),
  inside: fc.nat(5),
  value: wrong,
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** Object.assign and the like would call setters. */
const define = (object: object, key: PropertyKey, value: unknown) =>
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });

const isPlain = (value: unknown): value is object =>
  Array.isArray(value) ||
  (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype);

function changed(given: unknown[], { kind, at, inside, value }: Change): void {
  const i = given.length > 0 ? at % given.length : 0;
  const old = given[i];
  if (kind === "drop") given.length = i;
  else if (kind === "add") given.push(value());
  else if (kind === "option") given.push({ notAnOption: 1 });
  else if (kind === "inside" && isPlain(old) && Object.keys(old).length > 0) {
    const keys = Object.keys(old);
    define(old, keys[inside % keys.length] ?? "", value());
  } else given[i] = value();
}

function shown(value: unknown): string {
  if (value instanceof Tensor) return String(value);
  try {
    return fc.stringify(value).slice(0, 200);
  } catch {
    return typeof value;
  }
}

async function patiently(result: unknown): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${PATIENCE} ms`)), PATIENCE);
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a call did wrong, or null. */
async function fault(entry: Entry, changes: readonly Change[]): Promise<string | null> {
  let text = entry.name;
  const began = performance.now();
  let bad: unknown = null;
  const judge = (error: unknown) => {
    if (!(error instanceof WgradError)) bad = error;
  };
  let result: unknown = null;
  try {
    scope(() => {
      const given = entry.given();
      try {
        for (const change of changes) changed(given, change);
        text = `${entry.name}(${given.map(shown).join(", ")})`;
      } catch (error) {
        throw new Error(`the test's own arguments cannot be made: ${error}`, { cause: error });
      }
      try {
        // In an array: a scope takes no promise.
        result = [entry.run(...(given as never[]))];
      } catch (error) {
        judge(error);
      }
    });
    const [answer] = (result as unknown[] | null) ?? [];
    if (answer instanceof Promise) await patiently(answer);
    else if (answer !== null && typeof answer === "object" && Symbol.asyncIterator in answer) {
      for await (const _ of answer as AsyncIterable<unknown>);
    }
  } catch (error) {
    judge(error);
  }
  useDevice(device);
  const took = performance.now() - began;
  if (bad === null && took > PATIENCE) bad = new Error(`took ${Math.round(took)} ms`);
  if (bad === null) return null;
  const place = bad instanceof Error ? (bad.stack?.split("\n").find((line) => line.includes("/src/")) ?? "") : "";
  return `${text}\n    ${bad instanceof Error ? bad : shown(bad)}${place.replace(/^\s*/, "\n    ")}`;
}

test(
  `${CALLS} calls with wrong arguments (seed ${SEED})`,
  async () => {
    const entries = scope(surface);
    expect(entries.length).toBeGreaterThan(250);
    const call = fc.record({
      entry: fc.constantFrom(...entries),
      changes: fc.array(change, { minLength: 1, maxLength: 2 }),
    });
    const faults: string[] = [];
    const recent: string[] = [];
    for (const [i, { entry, changes }] of fc.sample(call, { numRuns: CALLS, seed: SEED }).entries()) {
      const found = await fault(entry, changes);
      if (found) faults.push(found);
      recent.push(entry.name);
      // What the device has to say comes from some call since it was last asked.
      if (i % 20 !== 19 && i < CALLS - 1) continue;
      const said = await patiently(device.sync()).catch((error: unknown) => error);
      if (said !== undefined && !(said instanceof WgradError)) faults.push(`${said} after one of ${recent.join(", ")}`);
      recent.length = 0;
    }
    expect(faults, faults.join("\n")).toEqual([]);
  },
  10_000 + 50 * CALLS,
);
