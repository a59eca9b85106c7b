// In a program that knows WebGPU, `device.gpu` is the device that it knows (scripts/check-package.mjs compiles this).
import { init } from "wgrad";

export async function main(): Promise<GPUBuffer> {
  const { gpu } = await init();
  const device: GPUDevice = gpu;
  // @ts-expect-error: a size is a number
  gpu.createBuffer({ size: "16", usage: 0 });
  return device.createBuffer({ size: 16, usage: 128 });
}
