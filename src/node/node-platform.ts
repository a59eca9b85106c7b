// Where WebGPU comes from in Node: Dawn, through the npm package `webgpu`. The counterpart of src/gpu/browser-platform.ts.
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, DeviceError } from "../errors.ts";
import { writeFileAtomic } from "./atomic.ts";
import { cachePath } from "./cache.ts";
import { pollGently } from "./polling.ts";

// Dawn crashes when this object is collected while work is pending, so the module keeps it until the process exits.
let gpu: GPU | undefined;

/** Dawn's WebGPU entry point. Throws `DeviceError` where its native library cannot be loaded. */
export async function requestGpu(): Promise<GPU> {
  if (gpu) return gpu;
  if (!process.env.XDG_RUNTIME_DIR) {
    // Mesa's Vulkan loader asks for it, and servers and containers seldom have it.
    const folder = mkdtempSync(join(tmpdir(), "wgrad-"));
    process.env.XDG_RUNTIME_DIR = folder;
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  }
  try {
    const { create, globals } = await import("webgpu");
    for (const [name, value] of Object.entries(globals))
      if (!(name in globalThis)) Reflect.set(globalThis, name, value);
    pollGently(globals);
    gpu = create([]);
    return gpu;
  } catch (cause) {
    throw new DeviceError(
      "[init] Dawn (npm package `webgpu`) could not be loaded: run `npm i webgpu`, and check that this platform has a build of it",
      { cause },
    );
  }
}

/** Open devices; none is kept alive for this. */
let open: Set<WeakRef<GPUDevice>> | undefined;

/**
 * Destroys a device that is still open when the process exits, say after an error that nobody caught. Dawn then waits for the
 * threads that compile pipelines; otherwise they run on while the process is taken down, and may crash it.
 */
export function closeAtExit(device: GPUDevice): void {
  if (!open) {
    const devices = new Set<WeakRef<GPUDevice>>();
    process.once("exit", () => {
      for (const ref of devices) ref.deref()?.destroy();
    });
    open = devices;
  }
  const [devices, ref] = [open, new WeakRef(device)];
  devices.add(ref);
  device.lost.then(() => devices.delete(ref));
}

type Variants = Readonly<Record<string, string>>;

/** Where tuned variants are kept, by adapter. */
const variantsPath = (): string => cachePath("variants.json");

/** The file's content; nothing where it is missing or not ours. */
async function readVariants(): Promise<Record<string, Variants>> {
  try {
    const content: unknown = JSON.parse(await readFile(variantsPath(), "utf8"));
    return typeof content === "object" && content ? (content as Record<string, Variants>) : {};
  } catch {
    return {};
  }
}

/** What tuning found for this adapter, in this process or an earlier one. */
export async function loadVariants(adapter: string): Promise<Variants> {
  const variants = (await readVariants())[adapter];
  // A name that no kernel has is passed over by whoever chooses.
  return typeof variants === "object" ? variants : {};
}

/** Keeps what tuning found. Throws `DataError` where the cache folder cannot be written to. */
export async function saveVariants(adapter: string, variants: Variants): Promise<void> {
  const all = { ...(await readVariants()), [adapter]: variants };
  try {
    await writeFileAtomic(variantsPath(), `${JSON.stringify(all, null, 2)}\n`);
  } catch (cause) {
    throw new DataError(
      `[tune] ${variantsPath()} cannot be written: the variants found hold for this process alone; set WGRAD_CACHE to a folder that can be written to`,
      { cause },
    );
  }
}

type FetchWeights = typeof import("./weights.ts")["fetchWeights"];

/** A file of weights, from the cache, PyTorch's or the network. Loaded when it is needed. */
export const fetchWeights: FetchWeights = async (request, download) =>
  (await import("./weights.ts")).fetchWeights(request, download);
