// Adapter and device, for Node and the browser alike.
import { closeAtExit, loadVariants, requestGpu, saveVariants } from "#platform";
import { context } from "../context.ts";
import { check, DeviceError, OutOfMemoryError, StateError, told, ValueError } from "../errors.ts";
import type { GlobalType } from "./global-type.ts";
import { PipelineCache } from "./pipeline.ts";
import { BufferPool } from "./pool.ts";
import { Queue } from "./queue.ts";

/** What `init` takes. */
export interface InitOptions {
  /** Which adapter to take; "software" insists on a CPU implementation (lavapipe, SwiftShader, WARP). Default "auto". */
  adapter?: "auto" | "high-performance" | "low-power" | "software";
  /** False: use no subgroup kernels although the adapter has subgroups. Default true. */
  subgroups?: boolean;
}

/** An adapter as WebGPU tells of it. */
export interface DeviceInfo {
  /** Such as "nvidia"; "" where the browser does not tell. */
  readonly vendor: string;
  /** Such as "ampere"; "" where the browser does not tell. */
  readonly architecture: string;
  /** Such as "NVIDIA GeForce RTX 3080", for people to read; with the driver where the platform tells it. */
  readonly name: string;
  /** Whether it is a CPU implementation: lavapipe, SwiftShader, WARP. */
  readonly isSoftware: boolean;
  /** Lanes of a subgroup, or 0 where subgroups are off, missing, or of a size that varies. */
  readonly subgroupSize: number;
  /** WebGPU features that were switched on, such as "subgroups", "shader-f16" and "timestamp-query". */
  readonly features: readonly string[];
  /** WebGPU's limits by name, in bytes or counts: the adapter's own, not the defaults. */
  readonly limits: Readonly<Record<string, number>>;
}

/** Kernels asked for so far, and those of them that are compiled (or cannot be: see `KernelError`). */
export interface CompileProgress {
  /** Kernels that are compiled. */
  readonly ready: number;
  /** Kernels that were asked for. */
  readonly requested: number;
}

/** An open device: what it is, and the queue, pool and pipelines that everything runs on. */
export class Device {
  /** The WebGPU device itself. */
  readonly gpu: GlobalType<"GPUDevice">;
  /** What it is: name, subgroup size, limits. */
  readonly info: DeviceInfo;
  /** The compiled kernels. */
  readonly pipelines: PipelineCache;
  /** The buffers that tensors get and give back. */
  readonly pool: BufferPool;
  /** Commands on their way to the device, and readback. */
  readonly queue: Queue;
  /** Variants of kernels chosen for this adapter, by class of launches, see `tune`. */
  readonly variants = new Map<string, string>();
  /** Counts changes of `variants`: a step captured with other ones is recorded again. */
  tunings = 0;
  /** Resolves with the reason if the device is ever lost. */
  readonly lost: Promise<DeviceError>;

  constructor(gpu: GlobalType<"GPUDevice">, info: DeviceInfo) {
    this.gpu = gpu;
    this.info = info;
    this.pipelines = new PipelineCache(gpu);
    this.pool = new BufferPool(gpu);
    this.queue = new Queue(gpu, this.pipelines, this.pool, info.limits);
    this.lost = gpu.lost.then(({ reason, message }) => {
      const error = new DeviceError(
        `[device] ${info.name} was lost (${reason}): ${message.replace(/\.+$/, "")}. Call init() again and reload your model from a checkpoint`,
      );
      this.queue.close(error);
      return error;
    });
    gpu.addEventListener("uncapturederror", ({ error }) => {
      const Kind = error instanceof GPUOutOfMemoryError ? OutOfMemoryError : DeviceError;
      this.queue.close(new Kind(`[device] ${error.message}`, { cause: error }));
    });
  }

  /**
   * Called whenever a kernel is asked for or has been compiled. A first step asks for all of its kernels at once; they
   * compile beside each other, in the background, before it runs.
   */
  set onCompile(listener: ((progress: CompileProgress) => void) | null) {
    const { pipelines } = this;
    pipelines.onProgress = listener && (() => listener({ ready: pipelines.ready, requested: pipelines.requested }));
  }

  /** Waits for all recorded work. Rejects with the first error that the device reported. */
  sync(): Promise<void> {
    return this.queue.idle();
  }

  /** Keeps `variants` for later processes on this adapter and driver, where the platform can. */
  saveVariants(): Promise<void> {
    return saveVariants(adapterKey(this.info), Object.fromEntries(this.variants));
  }

  /** Frees the device. Its tensors cannot be used afterwards. */
  destroy(): void {
    this.queue.close(new DeviceError("[device] destroyed by the program: call init() again"));
    this.gpu.destroy();
    if (context.device === this) context.device = null;
  }
}

/** Variants of kernels are chosen anew when their names or what they stand for change. */
const GENERATION = 1;
/** Adapter and driver (which the name includes), as far as WebGPU tells. */
const adapterKey = ({ name, vendor, architecture, subgroupSize }: DeviceInfo): string =>
  [name, vendor, architecture, `subgroups of ${subgroupSize}`, GENERATION].join(" | ");

/** The device that new tensors live on. Throws `StateError` before `init()`. */
export function currentDevice(): Device {
  const { device } = context;
  if (!device) throw new StateError("[init] no device yet: call `await init()` once before creating tensors");
  return device;
}

/** Throws unless `device` is one that init() opened, or undefined. */
export function checkDevice(name: string, device: unknown): void {
  check(
    device === undefined || device instanceof Device,
    () => `[${name}] device must be one that init() gave, got ${told(device)}`,
    ValueError,
  );
}

/** Makes an open device the one that new tensors live on: for programs that compare several. */
export function useDevice(device: Device): void {
  checkDevice("useDevice", device ?? null);
  context.device = device;
}

/** What to ask the platform for, in turn. Dawn calls only SwiftShader a fallback: lavapipe answers an ordinary request. */
const REQUESTS: Readonly<Record<NonNullable<InitOptions["adapter"]>, readonly GPURequestAdapterOptions[]>> = {
  auto: [{}],
  "high-performance": [{ powerPreference: "high-performance" }],
  "low-power": [{ powerPreference: "low-power" }],
  software: [{ forceFallbackAdapter: true }, {}, { powerPreference: "low-power" }],
};

const SOFTWARE = /llvmpipe|lavapipe|swiftshader|warp|basic render/i;

const nameOf = (info: GPUAdapterInfo): string =>
  info.description || info.device || info.architecture || info.vendor || "unknown adapter";

const isSoftwareAdapter = (info: GPUAdapterInfo): boolean =>
  info.isFallbackAdapter || SOFTWARE.test(`${nameOf(info)} ${info.device} ${info.architecture}`);

/**
 * Opens a WebGPU adapter and makes its device the one that new tensors live on.
 * Asks for the adapter's own limits and for subgroups, f16 and timestamps where it has them.
 * @throws DeviceError where there is no adapter, or none of the kind asked for.
 */
export async function openDevice(options: InitOptions = {}): Promise<Device> {
  const { adapter: wanted = "auto", subgroups = true } = options;
  const gpu = await requestGpu();
  const found: string[] = [];
  let adapter: GPUAdapter | null = null;
  for (const request of REQUESTS[wanted]) {
    const candidate = await gpu.requestAdapter(request);
    if (!candidate) continue;
    found.push(nameOf(candidate.info));
    adapter = candidate;
    if (wanted !== "software" || isSoftwareAdapter(candidate.info)) break;
    adapter = null;
  }
  if (!adapter) {
    const others = found.length > 0 ? ` (there is ${[...new Set(found)].join(", ")}: use "auto")` : "";
    throw new DeviceError(
      `[init] no WebGPU adapter found for adapter: "${wanted}"${others}. On Linux install a Vulkan driver, your GPU's or for software rendering Mesa 23.1+ (apt install mesa-vulkan-drivers); in a browser check chrome://gpu`,
    );
  }
  const { info } = adapter;
  const name = nameOf(info);
  const isSoftware = isSoftwareAdapter(info);
  const features: GPUFeatureName[] = [];
  for (const feature of ["subgroups", "shader-f16", "timestamp-query"] as const) {
    if (adapter.features.has(feature) && (feature !== "subgroups" || subgroups)) features.push(feature);
  }
  const limits: Record<string, number> = {};
  for (const key in adapter.limits) {
    const value = Reflect.get(adapter.limits, key) as unknown;
    if (typeof value === "number") limits[key] = value;
  }
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ label: "wgrad", requiredFeatures: features, requiredLimits: limits });
  } catch (cause) {
    throw new DeviceError(`[init] the adapter ${name} refused to open a device: ${String(cause)}`, { cause });
  }
  closeAtExit(device);
  const sameSize = info.subgroupMinSize === info.subgroupMaxSize;
  const opened = new Device(device, {
    vendor: info.vendor,
    architecture: info.architecture,
    name,
    isSoftware,
    subgroupSize: (features.includes("subgroups") && sameSize && info.subgroupMinSize) || 0,
    features,
    limits,
  });
  for (const [key, name] of Object.entries(await loadVariants(adapterKey(opened.info)))) opened.variants.set(key, name);
  context.device = opened;
  return opened;
}
