// Where WebGPU comes from in a browser. In Node the package's `#platform` import resolves to src/node/node-platform.ts instead.
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

/** What tuning found for this adapter before. A browser keeps it as long as the page. */
export const loadVariants = async (_adapter: string): Promise<Readonly<Record<string, string>>> => ({});
export const saveVariants = async (_adapter: string, _variants: Readonly<Record<string, string>>): Promise<void> => {};

/** Browsers close devices themselves. */
export function closeAtExit(_device: GPUDevice): void {}

type FetchWeights = typeof import("./browser-weights.ts")["fetchWeights"];

/** A file of weights, from the browser's caches or the network. Loaded when it is needed. */
export const fetchWeights: FetchWeights = async (request, download) =>
  (await import("./browser-weights.ts")).fetchWeights(request, download);
