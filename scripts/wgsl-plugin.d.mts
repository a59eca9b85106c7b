import type { Plugin as EsbuildPlugin } from "esbuild";
import type { Plugin as VitePlugin } from "vitest/config";
export function vite(): VitePlugin;
export function esbuild(): EsbuildPlugin;
/** WGSL as the built package carries it. */
export function stripped(text: string): string;
