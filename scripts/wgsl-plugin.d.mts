import type { Plugin as EsbuildPlugin } from "esbuild";
import type { Plugin as VitePlugin } from "vitest/config";
import type { Reflection } from "../src/kernels/reflect.ts";
export function vite(): VitePlugin;
export function esbuild(): EsbuildPlugin;
/** The text of a module with every kernel, stripped and named as its file. */
export function allKernels(): Promise<string>;
/** WGSL as the built package carries it. */
export function stripped(text: string): string;
/** The whole text of a kernel with its parts, as it is compiled. */
export function linked(path: string): Promise<string>;
export function reflected(path: string): Promise<Reflection>;
export function kernelPaths(): Promise<{ kernels: string[]; parts: string[] }>;
