// Compute pipelines: WGSL text to a pipeline that compiles in the background.
import { LimitError } from "../errors.ts";
import type { GlobalType } from "./global-type.ts";

/** WGSL ready to compile. `key` identifies file and overrides; it is also the label in error messages and profiles. */
export interface Shader {
  readonly key: string;
  readonly code: string;
  /** Columns that were cut from the start of each line of the text as it was written. */
  readonly indent?: number;
  /** What it binds, in order, the uniform block of parameters (where `params` says that it has one) last. */
  readonly entries: readonly { readonly binding: number; readonly type: "uniform" | "storage" | "read-only-storage" }[];
  readonly params?: boolean;
}

/** Why a kernel does not compile. Line and column count from 1; null where the adapter does not say. */
export interface Problem {
  readonly line: number | null;
  readonly column: number | null;
  readonly text: string;
  readonly cause: unknown;
}

export interface Pipeline {
  readonly key: string;
  /** Null until it is compiled, and where it does not compile. */
  gpu: GlobalType<"GPUComputePipeline"> | null;
  /** Resolves when it is compiled, or is known not to; null from then on. */
  compiling: Promise<void> | null;
  /** Set where it does not compile: launches of it are left out. */
  problem: Problem | null;
  readonly layout: GlobalType<"GPUBindGroupLayout">;
  /** Numbers of the buffers' bindings, in order. */
  readonly bindings: readonly number[];
  /** Which of the buffers it writes to. */
  readonly writes: readonly boolean[];
  /** The binding of the uniform `Params` block behind them; null without one. */
  readonly params: number | null;
}

type Entry = NonNullable<Shader["entries"]>[number];

export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #pipelines = new WeakMap<Shader, Pipeline>();
  readonly #byText = new Map<string, Pipeline>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  /** Pipelines asked for so far, and those that are compiled or known not to compile. */
  requested = 0;
  ready = 0;
  /** Called when one of the two changes. */
  onProgress: (() => void) | null = null;

  constructor(device: GlobalType<"GPUDevice">) {
    this.#device = device;
  }

  /** The pipeline of a shader. The first request starts its compilation, which runs beside others. */
  get(shader: Shader): Pipeline {
    const known = this.#pipelines.get(shader);
    if (known) return known;
    // By text, not by key: two kernels of users may have one name.
    const pipeline = this.#byText.get(shader.code) ?? this.#create(shader);
    this.#byText.set(shader.code, pipeline);
    this.#pipelines.set(shader, pipeline);
    return pipeline;
  }

  #layout(entries: readonly Entry[]): GPUBindGroupLayout {
    const label = entries.map(({ binding, type }) => `${binding}${type}`).join();
    const known = this.#layouts.get(label);
    if (known) return known;
    const layout = this.#device.createBindGroupLayout({
      label,
      entries: entries.map(({ binding, type }) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type },
      })),
    });
    this.#layouts.set(label, layout);
    return layout;
  }

  #create({ key, code, indent = 0, entries, params: given }: Shader): Pipeline {
    const device = this.#device;
    const { maxStorageBuffersPerShaderStage: most } = device.limits;
    const storages = entries.filter(({ type }) => type !== "uniform").length;
    if (storages > most) {
      throw new LimitError(`[${key}] the kernel binds ${storages} storage buffers, but this adapter allows ${most}`);
    }
    const layout = this.#layout(entries);
    const last = entries.at(-1);
    const params = last && (given ?? last.type === "uniform") ? last.binding : null;
    const buffers = entries.slice(0, params === null ? undefined : -1);
    const bindings = buffers.map(({ binding }) => binding);
    const writes = buffers.map(({ type }) => type === "storage");
    this.requested++;
    this.onProgress?.();
    // What is wrong with the text comes with the pipeline's rejection below, where the op that wanted it is known.
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label: key, code });
    device.popErrorScope().catch(() => {});
    const pipeline: Pipeline = { key, gpu: null, compiling: null, problem: null, layout, bindings, writes, params };
    pipeline.compiling = device
      .createComputePipelineAsync({
        label: key,
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: "main" },
      })
      .then(
        (gpu) => {
          pipeline.gpu = gpu;
        },
        async (cause: unknown) => {
          pipeline.problem = await problemOf(module, indent, cause);
        },
      )
      .then(() => {
        pipeline.compiling = null;
        this.ready++;
        this.onProgress?.();
      });
    return pipeline;
  }
}

async function problemOf(module: GPUShaderModule, indent: number, cause: unknown): Promise<Problem> {
  // A lost device knows nothing.
  const { messages } = await module.getCompilationInfo().catch(() => ({ messages: [] }));
  const errors = messages.filter(({ type }) => type === "error");
  const [first] = errors;
  if (!first) return { line: null, column: null, text: cause instanceof Error ? cause.message : String(cause), cause };
  const others = errors.slice(1).map((m) => `\n  at line ${m.lineNum}, column ${m.linePos + indent}: ${m.message}`);
  return { line: first.lineNum, column: first.linePos + indent, text: first.message + others.join(""), cause };
}
