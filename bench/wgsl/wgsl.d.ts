// What the benchmarks' own kernels declare.
type Words = import("../../src/kernels/kernel.ts").Buffer;

declare module "*/copy.wgsl" {
  const source: import("../../src/kernels/kernel.ts").KernelSource<
    { source: Words; dest: Words },
    null,
    "PER_LANE" | "TOGETHER"
  >;
  export default source;
}

declare module "*/fma.wgsl" {
  const source: import("../../src/kernels/kernel.ts").KernelSource<
    { result: Words },
    { a: number; b: number; rounds: number },
    "CHAINS" | "UNROLL"
  >;
  export default source;
}
