// kernel(): names of buffers and parameters from the text, by type and at run time; texts that are wrong.
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  DeviceError,
  defineOp,
  grid1d,
  init,
  type Kernel,
  KernelError,
  kernel,
  type Launcher,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "wgrad";
import { currentDevice } from "../../src/gpu/device.ts";
import { withDevice } from "../support/case.ts";
import { swish, swishBackward } from "./kernels.ts";

withDevice();

type Four = { readonly x: Tensor; readonly bias: Tensor | null; readonly y: Tensor };

describe("types", () => {
  test("buffers and parameters of a text of forty lines", () => {
    expectTypeOf(swish).toEqualTypeOf<
      Kernel<
        Four,
        {
          readonly n: number;
          readonly c: number;
          readonly beta: number;
          readonly scale: readonly [number, number];
          readonly shape: readonly number[];
          readonly last: readonly number[];
        }
      >
    >();
    expectTypeOf(swishBackward.launch).parameter(1).toEqualTypeOf<{
      readonly x: Tensor;
      readonly bias: Tensor | null;
      readonly dy: Tensor;
      readonly dx: Tensor;
      readonly dt: Tensor;
    }>();
    expectTypeOf(swishBackward.launch).parameter(2).toEqualTypeOf<{
      readonly n: number;
      readonly c: number;
      readonly beta: number;
    }>();
    expectTypeOf(swish.variant({ WG: "32u" })).toEqualTypeOf<typeof swish>();
  });

  test("wrong and missing names do not compile", () => {
    const x = {} as Tensor;
    const run = {} as Launcher;
    const p = { n: 1, c: 1, beta: 1 };
    const all = { x, bias: null, dy: x, dx: x, dt: x };
    return () => {
      swishBackward.launch(run, all, p, [1]);
      // @ts-expect-error: dt is missing
      swishBackward.launch(run, { x, bias: null, dy: x, dx: x }, p, [1]);
      // @ts-expect-error: no buffer has this name
      swishBackward.launch(run, { ...all, weight: x }, p, [1]);
      // @ts-expect-error: only bias may be null
      swishBackward.launch(run, { ...all, x: null }, p, [1]);
      // @ts-expect-error: beta is missing
      swishBackward.launch(run, all, { n: 1, c: 1 }, [1]);
      // @ts-expect-error: no parameter has this name
      swishBackward.launch(run, all, { ...p, alpha: 1 }, [1]);
      // @ts-expect-error: a vector takes as many numbers as it has
      swish.launch(run, { x, bias: x, y: x }, { ...p, scale: [1], shape: [], last: [] }, [1]);
    };
  });

  test("a text without parameters takes null, one that is put together any names, or those of its constants", () => {
    const plain = kernel(
      "plain",
      "@group(0) @binding(0) var<storage, read_write> y: array<u32>;\n@compute @workgroup_size(1) fn main() { y[0] = 1u; }",
    );
    expectTypeOf(plain).toEqualTypeOf<Kernel<{ readonly y: Tensor }, null>>();
    const text: string = "@compute @workgroup_size(1) fn main() {}";
    expectTypeOf(kernel("any", text).launch).parameter(1).toEqualTypeOf<Readonly<Record<string, Tensor | null>>>();
    const size = 64 as number;
    const open = kernel("open", `@compute @workgroup_size(${size}) fn main() {}`);
    expectTypeOf(open.launch).parameter(1).toEqualTypeOf<Readonly<Record<string, Tensor | null>>>();
    const WG = 64;
    const known = kernel(
      "known",
      `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
       @compute @workgroup_size(${WG}) fn main() {}`,
    );
    expectTypeOf(known).toEqualTypeOf<Kernel<{ readonly y: Tensor }, null>>();
  });
});

/** Runs a launch as an op of one input. */
const runs = (launch: (run: Launcher, x: Tensor, y: Tensor) => void) => {
  const op = defineOp({
    name: "launch",
    infer: ([x]) => [x],
    forward: (run, [x], [y]) => launch(run, x, y),
    vjp: "not differentiable",
  });
  return (x: Tensor) => op(x);
};

const HEAD = `@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
`;
const copy = `${HEAD}@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = x[id.x]; }`;

describe("at run time", () => {
  const p = { n: 3, c: 3, beta: 1, scale: [1, 0] as const, shape: [], last: [] };
  const at = async (launch: (run: Launcher, x: Tensor, y: Tensor) => void) => {
    const x = tensor([1, 2, 3]);
    const before = { error: null as unknown, values: [] as number[] };
    try {
      const y = runs(launch)(x);
      before.values = [...(await y.data())];
      y.dispose();
    } catch (error) {
      before.error = error;
    }
    x.dispose();
    return before;
  };

  test("null leaves an optional buffer out; vectors and arrays arrive in their places", async () => {
    const { values } = await at((run, x, y) =>
      swish.launch(
        run,
        { x, bias: null, y },
        { ...p, scale: [2, 0.5], shape: [0, 0, 0, 0, 0, 0, 6], last: [0, 0, 0, 1] },
        [1],
      ),
    );
    for (const [i, x] of [1, 2, 3].entries()) expect(values[i]).toBeCloseTo((2 * x) / (1 + Math.exp(-x)) + 3.5, 5);
  });

  test("a variant replaces declarations", async () => {
    const { values } = await at((run, x, y) =>
      swish
        .variant({ sigmoid: "fn sigmoid(x: f32) -> f32 { return 10.0; }" })
        .variant({ WG: "32u" })
        .launch(run, { x, bias: null, y }, p, grid1d(3, 32)),
    );
    expect(values).toEqual([10, 20, 30]);
  });

  test.each([
    ["a missing buffer", { x: 1 }, p, "the launch binds no tensor to bias (null where there is none)"],
    ["a buffer too many", { x: 1, bias: 0, y: 1, z: 1 }, p, "the kernel has no buffer z: it has x, bias, y"],
    ["null for one that is not optional", { x: 0, bias: 0, y: 1 }, p, "the launch binds no tensor to x"],
    [
      "a missing parameter",
      { x: 1, bias: 0, y: 1 },
      { ...p, beta: undefined },
      "parameter beta takes a number, got undefined",
    ],
    [
      "a parameter too many",
      { x: 1, bias: 0, y: 1 },
      { ...p, d: 1 },
      "the kernel has no parameter d: it has n, c, beta",
    ],
    [
      "a number for a vector",
      { x: 1, bias: 0, y: 1 },
      { ...p, scale: 1 },
      "parameter scale takes a list of 2 numbers, got 1",
    ],
    [
      "a list that is too long",
      { x: 1, bias: 0, y: 1 },
      { ...p, last: [1, 2, 3, 4, 5] },
      "parameter last takes a list of 4 numbers",
    ],
  ])("%s is a ValueError", async (_, names, params, message) => {
    const loose: Kernel<Record<string, Tensor | null>, unknown> = swish as never;
    const { error } = await at((run, x, y) => {
      const buffers = Object.entries(names).map(([name, given]) => [name, given ? (name === "y" ? y : x) : null]);
      loose.launch(run, Object.fromEntries(buffers), params, [1]);
    });
    expect(error).toBeInstanceOf(ValueError);
    expect(String(error)).toContain(`[swish] ${message}`);
  });

  test("a tensor that is written cannot be bound twice; one of another device not at all", async () => {
    const twice = await at((run, x) => kernel("copy", copy).launch(run, { x, y: x }, null, [1]));
    expect(twice.error).toBeInstanceOf(ValueError);
    expect(String(twice.error)).toContain("the tensor for y is bound twice, and written");
    const device = currentDevice();
    const other = await init();
    const foreign = zeros([3]);
    const x = tensor([1, 2, 3], { device });
    const op = runs((run, _, y) => kernel("copy", copy).launch(run, { x: foreign, y }, null, [1]));
    expect(() => op(x)).toThrow(DeviceError);
    x.dispose();
    foreign.dispose();
    other.destroy();
    await init();
  });
});

describe("texts that do not declare what they bind as they should", () => {
  const main = "@compute @workgroup_size(1) fn main() {}";
  test.each([
    ["a number left out", `@group(0) @binding(1) var<storage, read> x: array<f32>;\n${main}`, "must have the number 0"],
    [
      "Params first",
      `struct Params { n: u32 }\n@group(0) @binding(0) var<uniform> p: Params;\n${HEAD}${main}`,
      "Params must come last",
    ],
    ["no struct", `@group(0) @binding(0) var<uniform> p: Params;\n${main}`, "no struct Params is declared"],
    [
      "a member of an unknown type",
      `struct Params { m: mat4x4f }\n@group(0) @binding(0) var<uniform> p: Params;\n${main}`,
      "type mat4x4f",
    ],
    [
      "another group",
      `@group(1) @binding(0) var<storage, read> x: array<f32>;\n${main}`,
      "in another way than is understood",
    ],
    [
      "binding before group",
      `@binding(0) @group(0) var<storage, read> x: array<f32>;\n${main}`,
      "in another way than is understood",
    ],
    ["no entry point", HEAD, "there is no entry point"],
    ["another name for it", `${HEAD}@compute @workgroup_size(1) fn run() {}`, "there is no entry point"],
    [
      "a large Params",
      `struct Params { a: array<vec4f, 17> }\n@group(0) @binding(0) var<uniform> p: Params;\n${main}`,
      "larger than 256 bytes",
    ],
  ])("%s", (_, text: string, message) => {
    expect(() => kernel("mine", text)).toThrow(ValueError);
    expect(() => kernel("mine", text)).toThrow("[kernel] mine: ");
    expect(() => kernel("mine", text)).toThrow(message);
  });
});

test("a text that does not compile is a KernelError with the line and column of the text as it was written", async () => {
  const op = runs((run, x, y) =>
    kernel(
      "typo",
      `
      @group(0) @binding(0) var<storage, read> x: array<f32>;
      @group(0) @binding(1) var<storage, read_write> y: array<f32>;
      @compute @workgroup_size(64)
      fn main(@builtin(global_invocation_id) id: vec3u) {
        y[id.x] = expp(x[id.x]);
      }`,
    ).launch(run, { x, y }, null, [1]),
  );
  const x = tensor([1, 2]);
  const y = op(x);
  const error = await y.data().then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(KernelError);
  expect(error).toMatchObject({ kernel: "typo", line: 6, column: 19 });
  expect(String(error)).toMatch(
    /^KernelError: \[launch\] on f32 \[2\]: the kernel typo does not compile .* line 6, column 19: /,
  );
  // The device goes on, and two kernels of one name are two kernels.
  const z = runs((run, a, b) => kernel("typo", copy).launch(run, { x: a, y: b }, null, [1]))(x);
  expect(await z.array()).toEqual([1, 2]);
  for (const t of [x, y, z]) t.dispose();
});
