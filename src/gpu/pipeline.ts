// Compute pipelines: WGSL text to a pipeline that compiles in the background, with the layout that the text declares.
import { DeviceError } from "../errors.ts";

/** WGSL ready to compile. `key` identifies file and overrides; it is also the label in error messages and profiles. */
export interface Shader {
  readonly key: string;
  readonly code: string;
  /** What it binds, in order, the uniform block of parameters (where `params` says that it has one) last. */
  readonly entries?: readonly { readonly binding: number; readonly type: GPUBufferBindingType }[];
  readonly params?: boolean;
}

export interface Pipeline {
  readonly key: string;
  /** Set once compiled; until then `compiled` is pending. */
  gpu: GPUComputePipeline | null;
  readonly compiled: Promise<void>;
  readonly layout: GPUBindGroupLayout;
  /** Numbers of the buffers' bindings, in order. */
  readonly bindings: readonly number[];
  /** The binding of the uniform `Params` block behind them; null without one. */
  readonly params: number | null;
}

const BINDING = /@group\(0\)\s*@binding\((\d+)\)\s*var<\s*(storage|uniform)\s*(?:,\s*(read_write|read)\s*)?>\s*(\w+)/g;

/**
 * The bind-group layout that the WGSL declares: buffers first, one uniform block last. What a variant does not mention
 * beyond its declaration is left out.
 */
function layoutEntries(text: string): GPUBindGroupLayoutEntry[] {
  const entries: GPUBindGroupLayoutEntry[] = [];
  const code = text.replace(/\/\/.*$/gm, "");
  for (const [, binding, space, access, name] of code.matchAll(BINDING)) {
    if (code.match(new RegExp(`\\b${name}\\b`, "g"))!.length < 2) continue;
    entries.push({
      binding: Number(binding),
      visibility: GPUShaderStage.COMPUTE,
      buffer:
        space === "uniform" ? { type: "uniform" } : { type: access === "read_write" ? "storage" : "read-only-storage" },
    });
  }
  return entries.sort((a, b) => a.binding - b.binding);
}

export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  /** Pipelines asked for and compiled so far. */
  requested = 0;
  ready = 0;
  /** Called when one of the two changes. */
  onProgress: (() => void) | null = null;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The pipeline of a shader. The first request starts its compilation, which runs beside others. */
  get(shader: Shader): Pipeline {
    const known = this.#pipelines.get(shader.key);
    if (known) return known;
    const pipeline = this.#create(shader);
    this.#pipelines.set(shader.key, pipeline);
    return pipeline;
  }

  #create({ key, code, entries: given, params: last }: Shader): Pipeline {
    const device = this.#device;
    const entries: GPUBindGroupLayoutEntry[] = given
      ? given.map(({ binding, type }) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } }))
      : layoutEntries(code);
    const shape = entries.map((e) => `${e.binding}${e.buffer!.type}`).join();
    let layout = this.#layouts.get(shape);
    if (!layout) {
      layout = device.createBindGroupLayout({ label: shape, entries });
      this.#layouts.set(shape, layout);
    }
    const bindings = entries.map((entry) => entry.binding);
    const params = (last ?? entries.at(-1)?.buffer?.type === "uniform") ? bindings.pop()! : null;
    this.requested++;
    this.onProgress?.();
    // What is wrong with the text comes with the pipeline's rejection below, where the op that wanted it is known.
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label: key, code });
    device.popErrorScope().catch(() => {});
    const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
    const compiled = device
      .createComputePipelineAsync({ label: key, layout: pipelineLayout, compute: { module, entryPoint: "main" } })
      .then(
        (gpu) => {
          pipeline.gpu = gpu;
          this.ready++;
          this.onProgress?.();
        },
        async (cause: unknown) => {
          const info = await module.getCompilationInfo();
          const lines = info.messages.map((m) => `  ${m.type} at ${m.lineNum}:${m.linePos}: ${m.message}`);
          const reason = lines.length ? lines.join("\n") : String(cause);
          throw new DeviceError(`[${key}] the kernel does not compile on this adapter:\n${reason}`, { cause });
        },
      );
    // Whoever flushes the queue gets this error; without a listener now, Node would call it unhandled.
    compiled.catch(() => {});
    const pipeline: Pipeline = { key, gpu: null, compiled, layout, bindings, params };
    return pipeline;
  }
}
