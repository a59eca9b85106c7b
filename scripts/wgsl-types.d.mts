/** The text of src/kernels/wgsl.d.ts. */
export function wgslTypes(): Promise<string>;
