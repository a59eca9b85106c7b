// What the kernels declare, read from their texts by scripts/wgsl-types.mjs: do not edit, run `npm run wgsl -- --types`.

declare namespace Wgsl {
  type Source<B, P, D extends string> = import("./kernel.ts").KernelSource<B, P, D>;
  type Buffer = import("./kernel.ts").Buffer;
  type Two = readonly [number, number];
  type Three = readonly [number, number, number];
  type Four = readonly [number, number, number, number];
}

declare module "*/avg-pool-backward.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; dx: Wgsl.Buffer },
    { blocks: number; per: number; include_pad: number; step: Wgsl.Three; size: Wgsl.Two; out: Wgsl.Two; kernel: Wgsl.Two; stride: Wgsl.Two; pad: Wgsl.Two; grid: Wgsl.Two; per_stride: Wgsl.Two; windows: Wgsl.Two },
    "WG" | "Params" | "window" | "covering" | "rows" | "columns"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/avg-pool.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { outputs: number; per: number; include_pad: number; step: Wgsl.Three; size: Wgsl.Two; out: Wgsl.Two; kernel: Wgsl.Two; stride: Wgsl.Two; pad: Wgsl.Two },
    "WG" | "Params" | "window" | "rows" | "columns"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/batch-norm-backward.wgsl" {
  const source: Wgsl.Source<
    { stats: Wgsl.Buffer; x: Wgsl.Buffer; dy: Wgsl.Buffer; y: Wgsl.Buffer; dx: Wgsl.Buffer; dw: Wgsl.Buffer; db: Wgsl.Buffer; dresidual: Wgsl.Buffer },
    { channels: number; plane: number; count: number; chunk: number; chunks: number; lanes: number; log_lanes: number; step_at: number; step_in: number; per_element: number; low: number },
    "V" | "WIDTH" | "WG" | "REDUCE" | "APPLY" | "RESIDUAL" | "Params" | "total" | "masked"
  >;
  export default source;
  export const WIDTH: 1;
  export const WG: 64;
}

declare module "*/batch-norm.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; residual: Wgsl.Buffer; weight: Wgsl.Buffer; bias: Wgsl.Buffer; running_mean: Wgsl.Buffer; running_var: Wgsl.Buffer; stats: Wgsl.Buffer; y: Wgsl.Buffer },
    { channels: number; plane: number; count: number; chunk: number; chunks: number; lanes: number; log_lanes: number; step_at: number; step_in: number; has_weight: number; has_bias: number; eps: number; momentum: number; low: number },
    "V" | "WIDTH" | "WG" | "STATS" | "APPLY" | "RESIDUAL" | "Params" | "total" | "merge"
  >;
  export default source;
  export const WIDTH: 1;
  export const WG: 64;
}

declare module "*/binary.wgsl" {
  const source: Wgsl.Source<
    { a: Wgsl.Buffer; b: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; shape: readonly number[]; sa: readonly number[]; sb: readonly number[] },
    "T" | "R" | "RANK" | "Params" | "f" | "each" | "WG" | "PER" | "walk"
  >;
  export default source;
  export const RANK: 1;
  export const WG: 64;
  export const PER: 4;
}

declare module "*/cast-from-half.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number },
    "WG" | "Params"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/cast-to-half.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number },
    "WG" | "Params" | "half"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/cast.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number },
    "T" | "R" | "WG" | "Params"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/cat.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; width: number; pitch: number; offset: number },
    "WG" | "Params"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/color-jitter.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; u: Wgsl.Buffer; y: Wgsl.Buffer },
    { plane: number; channels: number; columns: number; column: number; enabled: number; low: Wgsl.Four; span: Wgsl.Four; gray: Wgsl.Four; mean: Wgsl.Four; inv_std: Wgsl.Four },
    "WG" | "BRIGHTNESS" | "CONTRAST" | "SATURATION" | "HUE" | "Params" | "permutation" | "gray" | "turn_hue" | "adjust" | "pixel"
  >;
  export default source;
  export const WG: 128;
  export const BRIGHTNESS: 0;
  export const CONTRAST: 1;
  export const SATURATION: 2;
  export const HUE: 3;
}

declare module "*/conv-row-subgroup.wgsl" {
  const source: Wgsl.Source<
    { weight: Wgsl.Buffer; source: Wgsl.Buffer; bias: Wgsl.Buffer; gamma: Wgsl.Buffer; mean: Wgsl.Buffer; variance: Wgsl.Buffer; residual: Wgsl.Buffer; dest: Wgsl.Buffer },
    { rows: number; k: number; batch: number; flags: number; kernel: Wgsl.Two; source: Wgsl.Two; dest: Wgsl.Two; step: Wgsl.Two; base: Wgsl.Two; dil: Wgsl.Two; div: Wgsl.Two; source_channels: number; dest_channels: number; w_row: number; w_k: number; w_group: number; images_first: number; tap_step: Wgsl.Two; off_step: Wgsl.Two; eps: number },
    "SG" | "R" | "H" | "J" | "V" | "EDGES" | "BIAS" | "RELU" | "RESIDUAL" | "Value" | "Params" | "affine" | "beside" | "finish"
  >;
  export default source;
  export const SG: 8;
  export const R: 16;
  export const V: 1;
  export const BIAS: 1;
  export const RELU: 2;
  export const RESIDUAL: 4;
}

declare module "*/conv-subgroup.wgsl" {
  const source: Wgsl.Source<
    { weight: Wgsl.Buffer; source: Wgsl.Buffer; bias: Wgsl.Buffer; gamma: Wgsl.Buffer; mean: Wgsl.Buffer; variance: Wgsl.Buffer; residual: Wgsl.Buffer; dest: Wgsl.Buffer },
    { rows: number; k: number; batch: number; flags: number; kernel: Wgsl.Two; source: Wgsl.Two; dest: Wgsl.Two; step: Wgsl.Two; base: Wgsl.Two; dil: Wgsl.Two; div: Wgsl.Two; source_channels: number; dest_channels: number; w_row: number; w_k: number; w_group: number; images_first: number; tap_step: Wgsl.Two; off_step: Wgsl.Two; eps: number },
    "SG" | "R" | "H" | "J" | "V" | "U" | "BIAS" | "RELU" | "RESIDUAL" | "Value" | "Params" | "affine" | "beside" | "finish" | "locate" | "first_taps"
  >;
  export default source;
  export const SG: 8;
  export const R: 16;
  export const V: 4;
  export const U: 2;
  export const BIAS: 1;
  export const RELU: 2;
  export const RESIDUAL: 4;
}

declare module "*/conv-weight-row-subgroup.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; x: Wgsl.Buffer; dw: Wgsl.Buffer },
    { rows: number; channels: number; batch: number; x_channels: number; kernel: Wgsl.Two; x_size: Wgsl.Two; y_size: Wgsl.Two; stride: Wgsl.Two; padding: Wgsl.Two; dilation: Wgsl.Two; full: Wgsl.Two; origin: Wgsl.Two; y_channels: number; taps_first: number; images: number; planes: number; size: number },
    "SG" | "R" | "H" | "J" | "V" | "Params"
  >;
  export default source;
  export const SG: 8;
  export const R: 16;
  export const V: 1;
}

declare module "*/conv-weight-subgroup.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; x: Wgsl.Buffer; dw: Wgsl.Buffer },
    { rows: number; channels: number; batch: number; x_channels: number; kernel: Wgsl.Two; x_size: Wgsl.Two; y_size: Wgsl.Two; stride: Wgsl.Two; padding: Wgsl.Two; dilation: Wgsl.Two; full: Wgsl.Two; origin: Wgsl.Two; y_channels: number; taps_first: number; images: number; planes: number; size: number },
    "SG" | "R" | "H" | "J" | "V" | "U" | "Params" | "locate"
  >;
  export default source;
  export const SG: 8;
  export const R: 16;
  export const V: 4;
  export const U: 2;
}

declare module "*/conv-weight-workgroup.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; x: Wgsl.Buffer; dw: Wgsl.Buffer },
    { rows: number; channels: number; batch: number; x_channels: number; kernel: Wgsl.Two; x_size: Wgsl.Two; y_size: Wgsl.Two; stride: Wgsl.Two; padding: Wgsl.Two; dilation: Wgsl.Two; full: Wgsl.Two; origin: Wgsl.Two; y_channels: number; taps_first: number; images: number; planes: number; size: number },
    "TILE" | "DEPTH" | "SIDE" | "EACH" | "Params"
  >;
  export default source;
  export const TILE: 32;
  export const DEPTH: 16;
  export const SIDE: 8;
}

declare module "*/conv-workgroup.wgsl" {
  const source: Wgsl.Source<
    { weight: Wgsl.Buffer; source: Wgsl.Buffer; bias: Wgsl.Buffer; gamma: Wgsl.Buffer; mean: Wgsl.Buffer; variance: Wgsl.Buffer; residual: Wgsl.Buffer; dest: Wgsl.Buffer },
    { rows: number; k: number; batch: number; flags: number; kernel: Wgsl.Two; source: Wgsl.Two; dest: Wgsl.Two; step: Wgsl.Two; base: Wgsl.Two; dil: Wgsl.Two; div: Wgsl.Two; source_channels: number; dest_channels: number; w_row: number; w_k: number; w_group: number; images_first: number; tap_step: Wgsl.Two; off_step: Wgsl.Two; eps: number },
    "TILE" | "DEPTH" | "SIDE" | "EACH" | "BIAS" | "RELU" | "RESIDUAL" | "Value" | "Params" | "affine" | "beside" | "finish"
  >;
  export default source;
  export const TILE: 32;
  export const DEPTH: 16;
  export const SIDE: 8;
  export const BIAS: 1;
  export const RELU: 2;
  export const RESIDUAL: 4;
}

declare module "*/correct-count.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; labels: Wgsl.Buffer; count: Wgsl.Buffer },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number },
    "WG" | "Params" | "sums"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/cross-entropy-backward.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; labels: Wgsl.Buffer; weight: Wgsl.Buffer; saved: Wgsl.Buffer; dy: Wgsl.Buffer; dx: Wgsl.Buffer },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number; reduction: number; weighted: number; ignore: number; keep: number; even: number },
    "T" | "WG" | "PROBABILITIES" | "NORMALIZE" | "Params"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/cross-entropy-finish.wgsl" {
  const source: Wgsl.Source<
    { loss: Wgsl.Buffer; saved: Wgsl.Buffer },
    { rows: number; groups: number; reduction: number },
    "WG" | "Params"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/cross-entropy.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; labels: Wgsl.Buffer; weight: Wgsl.Buffer; loss: Wgsl.Buffer; saved: Wgsl.Buffer; faults: Wgsl.Buffer },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number; groups: number; reduction: number; weighted: number; ignore: number; keep: number; even: number; fault: number },
    "T" | "WG" | "PROBABILITIES" | "NORMALIZE" | "LEAST" | "Params" | "row_max" | "sums" | "weight_of" | "check_label"
  >;
  export default source;
  export const WG: 64;
  export const LEAST: -3.4028234e+38;
}

declare module "*/fill.wgsl" {
  const source: Wgsl.Source<
    { y: Wgsl.Buffer },
    { n: number; value: number },
    "WG" | "Params"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/gather-backward.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; index: Wgsl.Buffer; dx: Wgsl.Buffer },
    { n: number; rank: number; dim: number; length: number; stride: number; shape: readonly number[]; strides: readonly number[]; bounds: readonly number[] },
    "WG" | "Params"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/gather-images.wgsl" {
  const source: Wgsl.Source<
    { image: Wgsl.Buffer; label: Wgsl.Buffer; index: Wgsl.Buffer; y: Wgsl.Buffer; label_out: Wgsl.Buffer; faults: Wgsl.Buffer },
    { words: number; elements: number; plane: number; first: number; count: number; total: number; stride: number; blank: number; fault: number; mean: Wgsl.Four; inv_std: Wgsl.Four },
    "WG" | "Params"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/gather.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; index: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; rank: number; size: number; stride: number; shape: readonly number[]; strides: readonly number[] },
    "WG" | "Params"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/grad-norm-finish.wgsl" {
  const source: Wgsl.Source<
    { partial: Wgsl.Buffer; norm: Wgsl.Buffer; factor: Wgsl.Buffer },
    { n: number; maxNorm: number },
    "WG" | "Params" | "Part" | "join" | "tree"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/grad-norm.wgsl" {
  const source: Wgsl.Source<
    { g: Wgsl.Buffer; partial: Wgsl.Buffer },
    { n: number; offset: number },
    "WG" | "CHUNK" | "Params" | "Part" | "join" | "tree"
  >;
  export default source;
  export const WG: 64;
  export const CHUNK: 16384;
}

declare module "*/index-select-backward.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; index: Wgsl.Buffer; dx: Wgsl.Buffer },
    { n: number; inner: number; count: number; size: number },
    "WG" | "Params"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/index-select.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; index: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; inner: number; count: number; size: number },
    "WG" | "Params"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/inplace.wgsl" {
  const source: Wgsl.Source<
    { y: Wgsl.Buffer; b: Wgsl.Buffer },
    { n: number; rank: number; shape: readonly number[]; strides: readonly number[] },
    "T" | "WG" | "Params" | "f"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/layer-norm-backward.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; weight: Wgsl.Buffer; stats: Wgsl.Buffer; dy: Wgsl.Buffer; dx: Wgsl.Buffer },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; has_weight: number },
    "WG" | "Params" | "gradient"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/layer-norm-params.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; stats: Wgsl.Buffer; dy: Wgsl.Buffer; dw: Wgsl.Buffer; db: Wgsl.Buffer },
    { rows: number; length: number },
    "WG" | "COLUMNS" | "Params"
  >;
  export default source;
  export const WG: 64;
  export const COLUMNS: 8;
}

declare module "*/layer-norm.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; weight: Wgsl.Buffer; bias: Wgsl.Buffer; stats: Wgsl.Buffer; y: Wgsl.Buffer },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; has_weight: number; has_bias: number; eps: number },
    "WG" | "Params" | "merge"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/matmul-subgroup.wgsl" {
  const source: Wgsl.Source<
    { a: Wgsl.Buffer; b: Wgsl.Buffer; c: Wgsl.Buffer },
    { m: number; n: number; k: number; a_row: number; a_k: number; b_k: number; b_col: number; a_batch: number; b_batch: number; c_batch: number; c_row: number },
    "SG" | "R" | "H" | "J" | "V" | "U" | "Params"
  >;
  export default source;
  export const SG: 8;
  export const R: 16;
  export const V: 4;
  export const U: 2;
}

declare module "*/matmul-workgroup.wgsl" {
  const source: Wgsl.Source<
    { a: Wgsl.Buffer; b: Wgsl.Buffer; c: Wgsl.Buffer },
    { m: number; n: number; k: number; a_row: number; a_k: number; b_k: number; b_col: number; a_batch: number; b_batch: number; c_batch: number; c_row: number },
    "TILE" | "DEPTH" | "SIDE" | "EACH" | "Params"
  >;
  export default source;
  export const TILE: 32;
  export const DEPTH: 16;
  export const SIDE: 8;
}

declare module "*/max-pool-backward.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; found: Wgsl.Buffer; dx: Wgsl.Buffer },
    { blocks: number; per: number; step: Wgsl.Three; size: Wgsl.Two; out: Wgsl.Two; grid: Wgsl.Two; pad: Wgsl.Two; reach: Wgsl.Two; per_stride: Wgsl.Two; windows: Wgsl.Two },
    "WG" | "Params" | "rows" | "columns"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/max-pool.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer; found: Wgsl.Buffer },
    { outputs: number; per: number; step: Wgsl.Three; size: Wgsl.Two; out: Wgsl.Two; kernel: Wgsl.Two; stride: Wgsl.Two; pad: Wgsl.Two; dilation: Wgsl.Two },
    "WG" | "Params" | "rows" | "columns"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/pad.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; rank: number; value: number; shape: readonly number[]; start: readonly number[]; step: readonly number[]; size: readonly number[] },
    "WG" | "Params"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/random.wgsl" {
  const source: Wgsl.Source<
    { shift: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; first: number; seed_low: number; seed_high: number; stream: number; a: number; b: number },
    "T" | "WG" | "Params" | "draw" | "unit" | "multiply" | "philox"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/reduce.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { outputs: number; splits: number; chunk: number; length: number; inner: number; inner_stride: number; step_outer: number; step_inner: number; kept_rank: number; outer_rank: number; scale: number; step: number; wrap: number; kept_shape: readonly number[]; kept_strides: readonly number[]; outer_shape: readonly number[]; outer_strides: readonly number[] },
    "T" | "WG" | "LANES" | "DEEP" | "IDENTITY" | "Params" | "each" | "combine" | "finish" | "kept" | "outer_offset"
  >;
  export default source;
  export const WG: 64;
  export const LANES: 64;
}

declare module "*/resize-bilinear.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { channels: number; height: number; width: number; in_height: number; in_width: number; stride: number; stride_y: number; stride_x: number; scale_y: number; scale_x: number; mean: Wgsl.Four; inv_std: Wgsl.Four },
    "WG" | "Params"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/softmax-backward.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; y: Wgsl.Buffer; dx: Wgsl.Buffer },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number },
    "WG" | "LOG" | "Params" | "row_sum"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/softmax.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number },
    "WG" | "LOG" | "LEAST" | "Params" | "row_max" | "row_sum"
  >;
  export default source;
  export const WG: 64;
  export const LEAST: -3.4028234e+38;
}

declare module "*/strided.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; start: number; shape: readonly number[]; strides: readonly number[] },
    "WG" | "RANK" | "Params"
  >;
  export default source;
  export const WG: 64;
  export const RANK: 1;
}

declare module "*/topk.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; values: Wgsl.Buffer; indices: Wgsl.Buffer },
    { rows: number; k: number; length: number; inner: number },
    "T" | "WG" | "LANES" | "Params" | "NONE" | "before" | "better"
  >;
  export default source;
  export const WG: 64;
  export const LANES: 64;
  export const NONE: 4294967295;
}

declare module "*/unary-backward.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; s: Wgsl.Buffer | null; dx: Wgsl.Buffer },
    { n: number; a: number; b: number },
    "has_s" | "Params" | "df" | "each" | "WG" | "PER"
  >;
  export default source;
  export const WG: 64;
  export const PER: 4;
}

declare module "*/unary.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; a: number; b: number },
    "T" | "Params" | "f" | "each" | "WG" | "PER"
  >;
  export default source;
  export const WG: 64;
  export const PER: 4;
}

declare module "*/update.wgsl" {
  const source: Wgsl.Source<
    { hyper: Wgsl.Buffer; g0: Wgsl.Buffer; p0: Wgsl.Buffer; g1: Wgsl.Buffer | null; p1: Wgsl.Buffer | null; g2: Wgsl.Buffer | null; p2: Wgsl.Buffer | null; s0: Wgsl.Buffer | null; s1: Wgsl.Buffer | null; s2: Wgsl.Buffer | null },
    { n: Wgsl.Three; state: Wgsl.Three; start: Wgsl.Three },
    "WG" | "VECTORS" | "has_g1" | "has_p1" | "has_g2" | "has_p2" | "has_s0" | "has_s1" | "has_s2" | "Params" | "Hyper" | "advance"
  >;
  export default source;
  export const WG: 64;
  export const VECTORS: 8;
}

declare module "*/warp-images.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; u: Wgsl.Buffer; y: Wgsl.Buffer },
    { channels: number; height: number; width: number; steps: number; columns: number; stride: number; stride_y: number; stride_x: number; mean: Wgsl.Four; inv_std: Wgsl.Four; place: readonly number[]; amount: readonly number[] },
    "WG" | "MAX_STEPS" | "FIXED" | "CROP" | "FLIP" | "ROTATE" | "Params" | "prepare"
  >;
  export default source;
  export const WG: 64;
  export const MAX_STEPS: 6;
  export const FIXED: 0;
  export const CROP: 1;
  export const FLIP: 2;
  export const ROTATE: 3;
}

declare module "*/where.wgsl" {
  const source: Wgsl.Source<
    { c: Wgsl.Buffer; a: Wgsl.Buffer; b: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; rank: number; truth: number; shape: readonly number[]; sc: readonly number[]; sa: readonly number[]; sb: readonly number[] },
    "WG" | "Params"
  >;
  export default source;
  export const WG: 64;
}
