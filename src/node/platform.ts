// Where WebGPU comes from in Node: Dawn, through the npm package `webgpu`. The counterpart of src/gpu/platform.ts.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeviceError } from "../errors.ts";
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
