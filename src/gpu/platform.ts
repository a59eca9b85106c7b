// Where WebGPU comes from in a browser. In Node the package's `#platform` import resolves to src/node/platform.ts instead.
import { DeviceError } from "../errors.ts";

/** The platform's WebGPU entry point. Throws `DeviceError` where there is none. */
export async function requestGpu(): Promise<GPU> {
  const gpu = globalThis.navigator?.gpu;
  if (!gpu) {
    throw new DeviceError(
      "[init] this browser has no navigator.gpu: use Chrome or Edge 113+, Safari 26+ or Firefox 141+, over HTTPS or localhost",
    );
  }
  return gpu;
}
