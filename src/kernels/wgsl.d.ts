// What the kernels declare, read from their texts by scripts/wgsl-types.mjs: do not edit, run `npm run wgsl -- --types`.

declare namespace Wgsl {
  type Source<B, P, D extends string> = import("./kernel.ts").KernelSource<B, P, D>;
  type Buffer = import("./kernel.ts").Buffer;
  type Two = readonly [number, number];
  type Three = readonly [number, number, number];
  type Four = readonly [number, number, number, number];
}

declare module "*/affine-images.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; u: Wgsl.Buffer; y: Wgsl.Buffer },
    { channels: number; height: number; width: number; stride: number; stride_y: number; stride_x: number; columns: number; column: number; bilinear: number; angle: Wgsl.Two; translate: Wgsl.Two; scale: Wgsl.Two; shear_x: Wgsl.Two; shear_y: Wgsl.Two; centre: Wgsl.Two; mean: Wgsl.Four; inv_std: Wgsl.Four; fill: Wgsl.Four },
    "WG" | "Params" | "pixel" | "each" | "normalized" | "walk_pixels" | "Map" | "inverse_affine" | "has_pixel" | "sample"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/attention-softmax-backward.wgsl" {
  const source: Wgsl.Source<
    { y: Wgsl.Buffer; dp: Wgsl.Buffer; drop: Wgsl.Buffer | null; dropped: Wgsl.Buffer | null; dmask: Wgsl.Buffer | null },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number; pitch: number; queries: number; heads: number; first: number; causal: number; scale: number; mask_at: Wgsl.Four; mask_batches: number },
    "Part" | "has_drop" | "has_dropped" | "has_dmask" | "join" | "each_row" | "Params" | "Place" | "place_of" | "group" | "WG" | "Row" | "row_of" | "tree"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/attention-softmax.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; mask: Wgsl.Buffer | null; drop: Wgsl.Buffer | null; dropped: Wgsl.Buffer | null },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number; pitch: number; queries: number; heads: number; first: number; causal: number; scale: number; mask_at: Wgsl.Four; mask_batches: number },
    "Part" | "M" | "has_mask" | "has_drop" | "has_dropped" | "join" | "masked" | "each_row" | "Params" | "Place" | "place_of" | "group" | "WG" | "Row" | "row_of" | "LEAST" | "exponentials" | "together" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "tree"
  >;
  export default source;
  export const WG: 64;
  export const LEAST: -3.4028234e+38;
}

declare module "*/augment-images.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; u: Wgsl.Buffer; y: Wgsl.Buffer },
    { height: number; width: number; channels: number; columns: number; column: number; bins: number; bin: number; bilinear: number; filled: number; shear: number; rotate: number; enhance: number; bits: number; translate: Wgsl.Two; gray: Wgsl.Four; mean: Wgsl.Four; inv_std: Wgsl.Four; fill: Wgsl.Four },
    "WG" | "LEVELS" | "CHANNELS" | "SHEAR_X" | "SHEAR_Y" | "TRANSLATE_X" | "TRANSLATE_Y" | "ROTATE" | "BRIGHTNESS" | "COLOR" | "CONTRAST" | "SHARPNESS" | "POSTERIZE" | "SOLARIZE" | "AUTO_CONTRAST" | "EQUALIZE" | "OPERATIONS" | "Params" | "Part" | "join" | "pixel" | "gray_at" | "level" | "equalize" | "blurred" | "blend" | "normalized" | "tree" | "Map" | "inverse_affine" | "has_pixel" | "sample"
  >;
  export default source;
  export const WG: 128;
  export const LEVELS: 256;
  export const CHANNELS: 3;
  export const SHEAR_X: 1;
  export const SHEAR_Y: 2;
  export const TRANSLATE_X: 3;
  export const TRANSLATE_Y: 4;
  export const ROTATE: 5;
  export const BRIGHTNESS: 6;
  export const COLOR: 7;
  export const CONTRAST: 8;
  export const SHARPNESS: 9;
  export const POSTERIZE: 10;
  export const SOLARIZE: 11;
  export const AUTO_CONTRAST: 12;
  export const EQUALIZE: 13;
  export const OPERATIONS: 14;
}

declare module "*/avg-pool-backward.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; dx: Wgsl.Buffer },
    { positions: number; per: number; step: Wgsl.Three; span: Wgsl.Two; turns: Wgsl.Two; size: Wgsl.Two; out: Wgsl.Two; stride: Wgsl.Two; pad: Wgsl.Two; reach: Wgsl.Two; per_stride: Wgsl.Two },
    "plus_windows" | "Params" | "covering" | "each" | "WG" | "ROWS" | "COLUMNS" | "rows" | "columns" | "ADAPTIVE" | "INCLUDE_PAD" | "divide" | "window"
  >;
  export default source;
  export const WG: 64;
  export const ROWS: 0;
  export const COLUMNS: 0;
}

declare module "*/avg-pool.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { positions: number; per: number; step: Wgsl.Three; span: Wgsl.Two; turns: Wgsl.Two; size: Wgsl.Two; out: Wgsl.Two; stride: Wgsl.Two; pad: Wgsl.Two; reach: Wgsl.Two },
    "Params" | "each" | "ADAPTIVE" | "INCLUDE_PAD" | "divide" | "window" | "WG" | "ROWS" | "COLUMNS" | "rows" | "columns"
  >;
  export default source;
  export const WG: 64;
  export const ROWS: 0;
  export const COLUMNS: 0;
}

declare module "*/batch-norm-backward.wgsl" {
  const source: Wgsl.Source<
    { stats: Wgsl.Buffer; x: Wgsl.Buffer; dy: Wgsl.Buffer; y: Wgsl.Buffer | null; residual: Wgsl.Buffer | null; chunks: Wgsl.Buffer | null; dx: Wgsl.Buffer | null; dw: Wgsl.Buffer | null; db: Wgsl.Buffer | null; dresidual: Wgsl.Buffer | null },
    { channels: number; plane: number; count: number; chunk: number; chunks: number; lanes: number; log_lanes: number; step_at: number; step_in: number; carry: number; per_element: number; a: number; b: number },
    "Part" | "REDUCE" | "APPLY" | "has_y" | "has_residual" | "has_chunks" | "has_dx" | "has_dw" | "has_db" | "has_dresidual" | "Params" | "join" | "back" | "act" | "pull" | "masked" | "WG" | "V" | "WIDTH" | "Place" | "Share" | "share" | "next" | "BLOCK" | "block_end" | "total" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "tree"
  >;
  export default source;
  export const WG: 64;
  export const WIDTH: 1;
  export const BLOCK: 64;
}

declare module "*/batch-norm.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; residual: Wgsl.Buffer | null; weight: Wgsl.Buffer | null; bias: Wgsl.Buffer | null; running_mean: Wgsl.Buffer | null; running_var: Wgsl.Buffer | null; chunks: Wgsl.Buffer | null; stats: Wgsl.Buffer; y: Wgsl.Buffer },
    { channels: number; plane: number; count: number; chunk: number; chunks: number; lanes: number; log_lanes: number; step_at: number; step_in: number; carry: number; eps: number; momentum: number; a: number; b: number },
    "STATS" | "APPLY" | "has_residual" | "has_weight" | "has_bias" | "has_running_mean" | "has_running_var" | "has_chunks" | "Params" | "f" | "map" | "channel_moments" | "weight_and_bias" | "WG" | "V" | "WIDTH" | "Place" | "Share" | "share" | "next" | "BLOCK" | "block_end" | "total" | "Part" | "moments" | "join" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "tree"
  >;
  export default source;
  export const WG: 64;
  export const WIDTH: 1;
  export const BLOCK: 64;
}

declare module "*/binary.wgsl" {
  const source: Wgsl.Source<
    { a: Wgsl.Buffer; b: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; shape: readonly number[]; sa: readonly number[]; sb: readonly number[] },
    "T" | "R" | "RANK" | "Params" | "f" | "each" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "WG" | "PER" | "walk"
  >;
  export default source;
  export const RANK: 1;
  export const WG: 64;
  export const PER: 4;
}

declare module "*/blur-images.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; u: Wgsl.Buffer; y: Wgsl.Buffer },
    { channels: number; height: number; width: number; stride: number; stride_y: number; stride_x: number; columns: number; column: number; axis: number; half: number; sigma: Wgsl.Two; mean: Wgsl.Four; inv_std: Wgsl.Four },
    "WG" | "MOST" | "Params" | "each" | "normalized" | "walk_pixels"
  >;
  export default source;
  export const WG: 64;
  export const MOST: 64;
}

declare module "*/cast-from-half.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number },
    "Params" | "each" | "WG"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/cast-to-half.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; count: number },
    "Params" | "half" | "each" | "WG"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/cast.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number },
    "T" | "R" | "Params" | "each" | "WG"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/cat.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; width: number; pitch: number; offset: number },
    "T" | "Params" | "each" | "WG" | "PER"
  >;
  export default source;
  export const WG: 64;
  export const PER: 4;
}

declare module "*/color-jitter.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; u: Wgsl.Buffer; y: Wgsl.Buffer },
    { plane: number; channels: number; columns: number; column: number; enabled: number; low: Wgsl.Four; span: Wgsl.Four; gray: Wgsl.Four; mean: Wgsl.Four; inv_std: Wgsl.Four },
    "WG" | "BRIGHTNESS" | "CONTRAST" | "SATURATION" | "HUE" | "Params" | "Part" | "join" | "permutation" | "gray" | "turn_hue" | "adjust" | "pixel" | "normalized" | "tree"
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
    { weight: Wgsl.Buffer; source: Wgsl.Buffer; dest: Wgsl.Buffer; bias: Wgsl.Buffer | null; gamma: Wgsl.Buffer | null; mean: Wgsl.Buffer | null; variance: Wgsl.Buffer | null; residual: Wgsl.Buffer | null; pre: Wgsl.Buffer | null },
    { rows: number; k: number; batch: number; images_first: number; kernel: Wgsl.Two; source: Wgsl.Two; dest: Wgsl.Two; step: Wgsl.Two; base: Wgsl.Two; dil: Wgsl.Two; div: Wgsl.Two; source_channels: number; dest_channels: number; w_row: number; w_k: number; w_group: number; eps: number; tap_step: Wgsl.Two; off_step: Wgsl.Two; act: Wgsl.Two },
    "SG" | "R" | "H" | "J" | "V" | "EDGES" | "Value" | "activated" | "Params" | "has_bias" | "has_gamma" | "has_mean" | "has_variance" | "has_residual" | "has_pre" | "activate" | "affine" | "finish" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power"
  >;
  export default source;
  export const SG: 8;
  export const R: 16;
  export const V: 1;
}

declare module "*/conv-subgroup.wgsl" {
  const source: Wgsl.Source<
    { weight: Wgsl.Buffer; source: Wgsl.Buffer; dest: Wgsl.Buffer; bias: Wgsl.Buffer | null; gamma: Wgsl.Buffer | null; mean: Wgsl.Buffer | null; variance: Wgsl.Buffer | null; residual: Wgsl.Buffer | null; pre: Wgsl.Buffer | null },
    { rows: number; k: number; batch: number; images_first: number; kernel: Wgsl.Two; source: Wgsl.Two; dest: Wgsl.Two; step: Wgsl.Two; base: Wgsl.Two; dil: Wgsl.Two; div: Wgsl.Two; source_channels: number; dest_channels: number; w_row: number; w_k: number; w_group: number; eps: number; tap_step: Wgsl.Two; off_step: Wgsl.Two; act: Wgsl.Two },
    "Value" | "activated" | "locate" | "first_taps" | "Params" | "has_bias" | "has_gamma" | "has_mean" | "has_variance" | "has_residual" | "has_pre" | "activate" | "affine" | "finish" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "SG" | "R" | "H" | "J" | "V" | "U" | "Sums" | "Columns" | "Rows" | "multiply"
  >;
  export default source;
  export const SG: 8;
  export const R: 16;
  export const V: 4;
  export const U: 2;
}

declare module "*/conv-weight-row-subgroup.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; x: Wgsl.Buffer; dw: Wgsl.Buffer },
    { rows: number; channels: number; batch: number; x_channels: number; kernel: Wgsl.Two; x_size: Wgsl.Two; y_size: Wgsl.Two; stride: Wgsl.Two; padding: Wgsl.Two; dilation: Wgsl.Two; full: Wgsl.Two; origin: Wgsl.Two; y_channels: number; taps_first: number; images: number; planes: number; size: number },
    "SG" | "R" | "H" | "J" | "V" | "Value" | "Params"
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
    "Value" | "locate" | "Params" | "Reach" | "looks" | "reach" | "place" | "SG" | "R" | "H" | "J" | "V" | "U" | "Sums" | "Columns" | "Rows" | "multiply"
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
    "Value" | "Params" | "Reach" | "looks" | "reach" | "place" | "TILE" | "DEPTH" | "SIDE" | "EACH" | "Sums" | "multiply"
  >;
  export default source;
  export const TILE: 32;
  export const DEPTH: 16;
  export const SIDE: 8;
}

declare module "*/conv-workgroup.wgsl" {
  const source: Wgsl.Source<
    { weight: Wgsl.Buffer; source: Wgsl.Buffer; dest: Wgsl.Buffer; bias: Wgsl.Buffer | null; gamma: Wgsl.Buffer | null; mean: Wgsl.Buffer | null; variance: Wgsl.Buffer | null; residual: Wgsl.Buffer | null; pre: Wgsl.Buffer | null },
    { rows: number; k: number; batch: number; images_first: number; kernel: Wgsl.Two; source: Wgsl.Two; dest: Wgsl.Two; step: Wgsl.Two; base: Wgsl.Two; dil: Wgsl.Two; div: Wgsl.Two; source_channels: number; dest_channels: number; w_row: number; w_k: number; w_group: number; eps: number; tap_step: Wgsl.Two; off_step: Wgsl.Two; act: Wgsl.Two },
    "Value" | "activated" | "Params" | "has_bias" | "has_gamma" | "has_mean" | "has_variance" | "has_residual" | "has_pre" | "activate" | "affine" | "finish" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "TILE" | "DEPTH" | "SIDE" | "EACH" | "Sums" | "multiply"
  >;
  export default source;
  export const TILE: 32;
  export const DEPTH: 16;
  export const SIDE: 8;
}

declare module "*/correct-count.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; labels: Wgsl.Buffer; count: Wgsl.Buffer },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number },
    "Part" | "Params" | "join" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "WG" | "Row" | "row_of" | "tree"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/cross-entropy-backward.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; labels: Wgsl.Buffer; weight: Wgsl.Buffer | null; saved: Wgsl.Buffer; dy: Wgsl.Buffer; dx: Wgsl.Buffer },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number; reduction: number; ignore: number; keep: number; even: number },
    "T" | "PROBABILITIES" | "NORMALIZE" | "TARGET" | "has_weight" | "Params" | "each_row" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "group" | "WG" | "Row" | "row_of"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/cross-entropy-finish.wgsl" {
  const source: Wgsl.Source<
    { totals: Wgsl.Buffer; loss: Wgsl.Buffer; saved: Wgsl.Buffer },
    { rows: number; groups: number; reduction: number },
    "WG" | "Part" | "Params" | "join" | "tree"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/cross-entropy.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; labels: Wgsl.Buffer; weight: Wgsl.Buffer | null; loss: Wgsl.Buffer; saved: Wgsl.Buffer; totals: Wgsl.Buffer | null; faults: Wgsl.Buffer },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number; groups: number; reduction: number; ignore: number; keep: number; even: number; fault: number },
    "T" | "PROBABILITIES" | "NORMALIZE" | "has_weight" | "has_totals" | "Params" | "Part" | "join" | "sums" | "weight_of" | "check_label" | "loss_of" | "group" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "LEAST" | "exponentials" | "together" | "WG" | "Row" | "row_of" | "tree"
  >;
  export default source;
  export const LEAST: -3.4028234e+38;
  export const WG: 64;
}

declare module "*/depthwise-row.wgsl" {
  const source: Wgsl.Source<
    { weight: Wgsl.Buffer; source: Wgsl.Buffer; dest: Wgsl.Buffer; bias: Wgsl.Buffer | null; gamma: Wgsl.Buffer | null; mean: Wgsl.Buffer | null; variance: Wgsl.Buffer | null; residual: Wgsl.Buffer | null; pre: Wgsl.Buffer | null },
    { planes: number; channels: number; multiplier: number; plane_step: number; source: Wgsl.Two; dest: Wgsl.Two; stride: Wgsl.Two; padding: Wgsl.Two; dilation: Wgsl.Two; act: Wgsl.Two; eps: number },
    "Value" | "WG" | "ROWS" | "FLIP" | "activated" | "KH" | "KW" | "Params" | "row_window" | "has_bias" | "has_gamma" | "has_mean" | "has_variance" | "has_residual" | "has_pre" | "activate" | "affine" | "finish" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power"
  >;
  export default source;
  export const WG: 64;
  export const ROWS: 4;
  export const KH: 3;
  export const KW: 3;
}

declare module "*/depthwise-small.wgsl" {
  const source: Wgsl.Source<
    { weight: Wgsl.Buffer; source: Wgsl.Buffer; dest: Wgsl.Buffer; bias: Wgsl.Buffer | null; gamma: Wgsl.Buffer | null; mean: Wgsl.Buffer | null; variance: Wgsl.Buffer | null; residual: Wgsl.Buffer | null; pre: Wgsl.Buffer | null },
    { planes: number; channels: number; multiplier: number; plane_step: number; source: Wgsl.Two; dest: Wgsl.Two; stride: Wgsl.Two; padding: Wgsl.Two; dilation: Wgsl.Two; act: Wgsl.Two; eps: number },
    "Value" | "WG" | "BACKWARD" | "activated" | "KH" | "KW" | "Params" | "has_bias" | "has_gamma" | "has_mean" | "has_variance" | "has_residual" | "has_pre" | "activate" | "affine" | "finish" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power"
  >;
  export default source;
  export const WG: 64;
  export const KH: 3;
  export const KW: 3;
}

declare module "*/depthwise-weight-row.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; source: Wgsl.Buffer; dw: Wgsl.Buffer },
    { planes: number; channels: number; multiplier: number; plane_step: number; source: Wgsl.Two; dest: Wgsl.Two; stride: Wgsl.Two; padding: Wgsl.Two; dilation: Wgsl.Two; act: Wgsl.Two; eps: number },
    "Part" | "WG" | "ROWS" | "join" | "KH" | "KW" | "Params" | "row_window" | "tree"
  >;
  export default source;
  export const WG: 64;
  export const ROWS: 4;
  export const KH: 3;
  export const KW: 3;
}

declare module "*/depthwise-weight-taps.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; x: Wgsl.Buffer; dw: Wgsl.Buffer },
    { planes: number; channels: number; multiplier: number; plane_step: number; source: Wgsl.Two; dest: Wgsl.Two; stride: Wgsl.Two; padding: Wgsl.Two; dilation: Wgsl.Two; act: Wgsl.Two; eps: number },
    "WG" | "KH" | "KW" | "Params"
  >;
  export default source;
  export const WG: 64;
  export const KH: 3;
  export const KW: 3;
}

declare module "*/depthwise-weight.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; x: Wgsl.Buffer; dw: Wgsl.Buffer },
    { planes: number; channels: number; multiplier: number; plane_step: number; source: Wgsl.Two; dest: Wgsl.Two; stride: Wgsl.Two; padding: Wgsl.Two; dilation: Wgsl.Two; act: Wgsl.Two; eps: number },
    "Part" | "WG" | "join" | "KH" | "KW" | "Params" | "tree"
  >;
  export default source;
  export const WG: 64;
  export const KH: 3;
  export const KW: 3;
}

declare module "*/depthwise.wgsl" {
  const source: Wgsl.Source<
    { weight: Wgsl.Buffer; source: Wgsl.Buffer; dest: Wgsl.Buffer; bias: Wgsl.Buffer | null; gamma: Wgsl.Buffer | null; mean: Wgsl.Buffer | null; variance: Wgsl.Buffer | null; residual: Wgsl.Buffer | null; pre: Wgsl.Buffer | null },
    { planes: number; channels: number; multiplier: number; plane_step: number; source: Wgsl.Two; dest: Wgsl.Two; stride: Wgsl.Two; padding: Wgsl.Two; dilation: Wgsl.Two; act: Wgsl.Two; eps: number },
    "Value" | "WG" | "BACKWARD" | "STEP_ROWS" | "STEP_COLUMNS" | "SINGLE" | "activated" | "taps" | "KH" | "KW" | "Params" | "has_bias" | "has_gamma" | "has_mean" | "has_variance" | "has_residual" | "has_pre" | "activate" | "affine" | "finish" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power"
  >;
  export default source;
  export const WG: 64;
  export const STEP_ROWS: 1;
  export const STEP_COLUMNS: 1;
  export const KH: 3;
  export const KW: 3;
}

declare module "*/draw-index.wgsl" {
  const source: Wgsl.Source<
    { c: Wgsl.Buffer; u: Wgsl.Buffer; y: Wgsl.Buffer; faults: Wgsl.Buffer },
    { n: number; length: number; draws: number; fault: number },
    "Params" | "each" | "WG" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/erase-images.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; u: Wgsl.Buffer; noise: Wgsl.Buffer | null; y: Wgsl.Buffer },
    { channels: number; height: number; width: number; stride: number; stride_y: number; stride_x: number; columns: number; column: number; probability: number; area: Wgsl.Two; ratio: Wgsl.Two; mean: Wgsl.Four; inv_std: Wgsl.Four; value: Wgsl.Four },
    "WG" | "has_noise" | "Params" | "each" | "normalized" | "walk_pixels" | "random_window"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/fill.wgsl" {
  const source: Wgsl.Source<
    { y: Wgsl.Buffer },
    { n: number; value: number },
    "Params" | "each" | "WG" | "PER"
  >;
  export default source;
  export const WG: 64;
  export const PER: 4;
}

declare module "*/fold.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { positions: number; per: number; step: Wgsl.Three; span: Wgsl.Two; turns: Wgsl.Two; out: Wgsl.Two; stride: Wgsl.Two; pad: Wgsl.Two; dilation: Wgsl.Two; per_stride: Wgsl.Two },
    "Params" | "window_at" | "each" | "WG" | "ROWS" | "COLUMNS" | "rows" | "columns"
  >;
  export default source;
  export const WG: 64;
  export const ROWS: 0;
  export const COLUMNS: 0;
}

declare module "*/gather-images.wgsl" {
  const source: Wgsl.Source<
    { image: Wgsl.Buffer; label: Wgsl.Buffer; index: Wgsl.Buffer; y: Wgsl.Buffer; label_out: Wgsl.Buffer; faults: Wgsl.Buffer },
    { words: number; elements: number; plane: number; first: number; count: number; total: number; stride: number; blank: number; fault: number; mean: Wgsl.Four; inv_std: Wgsl.Four },
    "WG" | "Params" | "normalized"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/gather.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; index: Wgsl.Buffer; y: Wgsl.Buffer; faults: Wgsl.Buffer },
    { n: number; low: number; size: number; whole: number; stride: number; fault: number; shape: readonly number[]; strides: readonly number[]; index_strides: readonly number[] },
    "T" | "RANK" | "Params" | "each" | "WG" | "PER" | "walk"
  >;
  export default source;
  export const RANK: 1;
  export const WG: 64;
  export const PER: 4;
}

declare module "*/grad-norm-finish.wgsl" {
  const source: Wgsl.Source<
    { partial: Wgsl.Buffer; norm: Wgsl.Buffer; factor: Wgsl.Buffer },
    { n: number; maxNorm: number },
    "WG" | "Params" | "Part" | "join" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "tree"
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

declare module "*/gray-images.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; u: Wgsl.Buffer | null; y: Wgsl.Buffer },
    { plane: number; in_channels: number; channels: number; stride: number; columns: number; column: number; probability: number; gray: Wgsl.Four; mean: Wgsl.Four; inv_std: Wgsl.Four },
    "WG" | "has_u" | "Params" | "normalized"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/grid-sample-grid.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; x: Wgsl.Buffer; grid: Wgsl.Buffer; dgrid: Wgsl.Buffer },
    { positions: number; per: number; step: Wgsl.Three; span: Wgsl.Two; turns: Wgsl.Two; channels: number; size: Wgsl.Two; beyond: number; align: number },
    "Params" | "pixel" | "each" | "place" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "WG" | "ROWS" | "COLUMNS" | "rows" | "columns"
  >;
  export default source;
  export const WG: 64;
  export const ROWS: 0;
  export const COLUMNS: 0;
}

declare module "*/grid-sample-input.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; places: Wgsl.Buffer; boxes: Wgsl.Buffer; dx: Wgsl.Buffer },
    { positions: number; per: number; step: Wgsl.Three; span: Wgsl.Two; turns: Wgsl.Two; channels: number; groups: number; points: number; blocks: number },
    "GROUP" | "NEAREST" | "BLOCK" | "Params" | "each" | "WG" | "ROWS" | "COLUMNS" | "rows" | "columns"
  >;
  export default source;
  export const GROUP: 4;
  export const BLOCK: 32;
  export const WG: 64;
  export const ROWS: 0;
  export const COLUMNS: 0;
}

declare module "*/grid-sample-places.wgsl" {
  const source: Wgsl.Source<
    { grid: Wgsl.Buffer; places: Wgsl.Buffer; boxes: Wgsl.Buffer },
    { n: number; points: number; blocks: number; size: Wgsl.Two; beyond: number; align: number },
    "BLOCK" | "NEAREST" | "Params" | "each" | "WG" | "place" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power"
  >;
  export default source;
  export const BLOCK: 32;
  export const WG: 64;
}

declare module "*/grid-sample.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; grid: Wgsl.Buffer; y: Wgsl.Buffer },
    { positions: number; per: number; step: Wgsl.Three; span: Wgsl.Two; turns: Wgsl.Two; channels: number; groups: number; size: Wgsl.Two; beyond: number; align: number },
    "GROUP" | "NEAREST" | "Params" | "pixel" | "each" | "place" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "WG" | "ROWS" | "COLUMNS" | "rows" | "columns"
  >;
  export default source;
  export const GROUP: 4;
  export const WG: 64;
  export const ROWS: 0;
  export const COLUMNS: 0;
}

declare module "*/group-norm-params.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; stats: Wgsl.Buffer; dy: Wgsl.Buffer; dw: Wgsl.Buffer | null; db: Wgsl.Buffer | null },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number; width: number; spread: number },
    "Part" | "has_dw" | "has_db" | "Params" | "join" | "each_row" | "group" | "WG" | "Row" | "row_of" | "tree"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/inplace.wgsl" {
  const source: Wgsl.Source<
    { y: Wgsl.Buffer; b: Wgsl.Buffer },
    { n: number; shape: readonly number[]; strides: readonly number[] },
    "T" | "RANK" | "Params" | "f" | "each" | "WG" | "PER" | "walk"
  >;
  export default source;
  export const RANK: 1;
  export const WG: 64;
  export const PER: 4;
}

declare module "*/layer-norm-backward.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; weight: Wgsl.Buffer | null; stats: Wgsl.Buffer; dy: Wgsl.Buffer; dx: Wgsl.Buffer },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number; groups: number; width: number; plane: number },
    "Part" | "CENTRED" | "has_weight" | "Params" | "join" | "terms" | "each_row" | "group" | "WG" | "Row" | "row_of" | "tree" | "GROUPED" | "Place" | "first_place" | "next_place"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/layer-norm-params.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; stats: Wgsl.Buffer; dy: Wgsl.Buffer; dw: Wgsl.Buffer | null; db: Wgsl.Buffer | null },
    { rows: number; length: number },
    "WG" | "COLUMNS" | "BLOCK" | "Part" | "has_dw" | "has_db" | "Params" | "join" | "group" | "tree"
  >;
  export default source;
  export const WG: 64;
  export const COLUMNS: 8;
  export const BLOCK: 64;
}

declare module "*/layer-norm.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; weight: Wgsl.Buffer | null; bias: Wgsl.Buffer | null; stats: Wgsl.Buffer; y: Wgsl.Buffer },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number; groups: number; width: number; plane: number; eps: number },
    "CENTRED" | "has_weight" | "has_bias" | "Params" | "each_row" | "group" | "WG" | "Row" | "row_of" | "Part" | "moments" | "join" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "tree" | "GROUPED" | "Place" | "first_place" | "next_place"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/matmul-subgroup.wgsl" {
  const source: Wgsl.Source<
    { a: Wgsl.Buffer; b: Wgsl.Buffer; c: Wgsl.Buffer; bias: Wgsl.Buffer | null; gamma: Wgsl.Buffer | null; mean: Wgsl.Buffer | null; variance: Wgsl.Buffer | null; residual: Wgsl.Buffer | null; pre: Wgsl.Buffer | null },
    { m: number; n: number; k: number; inner: number; a_at: Wgsl.Four; b_at: Wgsl.Four; c_at: Wgsl.Four; act: Wgsl.Two; eps: number; depth: number; part: number; batch: number; first: Wgsl.Four; offset: Wgsl.Four },
    "Loaded" | "Value" | "BY_ROW" | "Params" | "Tile" | "tile_of" | "activated" | "matrix_at" | "store" | "has_bias" | "has_gamma" | "has_mean" | "has_variance" | "has_residual" | "has_pre" | "activate" | "affine" | "finish" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "SG" | "R" | "H" | "J" | "V" | "U" | "Sums" | "Columns" | "Rows" | "multiply"
  >;
  export default source;
  export const SG: 8;
  export const R: 16;
  export const V: 4;
  export const U: 2;
}

declare module "*/matmul-vector.wgsl" {
  const source: Wgsl.Source<
    { a: Wgsl.Buffer; b: Wgsl.Buffer; c: Wgsl.Buffer; bias: Wgsl.Buffer | null; gamma: Wgsl.Buffer | null; mean: Wgsl.Buffer | null; variance: Wgsl.Buffer | null; residual: Wgsl.Buffer | null; pre: Wgsl.Buffer | null },
    { m: number; n: number; k: number; inner: number; a_at: Wgsl.Four; b_at: Wgsl.Four; c_at: Wgsl.Four; act: Wgsl.Two; eps: number; depth: number; part: number; batch: number; first: Wgsl.Four; offset: Wgsl.Four },
    "Loaded" | "A_ROWS" | "B_COLUMNS" | "Value" | "BY_ROW" | "Params" | "Tile" | "tile_of" | "activated" | "matrix_at" | "store" | "has_bias" | "has_gamma" | "has_mean" | "has_variance" | "has_residual" | "has_pre" | "activate" | "affine" | "finish" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "SG" | "R" | "H" | "J" | "V" | "U" | "Sums" | "Columns" | "Rows" | "multiply"
  >;
  export default source;
  export const SG: 8;
  export const R: 16;
  export const V: 4;
  export const U: 2;
}

declare module "*/matmul-workgroup.wgsl" {
  const source: Wgsl.Source<
    { a: Wgsl.Buffer; b: Wgsl.Buffer; c: Wgsl.Buffer; bias: Wgsl.Buffer | null; gamma: Wgsl.Buffer | null; mean: Wgsl.Buffer | null; variance: Wgsl.Buffer | null; residual: Wgsl.Buffer | null; pre: Wgsl.Buffer | null },
    { m: number; n: number; k: number; inner: number; a_at: Wgsl.Four; b_at: Wgsl.Four; c_at: Wgsl.Four; act: Wgsl.Two; eps: number; depth: number; part: number; batch: number; first: Wgsl.Four; offset: Wgsl.Four },
    "Loaded" | "Value" | "BY_ROW" | "Params" | "Tile" | "tile_of" | "activated" | "matrix_at" | "store" | "has_bias" | "has_gamma" | "has_mean" | "has_variance" | "has_residual" | "has_pre" | "activate" | "affine" | "finish" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "TILE" | "DEPTH" | "SIDE" | "EACH" | "Sums" | "multiply"
  >;
  export default source;
  export const TILE: 32;
  export const DEPTH: 16;
  export const SIDE: 8;
}

declare module "*/max-pool-backward.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; found: Wgsl.Buffer; dx: Wgsl.Buffer },
    { positions: number; per: number; step: Wgsl.Three; span: Wgsl.Two; turns: Wgsl.Two; size: Wgsl.Two; out: Wgsl.Two; stride: Wgsl.Two; pad: Wgsl.Two; reach: Wgsl.Two; per_stride: Wgsl.Two },
    "plus_windows" | "Params" | "covering" | "each" | "WG" | "ROWS" | "COLUMNS" | "rows" | "columns" | "ADAPTIVE" | "INCLUDE_PAD" | "divide" | "window"
  >;
  export default source;
  export const WG: 64;
  export const ROWS: 0;
  export const COLUMNS: 0;
}

declare module "*/max-pool.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer; found: Wgsl.Buffer },
    { positions: number; per: number; step: Wgsl.Three; span: Wgsl.Two; turns: Wgsl.Two; size: Wgsl.Two; stride: Wgsl.Two; pad: Wgsl.Two; dilation: Wgsl.Two },
    "Params" | "each" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "WG" | "ROWS" | "COLUMNS" | "rows" | "columns"
  >;
  export default source;
  export const WG: 64;
  export const ROWS: 0;
  export const COLUMNS: 0;
}

declare module "*/mix-images.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; u: Wgsl.Buffer; y: Wgsl.Buffer },
    { channels: number; height: number; width: number; stride: number; stride_y: number; stride_x: number; images: number; alpha: number },
    "WG" | "Params" | "each" | "walk_pixels" | "CUT" | "Mix" | "mix_of" | "log_gamma_variate" | "beta_variate"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/mix-labels.wgsl" {
  const source: Wgsl.Source<
    { labels: Wgsl.Buffer; u: Wgsl.Buffer; y: Wgsl.Buffer },
    { images: number; classes: number; height: number; width: number; alpha: number },
    "WG" | "T" | "PROBABILITIES" | "Params" | "probability" | "CUT" | "Mix" | "mix_of" | "log_gamma_variate" | "beta_variate"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/move.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; x_start: number; x_count: number; y_start: number; y_count: number; shape: readonly number[]; x_strides: readonly number[]; y_strides: readonly number[] },
    "T" | "RANK" | "Params" | "each" | "WG" | "PER" | "walk"
  >;
  export default source;
  export const RANK: 1;
  export const WG: 64;
  export const PER: 4;
}

declare module "*/pad.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; value: number; shape: readonly number[]; start: readonly number[]; step: readonly number[]; size: readonly number[] },
    "T" | "RANK" | "Params" | "each" | "WG" | "PER"
  >;
  export default source;
  export const RANK: 1;
  export const WG: 64;
  export const PER: 4;
}

declare module "*/radix-count.wgsl" {
  const source: Wgsl.Source<
    { keys: Wgsl.Buffer; counts: Wgsl.Buffer },
    { n: number; length: number; chunk: number; chunks: number; shift: number },
    "BITS" | "SIZE" | "Params" | "each" | "WG"
  >;
  export default source;
  export const BITS: 8;
  export const WG: 64;
}

declare module "*/radix-place.wgsl" {
  const source: Wgsl.Source<
    { keys: Wgsl.Buffer; places: Wgsl.Buffer; ends: Wgsl.Buffer; keys_out: Wgsl.Buffer; places_out: Wgsl.Buffer },
    { n: number; length: number; chunk: number; chunks: number; shift: number },
    "BITS" | "SIZE" | "Params" | "each" | "WG"
  >;
  export default source;
  export const BITS: 8;
  export const WG: 64;
}

declare module "*/random.wgsl" {
  const source: Wgsl.Source<
    { shift: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; first: number; seed_low: number; seed_high: number; stream: number; a: number; b: number; low: number; range: number; scale: number; offset: number; least: number; most: number },
    "T" | "Params" | "draw" | "unit" | "multiply" | "philox" | "each" | "WG"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/recurrent-backward.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; gates: Wgsl.Buffer; cells: Wgsl.Buffer | null; before: Wgsl.Buffer | null; c0: Wgsl.Buffer | null; weight: Wgsl.Buffer; dx: Wgsl.Buffer; dh: Wgsl.Buffer | null; dh0: Wgsl.Buffer; dc: Wgsl.Buffer | null },
    { steps: number; batch: number; hidden: number; reversed: number },
    "WG" | "GATES" | "has_before" | "has_c0" | "has_cells" | "has_dh" | "has_dc" | "Params" | "Place" | "squash" | "cell" | "sums_gradient" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power"
  >;
  export default source;
  export const WG: 64;
  export const GATES: 4;
}

declare module "*/recurrent.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; weight: Wgsl.Buffer; bias: Wgsl.Buffer | null; h0: Wgsl.Buffer; c0: Wgsl.Buffer | null; y: Wgsl.Buffer; gates: Wgsl.Buffer | null; cells: Wgsl.Buffer | null; last: Wgsl.Buffer | null },
    { steps: number; batch: number; hidden: number; reversed: number },
    "WG" | "GATES" | "UNITS" | "has_bias" | "has_c0" | "has_gates" | "has_cells" | "has_last" | "Params" | "Place" | "exps" | "sigmoid" | "squash" | "x_of" | "keep" | "cell" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power"
  >;
  export default source;
  export const WG: 64;
  export const GATES: 4;
  export const UNITS: 1024;
}

declare module "*/reduce.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer; faults: Wgsl.Buffer | null },
    { outputs: number; splits: number; chunk: number; length: number; inner: number; inner_stride: number; step_outer: number; step_inner: number; step: number; wrap: number; scale: number; fault: number; kept_shape: readonly number[]; kept_strides: readonly number[]; outer_shape: readonly number[]; outer_strides: readonly number[] },
    "T" | "Part" | "WG" | "LANES" | "KEPT_RANK" | "OUTER_RANK" | "DEEP" | "has_faults" | "BLOCK" | "Params" | "each" | "identity" | "join" | "finish" | "wrapped" | "outer_offset" | "group" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "walk" | "tree"
  >;
  export default source;
  export const WG: 64;
  export const LANES: 64;
  export const KEPT_RANK: 1;
  export const OUTER_RANK: 1;
  export const BLOCK: 32;
}

declare module "*/resample-weights.wgsl" {
  const source: Wgsl.Source<
    { u: Wgsl.Buffer | null; table: Wgsl.Buffer },
    { axis: number; out_size: number; slots: number; mode: number; antialias: number; columns: number; column: number; size: Wgsl.Two; area: Wgsl.Two; ratio: Wgsl.Two },
    "WG" | "NEAREST" | "NEAREST_EXACT" | "BILINEAR" | "BICUBIC" | "has_u" | "Params" | "cubic" | "filter_at" | "window" | "random_window"
  >;
  export default source;
  export const WG: 64;
  export const NEAREST: 0;
  export const NEAREST_EXACT: 1;
  export const BILINEAR: 2;
  export const BICUBIC: 3;
}

declare module "*/resample.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; table: Wgsl.Buffer; rows: Wgsl.Buffer | null; y: Wgsl.Buffer },
    { channels: number; height: number; width: number; in_height: number; in_width: number; stride: number; stride_y: number; stride_x: number; slots: number; own: number; first: number; levels: number; row_slots: number; row_own: number; last_row: number; mean: Wgsl.Four; inv_std: Wgsl.Four },
    "WG" | "GROUP" | "has_rows" | "Params" | "each" | "normalized" | "walk_pixels" | "T" | "IS_INTEGER" | "unit_of" | "nearest_level"
  >;
  export default source;
  export const WG: 64;
  export const GROUP: 1;
}

declare module "*/scan.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; carry: Wgsl.Buffer | null; y: Wgsl.Buffer },
    { n: number; length: number; inner: number; chunk: number; chunks: number },
    "T" | "REVERSE" | "TOTALS" | "has_carry" | "Params" | "start" | "join" | "each" | "WG"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/scatter-sorted.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer | null; keys: Wgsl.Buffer; places: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; length: number; inner: number; size: number; stride: number; value: number; shape: readonly number[]; strides: readonly number[] },
    "T" | "SUM" | "ONE_LIST" | "has_x" | "RANK" | "BLOCK" | "Params" | "each" | "WG" | "walk"
  >;
  export default source;
  export const RANK: 1;
  export const BLOCK: 256;
  export const WG: 64;
}

declare module "*/softmax-backward.wgsl" {
  const source: Wgsl.Source<
    { dy: Wgsl.Buffer; y: Wgsl.Buffer; dx: Wgsl.Buffer },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number },
    "Part" | "LOG" | "Params" | "join" | "each_row" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "group" | "WG" | "Row" | "row_of" | "tree"
  >;
  export default source;
  export const WG: 64;
}

declare module "*/softmax.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { rows: number; length: number; lanes: number; log_lanes: number; rounds: number; inner: number },
    "Part" | "LOG" | "Params" | "join" | "each_row" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "group" | "WG" | "Row" | "row_of" | "LEAST" | "exponentials" | "together" | "tree"
  >;
  export default source;
  export const WG: 64;
  export const LEAST: -3.4028234e+38;
}

declare module "*/sort-runs.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; keys: Wgsl.Buffer; places: Wgsl.Buffer; faults: Wgsl.Buffer },
    { n: number; length: number; inner: number; runs: number; low: number; size: number; whole: number; skip: number; fault: number },
    "KIND" | "DESCENDING" | "RUN" | "NONE" | "Params" | "position" | "ordered" | "key" | "each" | "WG"
  >;
  export default source;
  export const KIND: 0;
  export const RUN: 16;
  export const NONE: 4294967295;
  export const WG: 64;
}

declare module "*/strided.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; start: number; inner: number; shape: readonly number[]; strides: readonly number[] },
    "X" | "Y" | "RANK" | "Params" | "load" | "each" | "WG" | "PER" | "walk"
  >;
  export default source;
  export const RANK: 1;
  export const WG: 64;
  export const PER: 4;
}

declare module "*/taps.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; down: Wgsl.Buffer | null; across: Wgsl.Buffer | null; y: Wgsl.Buffer },
    { positions: number; per: number; step: Wgsl.Three; span: Wgsl.Two; turns: Wgsl.Two; planes: number; size: Wgsl.Two },
    "has_down" | "has_across" | "COPY" | "GROUP" | "Params" | "ONE" | "row_at" | "column_at" | "each" | "WG" | "ROWS" | "COLUMNS" | "rows" | "columns"
  >;
  export default source;
  export const GROUP: 1;
  export const ONE: 1065353216;
  export const WG: 64;
  export const ROWS: 0;
  export const COLUMNS: 0;
}

declare module "*/topk.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; values: Wgsl.Buffer; indices: Wgsl.Buffer },
    { rows: number; k: number; length: number; inner: number },
    "T" | "WG" | "LANES" | "NONE" | "Params" | "Part" | "before" | "better" | "join" | "group" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "tree"
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
    "has_s" | "Params" | "back" | "each" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "WG" | "PER"
  >;
  export default source;
  export const WG: 64;
  export const PER: 4;
}

declare module "*/unary.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; a: number; b: number },
    "T" | "Params" | "f" | "each" | "is_nan" | "is_positive" | "is_negative" | "from_bits" | "max_nan" | "min_nan" | "clamp_nan" | "exp_nan" | "exp2_nan" | "log_nan" | "log2_nan" | "logarithm" | "power" | "WG" | "PER"
  >;
  export default source;
  export const WG: 64;
  export const PER: 4;
}

declare module "*/unfold.wgsl" {
  const source: Wgsl.Source<
    { x: Wgsl.Buffer; y: Wgsl.Buffer },
    { positions: number; per: number; step: Wgsl.Three; span: Wgsl.Two; turns: Wgsl.Two; size: Wgsl.Two; stride: Wgsl.Two; pad: Wgsl.Two; dilation: Wgsl.Two },
    "Params" | "each" | "WG" | "ROWS" | "COLUMNS" | "rows" | "columns"
  >;
  export default source;
  export const WG: 64;
  export const ROWS: 0;
  export const COLUMNS: 0;
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
    { x: Wgsl.Buffer; y: Wgsl.Buffer; u: Wgsl.Buffer | null },
    { channels: number; height: number; width: number; steps: number; columns: number; stride: number; stride_y: number; stride_x: number; mean: Wgsl.Four; inv_std: Wgsl.Four; place: readonly number[]; amount: readonly number[]; fill: readonly number[] },
    "WG" | "MAX_STEPS" | "FIXED" | "CROP" | "FLIP" | "ROTATE" | "FLIP_ROWS" | "KINDS" | "CONSTANT" | "EDGE" | "REFLECT" | "SYMMETRIC" | "Params" | "has_u" | "prepare" | "inward" | "each" | "normalized" | "walk_pixels"
  >;
  export default source;
  export const WG: 64;
  export const MAX_STEPS: 4;
  export const FIXED: 0;
  export const CROP: 1;
  export const FLIP: 2;
  export const ROTATE: 3;
  export const FLIP_ROWS: 4;
  export const KINDS: 8;
  export const CONSTANT: 0;
  export const EDGE: 1;
  export const REFLECT: 2;
  export const SYMMETRIC: 3;
}

declare module "*/where.wgsl" {
  const source: Wgsl.Source<
    { c: Wgsl.Buffer; a: Wgsl.Buffer; b: Wgsl.Buffer; y: Wgsl.Buffer },
    { n: number; truth: number; shape: readonly number[]; sc: readonly number[]; sa: readonly number[]; sb: readonly number[] },
    "RANK" | "Params" | "each" | "WG" | "PER" | "walk"
  >;
  export default source;
  export const RANK: 1;
  export const WG: 64;
  export const PER: 4;
}

declare module "*/wrap-index.wgsl" {
  const source: Wgsl.Source<
    { index: Wgsl.Buffer; y: Wgsl.Buffer; faults: Wgsl.Buffer },
    { n: number; size: number; stride: number; more: number; fault: number },
    "NONE" | "Params" | "each" | "WG"
  >;
  export default source;
  export const NONE: 4294967295;
  export const WG: 64;
}
