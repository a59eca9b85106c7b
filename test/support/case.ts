// One case table drives everything: forward and vjp on the device against f64 references, and the references' own vjp
// against finite differences in one random direction.
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type InitOptions, init, memory, type Tensor } from "wgrad";
import { context, within } from "../../src/context.ts";
import { currentDevice } from "../../src/gpu/device.ts";
import type { LaunchListener } from "../../src/kernels/variants.ts";
import { type HostArray, host, uniform, upload } from "./host.ts";
import { expectClose } from "./tolerance.ts";

export interface Draw<A> {
  readonly inputs: readonly HostArray[];
  readonly attrs: A;
}

export interface OpCase<A = unknown> {
  readonly name: string;
  /** Random inputs and attributes. Shapes sit around tile edges: see `edge`. */
  readonly draw: fc.Arbitrary<Draw<A>>;
  /** The public function under test. */
  readonly run: (inputs: Tensor[], attrs: A) => Tensor | Tensor[];
  readonly reference: (inputs: readonly HostArray[], attrs: A) => HostArray | HostArray[];
  /** Gradients of the inputs in f64; null for an input without one. Left out: not differentiable. */
  readonly vjp?: (grads: readonly HostArray[], inputs: readonly HostArray[], attrs: A) => readonly (HostArray | null)[];
  /** Length of the longest reduction, for the tolerance. Default 1. */
  readonly K?: (inputs: readonly HostArray[], attrs: A) => number;
  /** Size of the terms that results are sums of, where these may cancel to less. Default: the largest result. */
  readonly scale?: (inputs: readonly HostArray[], attrs: A) => number;
  /** Random draws. Default 25. */
  readonly runs?: number;
  /** Step of the finite difference, default 1e-5; 0: the function is not smooth where it is drawn, skip that link. */
  readonly step?: number;
}

/** Dimension sizes around the edges of a tile. */
export const edge = (tile: number): fc.Arbitrary<number> =>
  fc.constantFrom(1, 2, 3, tile - 1, tile, tile + 1, 2 * tile + 3);
export const seed = fc.integer({ min: 0, max: 2 ** 31 });

/** Opens the device before the file's tests, and checks after each that no tensor was leaked. */
export function withDevice(options: InitOptions = {}): void {
  let before = 0;
  beforeAll(async () => {
    await init(options);
  });
  beforeEach(() => {
    before = memory().tensors;
  });
  afterEach(() => {
    expect(memory().tensors, "live tensors after the test").toBe(before);
  });
}

/** The names of the variants that a launch of these kinds may have on this adapter. */
function variantsOf(kinds: readonly string[], run: () => void): Set<string> {
  const names = new Set<string>();
  const onLaunch: LaunchListener = (key, { ways }) => {
    if (kinds.some((kind) => key.startsWith(`${kind} `))) for (const { name } of ways) names.add(name);
  };
  within({ onLaunch }, () => {
    run();
    context.pending?.run();
  });
  return names;
}

/**
 * Registers tests once for each variant of kernels of these kinds that tuning may choose on this adapter; `run` launches
 * them. Opens a device to ask it.
 */
export async function eachVariant(kinds: readonly string[], run: () => void, register: () => void): Promise<void> {
  const device = await init();
  const names = variantsOf(kinds, run);
  device.destroy();
  test("variants: one without subgroups, and for subgroups of this size where there are some", () => {
    expect(names).toContain("workgroup");
    const { subgroupSize } = device.info;
    const known = subgroupSize >= 4 && subgroupSize <= 64;
    expect([...names].some((name) => name.startsWith("subgroup"))).toBe(known);
  });
  for (const variant of names) {
    describe(`variant ${variant}`, () => {
      withDevice();
      beforeAll(() => {
        for (const kind of kinds) currentDevice().variants.set(kind, variant);
      });
      register();
    });
  }
}

/** Registers tests twice: with the kernels planned as for a software adapter, and as for a GPU. */
export function eachPlan(register: () => void): void {
  for (const software of [true, false]) {
    describe(`planned for a ${software ? "software adapter" : "GPU"}`, () => {
      let restore = (): void => {};
      beforeAll(() => {
        const info: { isSoftware: boolean } = currentDevice().info;
        const before = info.isSoftware;
        info.isSoftware = software;
        restore = () => {
          info.isSoftware = before;
        };
      });
      afterAll(() => restore());
      register();
    });
  }
}

const list = <T>(x: T | T[]): T[] => (Array.isArray(x) ? x : [x]);

/** Registers the tests of a case. */
export function testCase<A>(c: OpCase<A>): void {
  test(`${c.name}: forward${c.vjp ? " and gradient" : ""}`, async () => {
    await fc.assert(
      fc.asyncProperty(c.draw, seed, async (draw, s) => {
        await checkDevice(c, draw, s);
        if (c.vjp && c.step !== 0) checkReferenceVjp(c, draw, s);
      }),
      { numRuns: c.runs ?? 25 },
    );
  });
}

async function checkDevice<A>(c: OpCase<A>, { inputs, attrs }: Draw<A>, s: number): Promise<void> {
  const K = c.K?.(inputs, attrs) ?? 1;
  const scale = c.scale?.(inputs, attrs);
  const tensors = inputs.map((x) => upload(x, c.vjp !== undefined && x.dtype === "f32"));
  const outputs = list(c.run(tensors, attrs));
  const refs = list(c.reference(inputs, attrs));
  try {
    for (const [i, ref] of refs.entries()) {
      expect(outputs[i]!.shape).toEqual(ref.shape);
      expectClose(await outputs[i]!.data(), ref, K, `${c.name} output ${i}`, { scale });
    }
    if (!c.vjp) return;
    const dys = refs.map((r, i) => uniform(r.shape, s + i));
    const expected = c.vjp(dys, inputs, attrs);
    for (const [i, y] of outputs.entries()) {
      if (!y.requiresGrad) continue;
      const dy = upload(dys[i]!);
      y.backward(dy, { retainGraph: i < outputs.length - 1 });
      dy.dispose();
    }
    for (const [i, ref] of expected.entries()) {
      if (!ref) continue;
      const grad = tensors[i]!.grad;
      if (!grad) throw new Error(`${c.name}: input ${i} got no gradient`);
      expectClose(await grad.data(), ref, K, `${c.name} gradient ${i}`, { scale });
    }
  } finally {
    for (const t of [...tensors, ...outputs]) t.dispose();
  }
}

/** <dy, J v> by central differences of the f64 reference against <vjp(dy), v>. */
function checkReferenceVjp<A>(c: OpCase<A>, { inputs, attrs }: Draw<A>, s: number): void {
  const h = c.step ?? 1e-5;
  const refs = list(c.reference(inputs, attrs));
  const dys = refs.map((r, i) => uniform(r.shape, s + i));
  const grads = c.vjp!(dys, inputs, attrs);
  const directions = inputs.map((x, i) => (grads[i] ? uniform(x.shape, s + 100 + i) : null));
  const shifted = (sign: number) =>
    list(
      c.reference(
        inputs.map((x, i) => {
          const v = directions[i];
          return v
            ? host(
                x.shape,
                x.data.map((value, j) => value + sign * h * v.data[j]!),
              )
            : x;
        }),
        attrs,
      ),
    );
  const [plus, minus] = [shifted(1), shifted(-1)];
  let numeric = 0;
  let scale = 1e-3;
  for (const [i, dy] of dys.entries()) {
    dy.data.forEach((g, j) => {
      const term = (g * (plus[i]!.data[j]! - minus[i]!.data[j]!)) / (2 * h);
      numeric += term;
      scale += Math.abs(term);
    });
  }
  let analytic = 0;
  for (const [i, v] of directions.entries()) {
    v?.data.forEach((x, j) => {
      analytic += x * grads[i]!.data[j]!;
    });
  }
  if (!(Math.abs(numeric - analytic) <= 1e-5 * scale)) {
    throw new Error(`${c.name}: reference vjp gives ${analytic}, finite differences ${numeric} (scale ${scale})`);
  }
}
