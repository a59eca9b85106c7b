// kernel(): a kernel from the WGSL text of whoever uses the library, launched by names like those of its own.
import { check, DeviceError, told, ValueError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import type { Grid } from "../gpu/grid.ts";
import { PARAM_BYTES } from "../gpu/params.ts";
import { Kernel as FileKernel, type Variant } from "../kernels/kernel.ts";
import { compact, type Reflection, reflect, withoutComments } from "../kernels/reflect.ts";
import type { Dtype } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { BuffersOf, ParamsOf } from "./wgsl-text.ts";

/** What an op's `forward` runs on. */
export interface Launcher {
  /** The device of the op's tensors. */
  readonly device: Device;
  /** A tensor of undefined content for intermediate results, freed when the op has been recorded. */
  scratch(shape: Shape, dtype?: Dtype): Tensor;
}

/** A kernel made by `kernel()`. `B`: the tensors that it binds, by name. `P`: its parameters, null where it has none. */
export interface Kernel<B, P> {
  /** Stands in errors and profiles. */
  readonly name: string;
  /**
   * Records a launch, in the `forward` of an op. `grid` counts workgroups; see `grid1d`.
   * @throws ValueError for a name that the text does not declare, one that is missing, or a tensor that is written and bound
   * twice; DeviceError for a tensor of another device; LimitError for a grid or binding larger than the adapter allows.
   */
  launch(run: Launcher, buffers: B, params: P, grid: Grid): void;
  /**
   * The kernel with some module-scope declarations replaced by name: a `const` or `alias` gets another value, a `fn` or
   * `struct` another text. Each variant is compiled once.
   */
  variant(overrides: Readonly<Record<string, string | number | boolean>>): Kernel<B, P>;
}

const HINT =
  "buffers are declared in the order of their numbers as `@group(0) @binding(0) var<storage, read> x: array<f32>;` (or read_write), and the parameters, if any, last as `@group(0) @binding(2) var<uniform> p: Params;` with `struct Params { n: u32, ... }`";

/**
 * A kernel from WGSL text, to be launched in the `forward` of an op that `defineOp` makes. Its entry point is `main`; it
 * binds storage buffers in the order of their numbers and one uniform block, `Params`, last. With `const has_NAME = true;` in
 * the text, and `if (has_NAME) { ... }` around every use, buffer NAME may be null. A text that is a literal is also read by
 * TypeScript: a buffer or parameter that is missing or misspelt in a launch does not compile.
 *
 * A text that the adapter does not compile is a `KernelError` at the next read or wait, with line and column.
 * @throws ValueError where the text does not declare its buffers and parameters in this way.
 * @see https://www.w3.org/TR/WGSL/
 */
export function kernel<const T extends string>(name: string, wgsl: T): Kernel<BuffersOf<T>, ParamsOf<T>> {
  const expect = (condition: boolean, message: () => string) =>
    check(condition, () => `[kernel] ${name}: ${message()}`, ValueError);
  check(
    typeof name === "string" && typeof wgsl === "string",
    () => `[kernel] takes a name and a WGSL text, got ${told(name)} and ${told(wgsl)}`,
    ValueError,
  );
  const { text, indent } = dedented(wgsl);
  const declared = reflected(name, text);
  const code = withoutComments(text);
  const { bindings, params } = declared;
  const last = params?.at(-1);
  expect(
    (code.match(/\bvar<\s*(storage|uniform)\b/g) ?? []).length === bindings.length + (params ? 1 : 0),
    () => `a buffer is declared in another way than is understood: ${HINT}`,
  );
  expect(/@compute\b[^{;]*\bfn\s+main\s*\(/.test(code), () => "there is no entry point `@compute ... fn main(...)`");
  expect(
    !last || 4 * (last.offset + last.words) <= PARAM_BYTES,
    () => `Params is larger than ${PARAM_BYTES} bytes: pass what is long as a tensor`,
  );
  const file = new FileKernel<Buffers, Params | null>({
    name,
    text: [text],
    indent,
    whole: true,
    ...compact(declared),
  });
  return checked(file, {}, declared) as Kernel<BuffersOf<T>, ParamsOf<T>>;
}

function reflected(name: string, text: string): Reflection {
  try {
    return reflect(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ValueError(`[kernel] ${name}: ${reason}. To mend it: ${HINT}`, { cause });
  }
}

/** The text without the spaces that all its lines begin with: declarations then stand at the start of their lines. */
function dedented(text: string): { text: string; indent: number } {
  const lines = text.split("\n");
  const widths = lines.filter((line) => line.trim()).map((line) => line.length - line.trimStart().length);
  const indent = widths.length > 0 ? Math.min(...widths) : 0;
  return { text: lines.map((line) => line.slice(indent)).join("\n"), indent };
}

type Buffers = Readonly<Record<string, Tensor | null>>;
type Params = Readonly<Record<string, number | readonly number[]>>;
type Overrides = Readonly<Record<string, string | number | boolean>>;

/** A variant of the kernel that checks the names of each launch. */
function checked(file: FileKernel<Buffers, Params | null>, overrides: Overrides, declared: Reflection) {
  const { name } = file;
  let variant: Variant<Buffers, Params | null> | null = null;
  const made: Kernel<Buffers, Params | null> = {
    name,
    launch(run, buffers, params, grid) {
      checkBuffers(name, declared, run.device, buffers);
      checkParams(name, declared, params);
      variant ??= file.variant(overrides);
      variant.launch(run.device, buffers, params, grid);
    },
    variant: (more) => checked(file, { ...overrides, ...more }, declared),
  };
  return made;
}

function checkNames(what: string, name: string, known: readonly string[], given: object): void {
  for (const key of Object.keys(given)) {
    check(
      known.includes(key),
      () => `[${name}] the kernel has no ${what} ${key}: it has ${known.join(", ") || "none"}`,
      ValueError,
    );
  }
}

function checkBuffers(kernel: string, { bindings }: Reflection, device: Device, given: Buffers): void {
  checkNames(
    "buffer",
    kernel,
    bindings.map(({ name }) => name),
    given,
  );
  const written = new Set<unknown>();
  const read = new Set<unknown>();
  for (const { name, access, optional } of bindings) {
    const tensor = given[name];
    if (tensor === null && optional) continue;
    check(
      tensor instanceof Tensor,
      () => `[${kernel}] the launch binds no tensor to ${name}${optional ? " (null where there is none)" : ""}`,
      ValueError,
    );
    check(
      tensor.device === device,
      () => `[${kernel}] the tensor for ${name} lives on another device than the op's inputs`,
      DeviceError,
    );
    const { buffer } = tensor.storage;
    check(
      !written.has(buffer) && (access !== "write" || !read.has(buffer)),
      () => `[${kernel}] the tensor for ${name} is bound twice, and written: clone() it first`,
      ValueError,
    );
    (access === "write" ? written : read).add(buffer);
  }
}

function checkParams(kernel: string, { params }: Reflection, given: Params | null): void {
  checkNames("parameter", kernel, params?.map(({ name }) => name) ?? [], given ?? {});
  for (const { name, words } of params ?? []) {
    const value = given?.[name];
    const fits = typeof value === "number" ? words === 1 : Array.isArray(value) && words > 1 && value.length <= words;
    check(
      fits,
      () =>
        `[${kernel}] parameter ${name} takes ${words === 1 ? "a number" : `a list of ${words} numbers`}, got ${JSON.stringify(value)}`,
      ValueError,
    );
  }
}
