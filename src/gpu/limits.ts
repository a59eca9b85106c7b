// What the adapter's limits mean for the library. They are asked of `DeviceInfo` alone, also where WebGPU would tell.

/** WebGPU's limits by name. */
export type Limits = Readonly<Record<string, number>>;

/** What WebGPU promises. */
const DEFAULT_BYTES = 2 ** 27;
/** Bindings start at multiples of so many bytes. */
export const ALIGN_BYTES = 256;

/** Bytes that one binding of a storage buffer holds: a multiple of 256, so that vectors and parts of tensors fill it. */
export const bindingBytes = ({ maxStorageBufferBindingSize = DEFAULT_BYTES }: Limits): number =>
  Math.floor(maxStorageBufferBindingSize / ALIGN_BYTES) * ALIGN_BYTES;

/** Workgroups that a dispatch may have along each dimension. */
export const gridSize = ({ maxComputeWorkgroupsPerDimension = 65_535 }: Limits): number =>
  maxComputeWorkgroupsPerDimension;
