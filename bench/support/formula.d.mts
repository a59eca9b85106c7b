// Types of formula.mjs, which the peers' plain JavaScript shares.
export function uniform(n: number, seed: number, scale?: number): Float32Array<ArrayBuffer>;
export function labels(n: number, seed: number, classes: number): Int32Array<ArrayBuffer>;
export function parameter(name: string, shape: readonly number[], seed: number): Float32Array<ArrayBuffer>;
