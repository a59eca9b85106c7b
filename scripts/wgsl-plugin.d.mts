import type { Plugin as EsbuildPlugin } from "esbuild";
import type { Plugin as VitePlugin } from "vitest/config";
export function vite(): VitePlugin;
export function esbuild(): EsbuildPlugin;
/** The text of a module with every kernel, stripped and named as its file. */
export function allKernels(): Promise<string>;
/** WGSL as the built package carries it. */
export function stripped(text: string): string;
